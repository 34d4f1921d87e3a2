"""Traces and pinned tests in files: nothing is overwritten, nothing holds a key, and what was written can be used."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kernels import ROOT
from recorded import a_query, an_exchange

from poe_notebook.errors import CommandError, TraceFileError
from poe_notebook.keeping import Pinned, check_place, load_trace, pin_turn, read_recording, save_trace
from poe_notebook.keys import Redactor, Secret
from poe_notebook.replaying.pinning import Pin, guessed_place
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.recorder import Trace

KEY = "kR4xWq9ZtB2nLm7cVd5hJs8fGy3pTe6u"
RIGHT = "def get_response(request):\n    yield request.query[-1].content.upper()\n"
WRONG = "def get_response(request):\n    yield request.query[-1].content.title()\n"
RAISES = "def get_response(request):\n    yield 'HELLO'\n    raise ValueError('no more')\n"


def a_trace(*exchanges: Exchange) -> Trace:
    redactor = Redactor()
    redactor.add(Secret(KEY))
    trace = Trace(redactor)
    for exchange in exchanges:
        trace.add(exchange)
    return trace


def pin(path: Path, *said: str, how: dict[str, Any] | None = None, **fields: Any) -> str:
    """Pin an exchange, and give the file's source."""
    options = {"place": "shout:get_response", **(how or {})}
    exchange = an_exchange(*(said or ("HELLO ", "THERE")), **fields)
    pinned = pin_turn(exchange, path, Pin(**options), redactor=a_trace().redactor)
    source = path.read_text("utf-8")
    assert f"def {pinned.test}():" in source
    return source


