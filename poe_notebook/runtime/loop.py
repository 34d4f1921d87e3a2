"""A daemon thread with one asyncio loop that runs until it is closed, and the ways to hand it work.

The loop is our own, so whatever a kernel or a patch such as nest_asyncio does to its loop is no concern of ours.
Waiting from another thread polls, so that a kernel interrupt (KeyboardInterrupt) gets through at once.
"""

from __future__ import annotations

import asyncio
import concurrent.futures as futures
import contextvars
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from typing import Any, TypeVar

__all__ = ["LoopThread"]

T = TypeVar("T")

_POLL_S = 0.05
_CLOSE_S = 1.0


class LoopThread:
    """One daemon thread, one loop, started at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(_ContextExecutor(thread_name_prefix=f"{name}-worker"))
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._thread.start()

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on this loop's own thread."""
        return threading.current_thread() is self._thread

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> futures.Future[T]:
        """Start a coroutine on the loop, in a copy of the caller's context."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for it; an interrupt cancels it."""
        future = self.submit(coroutine)
        try:
            while not future.done():
                futures.wait([future], _POLL_S)
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, items: AsyncIterator[T], *, tick_s: float = _POLL_S) -> Generator[list[T], None, None]:
        """Give an async iterator's items in batches as they come, and an empty batch after ``tick_s`` of silence.

        Closing this generator cancels the iterator and waits a moment for it to have closed.
        """
        arrived: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        future = self.submit(_pump(items, arrived))
        try:
            while True:
                batch, end = _take(arrived, tick_s)
                if batch or end is None:
                    yield batch
                if end is not None:
                    if end.error is not None:
                        raise end.error
                    return
        finally:
            if not future.done():
                future.cancel()
                futures.wait([future], _POLL_S)

    def is_responsive(self, within_s: float) -> bool:
        """Whether the loop comes round within that time, that is, whether nothing blocks its thread."""
        came_round = threading.Event()
        self.loop.call_soon_threadsafe(came_round.set)
        return came_round.wait(within_s)

    def close(self) -> None:
        """Cancel what still runs, stop the loop and end the thread. A thread stuck in blocking code is left to end."""
        if self.loop.is_closed():
            return
        self.loop.call_soon_threadsafe(self._cancel_all)
        if not self.is_current:
            self._thread.join(_CLOSE_S)

    def _cancel_all(self) -> None:
        async def wind_down() -> None:
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=_CLOSE_S / 2) if others else None
            await self.loop.shutdown_asyncgens()
            self.loop.stop()

        self._winding_down = self.loop.create_task(wind_down())

    def _main(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()


class _ContextExecutor(futures.ThreadPoolExecutor):
    """Carries context variables into ``loop.run_in_executor(None, …)``, which asyncio itself does not."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> futures.Future[T]:
        return super().submit(contextvars.copy_context().run, fn, *args, **kwargs)


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


async def _pump(items: AsyncIterator[T], arrived: queue.SimpleQueue[T | _End]) -> None:
    error: BaseException | None = None
    try:
        async for item in items:
            arrived.put(item)
    except asyncio.CancelledError:
        raise
    except BaseException as raised:
        error = raised
    finally:
        arrived.put(_End(error))
        aclose = getattr(items, "aclose", None)
        if aclose is not None:
            await aclose()


def _take(arrived: queue.SimpleQueue[T | _End], tick_s: float) -> tuple[list[T], _End | None]:
    batch: list[T] = []
    try:
        item = arrived.get(timeout=tick_s)
        while True:
            if isinstance(item, _End):
                return batch, item
            batch.append(item)
            item = arrived.get_nowait()
    except queue.Empty:
        return batch, None
