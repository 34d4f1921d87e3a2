"""A bot served outside a kernel: its answers run on the server's own loop, recorded as a slot's are.

The handler runs in a task of its own, so that what it yields without waiting leaves in one piece, what it waits for
leaves at once, and closing the answer cancels it wherever it waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from poe_notebook.bot.answer import CUT_SHORT, answer
from poe_notebook.bot.base import RequestContext
from poe_notebook.bot.direct import in_threadpool
from poe_notebook.bot.handlers import servable
from poe_notebook.keys import Secret
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.server.hooks import call_hook
from poe_notebook.tracing.exchange import Outcome
from poe_notebook.tracing.recorder import CURRENT, Recording

__all__ = ["InlineEndpoint"]

_TURN_EVENTS = 64
"""A handler that never waits gives way to the loop after so many events, and after the first."""
_HIGH_BYTES = 64 * 1024
"""So far the handler may be ahead of its reader."""
_IDLE_S = 15.0
"""After this silence the reader gets an empty item, to be sent as a keep-alive comment; sse-starlette's interval."""
_CLOSE_S = 0.3
"""How long closing waits for the handler's own clean-up, which goes on by itself if it takes longer."""


class InlineEndpoint:
    """Answers for one bot on the loop that asks. Without an access key every request is answered."""

    def __init__(self, bot: Any, *, name: str, access_key: Secret | None) -> None:
        self.name, self.access_key = name, access_key
        self._servable = servable(bot, name=name)
        self._handling: set[asyncio.Task[Outcome]] = set()

    async def answer(
        self, request: QueryRequest, context: RequestContext, recording: Recording
    ) -> AsyncGenerator[bytes, None]:
        """Give the answer's bytes as they come; an empty item after a long silence. Closing it stops the handler."""
        batches = _Batches()
        handling = asyncio.create_task(self._handle(request, context, recording, batches))
        self._handling.add(handling)
        handling.add_done_callback(lambda task: self._ended(task, recording, batches))
        try:
            while (batch := await batches.next()) is not None:
                yield batch
            if _was_cut(handling):
                for type_, raw in CUT_SHORT:
                    recording.event(type_, raw)
                    yield raw
        finally:
            handling.cancel()
            await asyncio.wait((handling,), timeout=_CLOSE_S)

    async def call(self, method: str, *args: Any, recording: Recording) -> Any:
        """Call one of the bot's other methods (settings, reports); None if it has no such method."""
        function = getattr(self._servable.bot, method, None)
        return None if function is None else await call_hook(function, *args, recording=recording)

    async def _handle(
        self, request: QueryRequest, context: RequestContext, recording: Recording, batches: _Batches
    ) -> Outcome:
        CURRENT.set(recording)
        outcome: Outcome = "done"
        count = 0
        events = answer(self._servable, request, context=context, in_thread=in_threadpool, on_raise=recording.raised)
        async with aclosing(events):
            async for type_, raw in events:
                recording.event(type_, raw)
                if type_ == "error":
                    outcome = "failed"
                batches.put(raw)
                count += 1
                if batches.is_full:
                    await batches.taken()
                elif count == 1 or count % _TURN_EVENTS == 0:
                    await asyncio.sleep(0)
        return outcome

    def _ended(self, task: asyncio.Task[Outcome], recording: Recording, batches: _Batches) -> None:
        self._handling.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            recording.raised(error)
        if _was_cut(task):
            recording.end("stopped", f"The handler was cancelled after {recording.now_s():.2f} s.")
        else:
            recording.end(task.result())
        batches.end()


def _was_cut(task: asyncio.Task[Outcome]) -> bool:
    return task.cancelled() or task.exception() is not None


class _Batches:
    """The events that a handler has given and its reader has not taken yet."""

    def __init__(self) -> None:
        self._items: list[bytes] = []
        self._size_bytes = 0
        self._has_ended = False
        self._news, self._room = asyncio.Event(), asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether the handler should wait for its reader."""
        return self._size_bytes > _HIGH_BYTES

    def put(self, raw: bytes) -> None:
        """Add one event."""
        self._items.append(raw)
        self._size_bytes += len(raw)
        self._news.set()

    async def taken(self) -> None:
        """Wait until the reader has taken all there is."""
        self._room.clear()
        await self._room.wait()

    def end(self) -> None:
        """Say that nothing more will come."""
        self._has_ended = True
        self._news.set()

    async def next(self) -> bytes | None:
        """Give all there is, as soon as there is any; nothing after a long silence, None at the end."""
        if not self._items and not self._has_ended:
            self._news.clear()
            try:
                async with asyncio.timeout(_IDLE_S):
                    await self._news.wait()
            except TimeoutError:
                return b""
        items, self._items = self._items, []
        self._size_bytes = 0
        self._room.set()
        return b"".join(items) if items else None
