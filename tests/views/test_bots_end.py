"""What did not come through of an answer is said, and nothing is put into the bot's mouth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from recorded import Timed, events_of

from poe_notebook.conversation import Conversation, Reply
from poe_notebook.protocol.events import Event
from poe_notebook.tracing.exchange import Exchange, Recorded, Report, Tap
from poe_notebook.views.transcript import turn_bundle

TOO_LONG = ("error", {"text": "The bot's answer is longer than 100,000 characters.", "allow_retry": False})
DONE: tuple[str, dict[str, Any]] = ("done", {})
OURS = "The bot says that asking the same again would not help."


def a_file(number: int) -> tuple[str, dict[str, Any]]:
    return "file", {"url": f"https://f.example/{number}", "content_type": "text/plain", "name": f"f{number}.txt"}


def text(words: str) -> tuple[str, dict[str, Any]]:
    return "text", {"text": words}


def a_reply(
    arrived: Sequence[tuple[str, dict[str, Any]]], *, sent: Sequence[tuple[str, dict[str, Any]]] | None
) -> tuple[Reply, Exchange]:
    """A reply and its exchange; ``sent`` is what the bot's end recorded, if it is here."""
    _, reply = Conversation("Shout").ask("hello", route="kernel")
    for type_, data in arrived:
        reply.add(Event(type_, data))
    exchange = Exchange(1, "Shout", "query", datetime(2026, 1, 1, tzinfo=UTC))
    if sent is not None:
        timed: list[Timed] = [(0.1, type_, data) for type_, data in sent]
        exchange.server = Tap(200, events=events_of(timed), ended_s=1.0)
    reply.exchange = exchange
    return reply, exchange


def assert_said(reply: Reply, *words: str) -> None:
    for shown in turn_bundle(reply).values():
        for each in words:
            assert each in shown.replace("&#x27;", "'")


def test_files_that_poe_does_not_take_are_counted() -> None:
    files = [a_file(number) for number in range(30)]
    reply, kept = a_reply([*files[:20], text("ok"), DONE], sent=[*files, text("ok"), DONE])
    assert_said(reply, "f19.txt", "… and 10 more files, which did not arrive. Poe takes 20 files with an answer.")
    reply, kept = a_reply([*files[:20], text("ok"), DONE], sent=[*files[:20], text("ok"), DONE])
    assert "did not arrive" not in str(turn_bundle(reply))
    reply, kept = a_reply([*files[:20], text("ok"), DONE], sent=None)
    assert "did not arrive" not in str(turn_bundle(reply))
    kept.reports.append(Report(0.1, "poe", "More than 20 files", {"name": "f20.txt"}))
    assert_said(reply, "… and more files, which did not arrive.")


def test_a_text_that_was_too_long_to_be_taken_is_not_called_missing() -> None:
    reply, _kept = a_reply([TOO_LONG], sent=[text("x" * 200_000), DONE])
    assert_said(reply, "The bot sent a text of 200,000 characters, none of which was taken.", "longer than 100,000")
    shown = str(turn_bundle(reply))
    assert "sent no text" not in shown
    assert OURS not in shown
    reply, _ = a_reply([TOO_LONG], sent=None)
    assert_said(reply, "No text has arrived.", "The error says that asking the same again would not help.")


def test_a_text_that_cannot_be_read_is_called_that() -> None:
    reply, kept = a_reply([TOO_LONG], sent=[])
    kept.server = Tap(200, events=[Recorded(0.1, "text", b"event: text\ndata: nope\n\n")])  # type: ignore[arg-type]
    assert_said(reply, "The bot sent no text that can be read.")
    assert OURS not in str(turn_bundle(reply))


@pytest.mark.parametrize("allow_retry", [True, False])
def test_the_bot_says_that_asking_again_would_not_help_only_if_it_does(allow_retry: bool) -> None:
    error = ("error", {"text": "no", "allow_retry": allow_retry})
    reply, _kept = a_reply([error], sent=[error, DONE])
    assert (OURS in str(turn_bundle(reply))) is not allow_retry
    assert_said(reply, "The bot sent no text.")
