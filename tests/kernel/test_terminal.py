"""The same magics in a terminal IPython: text that streams, and errors without our frames."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

ROOT = Path(__file__).parent.parent.parent
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[pexpect.spawn]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path), "TERM": "dumb"}
    environment.pop("POE_API_KEY", None)
    command = [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"]
    child = pexpect.spawn(command[0], command[1:], env=environment, encoding="utf-8", timeout=30, dimensions=(50, 200))
    child.expect_exact("In [1]: ")
    yield child
    child.close(force=True)


def enter(terminal: pexpect.spawn, *lines: str) -> str:
    """Type lines and give what comes up to the next prompt."""
    for line in lines:
        terminal.sendline(line)
    terminal.expect(r"In \[\d+\]: ")
    return ANSI.sub("", terminal.before)


def define(terminal: pexpect.spawn) -> str:
    terminal.sendline("%load_ext poe_notebook")
    terminal.expect(r"In \[\d+\]: ")
    body = "import asyncio\\nasync def get_response(request):\\n    for w in request.query[-1].content.split():\\n"
    body += "        yield w.upper() + ' '\\n        await asyncio.sleep(0.3)\\n"
    return enter(terminal, f'get_ipython().run_cell_magic("poebot", "Shout", "{body}")')


def test_the_answer_streams_as_text(terminal: pexpect.spawn) -> None:
    assert "Shout · generation 1 · http://127.0.0.1:" in define(terminal)
    terminal.sendline("reply = %poe chat Shout alpha beta gamma delta")
    terminal.expect_exact("ALPHA ")
    first = time.monotonic()
    terminal.expect_exact("DELTA")
    assert time.monotonic() - first > 0.5
    terminal.expect(r"In \[\d+\]: ")
    assert "5 events" in ANSI.sub("", terminal.before)
    assert "ALPHA BETA GAMMA DELTA" in enter(terminal, "reply.text")


def test_an_answer_is_stopped_with_control_c(terminal: pexpect.spawn) -> None:
    define(terminal)
    terminal.sendline("%poe chat Shout " + "word " * 60)
    terminal.expect_exact("WORD WORD ")
    started = time.monotonic()
    terminal.sendintr()
    terminal.expect(r"In \[\d+\]: ")
    assert time.monotonic() - started < 1
    shown = ANSI.sub("", terminal.before)
    assert "stopped" in shown
    assert "poe_notebook/" not in shown


def test_an_error_is_a_message_and_leaving_ends_everything(terminal: pexpect.spawn) -> None:
    define(terminal)
    shown = enter(terminal, "%poe chat Shuot hello")
    assert "Did you mean Shout?" in shown
    assert "Traceback" not in shown
    started = time.monotonic()
    terminal.sendline("exit")
    terminal.expect(pexpect.EOF)
    assert time.monotonic() - started < 5


def test_without_a_message_a_chat_says_what_to_type_and_goes_on_from_python(terminal: pexpect.spawn) -> None:
    define(terminal)
    said = enter(terminal, "panel = %poe chat Shout")
    assert "`%poe chat Shout hello`" in said
    assert "users may attach files" in said
    assert "LOUD AND CLEAR" in enter(terminal, "panel.send('loud and clear')")
    assert "# Chat with Shout" in enter(terminal, "print(panel.transcript())")


def test_answers_are_compared_as_text_and_control_c_stops_all(terminal: pexpect.spawn) -> None:
    define(terminal)
    said = enter(terminal, "c = %poe compare Shout GPT-3.5-Turbo -- alpha beta")
    assert said.index("Asking Shout, GPT-3.5-Turbo") < said.index("ALPHA BETA")
    assert "Stand-in for GPT-3.5-Turbo" in said
    assert "first text" in said.rpartition("answered by")[2]
    terminal.sendline("%poe compare Shout Shout -- " + "word " * 60)
    time.sleep(1.5)
    terminal.sendintr()
    started = time.monotonic()
    terminal.expect(r"In \[\d+\]: ")
    assert time.monotonic() - started < 2
    shown = ANSI.sub("", terminal.before)
    assert shown.count("Stopped.") == 2
    assert "KeyboardInterrupt" in shown
