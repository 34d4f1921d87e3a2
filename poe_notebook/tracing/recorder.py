"""The trace: exchanges in the order they began, bounded in bytes, written to by the taps while answers run.

A ``Recording`` is one end's pen: it knows the exchange's clock, removes keys on the way in, and ends once. Pens write
from several threads without a lock: each list is only appended to, and the bound is checked against a fresh count, so
that an addition lost between two threads makes a check late by a little and no total wrong.
This is the only place that reads a clock for the trace (monotonic; wall time only for ``started_at``).
"""

from __future__ import annotations

import itertools
import secrets
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from poe_notebook.errors import without_our_frames
from poe_notebook.keys import Redactor
from poe_notebook.tracing.exchange import Chunk, Events, Exchange, LogLine, Outcome, Raised, Tap

__all__ = ["CURRENT", "EXCHANGE_HEADER", "Recording", "Trace"]

EXCHANGE_HEADER = "X-Poe-Notebook-Exchange"
"""Names the exchange that a request within this kernel belongs to, so that both its ends are known to be one."""

CURRENT: ContextVar[Recording | None] = ContextVar("poe_notebook_recording", default=None)
"""The server's recording of the exchange that the running handler answers; none outside handlers."""

_LINE: ContextVar[tuple[Exchange, LogLine] | None] = ContextVar("poe_notebook_line", default=None)
"""The line that this task or thread is printing, so that what several print at once stays apart."""

_MAX_BYTES = 64 * 1024 * 1024
_EXCHANGE_SHARE = 4
"""One end of one exchange may fill this part of the bound; what comes after that is only counted."""
_COUNT_SHARE, _STEP_SHARE = 64, 1024
"""The bound is checked each time that this part of it has been written; each pen tells of it in such steps."""
_EXCHANGE_BYTES, _EVENT_BYTES, _CHUNK_BYTES, _LINE_BYTES = 2000, 60, 130, 200
"""What an object takes besides its own text or bytes; measured with tracemalloc, Python 3.11."""
_KEPT_ERRORS = 10
_MESSAGE_CHARS, _TRACEBACK_CHARS = 10_000, 100_000

Label = Callable[[str], str | None]
"""Gives the name that a reader knows a code file by, ``Cell In[3]`` for a notebook's; none if it has no other."""


