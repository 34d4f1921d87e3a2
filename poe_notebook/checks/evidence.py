"""What the rules look at: an exchange, with the data of its events read once. Linear in the events, and bounded.

The data of events beyond the limit of an answer is not read: that there are so many is a finding of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from poe_notebook.protocol.limits import EVENTS_PER_RESPONSE
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.reading import value_of

__all__ = ["UNREAD", "Evidence"]

UNREAD = object()
"""Stands for the data of an event that is too large to be read."""
_READ_EVENTS = EVENTS_PER_RESPONSE + 500
_READ_BYTES = 1024 * 1024
"""An event that is larger is judged by its type alone."""


class Evidence:
    """One exchange. Events are counted from 0 here; findings count them from 1.

    ``calls`` are the exchanges that its handler began, ``settings`` what the bot last answered to Poe.
    """

    def __init__(
        self, exchange: Exchange, *, calls: Sequence[Exchange] = (), settings: Mapping[str, Any] | None = None
    ) -> None:
        self.exchange, self.calls, self.settings = exchange, calls, settings
        self._events = exchange.events
        self.types = self._events.types
        self.counts = Counter(self.types)
        self.values = [_value(event.raw) for event in self._events[:_READ_EVENTS]]

    @property
    def is_query(self) -> bool:
        """Whether this is a query that a handler has answered to its end, so that the answer can be judged whole."""
        return self.exchange.kind in ("query", "") and self.exchange.outcome in ("done", "failed")

    @property
    def is_whole(self) -> bool:
        """Whether the trace had room for all of it."""
        return not self.exchange.omitted

    def value(self, at: int) -> Any:
        """Give the data of an event; ``UNREAD`` if it is too large."""
        return self.values[at] if at < len(self.values) else _value(self._events[at].raw)

    def of_type(self, *types: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give the events of some types whose data is an object, as far as data was read."""
        for at, value in enumerate(self.values):
            if self.types[at] in types and isinstance(value, dict):
                yield at, value

    def texts(self) -> list[tuple[int, str]]:
        """Give the pieces of the answer's text that a reader sees at the end, each with the event it came in."""
        found: list[tuple[int, str]] = []
        for at, value in self.of_type("text", "replace_response"):
            if self.types[at] == "replace_response":
                found.clear()
            if isinstance(value.get("text"), str):
                found.append((at, value["text"]))
        return found

    def first(self, *types: str, start: int = 0) -> int | None:
        """Give the place of the first event of some types."""
        places: list[int] = []
        for type_ in types:
            with suppress(ValueError):
                places += [self.types.index(type_, start)] if self.counts[type_] else []
        return min(places, default=None)

    def end(self) -> int | None:
        """Give the place of the event that ended the answer: the first ``done`` or ``error``."""
        return self.first("done", "error")

    def error(self) -> dict[str, Any] | None:
        """Give the data of the first ``error`` event."""
        at = self.first("error")
        value = self.value(at) if at is not None else None
        return value if isinstance(value, dict) else None if at is None else {}

    def holding(self, part: bytes) -> list[int]:
        """Give the places of the events that hold some bytes."""
        return self._events.holding(part)


def _value(raw: bytes) -> Any:
    return value_of(raw) if len(raw) <= _READ_BYTES else UNREAD
