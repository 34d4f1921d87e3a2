"""The trace: exchanges in the order they began, bounded in bytes, written to by the taps while answers run.

Each end of an exchange has a ``Recording``, its pen. Monotonic time counts; wall time only for ``started_at``.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, overload

from poe_notebook.errors import ExchangeNotFound
from poe_notebook.keys import Redactor
from poe_notebook.tracing.exchange import Exchange, Raised, Tap
from poe_notebook.tracing.failures import Label
from poe_notebook.tracing.recording import CURRENT, EXCHANGE_HEADER, Recording, clean_headers, size_of
from poe_notebook.tracing.sharing import shared

__all__ = ["CURRENT", "EXCHANGE_HEADER", "Recording", "Trace"]

_MAX_BYTES = 64 * 1024 * 1024
_EXCHANGE_SHARE = 4
"""One end of one exchange may fill this part of the bound; what comes after that is only counted."""
_COUNT_SHARE, _STEP_SHARE = 64, 1024
"""The bound is checked each time that this part of it has been written; each pen tells of it in such steps."""
_EXCHANGE_BYTES = 2600
"""What an exchange takes without anything in it; measured with tracemalloc, Python 3.11."""
_KEPT_ERRORS = 20
_COMPLAINT_CHARS = 1_000


class Trace:
    """The recorded exchanges, oldest first; ``trace[-1]`` is the latest. The oldest go when the bound is reached."""

    def __init__(
        self, redactor: Redactor, *, max_bytes: int = _MAX_BYTES, label: Label = lambda filename: None
    ) -> None:
        self.redactor, self.label = redactor, label
        self.exchange_bytes, self.step_bytes = max_bytes // _EXCHANGE_SHARE, max_bytes // _STEP_SHARE
        self._max_bytes = max_bytes
        self._recordings: list[Recording] = []
        self._by_number: dict[int, Exchange] = {}
        self._asked: dict[str, Recording] = {}
        self._latest_of: dict[str, Recording] = {}
        self._errors: list[Raised] = []
        self._uncounted_bytes = 0
        self._numbers = itertools.count(1)
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
        """Open an exchange from the asker's end.

        ``parent`` is the number of the exchange whose handler asks; inside a handler it is known.
        """
        recording = self._begin(bot=bot, kind=kind, message_id=message_id, request=request, parent=parent)
        exchange = recording.exchange
        exchange.client, exchange.route, exchange.url = recording.tap, route, self.redactor.text(url)
        self._asked[recording.reference] = recording
        return recording

    def begin_server(
        self,
        *,
        bot: str,
        kind: str,
        message_id: str,
        request: Mapping[str, Any],
        headers: Mapping[str, str],
        parent: int | None = None,
    ) -> Recording:
        """Open an exchange from the bot's end, or join the one that an asker in this kernel names in a header.

        A second request of the same name, as when Poe tries again, is an exchange of its own.
        """
        reference = next((value for name, value in headers.items() if name.lower() == _REFERENCE), "")
        asked = self._asked.pop(reference, None)
        if asked is not None:
            received, same = self._kept(request, asked.exchange.request)
            recording = asked.at_other_end()
            recording.received(received, _size_without(same, received))
        else:
            recording = self._begin(bot=bot, kind=kind, message_id=message_id, request=request, parent=parent)
            recording.exchange.server, recording.exchange.route = recording.tap, "kernel"
        if reference.startswith(self.token):
            recording.poe_url = self.poe_url
        recording.exchange.request_headers = clean_headers(headers, self.redactor)
        if kind == "report_error":
            self._note_complaint(recording.exchange.bot, recording.exchange.request)
        return recording

    def add(self, exchange: Exchange) -> Exchange:
        """Take in an exchange from elsewhere, a saved one say, under the next number, which it is given."""
        exchange.number = next(self._numbers)
        taps = [tap for tap in (exchange.server, exchange.client) if tap is not None]
        recording = Recording(exchange, taps[0] if taps else Tap(), start_s=0.0, book=self)
        recording.size_bytes = _EXCHANGE_BYTES + size_of([exchange.request, exchange.response])
        recording.size_bytes += sum(tap.size_bytes for tap in taps) + size_of([line.text for line in exchange.logs])
        self._keep(recording)
        return exchange

    def asked(self, reference: str) -> Recording | None:
        """Give the open exchange of that name whose other end has not been seen yet."""
        return self._asked.get(reference)

    @property
    def questions(self) -> list[Exchange]:
        """The queries that people and scripts have sent, oldest first; not those that handlers have."""
        return [exchange for exchange in self if exchange.kind == "query" and exchange.parent is None]

    def latest(self) -> Iterator[Exchange]:
        """Give the exchanges, the latest first."""
        return (recording.exchange for recording in reversed(self._recordings[:]))

    def last(self, bot: str | None = None) -> Exchange | None:
        """Give the latest exchange with that bot's answer; if none is named, the latest that no handler asked for."""
        for exchange in self.latest():
            is_meant = exchange.parent is None if bot is None else exchange.bot == bot
            if exchange.kind == "query" and is_meant:
                return exchange
        return None

    def numbered(self, number: int) -> Exchange | None:
        """Give the exchange of that number, if it is still kept."""
        return self._by_number.get(number)

    def calls_of(self, exchange: Exchange) -> list[Exchange]:
        """Give the exchanges that an exchange's handler began, as far as they are still kept."""
        found = {number: self.numbered(number) for number in exchange.children[:]}
        return [child for child in found.values() if child is not None]

    @property
    def size_bytes(self) -> int:
        """What the kept exchanges take, roughly."""
        return sum(recording.both_ends_bytes for recording in self._recordings[:])

    @property
    def dropped(self) -> int:
        """How many exchanges are kept no more."""
        return max(max(self._by_number, default=0) - len(self), 0)  # a count would need a lock: any thread writes

    def to_dataframe(self) -> Any:
        """Give the exchanges as a pandas DataFrame, a row each. Needs pandas."""
        from poe_notebook.tracing.frames import exchanges_frame

        return exchanges_frame(self)

    def __len__(self) -> int:
        return len(self._recordings)

    def __iter__(self) -> Iterator[Exchange]:
        return iter([recording.exchange for recording in self._recordings[:]])

    @overload
    def __getitem__(self, index: int) -> Exchange: ...
    @overload
    def __getitem__(self, index: slice) -> list[Exchange]: ...
    def __getitem__(self, index: int | slice) -> Exchange | list[Exchange]:
        try:
            found = self._recordings[index]
        except (IndexError, TypeError):
            now = "The latest: fp.trace[-1]; by its number: fp.inspect(3)"
            raise ExchangeNotFound(f"There is no place {index!r} in {self!r}.", now=now) from None
        return [each.exchange for each in found] if isinstance(found, list) else found.exchange

    def __repr__(self) -> str:
        gone = f", {self.dropped} dropped" if self.dropped else ""
        return f"<Trace of {len(self)} exchanges, {self.size_bytes / 1e6:.1f} MB{gone}>"

    # For the recordings.

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

    def is_answered(self, recording: Recording) -> None:
        """Hear that an asker waits for no bot's end any more."""
        if recording.tap is recording.exchange.client:
            self._asked.pop(recording.reference, None)

    def _note_complaint(self, bot: str, report: Mapping[str, Any]) -> None:
        """Write what Poe complains of on the exchange that it is about, unless that stands there already."""
        text, metadata = str(report.get("message", ""))[:_COMPLAINT_CHARS], report.get("metadata")
        message_id = metadata.get("message_id") if isinstance(metadata, Mapping) else None
        for recording in reversed(self._recordings[:]):
            exchange = recording.exchange
            if message_id and (exchange.kind, exchange.bot, exchange.message_id) == ("query", bot, message_id):
                if not any((each.source, each.text) == ("poe", text) for each in exchange.reports):
                    recording.report("poe", text, metadata=metadata)
                return

    def _begin(
        self, *, bot: str, kind: str, message_id: str, request: Mapping[str, Any], parent: int | None
    ) -> Recording:
        if parent is None:
            answering = CURRENT.get()
            parent = answering.exchange.number if answering is not None else None
        earlier = self._latest_in(request)
        kept, same = self._kept(request, earlier.exchange.request if earlier is not None else {})
        exchange = Exchange(
            number=next(self._numbers),
            bot=self.redactor.text(bot),
            kind=self.redactor.text(kind),
            started_at=datetime.now(UTC),
            message_id=self.redactor.text(message_id),
            request=kept,
            parent=parent,
        )
        start_s = time.monotonic()
        recording = Recording(exchange, Tap.starting(start_s), start_s=start_s, book=self)
        recording.size_bytes = _EXCHANGE_BYTES + _size_without(same, kept)
        if earlier is not None:
            recording.borrow(same, earlier)
        caller = self.numbered(parent) if parent is not None else None
        if caller is not None:
            caller.children.append(exchange.number)
        self._keep(recording)
        return recording

    def _kept(self, request: Mapping[str, Any], earlier: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """Give a request as it is kept, and the messages that it shares with an earlier one."""
        body = {name: value for name, value in request.items() if name not in _SECRET_FIELDS}
        return shared(body, earlier, clean=self.redactor.value)

    def _latest_in(self, request: Mapping[str, Any]) -> Recording | None:
        """Give the latest exchange of the same conversation."""
        conversation_id = request.get("conversation_id")
        return self._latest_of.get(conversation_id) if isinstance(conversation_id, str) else None

    def _keep(self, recording: Recording) -> None:
        self._recordings.append(recording)
        self._by_number[recording.exchange.number] = recording.exchange
        conversation_id = recording.exchange.request.get("conversation_id")
        if recording.exchange.kind == "query" and isinstance(conversation_id, str) and conversation_id:
            self._latest_of[conversation_id] = recording
        self.grow(recording.size_bytes)

    def _drop_oldest(self) -> None:
        total, most = self.size_bytes, self._max_bytes - self._max_bytes // _COUNT_SHARE
        while total > most and len(self._recordings) > 1:
            oldest = self._recordings.pop(0)
            self._by_number.pop(oldest.exchange.number, None)
            total += oldest.give_up_room() - oldest.both_ends_bytes
            self.is_answered(oldest)
            if self._latest_in(oldest.exchange.request) is oldest:
                del self._latest_of[oldest.exchange.request["conversation_id"]]


def _size_without(same: Sequence[Any], request: Mapping[str, Any]) -> int:
    """Estimate what a request takes besides the messages that another holds."""
    held = set(map(id, same))
    own = [message for message in request["query"] if id(message) not in held] if held else request.get("query")
    return size_of({**request, "query": own})


_REFERENCE = EXCHANGE_HEADER.lower()
_SECRET_FIELDS = frozenset({"access_key", "api_key"})