def run_pytest(folder: Path, bot: str, *more: str) -> tuple[bool, str]:
    """Run a folder's tests as a person does who has but pytest and the package; gives whether they passed."""
    (folder / "shout.py").write_text(bot)
    paths = [str(ROOT)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("POE_ACCESS_KEY", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *more]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return ran.returncode == 0, ran.stdout + ran.stderr


# Traces.


def test_what_is_saved_is_counted_and_nothing_is_written_over_unless_that_is_said(tmp_path: Path) -> None:
    trace, path = a_trace(an_exchange("a"), an_exchange("b", bot="Other")), tmp_path / "a.jsonl"
    saved = save_trace(trace, path)
    assert (saved.exchanges, saved.events, saved.size_bytes) == (2, 4, path.stat().st_size)
    with pytest.raises(TraceFileError, match=r"there already[\s\S]*--force"):
        save_trace(trace, path)
    assert save_trace(trace, path, bot="Other", force=True).exchanges == 1
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    with pytest.raises(TraceFileError, match="no saved trace"):
        save_trace(trace, other, force=True)
    assert other.read_text() == "mine"


def test_a_bots_exchanges_are_saved_with_the_calls_that_it_made(tmp_path: Path) -> None:
    trace = a_trace(an_exchange("a", bot="A"), an_exchange("b", bot="B"))
    call = trace.add(an_exchange("c", bot="C"))
    call.parent = trace[0].number
    save_trace(trace, tmp_path / "a.jsonl", bot="A")
    assert [exchange.bot for exchange in read_recording(tmp_path / "a.jsonl", Redactor())] == ["A", "C"]


def test_nothing_to_save_no_folder_and_no_trace_are_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Nothing has been asked"):
        save_trace(a_trace(), tmp_path / "a.jsonl")
    with pytest.raises(CommandError, match="No exchange with B"):
        save_trace(a_trace(an_exchange()), tmp_path / "a.jsonl", bot="B")
    with pytest.raises(TraceFileError, match="cannot be written"):
        save_trace(a_trace(an_exchange()), tmp_path / "none" / "a.jsonl")
    with pytest.raises(TraceFileError, match="cannot be read"):
        load_trace(a_trace(), tmp_path / "none.jsonl")
    for name in ("a.har", "B.HAR"):
        save_trace(a_trace(an_exchange("a")), tmp_path / name)
        assert json.loads((tmp_path / name).read_text())["log"]["entries"][0]["comment"].startswith("Shout")
        with pytest.raises(TraceFileError, match="for other tools"):
            load_trace(a_trace(), tmp_path / name)


# Pinned tests: what is written.


def test_a_pinned_test_can_be_read(tmp_path: Path) -> None:
    source = pin(tmp_path / "test_shout.py")
    assert source.endswith(
        '    answer = ask("shout:get_response", request)\n'
        '    answer.expect_outcome("done")\n'
        '    answer.expect_order("text", "done")\n'
        '    answer.expect_events({"text": (1, 4), "done": 1})  # a pair: at least, at most\n'
        "    answer.expect_first_text(within_s=5)\n"
        '    answer.expect_text("HELLO THERE")\n'
    )
    assert '"query": [\n            {"role": "user", "content": "hello there"},\n        ],' in source
    assert "def test_shout_hello_there():\n    # Exchange 7 of 2026-03-04, answered by generation 1.\n" in source


def test_a_second_turn_is_added_and_the_first_stays_as_it_was_edited(tmp_path: Path) -> None:
    path = tmp_path / "test_shout.py"
    edited = pin(path).replace("within_s=5", "within_s=9") + "\n\ndef test_of_my_own():\n    assert True\n\n\n"
    path.write_text(edited)
    source = pin(path, "GOOD ", "BYE", content="good bye")
    assert source.startswith(edited.rstrip())
    names = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    assert names == ["test_shout_hello_there", "test_of_my_own", "test_shout_good_bye"]
    assert "def test_shout_hello_there_2():" in pin(path)
    assert "def test_shout_hello_there_3():" in pin(path)


def test_a_files_line_ends_and_mode_stay(tmp_path: Path) -> None:
    path = tmp_path / "test_shout.py"
    pin(path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    path.chmod(0o640)
    pin_turn(an_exchange("a"), path, Pin("a:b"), redactor=Redactor())
    raw = path.read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"import os\n", "no file of pinned tests"),
        (b"from poe_notebook.pinned import ask as a\n", "no file of pinned tests"),
        (b"from poe_notebook.pinned import ask\ndef broken(:\n", "is no Python"),
        (b"\xff\xfe", "no text in UTF-8"),
    ],
)
def test_another_file_is_not_touched(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "test_mine.py"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=said):
        pin(path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("fields", "how", "said"),
    [
        ({"outcome": "open"}, {}, "is open"),
        ({"outcome": "stopped"}, {}, "is stopped"),
        ({"server": None}, {}, "has no answer"),
        ({"kind": "settings"}, {}, "no question"),
        ({}, {"match": "regex"}, "is missing"),
        ({}, {"match": "regex", "pattern": "("}, "no regular expression"),
        ({}, {"match": "regex", "pattern": "BYE"}, "not found in the answer"),
    ],
)
def test_a_turn_of_which_nothing_can_be_expected_is_refused(
    tmp_path: Path, fields: dict[str, Any], how: dict[str, Any], said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        pin(tmp_path / "tests" / "test_a.py", how=how, **fields)
    assert not (tmp_path / "tests").exists()


def test_a_name_that_is_no_python_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no name for a test"):
        pin(tmp_path / "test_a.txt")


def test_no_key_is_in_a_pinned_test_wherever_it_was(tmp_path: Path) -> None:
    halves = KEY[:16], KEY[16:]
    message = {"content": "x " * 40 + KEY, "parameters": {KEY: [KEY]}, "attachments": []}
    request = {**a_query(**message), "metadata": KEY, "access_key": KEY, "extra_params": {"k": KEY}}
    how = {"match": "regex", "pattern": "hidden"}
    for options in ({}, {"match": "similar"}, how):
        pin(tmp_path / "test_keys.py", "x " * 45, *halves, bot=KEY, request=request, how=options)
    source = (tmp_path / "test_keys.py").read_text()
    joined = source.replace('"\n', "").replace(" ", "")
    assert KEY not in joined
    assert halves[0] not in joined
    assert "key hidden" in source


def test_a_hostile_answer_is_only_text_in_a_test(tmp_path: Path) -> None:
    text = 'x")\nimport os; os.abort()\n"""\\N{BULLET}{oops}\u202e\ud800'
    source = pin(tmp_path / "test_a.py", text, content='"""\nraise SystemExit\n', bot="a b:\n")
    calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}
    assert all(call.startswith(("ask", "answer.expect")) for call in calls)


# Pinned tests: what they do.


def test_pinned_tests_pass_and_fail_in_words_when_the_bot_changes(tmp_path: Path) -> None:
    hows = {"exact": {}, "similar": {"match": "similar"}, "regex": {"match": "regex", "pattern": r"HEL+O"}}
    for name, how in hows.items():
        pin(tmp_path / "tests" / f"test_{name}.py", how=how)
    passed, shown = run_pytest(tmp_path, RIGHT)
    assert passed, shown
    assert "3 passed" in shown
    passed, shown = run_pytest(tmp_path, WRONG)
    assert not passed
    assert "3 failed" in shown
    assert shown.count("get_response answers differently.") >= 3
    assert "Hello There" in shown
    assert shown.count("pin the turn again") >= 3
    assert "poe_notebook/pinned.py" not in shown, "only the test's own line"


def test_the_words_that_changed_are_marked_and_an_exception_is_named(tmp_path: Path) -> None:
    pin(tmp_path / "test_shout.py", "HELLO THERE")
    _, shown = run_pytest(tmp_path, WRONG)
    assert "[-HELLO THERE-]{+Hello There+}" in shown
    _, shown = run_pytest(tmp_path, RAISES)
    assert "It was done when it was pinned, and is failed now." in shown
    assert "ValueError: no more" in shown
    assert "shout.py:3" in shown, "where it was raised"