class Recording:
    """One end's view of one exchange, while it is being written."""

    __slots__ = (
        "_add",
        "_clean",
        "_other",
        "_room_bytes",
        "_start",
        "_trace",
        "_untold_bytes",
        "exchange",
        "poe_url",
        "size_bytes",
        "tap",
    )

    def __init__(self, exchange: Exchange, tap: Tap, *, start: float, trace: Trace) -> None:
        events = tap.events = Events()
        self.exchange, self.tap, self.size_bytes = exchange, tap, 0
        self._start, self._trace, self._clean, self._add = start, trace, trace.redactor.bytes, events.add
        self._room_bytes, self._untold_bytes = trace.exchange_bytes, 0
        self._other: Recording | None = None
        self.poe_url = ""  # where the Poe that asked is, if it is the one that this kernel plays

    def at_other_end(self) -> Recording:
        """Give the pen of the server's end of the same exchange, on the same clock."""
        tap = self.exchange.server = Tap()
        self._other = Recording(self.exchange, tap, start=self._start, trace=self._trace)
        return self._other

    @property
    def reference(self) -> str:
        """What names this exchange in a header; nobody outside this kernel can make one."""
        return f"{self._trace.token}-{self.exchange.number}"

    def nested(self, *, bot: str, url: str, request: Mapping[str, Any]) -> Recording:
        """Open the exchange of a call that the handler of this one makes to another bot."""
        route = "simulator" if self.poe_url and url.startswith(self.poe_url) else "poe"
        message_id = str(request.get("message_id", ""))
        return self._trace.begin_client(
            bot=bot,
            kind="query",
            message_id=message_id,
            route=route,
            request=request,
            url=url,
            parent=self.exchange.number,
        )

    @property
    def both_ends_bytes(self) -> int:
        """What the exchange takes, as far as this end and the one opened from it wrote it."""
        return self.size_bytes + (self._other.size_bytes if self._other is not None else 0)

    def now_s(self) -> float:
        """Seconds since the exchange began."""
        return time.monotonic() - self._start

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Write down the head of the response."""
        self.tap.status = status
        self.tap.headers = self._trace.clean_headers(headers)

    def event(self, type: str, raw: bytes) -> float:
        """Write down one event as it crosses this end; gives its time, in seconds since the exchange began."""
        at_s, clean = time.monotonic() - self._start, self._clean(raw)
        if self._takes(len(clean) + _EVENT_BYTES):
            self._add(at_s, type, clean)
        return at_s

    def chunk(self, size_bytes: int) -> None:
        """Write down the arrival of one piece of the body."""
        if self._takes(_CHUNK_BYTES):
            self.tap.chunks.append(Chunk(self.now_s(), size_bytes))

    def log(self, source: str, text: str) -> None:
        """Write down what the handler printed; what a task or thread prints up to a line's end is one line."""
        clean = self._trace.redactor.text(text)
        if not self._takes(len(clean) + _LINE_BYTES):
            return
        exchange, line = _LINE.get() or (None, None)
        if line is None or exchange is not self.exchange or line.source != source or line.text.endswith("\n"):
            line = LogLine(self.now_s(), source, clean)
            self.exchange.logs.append(line)
            _LINE.set((self.exchange, line))
        else:
            line.text += clean

    def raised(self, error: BaseException) -> None:
        """Write down the exception that ended the handler, its traceback beginning at the author's own code."""
        clean = self._trace.redactor.text
        raised = self.exchange.raised = Raised(
            at_s=self.now_s(),
            type=type(error).__qualname__,
            message=clean(_message(error))[:_MESSAGE_CHARS],
            lines=clean(_traceback(error, self._trace.label))[-_TRACEBACK_CHARS:].split("\n"),
            error=error,
        )
        self._takes(len(raised.message) + sum(map(len, raised.lines)))
        self._trace.keep_error(raised)

    def end(self, outcome: Outcome, note: str = "") -> None:
        """Close this end. The first end to say how it went is believed, but ``stopped`` outranks ``done``."""
        if self.tap.ended_s is None:
            self.tap.ended_s = self.now_s()
        if self.exchange.outcome == "open" or outcome == "stopped":
            self.exchange.outcome = outcome
        if note:
            self.exchange.note = self._trace.redactor.text(note)
        self._tell()

    def give_up_room(self) -> None:
        """Write nothing more: the trace has dropped this exchange."""
        self._room_bytes = 0
        if self._other is not None:
            self._other.give_up_room()

    def _takes(self, size_bytes: int) -> bool:
        if self.size_bytes + size_bytes > self._room_bytes:
            self.tap.omitted += 1
            return False
        self.size_bytes += size_bytes
        self._untold_bytes += size_bytes
        if self._untold_bytes > self._trace.step_bytes:
            self._tell()
        return True

    def _tell(self) -> None:
        untold, self._untold_bytes = self._untold_bytes, 0
        self._trace.grow(untold)


