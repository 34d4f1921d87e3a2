"""What a handler yields, turned into the encoded events of an answer, on whatever loop the caller is.

However the handler fails, an answer once begun ends in ``done``, after ``error`` if it failed; nothing that a handler
gives after its own ``error`` or ``done`` is sent. Poe protocol specification, "Response".
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from poe_notebook.bot.base import RequestContext
from poe_notebook.bot.handlers import Servable
from poe_notebook.errors import HandlerMistake, InsufficientFundError
from poe_notebook.protocol.events import encode, encode_text
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import PartialResponse, response_to_event

__all__ = ["Encoded", "InThread", "answer"]

Encoded: TypeAlias = tuple[str, bytes]
"""An event's type and its bytes."""

InThread: TypeAlias = Callable[[Generator[Any, None, None]], AsyncIterator[Any]]
"""Runs a generator of blocking code in a worker thread and gives its items on the calling loop."""

_DONE: Encoded = ("done", encode("done", {}))
_FAILED_TEXT = "This bot failed while it was answering."


async def answer(
    servable: Servable,
    request: QueryRequest,
    *,
    context: RequestContext,
    in_thread: InThread,
    on_raise: Callable[[BaseException], None],
) -> AsyncGenerator[Encoded, None]:
    """Run the handler and give its answer's events, the end included; ``on_raise`` hears of its exception."""
    try:
        source = await _open(servable, _prepared(servable.bot, request), context, in_thread)
        files = getattr(servable.bot, "_file_events_to_yield", None)  # where fastapi_poe queues uploaded files
        async with _closing(source):
            count = 0
            async for item in source:
                count += 1
                if files:
                    for event in files.pop(request.message_id, ()):
                        yield "file", _raw_bytes(event)
                if type(item) is str:
                    yield "text", encode_text(item)
                    continue
                if not _is_item(item):
                    await _throw_at_the_yield(source, _mistake(servable.name, item, f"yielded as item {count}"))
                for event in _encode_item(item):
                    yield event
                    if event[0] == "done":
                        return
                    if event[0] == "error":
                        yield _DONE
                        return
        for event in files.pop(request.message_id, ()) if files else ():
            yield "file", _raw_bytes(event)
        yield _DONE
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        # SystemExit too: from a task it would end the loop's thread, and with it every answer of this bot.
        on_raise(error)
        yield _failure(error)
        yield _DONE


def _prepared(bot: Any, request: QueryRequest) -> QueryRequest:
    """Let the bot put what Poe read of the attachments into the conversation, if it is one that does."""
    insert = getattr(bot, "insert_attachment_messages", None)
    if insert is None or not getattr(bot, "should_insert_attachment_messages", False):
        return request
    prepared: QueryRequest = insert(request)
    return prepared


async def _open(
    servable: Servable, request: QueryRequest, context: RequestContext, in_thread: InThread
) -> AsyncIterator[Any]:
    """Call the handler and give its items as an async iterator, whatever it is that the handler gave."""
    if servable.is_plain:
        source = await _call_in_thread(lambda: servable.respond(request, context), in_thread)
    else:
        source = servable.respond(request, context)
    if inspect.isawaitable(source):
        source = await source
    if _is_item(source):
        return _single(source)
    if hasattr(source, "__aiter__"):
        return aiter(source)
    if isinstance(source, Iterator):
        return in_thread(_checked(source, servable.name))
    raise _mistake(servable.name, source, "returned")


async def _call_in_thread(call: Callable[[], Any], in_thread: InThread) -> Any:
    def once() -> Generator[Any, None, None]:
        yield call()

    results = [result async for result in in_thread(once())]
    return results[0]


async def _single(item: Any) -> AsyncIterator[Any]:
    yield item


@asynccontextmanager
async def _closing(source: AsyncIterator[Any]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()


def _checked(source: Iterator[Any], name: str) -> Generator[Any, None, None]:
    try:
        for count, item in enumerate(source, 1):
            if not _is_item(item):
                mistake = _mistake(name, item, f"yielded as item {count}")
                if inspect.isgenerator(source):
                    source.throw(mistake)  # raised at the author's own yield, so that the traceback shows that line
                raise mistake
            yield item
    finally:
        if inspect.isgenerator(source):
            source.close()


async def _throw_at_the_yield(source: Any, mistake: HandlerMistake) -> None:
    if inspect.isasyncgen(source):
        await source.athrow(mistake)
    raise mistake


def _is_item(value: Any) -> bool:
    if isinstance(value, str | PartialResponse):
        return True
    return _is_raw_event(value) or _is_response(value)


def _is_response(value: Any) -> bool:
    names = {base.__name__ for base in type(value).__mro__}
    return bool(names & {"PartialResponse", "DataResponse"})


def _is_raw_event(value: Any) -> bool:
    return hasattr(value, "encode") and hasattr(value, "event") and hasattr(value, "data")


def _encode_item(item: Any) -> Iterator[Encoded]:
    if type(item) is PartialResponse and not (
        item.attachment or item.data or item.tool_calls or item.is_suggested_reply or item.is_replace_response
    ):
        if item.index is None:
            yield "text", encode_text(item.text)
            return
    if isinstance(item, str):
        yield "text", encode_text(str(item))
    elif _is_raw_event(item):
        yield item.event or "message", _raw_bytes(item)
    else:
        for type_, data in response_to_event(item):
            yield type_, encode(type_, data)


def _raw_bytes(event: Any) -> bytes:
    raw = event.encode()
    return raw if isinstance(raw, bytes) else str(raw).encode()


def _failure(error: BaseException) -> Encoded:
    if isinstance(error, InsufficientFundError) or type(error).__name__ == "InsufficientFundError":
        return "error", encode("error", {"allow_retry": True, "text": "", "error_type": "insufficient_fund"})
    # The type's name only: an exception's message may hold a path or a key, and this leaves the machine.
    data = {"allow_retry": False, "text": _FAILED_TEXT, "raw_response": type(error).__name__}
    return "error", encode("error", data)


def _mistake(name: str, value: Any, how: str) -> HandlerMistake:
    shown = repr(value)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    return HandlerMistake(
        f"The handler of {name} gave {shown} ({type(value).__name__}), {how}.",
        why="An answer is made of str and of Poe's responses: PartialResponse, MetaResponse, DataResponse, "
        "ErrorResponse, ServerSentEvent.",
        now=_instead(value, how),
    )


def _instead(value: Any, how: str) -> str:
    verb = "return" if how == "returned" else "yield"
    if value is None:
        return "Write: yield some text; a plain function has to return a str." if verb == "return" else "Write: yield ''"
    if isinstance(value, bytes):
        return f"Write: {verb} value.decode()"
    if isinstance(value, dict | list | tuple):
        return f"Write: {verb} json.dumps(value)"
    return f"Write: {verb} str(value)"

