"""Blocking code beside a loop: a generator run in a daemon thread of its own, its items given on the loop.

A thread an answer, not a pool: a pool's threads would be joined at exit, and a handler that blocks for a minute would
keep the kernel from ending for as long.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import AsyncGenerator, Generator
from typing import Any

__all__ = ["in_thread"]

_AHEAD = 1000
"""Items that the thread may be ahead of the loop before it waits."""
_CLOSE_S = 0.3
"""How long closing waits for the thread's own clean-up; below the half second in which Stop has to be done."""


async def in_thread(items: Generator[Any, None, None]) -> AsyncGenerator[Any, None]:
    """Run a generator in a thread, in a copy of the caller's context. Closing this closes the generator there."""
    worker = _Worker(items)
    threading.Thread(target=contextvars.copy_context().run, args=(worker.run,), name="poe-handler", daemon=True).start()
    try:
        while True:
            has_ended = worker.ended
            if worker.items:
                item = worker.items.popleft()
                worker.room.release()
                yield item
            elif has_ended:
                break
            else:
                await worker.more.wait()
                worker.more.clear()
        if worker.error is not None:
            raise worker.error
    finally:
        await worker.close()


class _Worker:
    def __init__(self, source: Generator[Any, None, None]) -> None:
        self.source = source
        self.items: deque[Any] = deque()
        self.more = asyncio.Event()
        self.room = threading.Semaphore(_AHEAD)
        self.error: BaseException | None = None
        self.ended = False
        self._is_closing = False
        self._loop = asyncio.get_running_loop()

    def run(self) -> None:
        try:
            for item in self.source:
                self.room.acquire()
                if self._is_closing:
                    break
                self.items.append(item)
                self._rouse()
            self.source.close()
        except BaseException as error:
            self.error = error
        finally:
            self.ended = True
            self._rouse()

    async def close(self) -> None:
        self._is_closing = True
        self.room.release()
        try:
            async with asyncio.timeout(_CLOSE_S):
                while not self.ended:
                    await self.more.wait()
                    self.more.clear()
        except TimeoutError:
            pass  # blocked; it ends at its next item, and nobody waits for it

    def _rouse(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.more.set)
