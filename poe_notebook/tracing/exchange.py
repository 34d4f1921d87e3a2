"""Exchanges as plain values: one request and its answer's events, seen from one or both ends.

No I/O and no clock here; whoever records passes times in. All times are seconds from the start of the exchange.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from poe_notebook.tracing.events import EVENT_BYTES, Events, Recorded
from poe_notebook.tracing.reading import answer_text

__all__ = [
    "Blocked",
    "Chunk",
    "Events",
    "Exchange",
    "LogLine",
    "Outcome",
    "Place",
    "Raised",
    "Recorded",
    "Report",
    "Tap",
]

Outcome = Literal["open", "done", "failed", "stopped", "refused"]
"""``open``: still answering; ``failed``: ended by an ``error`` event; ``stopped``: the reader left or pressed Stop;
``refused``: never reached a handler (status other than 200)."""


class Chunk(NamedTuple):
    """One piece of the body as it came off the socket: pieces and events need not line up."""

    at_s: float
    size_bytes: int


class Place(NamedTuple):
    """A line of code: ``file`` is ``Cell In[3]`` or a path, ``code`` the line's text, ``function`` the one it is in."""

    file: str
    line: int
    function: str = ""
    code: str = ""

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


@dataclass(slots=True)
class LogLine:
    """What a handler said beside its answer: a line that it printed, logged or warned of; it grows up to its end.

    ``source`` is ``stdout``, ``stderr``, ``log`` or ``warnings``; ``level`` is a log record's, ``WARNING`` say.
    """

    at_s: float
    source: str
    text: str
    level: str = ""


@dataclass(slots=True)
class Raised:
    """An exception of a handler: ``lines`` is its traceback without our own frames, ``at`` the author's last line.

    ``variables`` are the local variables at that line, each as a short text. ``error`` keeps the frames, and all that
    is in them, alive; the trace lets go of it when newer failures have come.
    """

    at_s: float
    type: str
    message: str
    lines: list[str]
    error: BaseException | None = field(default=None, repr=False)  # whose own repr may hold a key
    at: Place | None = None
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Blocked:
    """A stretch in which the handler kept its loop from running anything else, and the line at which it did.

    ``inside`` is the function in which that line was waiting, ``socket.recv`` say; it may be the line's own.
    """

    at_s: float
    length_s: float
    at: Place
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody else had to say of an exchange, in words and as values.

    ``source`` is ``cost`` (authorised or captured), ``poe`` (a complaint about the answer), ``fault`` (put in on
    purpose) or whoever else reports.
    """

    at_s: float
    source: str
    text: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Tap:
    """What one end saw of the answer: ``server`` is the bot's end, ``client`` the asker's.

    ``omitted`` counts the events, chunks and log lines that came after the trace had no more room for this exchange.
    Any sequence of events may be given; they are kept in columns.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    events: Events = field(default_factory=Events)
    chunks: list[Chunk] = field(default_factory=list)
    ended_s: float | None = None
    omitted: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.events, Events):
            self.events = Events(self.events)

    @property
    def size_bytes(self) -> int:
        """What its events and chunks take, roughly."""
        return self.events.size_bytes + EVENT_BYTES * len(self.events) + 130 * len(self.chunks)

    @classmethod
    def starting(cls, start_s: float) -> Tap:
        """Make the tap of an exchange that began when the clock stood there."""
        return cls(events=Events(start_s=start_s))


@dataclass(slots=True, repr=False, eq=False, weakref_slot=True)
class Exchange:
    """One request and its answer.

    ``kind`` is the request's type (``query``, ``settings``, ``report_reaction`` …), ``generation`` the definition of
    the bot that answered (none if the bot is served elsewhere), ``request`` the JSON body with secrets removed as the
    bot received it, ``asked`` what the asker had sent if Poe made something else of it (files read, parameters filled
    in, participants told of), ``response`` the JSON body that answers what is no query, ``parent`` the number of the
    exchange whose handler asked and ``children`` those of the exchanges that this one's handler began.

    Messages are shared between the requests of one conversation: they are to be read, not changed.
    """

    number: int
    bot: str
    kind: str
    started_at: datetime
    message_id: str = ""
    route: str = ""
    url: str = ""
    generation: int | None = None
    request: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] | None = None
    request_headers: dict[str, str] = field(default_factory=dict)
    response: Any = None
    server: Tap | None = None
    client: Tap | None = None
    logs: list[LogLine] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    blocked: list[Blocked] = field(default_factory=list)
    raised: Raised | None = None
    outcome: Outcome = "open"
    note: str = ""
    parent: int | None = None
    children: list[int] = field(default_factory=list)

    @property
    def seen(self) -> Tap | None:
        """The end whose events count: the bot's if it is here and has any, else the asker's."""
        return self.server if self.server is not None and self.server.events else self.client or self.server

    @property
    def events(self) -> Events:
        """The answer's events, as the bot's end saw them if it is here, else as the asker's end did."""
        return self.seen.events if self.seen is not None else Events()

    @property
    def text(self) -> str:
        """The answer's text, as a reader sees it at the end."""
        return answer_text((event.type, event.raw) for event in self.events)

    @property
    def first_text_s(self) -> float | None:
        """Seconds to the first ``text`` or ``replace_response`` event."""
        events = self.events
        at = next((at for at, type_ in enumerate(events.types) if type_ in ("text", "replace_response")), None)
        return None if at is None else events[at].at_s

    @property
    def gaps_s(self) -> list[float]:
        """Seconds of silence before each event, the wait for the first included."""
        return [later - earlier for earlier, later in pairwise([0.0, *self.events.times_s])]

    @property
    def duration_s(self) -> float | None:
        """Seconds to the end of the answer; none while it is open."""
        ends = [t.ended_s for t in (self.server, self.client) if t is not None and t.ended_s is not None]
        return max(ends) if ends else None

    @property
    def omitted(self) -> int:
        """How many events, chunks and log lines the trace had no room for, at the end that counts."""
        return self.seen.omitted if self.seen is not None else 0

    def to_dataframe(self) -> Any:
        """Give the events as a pandas DataFrame: number, at_s, gap_s, type, data, raw. Needs pandas."""
        from poe_notebook.tracing.frames import events_frame

        return events_frame(self)

    def as_curl(self) -> str:
        """Give the request as a curl command; its key comes from the environment."""
        from poe_notebook.tracing.copies import as_curl

        return as_curl(self)

    def as_python(self) -> str:
        """Give the request as Python code for a cell; its key comes from the environment."""
        from poe_notebook.tracing.copies import as_python

        return as_python(self)

    def as_json(self) -> str:
        """Give the request's body as JSON."""
        from poe_notebook.tracing.copies import as_json

        return as_json(self)

    def __repr__(self) -> str:
        length = f", {self.duration_s:.3g} s" if self.duration_s is not None else ""
        return f"<Exchange {self.number} with {self.bot}: {self.outcome}, {len(self.events):,} events{length}>"
