"""What a handler yields, turned into the encoded events of an answer, on whatever loop the caller is.

However the handler fails, an answer once begun ends in ``done``, after ``error`` if it failed; nothing that a handler
gives after its own ``error`` or ``done`` is sent. Poe protocol specification, "Response".
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager
from functools import lru_cache
from typing import Any, TypeAlias

from poe_notebook.bot.base import RequestContext
from poe_notebook.bot.files import answer_files
from poe_notebook.bot.handlers import Servable
from poe_notebook.bot.mistakes import mistake
from poe_notebook.errors import HandlerMistake, InsufficientFundError
from poe_notebook.protocol.events import encode, encode_text, raw_bytes
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.response_events import response_to_event
from poe_notebook.protocol.responses import PartialResponse

__all__ = ["CUT_SHORT", "Encoded", "InThread", "answer"]

Encoded: TypeAlias = tuple[str, bytes]
"""An event's type and its bytes."""

InThread: TypeAlias = Callable[[Generator[Any, None, None]], AsyncIterator[Any]]
"""Runs a generator of blocking code in a worker thread and gives its items on the calling loop."""

_ONLY_TEXT = frozenset({"text"})
_ENDS = frozenset({"done", "error"})
_DONE: Encoded = ("done", encode("done", {}))
_FAILED_TEXT = "This bot failed while it was answering."
_CUT_SHORT_TEXT = "This bot was stopped while it was answering."

CUT_SHORT: tuple[Encoded, ...] = (("error", encode("error", {"allow_retry": True, "text": _CUT_SHORT_TEXT})), _DONE)
"""How an answer ends whose handler was stopped while its reader was still there."""


async def answer(
    servable: Servable,
    request: QueryRequest,
    *,
    context: RequestContext,
    in_thread: InThread,
    on_raise: Callable[[BaseException], None],
) -> AsyncGenerator[Encoded, None]:
    """Run the handler and give its answer's events, the end included; ``on_raise`` hears of its exception."""
    ended_by = ""
    try:
        async with aclosing(_encoded(servable, request, context, in_thread)) as events:
            async for event in events:
                yield event
                if event[0] in _ENDS:
                    ended_by = event[0]
                    break
    except BaseException as error:
        # All but a stop, SystemExit too: from a task it would end the loop, and with it every answer of this bot.
        if _is_stop(error):
            raise
        on_raise(error)
        if not ended_by:
            yield _failure(error)
    if ended_by != "done":
        yield _DONE


async def _encoded(
    servable: Servable, request: QueryRequest, context: RequestContext, in_thread: InThread
) -> AsyncGenerator[Encoded, None]:
    """Give the events of what the handler gives, with the files that it queued on the way."""
    with answer_files(servable.bot, request) as files:
        source = await _open(servable, _prepared(servable.bot, request), context, in_thread)
        async with _closing(source):
            count = 0
            async for item in source:
                count += 1
                if files.are_there:
                    for event in files.take():
                        yield event
                kind: Any = type(item)
                if kind is str:
                    yield "text", encode_text(item)
                    continue
                if kind is PartialResponse and item.model_fields_set == _ONLY_TEXT:
                    yield "text", encode_text(item.text)
                    continue
                encode_item = _encoder(kind)
                if encode_item is None:
                    await _throw_at_the_yield(source, mistake(servable.name, item, f"yielded as item {count}"))
                else:
                    for event in encode_item(item):
                        yield event
        for event in files.take():
            yield event


def _is_stop(error: BaseException) -> bool:
    """Whether somebody ended the answer; a CancelledError may also be one that the handler met by itself."""
    task = asyncio.current_task()
    is_cancelled = isinstance(error, asyncio.CancelledError) and (task is None or task.cancelling() > 0)
    return is_cancelled or isinstance(error, GeneratorExit)


def _prepared(bot: Any, request: QueryRequest) -> QueryRequest:
    """Let the bot put what Poe read of the attachments into the conversation, if it is one that does."""
    for wanted, method in _PREPARATIONS:
        if request.query and getattr(bot, wanted, False) and hasattr(bot, method):
            prepared: QueryRequest = getattr(bot, method)(request)
            return prepared
    return request


_PREPARATIONS = (
    ("should_insert_attachment_messages", "insert_attachment_messages"),
    ("concat_attachments_to_message", "concat_attachment_content_to_message_body"),
)
"""A flag of fastapi_poe's bots and the method that it switches on; the first that is set counts."""


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
    kind: Any = type(source)
    if _encoder(kind) is not None:
        return _single(source)
    if hasattr(source, "__aiter__"):
        return aiter(source)
    if isinstance(source, Iterator):
        return in_thread(_checked(source, servable.name))
    raise mistake(servable.name, source, "returned", handler=servable.handler)


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
            kind: Any = type(item)
            if _encoder(kind) is None:
                error = mistake(name, item, f"yielded as item {count}")
                if inspect.isgenerator(source):
                    source.throw(error)  # raised at the author's own yield, so that the traceback shows that line
                raise error
            yield item
    finally:
        if inspect.isgenerator(source):
            source.close()


async def _throw_at_the_yield(source: Any, error: HandlerMistake) -> None:
    if inspect.isasyncgen(source):
        await source.athrow(error)
    raise error


@lru_cache(maxsize=256)
def _encoder(kind: Any) -> Callable[[Any], Iterable[Encoded]] | None:
    """Give what encodes the items of a class; none if they are no part of an answer. By name, for fastapi_poe's too."""
    names = {base.__name__ for base in kind.__mro__}
    if issubclass(kind, str):
        return lambda item: [("text", encode_text(str(item)))]
    if names & {"PartialResponse", "DataResponse"}:
        return _encode_response
    if "ServerSentEvent" in names and hasattr(kind, "encode"):
        return lambda event: [(event.event or "message", raw_bytes(event))]
    return None


def _encode_response(response: Any) -> Iterable[Encoded]:
    if type(response).__name__ == "PartialResponse" and response.model_fields_set == _ONLY_TEXT:
        return [("text", encode_text(response.text))]  # most of what a bot of fastapi_poe gives
    return [(type_, encode(type_, data)) for type_, data in response_to_event(response)]


def _failure(error: BaseException) -> Encoded:
    if isinstance(error, InsufficientFundError) or type(error).__name__ == "InsufficientFundError":
        return "error", encode("error", {"allow_retry": True, "text": "", "error_type": "insufficient_fund"})
    # The type's name only: an exception's message may hold a path or a key, and this leaves the machine.
    data = {"allow_retry": False, "text": _FAILED_TEXT, "raw_response": type(error).__name__}
    return "error", encode("error", data)
