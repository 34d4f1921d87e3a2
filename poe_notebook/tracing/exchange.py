"""Exchanges as plain values: one request and its answer's events, seen from one or both ends.

No I/O and no clock here; whoever records passes times in. All times are seconds from the start of the exchange.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

__all__ = ["Chunk", "Exchange", "LogLine", "Outcome", "Raised", "Recorded", "Tap"]

Outcome = Literal["open", "done", "failed", "stopped", "refused"]
"""``open``: still answering; ``failed``: ended by an ``error`` event; ``stopped``: the reader left or pressed Stop;
``refused``: never reached a handler (status other than 200)."""


class Recorded(NamedTuple):
    """One event as it crossed a tap: ``raw`` holds its bytes on the wire, blank line included."""

    at_s: float
    type: str
    raw: bytes


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
    events: list[Recorded] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    ended_s: float | None = None
    omitted: int = 0


@dataclass(slots=True)
class Exchange:
    """One request and its answer.

    ``kind`` is the request's type (``query``, ``settings``, ``report_reaction`` …), ``generation`` the definition of
    the bot that answered (none if the bot is served elsewhere), ``request`` the JSON body with secrets removed.
    """

    number: int
    bot: str
    kind: str
    started_at: datetime
    message_id: str = ""
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
    def events(self) -> list[Recorded]:
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
