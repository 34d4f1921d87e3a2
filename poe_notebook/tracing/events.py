"""Recorded events in columns: one after another in one piece of memory, with the time and the end of each.

An object for each would take twice the memory and, at the hundreds of thousands that a trace holds, make each full
garbage collection a pause that is felt (measured with 300,000: 34 ms instead of 17); and to keep each event's own bytes
alive slows a server that streams as fast as it can by a tenth (measured), which the copying of whole batches does not.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, overload

from poe_notebook.protocol.events import KNOWN_TYPES
from poe_notebook.tracing.reading import type_of, value_of

__all__ = ["EVENT_BYTES", "Events", "Recorded"]

EVENT_BYTES = 16
"""What an event takes besides its own bytes: its time and its size, and the room that arrays keep to grow."""


class Recorded(NamedTuple):
    """One event as it crossed a tap: ``raw`` holds its bytes on the wire, blank line included."""

    at_s: float
    type: str
    raw: bytes

    @property
    def data(self) -> Any:
        """The event's data, read as JSON; a text if it is none."""
        return value_of(self.raw)


class Events(Sequence[Recorded]):
    """Events in the order they came; one thread writes, any may read meanwhile.

    Times are kept as the clock's and given as seconds since ``start_s``. An event's type is read out of its bytes when
    somebody looks, unless it was said to be another.
    """

    __slots__ = ("_known_ends", "_odd_types", "_raw", "_sizes", "_start_s", "_times_s", "_types")

    def __init__(self, events: Iterable[Recorded] = (), *, start_s: float = 0.0) -> None:
        self._start_s = start_s
        self._raw = bytearray()
        self._times_s: array[float] = array("d")
        self._sizes: array[int] = array("I")
        self._known_ends: array[int] = array("Q")
        self._odd_types: dict[int, str] = {}
        self._types: list[str] = []
        for event in events:
            self.add(event.at_s + start_s, event.type, event.raw)

    def add(self, time_s: float, type: str, raw: bytes) -> None:
        """Append one event, with the clock's time."""
        if not raw.startswith(_STARTS[type]) and type_of(raw) != type:
            self._odd_types[len(self._sizes)] = type
        self._raw += raw
        self._times_s.append(time_s)
        self._sizes.append(len(raw))  # the last, since it tells how many there are to whoever reads meanwhile

    def extend(self, times_s: Sequence[float], raw: bytes, sizes: Iterable[int]) -> None:
        """Append several events at once: the clock's time of each, all their bytes, and the size of each."""
        self._raw += raw
        self._times_s.frombytes(struct.pack(f"{len(times_s)}d", *times_s))  # a third of the time of a list (measured)
        self._sizes.extend(array("I", list(sizes)))  # half the time of a list, or of an iterator

    @property
    def types(self) -> list[str]:
        """The type of each; read out of new events only."""
        known, count = self._types, len(self._sizes)
        if len(known) < count:
            known = self._types = known + self._types_from(len(known), count)
        return known

    @property
    def times_s(self) -> list[float]:
        """The time of each."""
        start_s = self._start_s
        return [time_s - start_s for time_s in self._times_s[: len(self._sizes)]]

    def holding(self, part: bytes, *, ignore_case: bool = False) -> list[int]:
        """Give the places of the events that hold some bytes; the case of ASCII letters may make no difference."""
        raw, part = (self._raw.lower(), part.lower()) if ignore_case else (self._raw, part)
        places, ends = [], self._ends
        at = raw.find(part)
        while at >= 0:
            place = bisect_right(ends, at)
            if place == len(ends):
                break
            is_within = at + len(part) <= ends[place]
            places += [place] if is_within else []
            at = raw.find(part, ends[place] if is_within else at + 1)
        return places

    @property
    def raw(self) -> bytes:
        """The bytes of all events, one after the other."""
        return bytes(self._raw)

    def like(self, events: Iterable[Recorded]) -> Events:
        """Make events that begin when these do."""
        return Events(events, start_s=self._start_s)

    @property
    def size_bytes(self) -> int:
        """What the bytes of all events come to."""
        return len(self._raw)

    def __len__(self) -> int:
        return len(self._sizes)

    @overload
    def __getitem__(self, index: int) -> Recorded: ...
    @overload
    def __getitem__(self, index: slice) -> list[Recorded]: ...
    def __getitem__(self, index: int | slice) -> Recorded | list[Recorded]:
        places = range(len(self))[index]
        return self._at(places) if isinstance(places, int) else [self._at(place) for place in places]

    def __iter__(self) -> Iterator[Recorded]:
        place = 0
        while place < len(self._sizes):
            yield self._at(place)
            place += 1

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:3]))
        return f"[{shown}{f', … {len(self):,} in all' if len(self) > 3 else ''}]"

    def _at(self, place: int) -> Recorded:
        raw = self._raw_at(place)
        return Recorded(self._times_s[place] - self._start_s, self._odd_types.get(place) or type_of(raw), raw)

    def _raw_at(self, place: int) -> bytes:
        end = self._ends[place]
        return bytes(self._raw[end - self._sizes[place] : end])

    @property
    def _ends(self) -> array[int]:
        """Where each event ends in the bytes; summed up for new events only, and when somebody reads."""
        ends = self._known_ends
        if len(ends) < len(self._sizes):
            fresh = accumulate(self._sizes[len(ends) :], initial=ends[-1] if ends else 0)
            ends = self._known_ends = ends + array("Q", list(fresh)[1:])
        return ends

    def _types_from(self, first: int, last: int) -> list[str]:
        before = self._ends[first - 1] if first else 0
        raw, names = bytes(self._raw[before:]), _Names()
        begins = accumulate(self._sizes[first : last - 1], initial=0)
        types = [names[raw[begin : begin + _HEAD_BYTES]] for begin in begins]
        unread = [at for at, type_ in enumerate(types, first) if not type_]
        for at in unread:
            types[at - first] = type_of(self._raw_at(at))
        for at, type_ in list(self._odd_types.items()):
            if first <= at < last:
                types[at - first] = type_
        return types


class _Starts(dict[str, bytes]):
    """How the bytes of an event of a type nearly always begin."""

    def __missing__(self, type: str) -> bytes:
        start = b"event: %b\n" % type.encode("utf-8", "replace")
        if type in KNOWN_TYPES:
            self[type] = start
        return start


_STARTS = _Starts()
_HEAD_BYTES = len(b"event: text\n")


class _Names(dict[bytes, str]):
    """The type that an event's first bytes name: nearly all types have four letters. Nothing if it has to be read."""

    def __missing__(self, head: bytes) -> str:
        is_line = head.startswith(b"event: ") and head.endswith(b"\n") and b"\n" not in head[:-1]
        name = self[head] = type_of(head) if is_line and head[7:8].isalpha() else ""
        return name
