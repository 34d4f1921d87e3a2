"""Live turns: what is sent when, that the page ends up with what is saved, and which front end gets which form."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.conversation import Conversation, Reply
from poe_notebook.protocol.events import Event
from poe_notebook.views.answer import AnswerText
from poe_notebook.views.handle_turn import HandleTurn
from poe_notebook.views.live import CellOutput, LiveTurn, open_turn
from poe_notebook.views.terminal_turn import TerminalTurn
from poe_notebook.views.transcript import turn_bundle
from poe_notebook.views.turn_widget import TurnWidget, WidgetTurn

VIEW = "application/vnd.jupyter.widget-view+json"
KEY = "sk-0123456789abcdef0123456789abcdef"


class Clock:
    """Time that passes only when told, or a little with each look at it."""

    def __init__(self, tick_s: float = 0.0) -> None:
        self.now_s, self.tick_s = 100.0, tick_s

    def __call__(self) -> float:
        self.now_s += self.tick_s
        return self.now_s


class Page:
    """A notebook page: the bundles of one output, and the messages to its widget, applied as ``turn.js`` does."""

    def __init__(self) -> None:
        self.bundles: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.parts: dict[int, list[str]] = {}
        self.buffers: list[Any] = []
        self.scripts: list[str] = []
        self.is_closed = False

    def show(self, bundle: dict[str, Any]) -> None:
        self.bundles.append(bundle)

    def take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if message["kind"] != "patch":
            return
        for index, count, entries in message["parts"]:
            blocks = self.parts.setdefault(index, [])
            blocks += [""] * (count - len(blocks))
            del blocks[count:]
            for i, keep, html in entries:
                kept = blocks[i].encode("utf-16-le")[: 2 * keep].decode("utf-16-le")
                blocks[i] = kept + html

    @property
    def blocks(self) -> list[str]:
        """The blocks of the first response."""
        return self.parts.get(0, [])

    def widget(self, frame: str, *, snapshot: Callable[[], dict[str, Any]]) -> TurnWidget:
        page = self

        class RecordedWidget(TurnWidget):
            def send(self, content: Any, buffers: Any = None) -> None:
                page.take(content)
                page.buffers += buffers or []

            def close(self) -> None:
                page.is_closed = True
                super().close()

        return RecordedWidget(frame, snapshot=snapshot)

    @property
    def sent(self) -> str:
        return repr(self.bundles) + repr(self.messages)


def new_reply(said: str = "hello") -> Reply:
    return Conversation("Shout").ask(said, route="kernel")[1]


def add_text(reply: Reply, text: str) -> None:
    reply.add(Event("text", {"text": text}, 0.1))


def finish(reply: Reply, turn: LiveTurn) -> None:
    reply.add(Event("done", {}, 0.2))
    reply.duration_s = 0.2
    turn.close()


@pytest.fixture
def page() -> Page:
    return Page()


def widget_turn(
    reply: Reply,
    page: Page,
    clock: Clock,
    redact: Callable[[str], str] | None = None,
    resolve: Callable[[str], bytes | None] | None = None,
) -> WidgetTurn:
    return WidgetTurn(
        reply,
        show=page.show,
        clock=clock,
        widget=page.widget,
        redact=redact,
        resolve=resolve,
        enliven=page.scripts.append,
    )


def test_an_answer_that_is_there_at_once_needs_no_widget(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = widget_turn(reply, page, clock)
    turn.open()
    clock.now_s += 0.1
    add_text(reply, "HELLO")
    turn.update()
    finish(reply, turn)
    assert page.messages == []
    assert page.bundles == [turn_bundle(reply)]


def test_a_wait_shows_before_the_first_event(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = widget_turn(reply, page, clock)
    turn.open()
    clock.now_s += 0.13
    turn.update()
    assert VIEW in page.bundles[0]
    assert "waiting" in page.bundles[0]["text/html"]
    assert "waiting" in page.bundles[0]["text/plain"]
    assert page.messages[-1]["status"]["state"] == "waiting"
    assert page.messages[-1]["status"]["at_s"] == pytest.approx(0.13)


def stream(turn: LiveTurn, reply: Reply, clock: Clock, pieces: list[str], every_s: float) -> Iterator[str]:
    for piece in pieces:
        add_text(reply, piece)
        clock.now_s += every_s
        turn.update()
        yield piece


def test_messages_are_at_least_fifty_milliseconds_apart(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = widget_turn(reply, page, clock)
    turn.open()
    times = []
    for _ in stream(turn, reply, clock, ["word "] * 1000, 0.004):
        if len(page.messages) > len(times):
            times.append(clock.now_s)
    assert 70 <= len(times) <= 80
    assert min(b - a for a, b in pairwise(times)) >= 0.05


def test_slow_rendering_makes_messages_rarer(page: Page) -> None:
    reply, clock = new_reply(), Clock(tick_s=0.02)
    turn = widget_turn(reply, page, clock)
    turn.open()
    list(stream(turn, reply, clock, ["word "] * 300, 0.01))
    assert len(page.messages) <= (clock.now_s - 100) / (10 * 0.02) + 2


def test_nothing_is_sent_while_nothing_comes(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = widget_turn(reply, page, clock)
    turn.open()
    for _ in range(50):
        clock.now_s += 0.1
        turn.update()
    assert len(page.messages) == 1


def test_the_finished_output_names_no_widget_and_is_what_is_saved(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = widget_turn(reply, page, clock)
    turn.open()
    list(stream(turn, reply, clock, ["# Title\n\n", "some *text* ", "[a]\n\n", "[a]: https://x.example\n"], 0.2))
    finish(reply, turn)
    assert page.bundles[-1] == turn_bundle(reply)
    assert VIEW not in page.bundles[-1]
    assert "".join(page.blocks) in page.bundles[-1]["text/html"]
    assert page.messages[-1] == {"kind": "end", "state": "done", "foot": "first text 100 ms · 5 events · 200 ms"}
    assert page.is_closed


def test_files_and_suggestions_show_while_the_answer_goes_on(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = widget_turn(reply, page, clock)
    turn.open()
    list(stream(turn, reply, clock, ["x"], 0.2))
    reply.add(Event("suggested_reply", {"text": "More"}))
    clock.now_s += 0.1
    turn.update()
    assert "More" in page.messages[-1]["after"]
    list(stream(turn, reply, clock, ["y"], 0.1))
    assert "after" not in page.messages[-1]


def test_a_replaced_answer_is_replaced_on_the_page(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = widget_turn(reply, page, clock)
    turn.open()
    list(stream(turn, reply, clock, ["one\n\ntwo\n\nthree\n\n", "four"], 0.2))
    reply.add(Event("replace_response", {"text": "new"}))
    clock.now_s += 0.1
    turn.update()
    assert page.blocks == ["<p>new</p>\n"]


def test_a_plain_answer_streams_as_plain_text(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = widget_turn(reply, page, clock)
    turn.open()
    reply.add(Event("meta", {"content_type": "text/plain"}))
    list(stream(turn, reply, clock, ["*a* ", "<b>"], 0.2))
    assert page.blocks == ['<pre class="poe-plain">*a* &lt;b&gt;</pre>\n']
    finish(reply, turn)
    assert page.bundles[-1] == turn_bundle(reply)


def test_a_page_that_opens_late_is_given_everything(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = widget_turn(reply, page, clock)
    turn.open()
    list(stream(turn, reply, clock, ["one\n\n", "two"], 0.2))
    assert turn._widget is not None
    start = turn._widget.get_state()["start"]
    assert start["parts"] == [(0, page.blocks)]
    assert start["seq"] == page.messages[-1]["seq"]
    finish(reply, turn)
    assert not page.is_closed, "a page loaded anew no longer sees this output change, so the widget has to stay"


def test_a_page_that_missed_a_message_can_ask(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = widget_turn(reply, page, clock)
    turn.open()
    list(stream(turn, reply, clock, ["one\n\n", "two"], 0.2))
    assert turn._widget is not None
    turn._widget._handle_custom_msg({"kind": "sync"}, [])
    assert page.messages[-1]["kind"] == "state"
    assert page.messages[-1]["parts"] == [[0, page.blocks]]


MARKS = ["a ", "b\n", "\n", "- x\n", "```\n", "*", "[r]", "[r]: https://x.example\n", "😀", "|"]
PIECES = st.lists(st.sampled_from(MARKS))


@settings(max_examples=100, deadline=None)
@given(PIECES, st.lists(st.sampled_from([0.0, 0.02, 0.06, 0.4]), min_size=1))
def test_whatever_the_timing_the_page_ends_with_what_is_saved(pieces: list[str], waits: list[float]) -> None:
    page, reply, clock = Page(), new_reply(), Clock()
    turn = widget_turn(reply, page, clock, redact=lambda text: text)
    turn.open()
    clock.now_s += 0.2
    for i, piece in enumerate(pieces):
        list(stream(turn, reply, clock, [piece], waits[i % len(waits)]))
    turn.update()
    finish(reply, turn)
    assert page.bundles[-1] == turn_bundle(reply)
    assert "".join(page.blocks) in page.bundles[-1]["text/html"]


def test_two_hundred_kilobytes_in_small_pieces_cost_little(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = widget_turn(reply, page, clock)
    turn.open()
    text = "".join(f"Paragraph {i} with some *words* in it, and `code`.\n\n- an item\n\n" for i in range(3_000))
    pieces = [text[i : i + 10] for i in range(0, len(text), 10)]
    list(stream(turn, reply, clock, pieces, 0.0005))
    finish(reply, turn)
    sent = sum(len(str(m)) for m in page.messages)
    assert sent < 1.6 * len(page.bundles[-1]["text/html"])
    assert len(page.messages) <= 20 * (clock.now_s - 100) + 1


def hide(text: str) -> str:
    return text.replace(KEY, "•••")


@pytest.mark.parametrize("size", [1, 3, 7, 20])
@pytest.mark.parametrize("form", ["widget", "handle", "text"])
def test_a_key_that_comes_in_pieces_is_never_shown(page: Page, form: str, size: int) -> None:
    reply, clock, out = new_reply(f"is it {KEY}?"), Clock(), io.StringIO()
    turn: LiveTurn = {
        "widget": lambda: widget_turn(reply, page, clock, hide),
        "handle": lambda: HandleTurn(reply, show=page.show, clock=clock, redact=hide),
        "text": lambda: TerminalTurn(reply, write=out.write, clock=clock, redact=hide),
    }[form]()
    turn.open()
    text = f"The key is {KEY}, or `{KEY}`."
    list(stream(turn, reply, clock, [text[i : i + size] for i in range(0, len(text), size)], 0.26))
    finish(reply, turn)
    shown = page.sent + out.getvalue()
    assert KEY not in shown
    assert KEY[:8] not in shown
    assert "•••, or" in shown


def test_an_answer_is_not_looked_through_again_for_what_stands_around_it(page: Page) -> None:
    reply, clock, looked_through = new_reply(), Clock(), []

    def redact(text: str) -> str:
        looked_through.append(len(text))
        return text

    turn = widget_turn(reply, page, clock, redact)
    turn.open()
    call = {"index": 0, "id": "a", "type": "function", "function": {"name": "sky", "arguments": "{}"}}
    reply.add(Event("json", {"choices": [{"delta": {"tool_calls": [call]}}]}, 0.0))
    list(stream(turn, reply, clock, ["some words of it.\n\n"] * 200, 0.06))
    assert any("sky" in message.get("before", "") for message in page.messages)
    assert max(looked_through) < 1_000


def test_an_unfinished_word_shows_when_the_bot_pauses(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = widget_turn(reply, page, clock, hide)
    turn.open()
    list(stream(turn, reply, clock, ["Loading..."], 0.2))
    assert page.blocks == []
    clock.now_s += 0.4
    turn.update()
    assert page.blocks == ["<p>Loading...</p>\n"]


def test_a_long_word_is_let_through() -> None:
    reply = new_reply()
    text = AnswerText(reply, redact=hide)
    add_text(reply, "x" * 5000 + KEY[:10])
    shown = "".join(piece.text for piece in text.read(0.0))
    assert len(shown) >= 4000
    add_text(reply, KEY[10:] + " end")
    assert KEY[:10] not in "".join(piece.text for piece in text.read(0.0))


def test_updates_of_a_handle_are_rare_and_bounded(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = HandleTurn(reply, show=page.show, clock=clock)
    turn.open()
    assert "waiting" in page.bundles[0]["text/html"]
    list(stream(turn, reply, clock, ["some words here " * 2] * 5_000, 0.01))
    sent = sum(len(b["text/html"]) + len(b["text/plain"]) for b in page.bundles)
    assert len(page.bundles) <= 50 / 0.25 + 1
    assert sent < 256_000 + 9 * len(str(page.bundles[-1])) + 16_000 * 50
    assert len(page.bundles) >= 10
    finish(reply, turn)
    assert page.bundles[-1] == turn_bundle(reply)


def test_a_handle_shows_the_answer_so_far(page: Page) -> None:
    reply, clock = new_reply(), Clock()
    turn = HandleTurn(reply, show=page.show, clock=clock)
    turn.open()
    list(stream(turn, reply, clock, ["one\n\n", "two"], 0.3))
    assert "<p>one</p>\n<p>two</p>" in page.bundles[-1]["text/html"]
    assert "answering" in page.bundles[-1]["text/html"]
    turn.update()
    assert len(page.bundles) == 3


def terminal() -> tuple[TerminalTurn, Reply, io.StringIO, Clock]:
    reply, out, clock = new_reply(), io.StringIO(), Clock()
    turn = TerminalTurn(reply, write=out.write, clock=clock)
    turn.open()
    return turn, reply, out, clock


def test_a_terminal_gets_text_as_it_comes() -> None:
    turn, reply, out, clock = terminal()
    list(stream(turn, reply, clock, ["one ", "two"], 0.01))
    assert out.getvalue() == "Shout · this kernel\none two"
    reply.add(Event("suggested_reply", {"text": "More"}))
    finish(reply, turn)
    assert out.getvalue() == (
        "Shout · this kernel\none two\n\nSuggested replies:\n- More\nfirst text 100 ms · 4 events · 200 ms\n"
    )


def test_a_terminal_says_when_the_answer_was_replaced() -> None:
    turn, reply, out, clock = terminal()
    list(stream(turn, reply, clock, ["Thinking"], 0.01))
    reply.add(Event("replace_response", {"text": "Done\n"}))
    turn.update()
    assert out.getvalue().endswith("Thinking\n— replaced —\nDone\n")


def test_an_end_of_line_that_comes_in_two_pieces_to_a_terminal_is_one() -> None:
    turn, reply, out, clock = terminal()
    for piece in ("a\r", "\nb\r\n", "\nc\r", "d"):
        add_text(reply, piece)
        clock.now_s += 1
        turn.update()
    assert out.getvalue().endswith("a\nb\n\nc\nd")


def test_a_bot_cannot_steer_a_terminal() -> None:
    turn, reply, out, clock = terminal()
    list(stream(turn, reply, clock, ["\x1b[2J\x07\u202e"], 0.01))
    assert out.getvalue().endswith("\\x1b[2J\\x07\\u202e")


@pytest.mark.parametrize(
    ("shell", "form"),
    [
        (None, TerminalTurn),
        (SimpleNamespace(), TerminalTurn),
        (SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=False)), HandleTurn),
        (SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=True)), WidgetTurn),
    ],
)
def test_each_front_end_gets_its_form(shell: Any, form: type) -> None:
    assert isinstance(open_turn(new_reply(), shell=shell), form)


def test_the_form_can_be_chosen() -> None:
    assert isinstance(open_turn(new_reply(), shell=None, form="handle"), HandleTurn)
    assert callable(CellOutput())


def test_importing_the_module_loads_nothing_heavy() -> None:
    heavy = {"anywidget", "ipywidgets", "traitlets", "IPython", "markdown_it", "nh3"}
    code = "import sys, poe_notebook.views.live; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert heavy.isdisjoint(done.stdout.split())


CELL = """
import time
from poe_notebook.conversation import Conversation
from poe_notebook.protocol.events import Event
from poe_notebook.views.live import open_turn
reply = Conversation("Shout").ask("hello", route="kernel")[1]
turn = open_turn(reply, shell=get_ipython())
turn.open()
for word in ["one ", "two ", "**three**"]:
    time.sleep(0.15)
    reply.add(Event("text", {"text": word}, 0.1))
    turn.update()
reply.add(Event("done", {}, 0.2))
turn.close()
"""


def test_a_run_with_nobody_there_saves_static_html_and_no_widget() -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    NotebookClient(notebook, timeout=60).execute()
    (output,) = notebook.cells[0].outputs
    assert set(output["data"]) == {"text/html", "text/plain"}
    assert "<p>one two <strong>three</strong></p>" in output["data"]["text/html"]
    assert "widgets" not in notebook.metadata
