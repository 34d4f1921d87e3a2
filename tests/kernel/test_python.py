"""The functions of Python in cells: each does what its magic does, and what cannot be is said in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import kernels
import pytest
from kernels import Kernel

DEFINE = "%%poebot Echo\nasync def get_response(request):\n    yield 'you said: ' + request.query[-1].content\n"


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with kernels.kernel() as k:
        k.run(f"import os; os.chdir({str(tmp_path_factory.mktemp('work'))!r})\nimport poe_notebook as fp")
        assert k.run(DEFINE).status == "ok"
        assert k.run("reply = fp.ask('Echo', 'hi')").status == "ok"
        yield k


def test_a_turn_is_pinned_in_each_way_by_its_number_its_bot_its_exchange_or_its_reply(talking: Kernel) -> None:
    for which in ("-1", "'Echo'", "reply.exchange", "reply", "None"):
        assert talking.value(f"str(fp.pin({which}, 'tests/test_a.py'))") == "tests/test_a.py"
    talking.value("str(fp.pin(reply, 'tests/test_a.py', match='similar', threshold=0.5))")
    talking.value("str(fp.pin(reply, 'tests/test_a.py', pattern='said: h.', key_env='MY_KEY'))")
    talking.value("str(fp.pin(reply, 'tests/test_a.py', url='http://127.0.0.1:9/'))")
    source = Path(talking.value("os.path.abspath('tests/test_a.py')")).read_text("utf-8")
    assert source.count("def test_") == 8
    assert "expect_similar" in source
    assert "at_least=0.5" in source
    assert "expect_match(" in source
    assert "said: h." in source
    assert "MY_KEY" in source


def test_an_answer_is_found_inspected_and_reacted_to_by_its_reply(talking: Kernel) -> None:
    assert talking.value("fp.inspect(reply) is reply.exchange")
    assert talking.value("fp.findings(reply)") == []
    assert talking.value("fp.react(reply, '👍')") is None
    assert talking.value("fp.replay(reply).text") == "you said: hi"
    assert talking.value("[x.bot for x in fp.trace[:2]]") == ["Echo", "Echo"]
    assert talking.value("len(fp.compare('Echo', 'one bot').replies)") == 1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("fp.ask(5, 'x')", "5 (int) is no bot's name."),
        ("fp.ask('Echo', 5)", "The message is 5 (int)."),
        ("fp.ask('Echo', 'x', timeout='soon')", "The timeout cannot be 'soon'."),
        ("fp.ask('Echo', 'x', timeout=0)", "The timeout cannot be 0."),
        ("await fp.aask(None, 'x')", "None (NoneType) is no bot's name."),
        ("await fp.aask('Nobody', 'x')", "No bot named 'Nobody'"),
        ("fp.chat(5)", "is no bot's name"),
        ("fp.chat('Echo').send(5)", "The message is 5 (int)."),
        ("fp.chat('Echo').send('x', bot='Nobody')", "No bot named 'Nobody'"),
        ("fp.compare([5], 'x')", "5 (int) is no bot's name."),
        ("fp.settings(5)", "is no bot's name"),
        ("fp.stop(5)", "is no bot's name"),
        ("fp.rollback(5)", "is no bot's name"),
        ("fp.register(5, 'http://127.0.0.1:9/')", "is no bot's name"),
        ("fp.register('There', 6)", "6 (int) is no address."),
        ("fp.serve(lambda request: 'x', name='Other', port='x')", "The port cannot be 'x'."),
        ("fp.react(reply, 5)", "5 is no reaction of Poe's."),
        ("fp.pin(reply, 'test_a.py', match='nope')", "Texts cannot be compared as 'nope'."),
        ("fp.pin(reply, 'test_a.py', match='similar', threshold=7)", "The threshold cannot be 7."),
        ("fp.pin(reply, 'test_a.py', pattern=3)", "3 is no regular expression"),
        ("fp.pin(reply, 5)", "5 names no file."),
        ("fp.pin(-1, 'test_a.py', bot=5)", "5 (int) is no place of a bot."),
        ("fp.pin(-1, 'test_a.py', bot='nasty bot')", "'nasty bot' is no place of a bot."),
        ("fp.pin(-1, 'test_a.py', url=5)", "5 (int) is no address of a bot's server."),
        ("fp.pin(-1, 'test_a.py', url='ftp://x')", "'ftp://x' is no address of a bot's server."),
        ("fp.pin(-1, 'test_a.py', key_env='A B')", "'A B' is no name of an environment variable."),
        ("fp.pin(1.5, 'test_a.py')", "There is no exchange 1.5."),
        ("fp.replay(-1, bot=5)", "5 (int) is no bot's name."),
        ("fp.replay(1.5)", "There is no exchange 1.5."),
        ("fp.replay(-1, bot='Echo', timing=True)", "timing and bot do not go together."),
        ("fp.replay(-1, timing=True, timeout='soon')", "The timeout cannot be 'soon'."),
        ("fp.save('a.jsonl', bot=5)", "is no bot's name"),
        ("fp.sync('Echo', name=5)", "is no bot's name"),
        ("fp.serve_recording('a.jsonl', 5)", "is no bot's name"),
        ("fp.save(5)", "5 names no file."),
        ("fp.load(None)", "None names no file."),
        ("fp.serve_recording(None)", "None names no file."),
        ("fp.inspect([1])", "There is no exchange [1] to show."),
        ("fp.trace[99]", "There is no place 99 in <Trace of"),
        ("fp.trace['x']", "There is no place 'x' in <Trace of"),
        ("fp.inspect(99)", "See all: %poe inspect all"),
    ],
)
def test_what_cannot_be_is_said_without_a_frame_that_is_not_the_users(talking: Kernel, call: str, said: str) -> None:
    ran = talking.run(call)
    assert ran.status == "error"
    assert said in ran.error
    for frame in ("poe_notebook/", "asyncio/", "concurrent/", "pathlib.py"):
        assert frame not in ran.error
