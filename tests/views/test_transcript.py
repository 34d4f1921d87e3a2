"""A turn as it is saved: all that happened is in it, and what a bot wrote is never more than text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any

import pytest

from poe_notebook.conversation import Conversation, Failure, Reply
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.messages import Attachment
from poe_notebook.views.transcript import turn_bundle
from poe_notebook.views.turn_redaction import redacted

DONE: tuple[str, dict[str, Any]] = ("done", {})
NASTY = '"><img src=x onerror=alert(1)></div></section><script>alert(1)</script>'


def text(words: str) -> tuple[str, dict[str, Any]]:
    return "text", {"text": words}


def turn(*events: tuple[str, dict[str, Any]], said: str = "hello", bot: str = "Shout", route: str = "kernel") -> Reply:
    _, reply = Conversation(bot).ask(said, route=route)
    for kind, data in events:
        reply.add(Event(kind, data, 0.003))
    reply.duration_s = 0.21
    return reply


def render_turn_html(reply: Reply) -> str:
    return turn_bundle(reply)["text/html"]


def render_turn_text(reply: Reply) -> str:
    return turn_bundle(reply)["text/plain"]


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.roles: list[tuple[str | None, str | None]] = []
        self.words: list[str] = []
        self.feed(re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        assert not any(name.startswith("on") for name in found)
        if "role" in found:
            self.roles.append((found["role"], found.get("aria-label") or found.get("aria-level")))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def both(reply: Reply) -> Iterable[str]:
    return Page(render_turn_html(reply)).text, render_turn_text(reply)


def test_a_turn_says_who_said_what() -> None:
    reply = turn(text("HELLO"), DONE)
    reply.generation = 2
    assert Page(render_turn_html(reply)).text == (
        "You hello Shout · this kernel · generation 2 HELLO first text 3 ms · 2 events · 210 ms"
    )
    assert render_turn_text(reply) == (
        "You\nhello\n\nShout · this kernel · generation 2\nHELLO\n\nfirst text 3 ms · 2 events · 210 ms"
    )


@pytest.mark.parametrize(("route", "badge"), [("kernel", "this kernel"), ("poe", "Poe"), ("simulator", "simulator")])
def test_the_badge_says_who_answered(route: str, badge: str) -> None:
    for shown in both(turn(text("x"), DONE, route=route)):
        assert badge in shown


def test_the_page_makes_sense_when_it_is_heard() -> None:
    html = render_turn_html(turn(text("x"), DONE))
    assert Page(html).roles == [
        ("group", "Chat with Shout"),
        ("group", "You"),
        ("heading", "4"),
        ("group", "Shout"),
        ("heading", "4"),
    ]
    assert "aria-live" not in html


def test_the_answer_is_rendered_as_markdown_and_kept_as_text() -> None:
    reply = turn(text("# Hi\n\n**bold**"), DONE)
    assert "<h1>Hi</h1>\n<p><strong>bold</strong></p>" in render_turn_html(reply)
    assert "# Hi\n\n**bold**" in render_turn_text(reply)


def test_a_plain_answer_stays_plain() -> None:
    reply = turn(("meta", {"content_type": "text/plain"}), text("*a*\n b"), DONE)
    assert '<pre class="poe-plain">*a*\n b</pre>' in render_turn_html(reply)


def test_attachments_are_listed_and_only_web_addresses_are_links() -> None:
    files = [
        {"url": "https://f.example/a.png", "content_type": "image/png", "name": "a.png", "inline_ref": "r1"},
        {"url": "javascript:alert(1)", "content_type": "text/html", "name": "b.html"},
        {"url": "data:text/html,x", "content_type": "text/html", "name": "c.html"},
    ]
    reply = turn(text("see ![a][r1]"), *(("file", f) for f in files), DONE)
    html = render_turn_html(reply)
    web = "https://f.example/a.png"
    assert re.findall(r'href="([^"]*)"', html) == [web, web, "data:application/octet-stream;base64,eA=="]
    for shown in both(reply):
        assert "Attachments" in shown
        assert "image/png, shown in the text as r1" in shown
        assert "b.html" in shown


def test_the_users_attachments_are_listed_with_the_message() -> None:
    reply = turn(text("x"), DONE)
    reply.message.attachments.append(Attachment(url="https://f.example/in.csv", content_type="text/csv", name="in.csv"))
    for shown in both(reply):
        assert shown.index("in.csv") < shown.index("Shout")


def test_suggested_replies_are_shown() -> None:
    reply = turn(text("x"), ("suggested_reply", {"text": "Tell me more"}), DONE)
    assert '<li dir="auto">Tell me more</li>' in render_turn_html(reply)
    assert "Suggested replies:\n- Tell me more\n" in render_turn_text(reply)


def test_blank_suggested_replies_are_left_out() -> None:
    blank = [("suggested_reply", {"text": words}) for words in ("", "  ", "\n", "\u200b")]
    reply = turn(text("x"), blank[0], ("suggested_reply", {"text": "ok"}), *blank[1:], DONE)
    assert render_turn_html(reply).count("<li") == 1
    assert "Suggested replies:\n- ok\n" in render_turn_text(reply)
    assert "Suggested" not in str(turn_bundle(turn(text("x"), *blank, DONE)))


def test_a_thousand_suggested_replies_are_cut_and_counted() -> None:
    reply = turn(*[("suggested_reply", {"text": f"reply {i}"}) for i in range(1000)], DONE)
    for shown in both(reply):
        assert "… and 950 more" in shown


def test_a_failure_says_what_poe_shows_and_what_to_type() -> None:
    reply = turn(text("Half an"), ("error", {"text": "Out of luck"}))
    reply.failure = Failure(
        "Out of luck",
        "insufficient_fund",
        allow_retry=False,
        hint="Type `%poe debug`.",
        traceback="Cell In[3], line 4\n    1/0\nZeroDivisionError",
    )
    for shown in both(reply):
        assert "Half an" in shown
        assert "Out of luck" in shown
        assert "insufficient_fund" in shown
        assert "%poe debug" in shown
        assert "ZeroDivisionError" in shown
        assert "would not help" in shown
    html = render_turn_html(reply)
    assert '<div class="poe-card poe-bad" role="group" aria-label="Error">' in html
    assert "<pre>Cell In[3], line 4\n    1/0\nZeroDivisionError</pre>" in html


def test_an_error_without_words_says_so() -> None:
    for shown in both(turn(("error", {}))):
        assert "The bot gave no text for it." in shown


def test_a_stopped_turn_keeps_its_text_and_says_what_the_server_did() -> None:
    reply = turn(text("One, tw"))
    reply.state, reply.note = "stopped", "The handler was cancelled after 12 ms."
    for shown in both(reply):
        assert "One, tw" in shown
        assert "stopped" in shown
        assert "The handler was cancelled after 12 ms." in shown


def test_an_empty_answer_says_so() -> None:
    for shown in both(turn(DONE)):
        assert "Empty answer. The bot sent no text." in shown


@pytest.mark.parametrize("words", [" ", "\n\t \r\n", "\u200b", "\u00a0\ufeff"])
def test_an_answer_of_white_space_says_so(words: str) -> None:
    for shown in both(turn(text(words), DONE)):
        assert "Empty answer: it has only white space." in shown
    for shown in both(turn(text(words), ("error", {"text": "no"}))):
        assert "The text has only white space." in shown
    assert "white space" not in str(turn_bundle(turn(text(words))))


def test_an_answer_of_which_nothing_is_to_be_seen_says_so() -> None:
    reply = turn(text("[a]: https://x.example\n"), DONE)
    assert "Nothing of the answer is to be seen" in Page(render_turn_html(reply)).text
    assert "[a]: https://x.example" in render_turn_text(reply)
    assert "Nothing of the answer" not in str(turn_bundle(turn(text("[a]: https://x.example\n\n[a]"), DONE)))


def test_lines_may_end_as_on_windows() -> None:
    assert "\na\nb\nc\n\nd\n" in render_turn_text(turn(text("a\r\nb\rc\r\n\r\nd"), DONE))


def test_an_answer_of_files_alone_is_not_called_empty() -> None:
    file = {"url": "https://f.example/a", "content_type": "x/y", "name": "a"}
    for shown in both(turn(("file", file), DONE)):
        assert "Empty" not in shown


def test_a_turn_that_waits_says_so() -> None:
    for shown in both(turn()):
        assert shown.endswith("waiting …")


def test_dollars_are_no_formulas() -> None:
    assert "mathjax_ignore" in render_turn_html(turn(text("$5 to $10"), DONE))


def test_nothing_that_others_wrote_becomes_an_element() -> None:
    file = {"url": "https://f.example/" + NASTY, "content_type": NASTY, "name": NASTY, "inline_ref": NASTY}
    reply = turn(text(NASTY), ("file", file), ("suggested_reply", {"text": NASTY}), said=NASTY, bot=NASTY, route=NASTY)
    reply.add(Event("error", {"text": NASTY, "error_type": NASTY}))
    reply.failure = Failure(NASTY, NASTY, hint=NASTY, traceback=NASTY)
    assert not {"img", "script"} & set(Page(render_turn_html(reply)).tags)
    reply.state, reply.note = "stopped", NASTY
    page = Page(render_turn_html(reply))
    assert not {"img", "script"} & set(page.tags)
    assert next(label for role, label in page.roles if role == "group").startswith("Chat with")


def test_the_text_twin_cannot_steer_a_terminal() -> None:
    reply = turn(text("a\x1b[31mred\x07"), DONE, said="\x1b]0;x\x07")
    assert not set(render_turn_text(reply)) & {"\x1b", "\x07"}


def test_a_bundle_holds_both_and_no_widget() -> None:
    assert set(turn_bundle(turn(text("x"), DONE))) == {"text/html", "text/plain"}


def test_secrets_are_taken_out_of_everything_shown() -> None:
    key = "sk-0123456789abcdef0123456789abcdef"
    file = {"url": f"https://f.example/?k={key}", "content_type": key, "name": key, "inline_ref": key}
    reply = turn(text(f"my `{key}`"), ("file", file), ("suggested_reply", {"text": key}), said=key, bot=f"Bot{key}")
    reply.add(Event("error", {"text": key, "error_type": key}))
    reply.failure = Failure(key, key, hint=key, traceback=key)
    reply.note, reply.message.attachments = key, [Attachment(url=key, content_type=key, name=key)]
    shown = redacted(reply, lambda s: s.replace(key, "•••"))
    assert key not in str(turn_bundle(shown))
    shown.state = "stopped"
    assert key not in str(turn_bundle(shown))
    assert reply.text == f"my `{key}`"


def test_a_small_turn_is_small_in_the_file() -> None:
    assert len(render_turn_html(turn(text("x"), DONE))) < 8_000
