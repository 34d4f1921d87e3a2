"""Answers side by side, as they are saved: complete, clean, and with what each took."""

from __future__ import annotations

import re

from poe_notebook.conversation import Conversation, Failure, Reply
from poe_notebook.protocol.events import Event
from poe_notebook.views.compare import Compared, comparison_bundle

NASTY = '<script>window.ran = 1</script>"><img src=x onerror=alert(1)>'


def a_reply(bot: str, *texts: str, message: str = "which of you?", end: str = "done") -> Reply:
    _, reply = Conversation(bot).ask(message, route="kernel")
    for n, text in enumerate(texts):
        reply.add(Event("text", {"text": text}, 0.1 * (n + 1)))
    if end == "done":
        reply.add(Event("done", {}, 1.0))
        reply.duration_s = 1.0
    return reply


def test_the_message_stands_once_and_each_answer_in_a_column_of_its_own() -> None:
    shown = comparison_bundle([Compared(a_reply("One", "*first*")), Compared(a_reply("Two", "second"))])
    html, text = shown["text/html"], shown["text/plain"]
    assert html.count("which of you?") == 1
    assert html.count('class="poe-compare-column"') == 2
    assert "<em>first</em>" in html
    assert html.count("<div") == html.count("</div>")
    assert text.startswith("which of you?\n\n———\n\nOne · this kernel\n*first*")


def test_a_table_tells_what_each_took_once_all_have_ended() -> None:
    failed = a_reply("Two", "sec", end="")
    failed.state, failed.failure = "failed", Failure("it broke")
    shown = comparison_bundle([Compared(a_reply("One", "first"), points=12), Compared(failed)])
    rows = shown["text/plain"].rpartition("———\n\n")[2].splitlines()
    assert re.split(r"  +", rows[0]) == [
        "bot", "answered by", "first text", "whole", "characters", "events", "points", "end",
    ]  # fmt: skip
    assert re.split(r"  +", rows[1]) == ["One", "this kernel", "100 ms", "1 s", "5", "2", "12", "answered"]
    assert re.split(r"  +", rows[2])[-2:] == ["-", "failed: it broke"]
    growing = comparison_bundle([Compared(a_reply("One", "first")), Compared(a_reply("Two", end=""))])
    assert "characters" not in growing["text/plain"]


def test_nothing_hostile_gets_through() -> None:
    html = comparison_bundle([Compared(a_reply(NASTY, NASTY, message=NASTY)) for _ in range(2)])["text/html"]
    assert "<script" not in html
    assert "<img" not in html