class Trace:
    """The recorded exchanges, oldest first; ``trace[-1]`` is the latest. The oldest go when the bound is reached."""

    def __init__(
        self, redactor: Redactor, *, max_bytes: int = _MAX_BYTES, label: Label = lambda filename: None
    ) -> None:
        self.redactor, self.label = redactor, label
        self.exchange_bytes, self.step_bytes = max_bytes // _EXCHANGE_SHARE, max_bytes // _STEP_SHARE
        self._max_bytes = max_bytes
        self._recordings: list[Recording] = []
        self._asked: dict[str, Recording] = {}
        self._errors: list[Raised] = []
        self._uncounted_bytes = 0
        self._numbers = itertools.count(1)
        self.dropped = 0
        self.token = secrets.token_hex(8)
        self.poe_url = ""

    def begin_client(
        self,
        *,
        bot: str,
        kind: str,
        message_id: str,
        route: str,
        request: Mapping[str, Any],
        url: str = "",
        parent: int | None = None,
    ) -> Recording:
        """Open an exchange from the asker's end."""
        recording = self._begin(bot=bot, kind=kind, message_id=message_id, request=request, parent=parent)
        recording.exchange.client, recording.exchange.route = recording.tap, route
        self._asked[recording.reference] = recording
        if url:
            recording.exchange.request_headers = {"url": self.redactor.text(url)}
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
        """Open an exchange from the bot's end, or join the one that an asker in this kernel names in a header.

        A second request of the same name, as when Poe tries again, is an exchange of its own.
        """
        reference = next((value for name, value in headers.items() if name.lower() == _REFERENCE), "")
        asked = self._asked.pop(reference, None)
        if asked is not None:
            recording = asked.at_other_end()
        else:
            recording = self._begin(bot=bot, kind=kind, message_id=message_id, request=request)
            recording.exchange.server, recording.exchange.route = recording.tap, "kernel"
        if reference.startswith(self.token):
            recording.poe_url = self.poe_url
        recording.exchange.request_headers = self.clean_headers(headers)
        return recording

    def asked(self, reference: str) -> Recording | None:
        """Give the open exchange of that name whose other end has not been seen yet."""
        return self._asked.get(reference)

    def last(self, bot: str | None = None) -> Exchange | None:
        """Give the latest exchange with a bot's answer, of any bot if none is named."""
        for recording in reversed(self._recordings[:]):
            exchange = recording.exchange
            if exchange.kind == "query" and (bot is None or exchange.bot == bot):
                return exchange
        return None

    def numbered(self, number: int) -> Exchange | None:
        """Give the exchange of that number, if it is still kept."""
        return next((exchange for exchange in self if exchange.number == number), None)

    @property
    def size_bytes(self) -> int:
        """What the kept exchanges take, roughly."""
        return sum(recording.both_ends_bytes for recording in self._recordings[:])

    def __len__(self) -> int:
        return len(self._recordings)

    def __iter__(self) -> Iterator[Exchange]:
        return iter([recording.exchange for recording in self._recordings[:]])

    def __getitem__(self, index: int) -> Exchange:
        return self._recordings[index].exchange

    def __repr__(self) -> str:
        gone = f", {self.dropped} dropped" if self.dropped else ""
        return f"<Trace of {len(self)} exchanges, {self.size_bytes / 1e6:.1f} MB{gone}>"

    # For the recordings.

    def clean_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Give headers without what proves who sent them."""
        return {
            name: "[hidden]" if name.lower() in _SECRET_HEADERS else self.redactor.text(value)
            for name, value in headers.items()
            if name.lower() != _REFERENCE
        }

    def grow(self, size_bytes: int) -> None:
        """Hear that something was written; drop the oldest exchanges if that was too much."""
        self._uncounted_bytes += size_bytes
        if self._uncounted_bytes > self._max_bytes // _COUNT_SHARE:
            self._uncounted_bytes = 0
            self._drop_oldest()

    def keep_error(self, raised: Raised) -> None:
        """Keep an exception's frames until newer failures have come."""
        self._errors.append(raised)
        while len(self._errors) > _KEPT_ERRORS:
            self._errors.pop(0).error = None

    def _begin(
        self, *, bot: str, kind: str, message_id: str, request: Mapping[str, Any], parent: int | None = None
    ) -> Recording:
        exchange = Exchange(
            number=next(self._numbers),
            bot=bot,
            kind=kind,
            started_at=datetime.now(UTC),
            message_id=message_id,
            parent=parent,
            request=self.redactor.value(request),
        )
        recording = Recording(exchange, Tap(), start=time.monotonic(), trace=self)
        recording.size_bytes = _EXCHANGE_BYTES + _size(request)
        self._recordings.append(recording)
        self.grow(recording.size_bytes)
        return recording

    def _drop_oldest(self) -> None:
        total, most = self.size_bytes, self._max_bytes - self._max_bytes // _COUNT_SHARE
        while total > most and len(self._recordings) > 1:
            oldest = self._recordings.pop(0)
            oldest.give_up_room()
            total -= oldest.both_ends_bytes
            self._asked.pop(oldest.reference, None)
            self.dropped += 1


_REFERENCE = EXCHANGE_HEADER.lower()
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as fault:  # an author's own __str__
        return f"(its message cannot be shown: __str__ raised {type(fault).__name__})"


def _traceback(error: BaseException, label: Label) -> str:
    """Format the traceback without our frames, and with the names that the author knows cells by."""
    frames = without_our_frames(error.__traceback__)
    text = "".join(traceback.format_exception(type(error), error, frames)).rstrip()
    for name in {frame.filename for frame in traceback.extract_tb(frames)}:
        known_as = label(name)
        if known_as:
            text = text.replace(f'File "{name}"', known_as)
    return text


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value) + 50
    if isinstance(value, Mapping):
        return 60 + sum(60 + len(str(name)) + _size(item) for name, item in value.items())
    if isinstance(value, list | tuple):
        return 60 + sum(_size(item) for item in value)
    return 30
