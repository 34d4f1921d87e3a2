"""What handlers said, and the files of an exchange, as people see them."""

from __future__ import annotations

from typing import Any

from recorded import a_query, an_exchange

from poe_notebook.tracing.exchange import LogLine, Place, Raised
from poe_notebook.views.attached_files import AttachedFile, attached_files_bundle
from poe_notebook.views.logs import logs_bundle
from poe_notebook.views.logs_live import EchoedLogs
from poe_notebook.views.raised import raised_bundle

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    + "1f15c4890000000d49444154789c6360f8cfc0000003010100c9fe92ef"
) + bytes.fromhex("0000000049454e44ae426082")
HOSTILE = "<img src=x onerror=y>\x1b[2J"


def test_lines_stand_under_their_exchange_in_the_order_of_time() -> None:
    logs = [LogLine(0.5, "log", "slow", "WARNING"), LogLine(0.002, "stdout", "starting\n")]
    raised = Raised(0.75, "ValueError", "no more", [], at=Place("Cell In[3]", 5))
    made = logs_bundle([an_exchange("a", logs=logs, raised=raised, outcome="failed"), an_exchange("b", number=8)])
    text = made["text/plain"]
    assert "Exchange 7 · Shout  (generation 1, failed)" in text
    assert "Exchange 8" not in text
    lines = [line.split() for line in text.split("\n")[2:]]
    assert [(line[1], line[2]) for line in lines] == [("2.0", "stdout"), ("500.0", "log"), ("750.0", "raised")]
    assert lines[0][0].endswith(":22.002")
    assert lines[1][3:] == ["WARNING", "slow"]
    assert "ValueError: no more (Cell In[3], line 5); %poe debug 7" in text
    assert 'class="poe-block-label poe-warn"' in made["text/html"]


def test_silence_is_said_and_many_lines_are_bounded() -> None:
    assert logs_bundle([])["text/plain"].strip() == "No handler has printed anything yet."
    assert "Shout has printed nothing" in logs_bundle([an_exchange("a")], bot="Shout")["text/plain"]
    logs = [LogLine(at / 1000, "stdout", "line\n") for at in range(1_000)]
    many = [an_exchange("a", number=at, logs=logs) for at in range(30)]
    made = logs_bundle(many)
    assert "10 earlier exchanges that said something" in made["text/plain"]
    assert "… and 800 more: `fp.inspect(29).logs[200:]`" in made["text/plain"]


def test_nothing_of_a_line_gets_out_and_keys_printed_in_pieces_are_taken_out() -> None:
    logs = [LogLine(0, HOSTILE, HOSTILE + "secret", HOSTILE)]
    made = logs_bundle([an_exchange("a", logs=logs)], redact=lambda text: text.replace("secret", "…"))
    shown = made["text/html"] + made["text/plain"]
    assert "<img" not in made["text/html"]
    assert "\x1b" not in shown
    assert "secret" not in shown


def echoed(trace: list[Any], *, is_terminal: bool = False) -> tuple[EchoedLogs, list[str]]:
    """An echo of Shout, and what it has shown or written; ``trace`` is the latest exchange first."""
    shown: list[str] = []
    show = None if is_terminal else lambda bundle: shown.append(bundle["text/plain"])
    hide = lambda text: text.replace("secret", "…")
    return EchoedLogs("Shout", lambda: iter(trace), show=show, write=shown.append, redact=hide), shown


def test_an_echo_shows_what_comes_from_now_on_and_only_when_something_did() -> None:
    logs = [LogLine(0, "stdout", "half of it")]
    trace = [an_exchange("a", number=3, logs=[LogLine(0, "stdout", "before\n")])]
    echo, shown = echoed(trace)
    assert echo.update() == echo.update() != 0
    assert len(shown) == 1
    assert "Nothing printed or logged yet." in shown[0]
    trace.insert(0, an_exchange("b", number=4, bot="Other", logs=[LogLine(0, "stdout", "not mine\n")]))
    trace.insert(0, an_exchange("c", number=5, logs=logs, outcome="open"))
    echo.update()
    logs[0].text += ", the secret other half\n"
    echo.update()
    trace[0].outcome, echo.is_over = "done", True
    assert echo.update() is None
    assert len(shown) == 3
    assert shown[1].split()[-3:] == ["half", "of", "it"]
    assert "5  stdout  half of it, the … other half" in shown[2]
    assert "not mine" not in shown[2]
    assert "before" not in shown[2]


def test_an_echo_is_bounded_and_says_what_it_leaves_out() -> None:
    trace: list[Any] = []
    echo, shown = echoed(trace)
    trace.insert(0, an_exchange("a", number=1, logs=[LogLine(0, "stdout", f"line {n}\n") for n in range(250)]))
    echo.update()
    assert "150 earlier lines: `%poe logs`" in shown[-1]
    assert "line 249" in shown[-1]
    assert "line 149" not in shown[-1]


def test_in_a_terminal_an_echo_writes_each_line_once_when_it_has_ended() -> None:
    trace: list[Any] = []
    echo, written = echoed(trace, is_terminal=True)
    logs = [LogLine(0, "stdout", "one\n"), LogLine(0, "stdout", "tw")]
    trace.insert(0, an_exchange("a", number=1, logs=logs, outcome="open"))
    echo.update()
    logs[1].text += "o\n"
    echo.update()
    trace[0].outcome = "done"
    echo.update()
    assert written == ["Shout: one\n", "Shout: two\n"]


def test_files_are_shown_with_size_type_and_what_they_hold() -> None:
    files = [
        AttachedFile("message 1", "a.csv", "text/csv", "http://x/a.csv", b"a,b\n1,2\n"),
        AttachedFile("answer, event 3", "p.png", "image/png", "http://x/p.png", PNG),
        AttachedFile("message 1", HOSTILE, HOSTILE, HOSTILE),
    ]
    made = attached_files_bundle(an_exchange("a"), files)
    text = made["text/plain"]
    assert "8 bytes" in text
    assert "a,b" in text
    assert "1 × 1 pixels" in text
    assert "not kept here" in text
    assert 'src="data:image/png;base64,' in made["text/html"]
    assert "<img src=x" not in made["text/html"]
    assert "\x1b" not in text + repr(files[2])
    assert repr(files[0]) == "<AttachedFile 'a.csv', text/csv, 8 bytes>"
    assert "content not at hand" in repr(files[2])
    assert "No file came with exchange 7" in attached_files_bundle(an_exchange("a"), [])["text/plain"]


def test_a_file_is_made_of_whatever_fields_came() -> None:
    file = AttachedFile.of("message 1", {"name": 3, "content_type": None, "url": ["x"]}, None)
    assert (file.name, file.content_type, file.url, file.size_bytes) == ("3", "", "['x']", None)


def test_what_was_raised_is_shown_above_the_prompt() -> None:
    raised = Raised(0.75, "ValueError", "no", ["Traceback", "  Cell In[3], line 5", HOSTILE], at=Place("Cell In[3]", 5))
    made = raised_bundle(an_exchange("a", raised=raised, request=a_query()))
    assert "The handler of Shout raised ValueError at Cell In[3], line 5, in exchange 7." in made["text/plain"]
    assert "<img" not in made["text/html"]
