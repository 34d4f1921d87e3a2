"""What an answer holds: a value that grows event by event while it streams, and is what a chat returns at the end.

Blind to routes and views; nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal
from weakref import ref

from poe_notebook.errors import BotError, BotProtocolError
from poe_notebook.protocol.call_pieces import CallPieces, GrowingCall, delta_of, deltas_in
from poe_notebook.protocol.event_fields import attachment_in, index_in, string_in
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.messages import Attachment, ProtocolMessage
from poe_notebook.tracing.exchange import Exchange, Outcome

__all__ = ["Failure", "NestedCall", "Piece", "Reply", "Response", "State", "nested_calls", "piece_of"]

State = Literal["waiting", "answering", "done", "failed", "stopped"]
"""``waiting``: nothing has come yet; ``failed``: ended by an ``error`` event or a broken connection;
``stopped``: the user ended it, and what is shown is what goes into the history."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an answer failed: what Poe would show (``text``), Poe's error type, and what the author can do (``hint``).

    ``traceback`` holds the handler's own lines, known only for a bot served in this kernel.
    """

    text: str
    error_type: str | None = None
    allow_retry: bool = True
    hint: str = ""
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class NestedCall:
    """A call to another bot that the handler made while answering; ``number`` finds its exchange in the trace.

    ``tool_calls`` are those of its answer, ``calls`` what that bot asked others in turn.
    """

    bot: str
    route: str = ""
    text: str = ""
    outcome: Outcome = "open"
    duration_s: float | None = None
    number: int | None = None
    tool_calls: Sequence[GrowingCall] = ()
    calls: Sequence[NestedCall] = ()


def nested_calls(
    exchange: Exchange, calls_of: Callable[[Exchange], Sequence[Exchange]], *, depth: int = 4
) -> list[NestedCall]:
    """Give the queries that an exchange's handler made, as ``calls_of`` finds them, and those made for them in turn."""
    return [
        NestedCall(
            bot=call.bot,
            route=call.route,
            text=call.text,
            outcome=call.outcome,
            duration_s=call.duration_s,
            number=call.number,
            tool_calls=_calls_in(call.request),
            calls=nested_calls(call, calls_of, depth=depth - 1) if depth > 1 else (),
        )
        for call in calls_of(exchange)
        if call.kind == "query"
    ]


def _calls_in(request: Mapping[str, Any]) -> Sequence[GrowingCall]:
    """Give the tool calls that a query brings back with their results."""
    pieces = CallPieces()
    for piece in deltas_in(request):
        pieces.add(piece, answer=len(pieces.calls))
    results = request.get("tool_results")
    for result in results if isinstance(results, list) else ():
        _take_result(pieces, result)
    return pieces.calls


@dataclass(slots=True, eq=False)
class Response:
    """One of the parallel responses in an answer, told apart by ``index``; most answers have one, with index 0.

    ``replaced`` counts how often ``replace_response`` dropped a text that was there.
    """

    index: int = 0
    attachments: list[Attachment] = field(default_factory=list)
    replaced: int = 0
    _parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text so far (what a ``replace_response`` dropped is not in it)."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that an event brings for one response; ``replaces``: all before it is dropped."""

    index: int
    text: str
    replaces: bool = False


def piece_of(event: Event) -> Piece | None:
    """Give the text that an event brings, if it brings any. Raises ``BotProtocolError`` if it should and does not."""
    if event.type in ("text", "replace_response"):
        return Piece(index_in(event) or 0, string_in(event, "text"), event.type == "replace_response")
    if event.type == "json":
        content = delta_of(event.data)
        if content.get("role") != "tool" and isinstance(text := content.get("content"), str) and text:
            return Piece(index_in(event) or 0, text)
    return None


