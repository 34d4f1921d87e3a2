"""Answering on the caller's own loop: the library's ``handle_*`` methods, which tests of bots call without a server.

A plain handler runs in the loop's thread pool, item by item; nothing here knows of HTTP beyond the response objects
that those methods give.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing, suppress
from typing import Any

from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.responses import JSONResponse

from poe_notebook.bot.answer import answer
from poe_notebook.bot.base import RequestContext
from poe_notebook.bot.handlers import servable
from poe_notebook.protocol.events import ServerSentEvent
from poe_notebook.protocol.requests import BaseRequest, QueryRequest, SettingsRequest

__all__ = ["handle_query", "handle_report", "handle_settings", "in_threadpool"]

_logger = logging.getLogger(__name__)


async def in_threadpool(items: Generator[Any, None, None]) -> AsyncGenerator[Any, None]:
    """Run a generator of blocking code in the thread pool of the loop. Closing this closes the generator there."""
    steps = _Steps(items)
    try:
        async for item in iterate_in_threadpool(steps):
            yield item
    finally:
        await run_in_threadpool(steps.close)


class _Steps:
    """A generator that can be closed while a thread is in the middle of a step: it is closed at the step's end.

    Each flag has one writer, set before the other is read, so at least one of the two threads closes the generator.
    """

    def __init__(self, items: Generator[Any, None, None]) -> None:
        self._items = items
        self._is_stepping = self._is_closed = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        self._is_stepping = True
        try:
            return next(self._items)
        finally:
            self._is_stepping = False
            if self._is_closed:
                self._close()

    def close(self) -> None:
        self._is_closed = True
        if not self._is_stepping:
            self._close()

    def _close(self) -> None:
        with suppress(ValueError):  # the other thread is closing it just now
            self._items.close()


async def handle_query(
    bot: Any, request: QueryRequest, *, context: RequestContext
) -> AsyncGenerator[ServerSentEvent, None]:
    """Answer a query and give the answer's events, the end included."""
    served = servable(bot, name=type(bot).__name__)
    events = answer(served, request, context=context, in_thread=in_threadpool, on_raise=_log)
    async with aclosing(events):
        async for type_, raw in events:
            lines = raw.decode().split("\n")
            yield ServerSentEvent("\n".join(line[6:] for line in lines if line.startswith("data: ")), type_)


async def handle_settings(bot: Any, request: SettingsRequest, *, context: RequestContext) -> JSONResponse:
    """Give the bot's settings as a response."""
    settings = await bot.get_settings_with_context(request, context)
    return JSONResponse(settings.model_dump())


async def handle_report(bot: Any, method: str, *, request: BaseRequest, context: RequestContext) -> JSONResponse:
    """Tell the bot of feedback, a reaction or an error, by the method of that name."""
    await getattr(bot, f"{method}_with_context")(request, context)
    return JSONResponse({})


def _log(error: BaseException) -> None:
    _logger.error("The handler failed.", exc_info=error)
