"""An image that the text can name is shown in the text, or below it: always once."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from views_media import a_png

from poe_notebook.conversation import Conversation, Reply
from poe_notebook.protocol.events import Event
from poe_notebook.views.answer import answers_of
from poe_notebook.views.media.files import files_of
from poe_notebook.views.media.placed import placed
from poe_notebook.views.transcript import turn_bundle
from poe_notebook.views.turn_widget import WidgetTurn

PNG = f"data:image/png;base64,{base64.b64encode(a_png(3, 2)).decode()}"


def an_answer(*texts: str, ref: str = "ref1", done: bool = True, **file: Any) -> Reply:
    _, reply = Conversation("Shout").ask("hello", route="kernel")
    values = {"url": PNG, "content_type": "image/png", "name": "chart.png", "inline_ref": ref, **file}
    for event in [("file", values), *(("text", {"text": text}) for text in texts), *([("done", {})] if done else [])]:
        reply.add(Event(*event))
    return reply


@pytest.mark.parametrize(
    "text",
    ["No word of it.", "In code only: `![a][ref1]`", "```\n![a][ref1]\n```", "![a][ref2]", r"\![a]\[ref1]", ""],
)
def test_an_image_that_the_text_does_not_show_stands_below_it(text: str) -> None:
    bundle = turn_bundle(an_answer(text))
    html = bundle["text/html"]
    assert html.count("<img") == html.count(f'src="{PNG}"') == 1
    assert html.index("Attachments") < html.index("<img")
    for shown in bundle.values():
        assert "inline_ref ref1" in shown
        assert "shown in the text" not in shown


@pytest.mark.parametrize("text", ["![a][ref1]", "- see\n\n  ![][REF1]\n", "> ![ref1]"])
def test_an_image_in_the_text_is_not_shown_twice(text: str) -> None:
    bundle = turn_bundle(an_answer(text))
    html = bundle["text/html"]
    assert html.count("<img") == 1
    assert html.index("<img") < html.index("Attachments")
    for shown in bundle.values():
        assert "shown in the text as ref1" in shown


def test_an_answer_in_plain_text_shows_no_image_in_it() -> None:
    _, reply = Conversation("Shout").ask("hello", route="kernel")
    file = {"url": PNG, "content_type": "image/png", "name": "chart.png", "inline_ref": "ref1"}
    meta, text = ("meta", {"content_type": "text/plain"}), ("text", {"text": "![a][ref1]"})
    for event in (meta, ("file", file), text, ("done", {})):
        reply.add(Event(*event))
    html = turn_bundle(reply)["text/html"]
    assert html.index("Attachments") < html.index("<img")


def test_a_file_elsewhere_counts_as_shown_where_the_text_leads_to_it() -> None:
    url = "https://f.example/a b.png?x=1&y='2'"
    for text, found in (("![a][ref1]", {0}), ("nothing", set()), ("`![a][ref1]`", set())):
        reply = an_answer(text, url=url)
        files = files_of(reply)
        assert placed(files, answers_of(reply, files).values()) == found


class Page:
    """Takes what a live view sends."""

    def __init__(self, html: str, **rest: Any) -> None:
        self.after: list[str] = []

    def send(self, message: dict[str, Any], buffers: Any = None) -> None:
        if "after" in message:
            self.after.append(message["after"])

    times_given, model_id = 0, ""

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("text", "is_below"), [("![a][ref1]", False), ("nothing", True)])
def test_while_an_answer_grows_its_text_may_still_come_to_the_image(text: str, is_below: bool) -> None:
    now_s = [0.0]
    reply = an_answer("It comes: ", done=False)
    shown: list[dict[str, Any]] = []
    pages: list[Page] = []

    def make(html: str, **rest: Any) -> Page:
        pages.append(Page(html))
        return pages[0]

    live = WidgetTurn(reply, show=shown.append, clock=lambda: now_s[0], widget=make, enliven=lambda html: None)
    live.open()
    now_s[0] += 1
    live.update()
    assert "chart.png" in pages[0].after[-1]
    assert "<img" not in pages[0].after[-1]
    reply.add(Event("text", {"text": text}))
    reply.add(Event("done", {}))
    live.close()
    saved = shown[-1]["text/html"]
    assert ("<img" in pages[0].after[-1]) is is_below
    assert (saved.index("Attachments") < saved.index("<img")) is is_below
