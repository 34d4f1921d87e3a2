"""A recording: one end's pen for one exchange. It knows the exchange's clock, removes keys on the way in, ends once.

Pens write from several threads without a lock: each list is only appended to, and the bound is checked against a fresh
count, so that an addition lost between two threads makes a check late by a little and no total wrong.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

from poe_notebook.keys import Redactor
from poe_notebook.protocol.events import KNOWN_TYPES
from poe_notebook.tracing.events import EVENT_BYTES
from poe_notebook.tracing.exchange import Blocked, Chunk, Exchange, LogLine, Outcome, Place, Raised, Report, Tap
from poe_notebook.tracing.failures import Label, raised_of
from poe_notebook.tracing.reading import type_of
from poe_notebook.tracing.split_keys import without_split_keys

__all__ = ["CURRENT", "EXCHANGE_HEADER", "Book", "Recording", "clean_headers", "size_of"]

EXCHANGE_HEADER = "X-Poe-Notebook-Exchange"
"""Names the exchange that a request within this kernel belongs to, so that both its ends are known to be one."""

CURRENT: ContextVar[Recording | None] = ContextVar("poe_notebook_recording", default=None)
"""The server's recording of the exchange that the running handler answers; none outside handlers."""

_LINE: ContextVar[tuple[Exchange, LogLine] | None] = ContextVar("poe_notebook_line", default=None)
"""The line that this task or thread is printing, so that what several print at once stays apart."""

_KEY_CHARS = 512
"""No key is longer; so much of a line is looked at again when it grows."""
_CHUNK_BYTES, _LINE_BYTES, _REPORT_BYTES = 130, 210, 400
"""What an object takes besides its own text or bytes; measured with tracemalloc, Python 3.11."""
_ENDS = frozenset({"error", "done"})
_RANKS: dict[Outcome, int] = {"open": 0, "done": 1, "stopped": 2, "refused": 3, "failed": 3}
_END_BYTES = 64 * 1024
"""The end of an answer is kept when there is no more room for the rest, if it is no larger than this."""


class Book(Protocol):
    """What a pen asks of the trace that it writes into."""

    redactor: Redactor
    label: Label
    exchange_bytes: int
    step_bytes: int
    token: str

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

    def grow(self, size_bytes: int) -> None:
        """Hear that something was written."""

    def keep_error(self, raised: Raised) -> None:
        """Keep an exception's frames until newer failures have come."""

    def is_answered(self, recording: Recording) -> None:
        """Hear that an asker waits for no bot's end any more."""


