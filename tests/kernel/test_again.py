"""Going back, in a real kernel: replay, the debugger, pinned tests, recordings, logs and files, saving and loading."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import kernels
import pytest
from kernels import ANSI, ROOT, Kernel, Ran

KEY = "kR4xWq9ZtB2nLm7cVd5hJs8fGy3pTe6u"
API_KEY = "pZ7yVd1QcN5bRk8mXw3gHt6jLs2fEa9u"
RAISES = """%%poebot Totals
import asyncio, json, logging, warnings
async def get_response(request):
    print("asked for", request.query[-1].content)
    logging.getLogger("totals").warning("about to add")
    numbers = request.query[-1].content.split()
    for number in numbers:
        yield number + " + "
        await asyncio.sleep(0.01)
    total = json.loads("[" + " ".join(numbers) + "]")
    yield str(sum(total))
"""
MENDED = RAISES.replace('" ".join(numbers)', '",".join(numbers)')
SILENT = "%%poebot Silent\nasync def get_response(request):\n    yield 'nothing wrong'\n"


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("again")
    with kernels.kernel(environment={"POE_ACCESS_KEY": KEY}) as kernel:
        kernel.run(f"import os\nos.chdir({str(folder)!r})\nimport poe_notebook as fp")
        kernel.run(SILENT)
        kernel.run(RAISES)
        assert "failed" in kernel.run("reply = %poe chat Totals 1 2 39").text
        yield kernel


def folder(kernel: Kernel) -> Path:
    return Path(kernel.value("os.getcwd()"))


def debugged(kernel: Kernel, line: str, *commands: str) -> Ran:
    """Run a cell that opens the debugger, and type into it."""
    ran = kernel.send(line, allow_stdin=True)
    for command in (*commands, "q"):
        kernel.client.get_stdin_msg(timeout=20)
        kernel.client.input(command)
    kernel.wait(ran)
    return ran


def test_a_failed_turn_names_the_debugger_and_the_replay(steady: Kernel) -> None:
    hint = steady.value("reply.failure.hint")
    assert f"`%poe debug {steady.value('reply.exchange.number')}`" in hint
    assert "`%poe replay`" in hint


def test_the_debugger_opens_at_the_authors_line_with_its_variables(steady: Kernel) -> None:
    ran = debugged(steady, "%poe debug", "p numbers", "d", "u", "p number")
    shown = ANSI.sub("", ran.text)
    assert not ran.error
    assert "The handler of Totals raised JSONDecodeError at Cell In[" in shown
    assert "['1', '2', '39']" in shown, "a local variable of the handler, at once"
    assert "'39'" in shown
    assert 'total = json.loads("[" + " ".join(numbers) + "]")' in shown
    assert "json/__init__.py" in shown, "the library's frames are below"
    assert "poe_notebook/" not in shown, "none of ours is above"
    assert steady.value("__import__('sys').last_type.__name__") == "JSONDecodeError"
    assert "['1', '2', '39']" in debugged(steady, "%debug", "u", "u", "u", "p numbers").text, "again, by IPython's own"


def test_the_debugger_says_when_there_is_nothing_to_debug(steady: Kernel) -> None:
    steady.run("%poe chat Silent hello")
    number = steady.value("reply.exchange.number")
    assert f"raised nothing.\nThe latest that did: %poe debug {number}" in steady.run("%poe debug Silent").error
    assert f"fp.inspect({number}).raised.error" in steady.run("%poe debug", allow_stdin=False).error
    with kernels.kernel() as other:
        assert "No handler has raised anything" in other.run("%poe debug").error
        assert "Nothing has been asked yet" in other.run("%poe replay").error
        assert "nothing to save" in other.run("%poe save a.jsonl").error
        assert "No handler has printed anything yet" in other.run("%poe logs").text


def test_replay_shows_old_and_new_after_a_fix_and_gives_the_reply(steady: Kernel) -> None:
    steady.run(MENDED)
    ran = steady.run("again = %poe replay Totals")
    assert "Before: failed. Now: done." in ran.text
    assert "JSONDecodeError" in ran.text
    assert "{+42+}" in ran.text
    assert "exchange" in ran.text
    assert "generation 2" in ran.text
    assert "<ins>42</ins>" in "".join(bundle.get("text/html", "") for bundle in ran.bundles)
    assert steady.value("(again.text, again.generation, again.exchange.outcome)") == ("1 + 2 + 39 + 42", 2, "done")
    same = steady.run("%poe replay -1")
    assert "The text is the same." in same.text
    assert "Both are done." in same.text
    assert steady.value("fp.replay(reply.exchange).text") == "1 + 2 + 39 + 42"


def test_replay_to_another_bot_and_of_what_is_not_there(steady: Kernel) -> None:
    assert "nothing wrong" in steady.run("%poe replay Totals --bot Silent").text
    assert "No bot named 'Totls'" in steady.run("%poe replay Totals --bot Totls").error
    assert "no exchange '999'" in steady.run("%poe replay 999").error
    assert "do not go together" in steady.run("%poe replay Totals --bot Silent --timing").error


def test_a_recorded_answer_is_played_live_in_its_cell(steady: Kernel) -> None:
    count = steady.value("len(fp.trace)")
    ran = steady.run("played = %poe replay Totals --timing")
    assert "recording" in ran.text
    assert steady.value("(played.text, played.route, len(fp.trace))") == ("1 + 2 + 39 + 42", "recording", count)


def test_logs_are_shown_by_exchange_and_by_bot(steady: Kernel) -> None:
    text = steady.run("%poe logs Totals").text
    assert "asked for 1 2 39" in text
    assert "log WARNING" in text
    assert "about to add" in text
    assert "JSONDecodeError" in text
    assert "Silent has printed nothing yet" in steady.run("%poe logs Silent").text
    assert "No bot named 'Nobody'" in steady.run("%poe logs Nobody").error


def test_files_of_both_directions_are_shown_and_given(steady: Kernel) -> None:
    steady.run(
        "%%poebot Files\nimport poe_notebook as fp\n"
        "class Files(fp.PoeBot):\n"
        "    async def get_response(self, request):\n"
        "        await self.post_message_attachment(message_id=request.message_id, file_data=b'a,b\\n',\n"
        "                                           filename='out.csv', access_key=request.access_key)\n"
        "        yield 'there'\n"
    )
    steady.run("data = b'some bytes'\n%poe chat Files --attach data look")
    ran = steady.run("files = %poe attachments")
    assert "10 bytes" in ran.text
    assert "out.csv" in ran.text
    assert steady.value("[(file.name, file.content) for file in files]") == [
        ("data", b"some bytes"),
        ("out.csv", b"a,b\n"),
    ]
    assert "No file came with exchange" in steady.run("%poe attachments Silent").text


def test_a_pinned_turn_passes_outside_the_notebook_and_fails_when_the_bot_changes(steady: Kernel) -> None:
    place = folder(steady)
    ran = steady.run("%poe pin Totals tests/test_totals.py")
    assert "a new file" in ran.text
    assert "imports its bot as `totals`, from `totals.py`" in ran.text
    assert (
        "added to the tests there" in steady.run("%poe pin Silent tests/test_totals.py --bot silent:get_response").text
    )
    assert "only into files named" in steady.run("%poe pin -1 kept.py --match similar --threshold 0.5").text
    (place / "silent.py").write_text(SILENT.partition("\n")[2])
    handler = MENDED.partition("\n")[2]
    bot = "import poe_notebook as fp\nclass Totals(fp.PoeBot):\n    get_response = staticmethod(get_response)\n"
    (place / "totals.py").write_text(handler + bot)
    assert run_pytest(place) == (True, "")
    (place / "totals.py").write_text(handler.replace("str(sum(total))", "str(max(total))") + bot)
    passed, shown = run_pytest(place)
    assert not passed
    assert "[-42-]{+39+}" in shown


def run_pytest(place: Path) -> tuple[bool, str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests"]
    ran = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    return ran.returncode == 0, "" if ran.returncode == 0 else ran.stdout


def test_what_cannot_be_pinned_is_said(steady: Kernel) -> None:
    assert "not found in the answer" in steady.run("%poe pin Totals a.py --pattern 'no such'").error
    assert "--match cannot be 'fuzzy'" in steady.run("%poe pin Totals a.py --match fuzzy").error
    assert "not both" in steady.run("%poe pin Totals a.py --bot a:b --url http://127.0.0.1/").error
    (folder(steady) / "mine.py").write_text("x = 1\n")
    assert "no file of pinned tests" in steady.run("%poe pin Totals mine.py").error


def test_a_trace_is_saved_loaded_and_served_as_a_bot(steady: Kernel) -> None:
    said = steady.run("%poe save totals.jsonl --bot Totals").text
    count = len([line for line in (folder(steady) / "totals.jsonl").open() if line.startswith('{"exchange"')])
    assert f"{count} exchanges" in said
    assert "--force" in steady.run("%poe save totals.jsonl --bot Totals").error
    assert "Saved" in steady.run("%poe save totals.jsonl --bot Totals --force").text
    assert "for other tools" in steady.run("fp.save('t.har')\n%poe load t.har").error
    loaded = steady.run("%poe load totals.jsonl").text
    assert f"{count} exchanges" in loaded
    assert "under numbers" in loaded
    assert "is there already" in steady.run("fp.save('t.har')").error
    assert "The text is the same." in steady.run("%poe replay -1").text, "of the loaded ones"
    ran = steady.run("%poe serve-recording totals.jsonl --as Demo")
    assert "Demo · generation 1" in ran.text
    assert "no handler runs" in ran.text
    assert "1 + 2 + 39 +" in steady.run("%poe chat Demo 1 2 39").text
    assert "cannot be read" in steady.run("%poe load nowhere.jsonl").error


AT_THE_CAUSE = "%%poebot Empty\nasync def get_response(request):\n    mine = 'here'\n    yield next(iter([]))\n"


def test_without_a_line_of_the_authors_the_debugger_says_what_to_type_instead(steady: Kernel) -> None:
    steady.run("%%poebot GivesSeven\ndef get_response(request):\n    return 7\n")
    steady.run("%poe chat GivesSeven hello")
    number = steady.value("fp.trace.last().number")
    for line in ("%poe debug", f"%poe debug {number}"):
        ran = steady.run(line, allow_stdin=False)
        assert f"No line of yours was running when exchange {number} failed" in ran.error
        assert f"%poe inspect {number}" in ran.error
        assert "Traceback" not in ran.error


def test_the_debugger_opens_at_the_cause_if_that_alone_has_a_line_of_the_authors(steady: Kernel) -> None:
    steady.run(AT_THE_CAUSE)
    steady.run("%poe chat Empty hello")
    ran = debugged(steady, "%poe debug", "p mine")
    shown = ANSI.sub("", ran.text)
    assert not ran.error
    assert "'here'" in shown
    assert "yield next(iter([]))" in shown


def test_the_python_api_of_the_trace_is_at_hand(steady: Kernel) -> None:
    steady.run("%poe chat Totals 1 2")
    api = "(len(x.events), x.text, x.first_text_s > 0, len(x.gaps_s), len(x.to_dataframe()))"
    assert steady.value(f"(lambda x: {api})(fp.inspect(-1))") == (4, "1 + 2 + 3", True, 4, 4)
    assert steady.value("len(fp.trace.to_dataframe()) == len(fp.trace)") is True
    for name in ("replay", "save", "load", "pin", "serve_recording"):
        assert steady.value(f"bool(fp.{name}.__doc__)") is True


def test_no_key_is_in_any_file_that_was_written_nor_in_what_was_shown(steady: Kernel) -> None:
    place = folder(steady)
    steady.run(f"os.environ['POE_API_KEY'] = 'pZ7yVd1QcN5bRk8m' + {API_KEY[16:]!r}")
    steady.run(
        "%%poebot Leaky\nimport os, asyncio, logging, warnings\nimport poe_notebook as fp\n"
        "async def get_response(request):\n"
        "    key, api_key = request.access_key, os.environ['POE_API_KEY']\n"
        "    print('printed', key, api_key)\n    print(key[:20], end='')\n    print(key[20:])\n"
        "    logging.getLogger('x').error('logged %s', api_key)\n    warnings.warn('warned ' + key)\n"
        "    yield key\n"
        "    for letter in api_key:\n        yield letter\n        await asyncio.sleep(0)\n"
        "    yield fp.PartialResponse(text='', attachment=fp.Attachment(url='http://x/' + key,"
        " content_type='text/' + key, name=api_key + '.txt'))\n"
        "    raise ValueError('raised ' + key + api_key)\n"
    )
    shown = ""
    cells = [
        f"data = b'{KEY}'\n%poe chat Leaky --attach data --via kernel {KEY} and {API_KEY}",
        "%poe inspect Leaky",
        "%poe logs Leaky",
        "%poe attachments Leaky",
        "%poe pin Leaky leaks/test_leaky.py",
        f"%poe pin Leaky leaks/test_leaky.py --match similar --url http://127.0.0.1:1/{KEY}",
        "%poe replay Leaky --timing",
        "%poe replay Leaky",
        f"%poe save leaks/{API_KEY}.jsonl",
        "%poe save leaks/a.har",
        f"%poe load leaks/{API_KEY}.jsonl",
        f"%poe serve-recording leaks/{API_KEY}.jsonl Leaky --as Demo2",
        "%poe chat Demo2 hello",
        "%poe inspect Demo2",
    ]
    for cell in cells:
        ran = steady.run(cell)
        shown += ran.text + "".join(json.dumps(bundle) for bundle in ran.bundles)
    written = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert {path.suffix for path in written} >= {".jsonl", ".har", ".py"}
    assert any(b"key hidden" in raw for raw in written.values())
    for key in (KEY, API_KEY):
        for path, raw in written.items():
            assert key.encode() not in raw, path
            assert key.encode() not in raw.replace(b'"\n', b"").replace(b" ", b""), path
        assert key not in shown