def test_pytest_alone_finds_the_module_and_one_that_is_missing_is_said(tmp_path: Path) -> None:
    pin(tmp_path / "tests" / "test_shout.py", how={"place": "nowhere:Shout"})
    _, shown = run_pytest(tmp_path, RIGHT)
    assert "There is no module 'nowhere'" in shown
    pin(tmp_path / "tests" / "test_other.py", how={"place": "shout:Shout"})
    assert "shout has no Shout, and no function get_response" in run_pytest(tmp_path, "x = 1\n")[1]


@pytest.mark.parametrize("place", ["shout", "shout:Shout"])
def test_a_bot_that_is_a_function_in_its_cell_is_found_in_a_module_of_that_body(tmp_path: Path, place: str) -> None:
    pin(tmp_path / "test_shout.py", how={"place": place})
    passed, shown = run_pytest(tmp_path, RIGHT)
    assert passed, shown


def test_a_class_of_bots_is_found_in_a_module_of_its_cells_body(tmp_path: Path) -> None:
    pin(tmp_path / "test_shout.py", how={"place": guessed_place("Shout")})
    handler = RIGHT.replace("(request)", "(self, request)").replace("\n", "\n    ")
    one = f"import poe_notebook as fp\nclass Base(fp.PoeBot):\n    pass\nclass Shout(Base):\n    {handler}\n"
    passed, shown = run_pytest(tmp_path, one)
    assert passed, shown
    _, shown = run_pytest(tmp_path, one + "class Other(Base):\n    pass\n")
    assert "shout has no function get_response, and several bots" in shown
    assert "It has Shout, Other: name one" in shown


@pytest.mark.parametrize("bot", [5, "", "nasty bot", "shout.py", "shout.py:Shout", "a:b c", "a:", "ftp://x", "a/b"])
def test_a_place_that_no_test_can_import_is_refused(bot: Any) -> None:
    with pytest.raises(CommandError, match=r"is no place of a bot\.[\s\S]*For example: shout"):
        check_place(bot=bot)


@pytest.mark.parametrize("url", [5, "", "ftp://x", "http://", "127.0.0.1:8080", "http://a b", "http://x:99999/"])
def test_an_address_that_no_test_can_ask_is_refused(url: Any) -> None:
    with pytest.raises(CommandError, match=r"is no address of a bot's server\.[\s\S]*http://127"):
        check_place(url=url)


def test_places_and_addresses_that_can_be_meant_are_taken(tmp_path: Path) -> None:
    for bot in ("shout", "bots.shout:Shout", "my-bot", "größe:Größe.Inner", "2fast", "https://x.org/"):
        check_place(bot=bot)
    for url in ("http://127.0.0.1:8080/Shout", "https://[::1]/", f"http://localhost/{KEY}"):
        check_place(url=url)
    for variable in ("A B", "", "1A", 5):
        with pytest.raises(CommandError, match=r"is no name of an environment variable\.[\s\S]*POE_ACCESS_KEY"):
            pin(tmp_path / "test_a.py", how={"key_variable": variable})


def test_a_test_of_a_server_says_which_key_it_needs(tmp_path: Path) -> None:
    url, path = "http://127.0.0.1:9/Shout", tmp_path / "test_shout.py"
    pinned = pin_turn(an_exchange("a"), path, Pin(url, key_variable="SHOUT_KEY"), redactor=Redactor())
    assert pinned.key_variable == "SHOUT_KEY"
    assert "in the environment variable SHOUT_KEY.\n" in path.read_text()
    _, shown = run_pytest(tmp_path, RIGHT)
    assert f"{url} could not be asked: the environment variable SHOUT_KEY" in shown
    assert "SHOUT_KEY=… pytest" in shown
    assert "poe_notebook/" not in shown
    assert pin_turn(an_exchange("a"), path, Pin("shout"), redactor=Redactor()).key_variable == ""


@pytest.mark.parametrize("folder", ["a", "long" * 40])
def test_files_at_an_address_of_this_kernel_are_told_of_however_long_it_is(tmp_path: Path, folder: str) -> None:
    def pinned(url: str) -> Pinned:
        file = {"url": f"{url}/{folder}", "content_type": "text/plain", "name": "a.txt"}
        exchange = an_exchange("a", request=a_query(attachments=[file]))
        return pin_turn(exchange, tmp_path / "test_a.py", Pin("shout"), redactor=Redactor())

    assert pinned("http://127.0.0.1:8765").has_local_files
    assert pinned("http://localhost:8765").has_local_files
    assert not pinned("https://example.org").has_local_files


PLAIN_RAISES = RAISES + "def plain(request):\n    raise ValueError('of a thread')\n"


@pytest.mark.parametrize("place", ["shout", "shout:plain"])
def test_a_bot_that_raises_is_shown_from_its_own_line_on(tmp_path: Path, place: str) -> None:
    pin(tmp_path / "test_shout.py", how={"place": place})
    _, shown = run_pytest(tmp_path, PLAIN_RAISES)
    assert "ValueError" in shown
    assert "shout.py:" in shown
    for frame in ("poe_notebook/", "starlette/", "anyio/"):
        assert frame not in shown
