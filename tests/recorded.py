"""Recorded exchanges made by hand, for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from poe_notebook.protocol.events import encode
from poe_notebook.tracing.exchange import Exchange, Outcome, Recorded, Tap

__all__ = ["a_query", "an_exchange", "events_of"]

Timed = tuple[float, str, dict[str, Any]]
"""Seconds, an event's type and its data."""


def a_query(content: str = "hello there", **message: Any) -> dict[str, Any]:
    """The body of a query of one message."""
    ids = {"user_id": "u-1", "conversation_id": "c-1", "message_id": "m-1"}
    return {"version": "1.2", "type": "query", "query": [{"role": "user", "content": content, **message}], **ids}


def events_of(timed: Sequence[Timed]) -> list[Recorded]:
    """Events as they are recorded."""
    return [Recorded(at_s, type_, encode(type_, data)) for at_s, type_, data in timed]


def an_exchange(
    *said: str,
    number: int = 7,
    bot: str = "Shout",
    content: str = "hello there",
    outcome: Outcome = "done",
    more: Sequence[Timed] = (),
    **fields: Any,
) -> Exchange:
    """An exchange whose answer has these texts, a hundredth of a second apart, then ``more``, then its end."""
    texts: list[Timed] = [(at / 100, "text", {"text": text}) for at, text in enumerate(said, 1)]
    end_s = (len(said) + 1) / 100
    error: list[Timed] = [(end_s, "error", {"text": "It failed.", "allow_retry": False})] if outcome == "failed" else []
    ended: list[Timed] = [(end_s, "done", {})] if outcome in ("done", "failed") else []
    values: dict[str, Any] = {
        "kind": "query",
        "route": "kernel",
        "generation": 1,
        "request": a_query(content),
        "server": Tap(200, events=events_of([*texts, *more, *error, *ended]), ended_s=end_s),
        "started_at": datetime(2026, 3, 4, 14, 3, 22, tzinfo=UTC),
        **fields,
    }
    return Exchange(number, bot=bot, outcome=outcome, **values)