@dataclass(slots=True, eq=False)
class Reply:
    """One turn's answer. Grows while it streams; ``text`` is the whole answer so far.

    ``responses`` are the parallel responses by index, in the order in which they began; ``nested`` the calls to other
    bots, filled by whoever knows them; ``redact`` takes keys out of what is shown of it.
    """

    bot: str
    route: str
    message: ProtocolMessage
    message_id: str
    generation: int | None = None
    state: State = "waiting"
    content_type: str = "text/markdown"
    responses: dict[int, Response] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)
    suggested_replies: list[str] = field(default_factory=list)
    nested: list[NestedCall] = field(default_factory=list)
    metadata: str | None = None
    failure: Failure | None = None
    events: list[Event] = field(default_factory=list)
    first_text_s: float | None = None
    duration_s: float | None = None
    note: str = ""
    redact: Callable[[str], str] = field(default=str, repr=False)
    _calls: CallPieces = field(default_factory=CallPieces)
    _exchange: ref[Exchange] | None = field(default=None, repr=False)

    @property
    def exchange(self) -> Exchange | None:
        """Its exchange, as long as the trace keeps it: a long chat is not to hold what the trace has dropped."""
        return self._exchange() if self._exchange is not None else None

    @exchange.setter
    def exchange(self, exchange: Exchange) -> None:
        self._exchange = ref(exchange)

    @property
    def text(self) -> str:
        """The text so far; of several responses, one after the other by index."""
        if len(self.responses) == 1:
            return next(iter(self.responses.values())).text
        texts = [self.responses[index].text for index in sorted(self.responses)]
        return "\n\n".join(filter(None, texts))

    @property
    def tool_calls(self) -> Sequence[GrowingCall]:
        """The tool calls that the answer asks for, with their results as far as the answer holds them."""
        return self._calls.calls

    @property
    def replaced(self) -> int:
        """How often a text that was there was dropped for another."""
        return sum(response.replaced for response in self.responses.values())

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "failed", "stopped")

    def response(self, index: int = 0) -> Response:
        """Give the response of an index, begun if there is none yet."""
        if index not in self.responses:
            self.responses[index] = Response(index)
        return self.responses[index]

    def add(self, event: Event) -> None:
        """Take in one event of the answer. Unknown types are kept in ``events`` and change nothing else."""
        self.events.append(event)
        if self.state == "waiting" and event.type not in ("meta", "ping"):
            self.state = "answering"
        take = _TAKE.get(event.type)
        if take is None:
            return
        try:
            take(self, event)
        except BotProtocolError:
            self.events.pop()  # whoever reads on would stumble over it again
            raise

    def raise_for_failure(self) -> Reply:
        """Raise ``BotError`` if the answer failed, else give the reply back, so that calls can be chained."""
        if self.failure is not None:
            what = f"{self.bot} answered with an error: {self.failure.text or 'no text'}"
            raise BotError(what, now=self.failure.hint)
        return self

    def __repr__(self) -> str:
        text = self.redact(self.text)
        text = text if len(text) <= 60 else text[:57] + "..."
        return f"<Reply from {self.bot} ({self.state}): {text!r}>"


def _take_text(reply: Reply, event: Event) -> None:
    piece = piece_of(event)
    if piece is None:
        return
    if reply.first_text_s is None:
        reply.first_text_s = event.at_s
    response = reply.response(piece.index)
    if piece.replaces:
        response.replaced += any(response._parts)
        response._parts.clear()
    response._parts.append(piece.text)


def _take_suggestion(reply: Reply, event: Event) -> None:
    reply.suggested_replies.append(string_in(event, "text"))


def _take_file(reply: Reply, event: Event) -> None:
    attachment = attachment_in(event)
    reply.attachments.append(attachment)
    reply.response(index_in(event) or 0).attachments.append(attachment)


def _take_json(reply: Reply, event: Event) -> None:
    _take_text(reply, event)
    delta, calls = delta_of(event.data), reply._calls
    for piece in deltas_in(delta):
        calls.add(piece, answer=index_in(event) or 0)
    results = event.data.get("tool_results")
    for result in [delta, *(results if isinstance(results, list) else [])]:
        _take_result(calls, result)


def _take_result(calls: CallPieces, result: Any) -> None:
    if isinstance(result, Mapping) and result.get("role") == "tool":
        call_id, name, content = (result.get(key) for key in ("tool_call_id", "name", "content"))
        if isinstance(call_id, str) and isinstance(content, str):
            calls.give_result(call_id, name=name if isinstance(name, str) else None, content=content)


def _take_metadata(reply: Reply, event: Event) -> None:
    reply.metadata = string_in(event, "metadata")


def _take_meta(reply: Reply, event: Event) -> None:
    is_first = all(earlier.type == "ping" for earlier in islice(reply.events, len(reply.events) - 1))
    if is_first and "content_type" in event.data and string_in(event, "content_type") != "text/markdown":
        reply.content_type = "text/plain"  # the specification: unknown types are shown as plain


def _take_error(reply: Reply, event: Event) -> None:
    if reply.failure is None:
        text, kind = event.data.get("text"), event.data.get("error_type")
        reply.failure = Failure(
            text=text if isinstance(text, str) else "",
            error_type=kind if isinstance(kind, str) else None,
            allow_retry=bool(event.data.get("allow_retry", True)),
        )
    reply.state = "failed"


def _take_done(reply: Reply, event: Event) -> None:
    if reply.state != "failed":
        reply.state = "done"


_TAKE: dict[str, Callable[[Reply, Event], None]] = {
    "text": _take_text,
    "replace_response": _take_text,
    "suggested_reply": _take_suggestion,
    "file": _take_file,
    "json": _take_json,
    "data": _take_metadata,
    "meta": _take_meta,
    "error": _take_error,
    "done": _take_done,
}
