"""Blocking code beside a loop: a generator run in a daemon thread of its own, its items given on the loop.

A thread an answer, not a pool: a pool's threads would be joined at exit, and a handler that blocks for a minute would
keep the kernel from ending for as long. Each counter and flag has one writer, so there is no lock.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from typing import Any

__all__ = ["in_thread"]

_AHEAD_CHARS = 256 * 1024
"""The thread waits when it is so far ahead of the loop, an item counting for its text and ``_ITEM_CHARS`` more."""
_ITEM_CHARS = 256
_CLOSE_S = 0.3
"""How long closing waits for the thread's own clean-up; below the half second in which Stop has to be done."""


async def in_thread(items: Generator[Any, None, None]) -> AsyncGenerator[Any, None]:
    """Run a generator in a thread, in a copy of the caller's context. Closing this closes the generator there."""
    worker = _Worker(items)
    threading.Thread(target=contextvars.copy_context().run, args=(worker.run,), name="poe-handler", daemon=True).start()
    try:
        while True:
            has_ended = worker.ended  # read before the items: what came ahead of the end must not be lost
            if worker.items:
                yield worker.take()
            elif has_ended:
                break
            else:
                await worker.more()
        if worker.error is not None:
            raise worker.error
    finally:
        await worker.close()


class _Worker:
    def __init__(self, source: Generator[Any, None, None]) -> None:
        self.items: deque[tuple[int, Any]] = deque()
        self.error: BaseException | None = None
        self.ended = False
        self._source = source
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._loop_waits = False
        self._room = threading.Event()
        self._given_chars = self._taken_chars = 0
        self._is_closing = False

    # In the thread.

    def run(self) -> None:
        try:
            for item in self._source:
                chars = _chars(item)
                self.items.append((chars, item))
                self._given_chars += chars
                if self._loop_waits:
                    self._loop_waits = False
                    self._rouse()
                self._wait_for_room()
                if self._is_closing:
                    break
            self._source.close()
        except BaseException as error:
            self.error = error
        finally:
            self.ended = True
            self._rouse()

    def _wait_for_room(self) -> None:
        while self._ahead_chars > _AHEAD_CHARS and not self._is_closing:
            self._room.clear()
            if self._ahead_chars > _AHEAD_CHARS and not self._is_closing:
                self._room.wait()

    @property
    def _ahead_chars(self) -> int:
        return self._given_chars - self._taken_chars

    def _rouse(self) -> None:
        with suppress(RuntimeError):  # the loop has been closed, and nobody waits
            self._loop.call_soon_threadsafe(self._wake.set)

    # On the loop.

    def take(self) -> Any:
        chars, item = self.items.popleft()
        self._taken_chars += chars
        if self._ahead_chars <= _AHEAD_CHARS // 2 and not self._room.is_set():
            self._room.set()
        return item

    async def more(self) -> None:
        self._wake.clear()
        self._loop_waits = True
        if not self.items and not self.ended:
            await self._wake.wait()
        self._loop_waits = False

    async def close(self) -> None:
        self._is_closing = True
        self._room.set()
        try:
            async with asyncio.timeout(_CLOSE_S):
                while not self.ended:
                    await self._wake.wait()
                    self._wake.clear()
        except TimeoutError:
            pass  # blocked; it ends at its next item, and nobody waits for it


def _chars(item: Any) -> int:
    text = item if isinstance(item, str) else getattr(item, "text", None) or getattr(item, "data", None)
    return _ITEM_CHARS + (len(text) if isinstance(text, str) else 0)
