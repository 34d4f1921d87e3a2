"""The short answers of commands: facts in one line, advice that works, and names that stay text."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Literal

import pytest

from poe_notebook.verbs import VERBS
from poe_notebook.views.html import Bundle
from poe_notebook.views.status import (
    BotStatus,
    Verb,
    bots_bundle,
    help_bundle,
    message_bundle,
    status_bundle,
    tunnel_bundle,
)

SHOUT = BotStatus("Shout", 2, "http://127.0.0.1:8765/Shout", answered=41, access="Access key made for this session")
HOSTILE = [
    "<script>window.pwned = 1</script>",
    '"><img src=x onerror=alert(1)>',
    "</strong></summary></details></style><script>1</script>",
    "`%poe x` ` `",
    "lone \ud800 surrogate",
    "\x1b[31mred \u202e",
    "x" * 1_000_000,
]


class Page(HTMLParser):
    """Reads HTML as a browser's parser would: its elements, and the text outside the style sheet."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def twins(shown: Bundle) -> tuple[str, str]:
    return Page(shown["text/html"]).text, shown["text/plain"]


def line(status: BotStatus) -> str:
    """Give the line that is seen before anything is unfolded."""
    html = status_bundle(status)["text/html"]
    summary = Page(html[html.index("<summary>") : html.index("</summary>") + len("</summary>")]).text.strip()
    assert summary.replace(" ", "") == status_bundle(status)["text/plain"].splitlines()[0].replace(" ", "")
    return summary


def unfolded(status: BotStatus) -> str:
    return Page(status_bundle(status)["text/html"]).text


def test_a_quiet_bot_has_a_quiet_line() -> None:
    assert line(SHOUT) == "Shout · generation 2 · http://127.0.0.1:8765/Shout"


def test_the_line_counts_answers_in_flight_by_generation() -> None:
    busy = replace(SHOUT, in_flight=1, in_flight_old=1)
    assert line(busy).endswith("· 1 answering, 1 still on generation 1")
    assert line(replace(busy, generation=7, in_flight=0)).endswith("· 1 still on earlier generations")


def test_the_line_has_failures_the_public_address_and_the_note_if_there_are_any() -> None:
    status = replace(SHOUT, failed=3, public_url="https://a.test/Shout", note="7 checks passed")
    assert line(status).endswith("/Shout · https://a.test/Shout · 3 failed · 7 checks passed")


def test_the_line_unfolds_into_what_to_type() -> None:
    page = unfolded(SHOUT)
    for words in ("chat Shout hello", "stop Shout", "inspect Shout", "rollback Shout", "tunnel start"):
        assert f"%poe {words}" in page
    assert "Access key made for this session" in page
    assert "41" in page


def test_the_text_twin_is_the_line_alone() -> None:
    assert status_bundle(SHOUT)["text/plain"].count("\n") == 0


def test_a_first_generation_offers_no_way_back_and_a_public_bot_a_way_in() -> None:
    first = unfolded(replace(SHOUT, generation=1, public_url="https://a.test/Shout"))
    assert "rollback" not in first
    assert "%poe tunnel stop" in first


def test_a_bot_without_an_access_sentence_is_still_said_to_want_its_key() -> None:
    assert "wants the bot's access key" in unfolded(replace(SHOUT, access=""))


def test_a_name_with_a_space_is_quoted_in_commands() -> None:
    assert "%poe stop 'My Bot'" in unfolded(replace(SHOUT, name="My Bot"))


def test_a_stopped_and_a_replaced_bot_say_so_and_offer_their_cell() -> None:
    stopped = replace(SHOUT, state="stopped")
    replaced = replace(SHOUT, state="replaced", note="replaced by generation 3")
    assert line(stopped).startswith("Shout · stopped · generation 2")
    assert line(replaced).endswith("· replaced by generation 3")
    assert line(replace(replaced, note="")).endswith("· replaced")
    for status in (stopped, replaced):
        text = unfolded(status)
        assert "Run this cell again." in text
        assert "%poe chat" not in text


def test_the_list_of_bots_has_a_row_for_each() -> None:
    other = BotStatus("Counter", 7, "http://127.0.0.1:8765/C", 2, 1, "stopped", "https://a.test/C", 12, 3, "", "x")
    for page in twins(bots_bundle([SHOUT, other])):
        for fact in ("Shout", "41", "Counter", "stopped: x", "2 + 1 older", "12", "https://a.test/C", SHOUT.address):
            assert fact in page
    assert bots_bundle([SHOUT, other])["text/html"].count("<tr>") == 3


