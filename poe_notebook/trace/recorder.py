"""The trace: exchanges in the order they began, bounded in bytes, written to by the taps while answers run.

A ``Recording`` is one end's pen: it knows the exchange's clock, removes keys on the way in, and ends once.
This is the only place that reads a clock for the trace (monotonic; wall time only for ``started_at``).
"""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from poe_notebook.errors import without_our_frames
from poe_notebook.keys import Redactor
from poe_notebook.trace.exchange import Chunk, Exchange, LogLine, Outcome, Raised, Recorded, Tap

__all__ = ["CURRENT", "Recording", "Trace"]

CURRENT: ContextVar[Recording | None] = ContextVar("poe_notebook_recording", default=None)
"""The server's recording of the exchange that the running handler answers; none outside handlers."""

_MAX_BYTES = 64 * 1024 * 1024
_EVENT_OVERHEAD_BYTES = 120

Label = Callable[[str], str | None]
"""Gives the name that a reader knows a code file by, ``Cell In[3]`` for a notebook's; none if it has no other."""


class Recording:
    """One end's view of one exchange, while it is being written."""

    __slots__ = ("_label", "_redactor", "_size_changed", "_start", "exchange", "tap")

    def __init__(
        self,
        exchange: Exchange,
        tap: Tap,
        *,
        start: float,
        redactor: Redactor,
        label: Label,
        size_changed: Callable[[int], None],
    ) -> None:
        self.exchange, self.tap = exchange, tap
        self._start, self._redactor, self._label, self._size_changed = start, redactor, label, size_changed

    def at_other_end(self) -> Recording:
        """Give the pen of the server's end of the same exchange, on the same clock."""
        tap = self.exchange.server = Tap()
        return Recording(
            self.exchange,
            tap,
            start=self._start,
            redactor=self._redactor,
            label=self._label,
            size_changed=self._size_changed,
        )

    def now_s(self) -> float:
        """Seconds since the exchange began."""
        return time.monotonic() - self._start

    def event(self, type: str, raw: bytes) -> None:
        """Write down one event as it crosses this end."""
        clean = self._redactor.bytes(raw)
        self.tap.events.append(Recorded(time.monotonic() - self._start, type, clean))
        self._size_changed(len(clean) + _EVENT_OVERHEAD_BYTES)

    def chunk(self, size_bytes: int) -> None:
        """Write down the arrival of one piece of the body."""
        self.tap.chunks.append(Chunk(self.now_s(), size_bytes))

    def log(self, source: str, text: str) -> None:
        """Write down what the handler printed or logged."""
        clean = self._redactor.text(text)
        logs = self.exchange.logs
        if logs and logs[-1].source == source and not logs[-1].text.endswith("\n"):
            logs[-1] = logs[-1]._replace(text=logs[-1].text + clean)
        else:
            logs.append(LogLine(self.now_s(), source, clean))
        self._size_changed(len(clean))

    def raised(self, error: BaseException) -> None:
        """Write down the exception that ended the handler, its traceback beginning at the author's own code."""
        self.exchange.raised = Raised(
            at_s=self.now_s(),
            type=type(error).__qualname__,
            message=self._redactor.text(str(error)),
            lines=[self._redactor.text(line) for line in _lines(error, self._label)],
            error=error,
        )

    def end(self, outcome: Outcome, note: str = "") -> None:
        """Close this end. The first end to say how it went is believed, but ``stopped`` outranks ``done``."""
        if self.tap.ended_s is None:
            self.tap.ended_s = self.now_s()
        if self.exchange.outcome in ("open",) or outcome == "stopped":
            self.exchange.outcome = outcome
        if note:
            self.exchange.note = self._redactor.text(note)


