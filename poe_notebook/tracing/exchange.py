"""Exchanges as plain values: one request and its answer's events, seen from one or both ends.

No I/O and no clock here; whoever records passes times in. All times are seconds from the start of the exchange.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, overload

__all__ = ["Chunk", "Events", "Exchange", "LogLine", "Outcome", "Raised", "Recorded", "Tap"]

Outcome = Literal["open", "done", "failed", "stopped", "refused"]
"""``open``: still answering; ``failed``: ended by an ``error`` event; ``stopped``: the reader left or pressed Stop;
``refused``: never reached a handler (status other than 200)."""


class Recorded(NamedTuple):
    """One event as it crossed a tap: ``raw`` holds its bytes on the wire, blank line included."""

    at_s: float
    type: str
    raw: bytes


class Events(Sequence[Recorded]):
    """Recorded events, kept in columns.

    An object for each would take twice the memory and, at the hundreds of thousands that a trace holds, make each full
    garbage collection a pause that is felt (measured with 300,000: 34 ms instead of 17).
    """

    __slots__ = ("_raws", "_times_s", "_types")

    def __init__(self, events: Iterable[Recorded] = ()) -> None:
        self._times_s: array[float] = array("d")
        self._types: list[str] = []
        self._raws: list[bytes] = []
        for event in events:
            self.add(*event)

    def add(self, at_s: float, type: str, raw: bytes) -> None:
        """Append one event."""
        self._times_s.append(at_s)
        self._types.append(type)
        self._raws.append(raw)  # the last, since this column tells how many there are to whoever reads meanwhile

    def __len__(self) -> int:
        return len(self._raws)

    @overload
    def __getitem__(self, index: int) -> Recorded: ...
    @overload
    def __getitem__(self, index: slice) -> list[Recorded]: ...
    def __getitem__(self, index: int | slice) -> Recorded | list[Recorded]:
        places = range(len(self))[index]
        return self._at(places) if isinstance(places, int) else [self._at(place) for place in places]

    def __iter__(self) -> Iterator[Recorded]:
        return map(Recorded, self._times_s, self._types, self._raws)

    def __repr__(self) -> str:
        return repr(list(self))

    def _at(self, place: int) -> Recorded:
        return Recorded(self._times_s[place], self._types[place], self._raws[place])


class Chunk(NamedTuple):
    """One piece of the body as it came off the socket: pieces and events need not line up."""

    at_s: float
    size_bytes: int


@dataclass(slots=True)
class LogLine:
    """A line that a handler printed, with where it came from (``stdout``, ``stderr``); it grows up to its end."""

    at_s: float
    source: str
    text: str


@dataclass(slots=True)
class Raised:
    """An exception of a handler. ``lines`` is its traceback without our own frames.

    ``error`` keeps the frames, and all that is in them, alive; the trace lets go of it when newer failures have come.
    """

    at_s: float
    type: str
    message: str
    lines: list[str]
    error: BaseException | None = field(default=None, repr=False)  # whose own repr may hold a key


@dataclass(slots=True)
class Tap:
    """What one end saw of the answer: ``server`` is the bot's end, ``client`` the asker's.

    ``omitted`` counts the events, chunks and log lines that came after the trace had no more room for this exchange.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    events: Sequence[Recorded] = field(default_factory=Events)
    chunks: list[Chunk] = field(default_factory=list)
    ended_s: float | None = None
    omitted: int = 0


@dataclass(slots=True)
class Exchange:
    """One request and its answer.

    ``kind`` is the request's type (``query``, ``settings``, ``report_reaction`` …), ``generation`` the definition of
    the bot that answered (none if the bot is served elsewhere), ``request`` the JSON body with secrets removed.
    ``parent`` is the number of the exchange whose handler asked this.
    """

    number: int
    bot: str
    kind: str
    started_at: datetime
    message_id: str = ""
    parent: int | None = None
    route: str = ""
    generation: int | None = None
    request: dict[str, Any] = field(default_factory=dict)
    request_headers: dict[str, str] = field(default_factory=dict)
    server: Tap | None = None
    client: Tap | None = None
    logs: list[LogLine] = field(default_factory=list)
    raised: Raised | None = None
    outcome: Outcome = "open"
    note: str = ""

    @property
    def events(self) -> Sequence[Recorded]:
        """The answer's events, as the bot's end saw them if it is here, else as the asker's end did."""
        tap = self.server if self.server is not None and self.server.events else self.client
        return tap.events if tap is not None else []

    @property
    def first_text_s(self) -> float | None:
        """Seconds to the first ``text`` or ``replace_response`` event."""
        return next((e.at_s for e in self.events if e.type in ("text", "replace_response")), None)

    @property
    def duration_s(self) -> float | None:
        """Seconds to the end of the answer; none while it is open."""
        ends = [t.ended_s for t in (self.server, self.client) if t is not None and t.ended_s is not None]
        return max(ends) if ends else None