def test_a_thousand_bots_are_bounded() -> None:
    shown = bots_bundle([SHOUT] * 1_000)
    assert all("… and 800 more." in page for page in twins(shown))


def test_no_bot_says_how_to_start_one() -> None:
    for page in twins(bots_bundle([])):
        assert "No bot is served here." in page
        assert "%%poebot Shout" in page
        assert "async def get_response(request):" in page


MARKS = [("info", "·", ""), ("done", "✓", "Done"), ("warning", "!", "Warning")]


@pytest.mark.parametrize(("kind", "mark", "spoken"), MARKS)
def test_a_message_has_a_mark_to_see_and_a_word_to_hear(
    kind: Literal["info", "done", "warning"], mark: str, spoken: str
) -> None:
    shown = message_bundle("Its address answers `404` now.", kind)
    assert shown["text/plain"] == f"{mark} Its address answers `404` now."
    assert "<code>404</code>" in shown["text/html"]
    assert spoken in Page(shown["text/html"]).text


TUNNELS = [("open", "%poe tunnel stop"), ("opening", "%poe tunnel stop"), ("lost", ""), ("closed", "")]


@pytest.mark.parametrize(("state", "advice"), TUNNELS)
def test_the_tunnel_says_its_state_its_address_and_what_to_type(state: str, advice: str) -> None:
    for page in twins(tunnel_bundle(state, "https://a.test", "up for 3 min")):
        for fact in ("Tunnel", state, "https://a.test", "up for 3 min", advice):
            assert fact in page
    assert "None" not in tunnel_bundle(state)["text/plain"]


def test_the_help_has_each_verb_with_its_usage_summary_and_examples() -> None:
    verbs = [
        Verb("chat", "%poe chat BOT [MESSAGE] [--new] [--via ROUTE] [--timeout S]", "Ask a bot.", ("%poe chat A hi",)),
        Verb("bots", "%poe bots", "List the bots."),
    ]
    shown = help_bundle(verbs)
    for page in twins(shown):
        for fact in ("%poe chat BOT [MESSAGE]", "[--timeout", "Ask a bot.", "%poe chat A hi", "List the bots."):
            assert fact in page
    assert shown["text/html"].count("<tr>") == 3
    assert all(len(row) <= 120 for row in shown["text/plain"].splitlines())


def test_every_command_that_is_advised_exists() -> None:
    busy = replace(SHOUT, public_url="https://a.test", in_flight=1)
    shown = [status_bundle(SHOUT), status_bundle(busy), bots_bundle([]), tunnel_bundle("open"), tunnel_bundle("closed")]
    advised = {verb for each in shown for verb in re.findall(r"(?<!%)%poe (\w+)", each["text/html"])}
    assert advised
    assert advised <= {verb.command.name for verb in VERBS}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20].encode("ascii", "backslashreplace").decode())
def test_hostile_text_in_every_field_stays_text(text: str) -> None:
    status = BotStatus(text, 2, text, 1, 1, "serving", text, 1, 1, text, text)
    verb = Verb(text, text, text, (text,))
    for shown in (
        status_bundle(status),
        bots_bundle([status, replace(status, state="stopped")]),
        message_bundle(text, "warning"),
        tunnel_bundle(text, text, text),
        help_bundle([verb]),
    ):
        page = Page(shown["text/html"])
        assert page.tags <= {*"div style p span strong code details summary table thead tbody tr th td".split()}
        assert page.attributes <= {"class", "role", "aria-label", "aria-hidden", "scope", "style"}
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", "".join(shown.values()))
        assert len("".join(shown.values())) < 100_000


def test_a_hostile_name_is_shown_not_dropped() -> None:
    assert HOSTILE[0] in line(replace(SHOUT, name=HOSTILE[0]))


def test_views_hold_no_link_no_script_and_no_remote_address_to_load() -> None:
    public = replace(SHOUT, public_url="https://a.test/Shout")
    for shown in (status_bundle(public), tunnel_bundle("open", "https://a.test")):
        assert not re.search(r"<(a|img|script|link|iframe)\b|\b(href|src)=", shown["text/html"])
