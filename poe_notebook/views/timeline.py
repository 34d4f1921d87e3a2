"""What happened in one exchange, in the order of time: its events, and among them what the handler said and did.

Values for tables, page by page, narrowed to some kinds or to what holds some words. A page of an answer of a million
events costs no more than one of ten; narrowing reads each event's bytes once.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from poe_notebook.tracing.exchange import Events, Exchange
from poe_notebook.views.wording import seconds

__all__ = ["Entry", "Page", "Timeline"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. An event has a number, from 1, the other end's time if both were tapped, and its bytes.

    Anything else has a ``text`` instead. ``kind`` is the event's type, or ``stdout``, ``log``, ``raised`` …
    """

    at_s: float
    kind: str
    number: int | None = None
    other_s: float | None = None
    gap_s: float | None = None
    raw: bytes = b""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, out of ``total`` that there are; ``first`` is the place of the first of them, from 0."""

    entries: Sequence[Entry]
    first: int
    total: int


class Timeline:
    """The rows of one exchange and of the calls that its handler began."""

    def __init__(self, exchange: Exchange, calls: Sequence[Exchange] = ()) -> None:
        server, client = (tap.events if tap is not None else Events() for tap in (exchange.server, exchange.client))
        self.is_double = bool(server and client)
        self._events, self._other = (server, client) if server else (client, server)
        self._types, self._times_s = self._events.types, self._events.times_s
        self._other_types, self._other_times_s = self._other.types, self._other.times_s
        self._partners = _partners(self._types, self._other_types) if self.is_double else ()
        self._left_over = _left_over(self._partners, len(self._other)) if self.is_double else ()
        self._asides = sorted(_asides(exchange, calls), key=lambda entry: entry.at_s)

    @property
    def event_count(self) -> int:
        """How many events there are, each counted once."""
        return len(self._types) + len(self._left_over)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows there are of each kind."""
        numbers = Counter(self._types) + Counter(self._other_types[at] for at in self._left_over)
        numbers.update(entry.kind for entry in self._asides)
        return dict(numbers)

    def page(self, first: int = 0, count: int = 200, *, kinds: frozenset[str] = frozenset(), words: str = "") -> Page:
        """Give some rows: of these kinds only, if any are named, and only those that hold the words, if there are any.

        Capital letters make no difference.
        """
        total = self.event_count
        places: Sequence[int] = range(total)
        asides = self._asides
        if kinds or words:
            asides = [entry for entry in asides if _fits(entry, kinds, words.casefold())]
            places = self._fitting(kinds, words)
        rows = len(places) + len(asides)
        first = min(max(first, 0), max(rows - 1, 0))
        return Page(self._window(places, asides, first, count), first, rows)

    def _window(self, places: Sequence[int], asides: Sequence[Entry], first: int, count: int) -> list[Entry]:
        """Merge the two by time, without touching more than the rows that are asked for."""
        ranks = sorted(bisect_right(places, entry.at_s, key=self._time_of) + at for at, entry in enumerate(asides))
        aside = bisect_left(ranks, first)
        place = min(first - aside, len(places))
        found: list[Entry] = []
        while len(found) < count and (place < len(places) or aside < len(asides)):
            if aside < len(asides) and (ranks[aside] <= first + len(found) or place == len(places)):
                found.append(asides[aside])
                aside += 1
            else:
                found.append(self._entry(places[place]))
                place += 1
        return found

    def _time_of(self, place: int) -> float:
        own = len(self._types)
        return self._times_s[place] if place < own else self._other_times_s[self._left_over[place - own]]

    def _entry(self, place: int) -> Entry:
        own = len(self._types)
        if place >= own:
            event = self._other[self._left_over[place - own]]
            return Entry(event.at_s, event.type, number=place + 1, other_s=event.at_s, raw=event.raw)
        event, partner = self._events[place], self._partners[place] if self._partners else None
        other_s = self._other_times_s[partner] if partner is not None else None
        gap_s = event.at_s - (self._times_s[place - 1] if place else 0.0)
        return Entry(event.at_s, event.type, place + 1, other_s, gap_s, event.raw)

    def _fitting(self, kinds: frozenset[str], words: str) -> list[int]:
        """Give the places of the events of some kinds that hold the words, in order."""
        own = len(self._types)
        at_other_end = {at: own + place for place, at in enumerate(self._left_over)}
        held, held_elsewhere = _holding(self._events, words), _holding(self._other, words) if at_other_end else []
        found = [at for at in held if at < own and (not kinds or self._types[at] in kinds)]
        elsewhere = [at for at in held_elsewhere if at in at_other_end]
        return found + [at_other_end[at] for at in elsewhere if not kinds or self._other_types[at] in kinds]

    def is_of_other_end(self, entry: Entry) -> bool:
        """Whether an event was seen at the other end alone."""
        return entry.number is not None and entry.number > len(self._types)


def _holding(events: Events, words: str) -> Sequence[int]:
    """Give the places of the events that hold the words, as they are or as JSON writes them."""
    if not words:
        return range(len(events))
    forms = {words.encode("utf-8", "replace"), json.dumps(words)[1:-1].encode()}
    return sorted({place for form in forms for place in events.holding(form, ignore_case=True)})


def _partners(types: Sequence[str], others: Sequence[str]) -> Sequence[int | None]:
    """Pair the two ends' events in order; one that the other end misses, by a cut line, say, has no partner."""
    if types == others:
        return range(len(types))
    found: list[int | None] = []
    at = 0
    for type_ in types:
        is_same = at < len(others) and others[at] == type_
        found.append(at if is_same else None)
        at += is_same
    return found


def _left_over(partners: Sequence[int | None], others: int) -> Sequence[int]:
    """Give the places of the other end's events that were not paired: they come last."""
    paired = len(partners) if isinstance(partners, range) else sum(partner is not None for partner in partners)
    return range(paired, others)


def _asides(exchange: Exchange, calls: Sequence[Exchange]) -> Iterator[Entry]:
    for line in list(exchange.logs):
        level = f"{line.level} " if line.level else ""
        yield Entry(line.at_s, line.source, text=level + line.text.rstrip("\n"))
    for blocked in list(exchange.blocked):
        inside = f" in {blocked.inside}" if blocked.inside else ""
        text = f"for {seconds(blocked.length_s)}{inside}, at {blocked.at}: {blocked.at.code}"
        yield Entry(blocked.at_s, "blocked", text=text)
    for report in list(exchange.reports):
        yield Entry(report.at_s, report.source, text=report.text)
    if exchange.raised is not None:
        raised = exchange.raised
        where = f", at {raised.at}: {raised.at.code}" if raised.at is not None else ""
        yield Entry(raised.at_s, "raised", text=f"{raised.type}: {raised.message}".removesuffix(": ") + where)
    for call in calls:
        began_s = max((call.started_at - exchange.started_at).total_seconds(), 0.0)
        yield Entry(began_s, "call", text=f"asked {call.bot}: {call.outcome} (exchange {call.number:,})")


def _fits(entry: Entry, kinds: frozenset[str], needle: str) -> bool:
    return (not kinds or entry.kind in kinds) and needle in entry.text.casefold()