class Recording:
    """One end's view of one exchange, while it is being written."""

    __slots__ = (
        "_book",
        "_other",
        "_room_bytes",
        "_untold_bytes",
        "borrowed",
        "exchange",
        "heir",
        "poe_url",
        "size_bytes",
        "start_s",
        "tap",
    )

    def __init__(self, exchange: Exchange, tap: Tap, *, start_s: float, book: Book) -> None:
        self.exchange, self.tap, self.start_s, self.size_bytes = exchange, tap, start_s, 0
        self._book = book
        self._room_bytes, self._untold_bytes = book.exchange_bytes, 0
        self._other: Recording | None = None
        self.borrowed: Sequence[Any] = ()
        self.heir: Recording | None = None
        self.poe_url = ""  # where the Poe that asked is, if it is the one that this kernel plays

    def at_other_end(self) -> Recording:
        """Give the pen of the server's end of the same exchange, on the same clock."""
        tap = self.exchange.server = Tap.starting(self.start_s)
        self._other = Recording(self.exchange, tap, start_s=self.start_s, book=self._book)
        return self._other

    def received(self, request: dict[str, Any], size_bytes: int) -> None:
        """Write down what has come of the request on its way here; ``size_bytes``: what that takes besides it."""
        exchange = self.exchange
        if request != exchange.request:
            exchange.asked, exchange.request = exchange.request, request
            self.size_bytes += size_bytes

    @property
    def reference(self) -> str:
        """What names this exchange in a header; nobody outside this kernel can make one."""
        return f"{self._book.token}-{self.exchange.number}"

    def nested(self, *, bot: str, url: str, request: Mapping[str, Any]) -> Recording:
        """Open the exchange of a call that the handler of this one makes to another bot."""
        route = "simulator" if self.poe_url and url.startswith(self.poe_url) else "poe"
        message_id = str(request.get("message_id", ""))
        return self._book.begin_client(
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

    @property
    def label(self) -> Label:
        """Gives the names that the author knows code files by."""
        return self._book.label

    def clean(self, text: str) -> str:
        """Take the keys that the trace knows out of a text."""
        return self._book.redactor.text(text)

    @property
    def last_sign_s(self) -> float:
        """When, in seconds since the exchange began, this end last wrote down an event or a line."""
        times_s = [*(event.at_s for event in self.tap.events[-1:]), *(line.at_s for line in self.exchange.logs[-1:])]
        return max(times_s, default=0.0)

    def now_s(self) -> float:
        """Seconds since the exchange began."""
        return time.monotonic() - self.start_s

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Write down the head of the response."""
        self.tap.status = status
        self.tap.headers = clean_headers(headers, self._book.redactor)

    def responded(self, body: Any) -> None:
        """Write down the JSON body that answers a request which is no query."""
        body = self._book.redactor.value(body)
        self.exchange.response = body if self._takes(size_of(body)) else None

    def event(self, type: str, raw: bytes) -> float:
        """Write down one event as it crosses this end; gives its time, in seconds since the exchange began."""
        time_s, clean = time.monotonic(), self._book.redactor.event_bytes(raw)
        if type not in KNOWN_TYPES:
            type = self.clean(type)
        if self._takes(len(clean) + EVENT_BYTES) or self._is_end(type, clean):
            self.tap.events.add(time_s, type, clean)
        return time_s - self.start_s

    def batch(self, raws: Sequence[bytes], joined: bytes, times_s: Sequence[float]) -> None:
        """Write down several events that crossed together: ``joined`` is all of them, ``times_s`` the clock's times."""
        redact = self._book.redactor.event_bytes
        if redact(joined) is not joined:
            raws = [redact(raw) for raw in raws]
            joined = b"".join(raws)
        if self._takes(len(joined) + EVENT_BYTES * len(raws), count=0):
            self.tap.events.extend(times_s, joined, map(len, raws))
        else:
            self._one_by_one(raws, times_s)

    def chunk(self, size_bytes: int) -> None:
        """Write down the arrival of one piece of the body."""
        if self._takes(_CHUNK_BYTES):
            self.tap.chunks.append(Chunk(self.now_s(), size_bytes))

    def log(self, source: str, text: str, *, level: str = "") -> None:
        """Write down what the handler said; what a task or thread prints up to a line's end is one line."""
        clean = self.clean(text)
        if not self._takes(len(clean) + _LINE_BYTES):
            return
        exchange, line = _LINE.get() or (None, None)
        if line is None or exchange is not self.exchange or line.source != source or line.text.endswith("\n"):
            line = LogLine(self.now_s(), source, clean, level)
            self.exchange.logs.append(line)
            _LINE.set((self.exchange, line))
        else:
            # What is printed in pieces may be a key only once they are together.
            line.text = line.text[:-_KEY_CHARS] + self.clean(line.text[-_KEY_CHARS:] + clean)

    def raised(self, error: BaseException) -> None:
        """Write down the exception that ended the handler, its traceback beginning at the author's own code."""
        raised = raised_of(error, at_s=self.now_s(), label=self.label, clean=self.clean)
        self.exchange.raised = raised
        self._takes(len(raised.message) + sum(map(len, raised.lines)) + sum(map(len, raised.variables.values())))
        self._book.keep_error(raised)

    def blocked(self, at: Place, *, from_s: float, length_s: float, inside: str = "") -> Blocked:
        """Write down that the handler blocks its loop; the value may grow longer while it does."""
        blocked = Blocked(from_s, length_s, at, self.clean(inside))
        if self._takes(_REPORT_BYTES):
            self.exchange.blocked.append(blocked)
        return blocked

    def report(self, source: str, text: str, **values: Any) -> None:
        """Write down what somebody else has to say of this exchange; ``values`` are plain, as JSON has them."""
        report = Report(self.now_s(), source, self.clean(text), self._book.redactor.value(values))
        if self._takes(_REPORT_BYTES + len(text) + size_of(values)):
            self.exchange.reports.append(report)

    def end(self, outcome: Outcome, note: str = "", *, at_s: float | None = None) -> None:
        """Close this end. Of what both say the worse counts: an answer that its asker could not read has failed.

        What both note is kept.
        """
        if self.tap.ended_s is None:
            self.tap.ended_s = self.now_s() if at_s is None else at_s
            self.tap.events = without_split_keys(self.tap.events, self._book.redactor) or self.tap.events
        if _RANKS[outcome] > _RANKS[self.exchange.outcome]:
            self.exchange.outcome = outcome
        if note:
            self.exchange.note = f"{self.exchange.note} {self.clean(note)}".strip()
        self._book.is_answered(self)
        self._tell()

    def borrow(self, messages: Sequence[Any], earlier: Recording) -> None:
        """Share messages with an earlier exchange, for which they are counted as long as that is kept."""
        self.borrowed, earlier.heir = messages, self

    def give_up_room(self) -> int:
        """Write nothing more: the trace has dropped this exchange. Gives what a later one has to answer for now."""
        self._room_bytes = 0
        if self._other is not None:
            self._other.give_up_room()
        if self.heir is None:
            return 0
        inherited_bytes = size_of(self.heir.borrowed)
        self.heir.borrowed = ()
        self.heir.size_bytes += inherited_bytes
        return inherited_bytes

    def _one_by_one(self, raws: Sequence[bytes], times_s: Sequence[float]) -> None:
        events = self.tap.events
        for raw, time_s in zip(raws, times_s, strict=True):
            if self._takes(len(raw) + EVENT_BYTES) or self._is_end(type_of(raw), raw):
                events.extend((time_s,), raw, (len(raw),))

    def _is_end(self, type: str, raw: bytes) -> bool:
        """Whether an event for which there was no room is the end of an answer, which is kept all the same."""
        is_kept = type in _ENDS and len(raw) <= _END_BYTES and self._room_bytes > 0
        self.tap.omitted -= is_kept
        return is_kept

    def _takes(self, size_bytes: int, *, count: int = 1) -> bool:
        if self.size_bytes + size_bytes > self._room_bytes:
            self.tap.omitted += count
            return False
        self.size_bytes += size_bytes
        self._untold_bytes += size_bytes
        if self._untold_bytes > self._book.step_bytes:
            self._tell()
        return True

    def _tell(self) -> None:
        untold, self._untold_bytes = self._untold_bytes, 0
        self._book.grow(untold)


def clean_headers(headers: Mapping[str, str], redactor: Redactor) -> dict[str, str]:
    """Give headers without what proves who sent them."""
    return {
        redactor.text(name): "[hidden]" if name.lower() in _SECRET_HEADERS else redactor.text(value)
        for name, value in headers.items()
        if name.lower() != _REFERENCE
    }


_REFERENCE = EXCHANGE_HEADER.lower()
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


def size_of(value: Any) -> int:
    """Estimate what a JSON value takes in memory, in bytes."""
    if isinstance(value, str):
        return len(value) + 50
    if isinstance(value, Mapping):
        return 60 + sum(60 + len(str(name)) + size_of(item) for name, item in value.items())
    if isinstance(value, list | tuple):
        return 60 + sum(size_of(item) for item in value)
    return 30