class Trace:
    """The recorded exchanges, oldest first; ``trace[-1]`` is the latest. The oldest go when the bound is reached."""

    def __init__(
        self, redactor: Redactor, *, max_bytes: int = _MAX_BYTES, label: Label = lambda filename: None
    ) -> None:
        self._redactor, self._label = redactor, label
        self._max_bytes = max_bytes
        self._recordings: deque[Recording] = deque()
        self._sizes: dict[int, int] = {}
        self._asked: dict[tuple[str, str], Recording] = {}
        self._total_bytes = 0
        self._count = 0
        self.dropped = 0

    def begin_client(
        self, *, bot: str, kind: str, message_id: str, route: str, request: Mapping[str, Any], url: str = ""
    ) -> Recording:
        """Open an exchange from the asker's end."""
        recording = self._begin(bot=bot, kind=kind, message_id=message_id, request=request)
        recording.exchange.client, recording.exchange.route = recording.tap, route
        self._asked[bot, message_id] = recording
        if url:
            recording.exchange.request_headers = {"url": self._redactor.text(url)}
        return recording

    def begin_server(
        self,
        *,
        bot: str,
        kind: str,
        message_id: str,
        request: Mapping[str, Any],
        headers: Mapping[str, str],
    ) -> Recording:
        """Open an exchange from the bot's end, or join the one that an asker in this kernel opened just before."""
        asked = self._asked.pop((bot, message_id), None)
        if asked is not None:
            recording = asked.at_other_end()
        else:
            recording = self._begin(bot=bot, kind=kind, message_id=message_id, request=request)
            recording.exchange.server, recording.exchange.route = recording.tap, "kernel"
        recording.exchange.request_headers = {
            name: "[hidden]" if name.lower() == "authorization" else self._redactor.text(value)
            for name, value in headers.items()
        }
        return recording

    def last(self, bot: str | None = None) -> Exchange | None:
        """Give the latest exchange with a bot's answer, of any bot if none is named."""
        for recording in reversed(list(self._recordings)):
            exchange = recording.exchange
            if exchange.kind == "query" and (bot is None or exchange.bot == bot):
                return exchange
        return None

    def numbered(self, number: int) -> Exchange | None:
        """Give the exchange of that number, if it is still kept."""
        return next((r.exchange for r in reversed(list(self._recordings)) if r.exchange.number == number), None)

    def __len__(self) -> int:
        return len(self._recordings)

    def __iter__(self) -> Iterator[Exchange]:
        return iter([recording.exchange for recording in self._recordings])

    def __getitem__(self, index: int) -> Exchange:
        return self._recordings[index].exchange

    def __repr__(self) -> str:
        gone = f", {self.dropped} dropped" if self.dropped else ""
        return f"<Trace of {len(self)} exchanges, {self._total_bytes / 1e6:.1f} MB{gone}>"

    def _begin(self, *, bot: str, kind: str, message_id: str, request: Mapping[str, Any]) -> Recording:
        self._count += 1
        number = self._count
        exchange = Exchange(
            number=number,
            bot=bot,
            kind=kind,
            started_at=datetime.now(UTC),
            message_id=message_id,
            request=self._redactor.value(request),
        )
        recording = Recording(
            exchange,
            Tap(),
            start=time.monotonic(),
            redactor=self._redactor,
            label=self._label,
            size_changed=lambda size: self._grow(number, size),
        )
        self._recordings.append(recording)
        self._sizes[number] = 0
        self._grow(number, _size(request))
        return recording

    def _grow(self, number: int, size_bytes: int) -> None:
        if number not in self._sizes:
            return
        self._sizes[number] = self._sizes.get(number, 0) + size_bytes
        self._total_bytes += size_bytes
        while self._total_bytes > self._max_bytes and len(self._recordings) > 1:
            oldest = self._recordings.popleft().exchange
            self._asked.pop((oldest.bot, oldest.message_id), None)
            self._total_bytes -= self._sizes.pop(oldest.number, 0)
            self.dropped += 1


def _lines(error: BaseException, label: Label) -> list[str]:
    """Format the traceback without our frames, and with the names that the author knows cells by."""
    frames = without_our_frames(error.__traceback__)
    text = "".join(traceback.format_exception(type(error), error, frames)).rstrip()
    for name in {frame.filename for frame in traceback.extract_tb(frames)}:
        known_as = label(name)
        if known_as:
            text = text.replace(f'File "{name}"', known_as)
    return text.split("\n")


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value) + 50
    if isinstance(value, Mapping):
        return 60 + sum(_size(item) for item in value.values())
    if isinstance(value, list):
        return 60 + sum(_size(item) for item in value)
    return 30
