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

from poe_notebook.errors import ServerError

__all__ = ["LoopThread"]

T = TypeVar("T")

_POLL_S = 0.05
_CLOSE_S = 1.0
_CANCEL_AGAIN_S = 0.4
"""While closing, a task that swallowed its cancellation is cancelled again after this; clean-up may take as long."""
_ITERATOR_CLOSE_S = 0.15
"""How long ending an iteration early waits for the iterator to have closed; Stop has to be done in half a second."""


class LoopThread:
    """One daemon thread, one loop, started at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(_ContextExecutor(thread_name_prefix=f"{name}-worker"))
        self._gate = threading.Lock()  # so that nothing is handed over behind the back of close
        self._is_closing = self._has_wound_down = False
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._thread.start()

    @property
    def ident(self) -> int | None:
        """The thread's number, as ``sys._current_frames`` has it."""
        return self._thread.ident

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on this loop's own thread."""
        return threading.current_thread() is self._thread

    def call(self, callback: Callable[..., object], *args: Any) -> bool:
        """Have the loop call something soon. False if it never will, because it has been closed."""
        with self._gate:
            if not self._is_closing:
                self.loop.call_soon_threadsafe(callback, *args)
            return not self._is_closing

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> futures.Future[T]:
        """Start a coroutine on the loop, in a copy of the caller's context. Raises ``ServerError`` if it is closed."""
        with self._gate:
            if not self._is_closing:
                return asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        coroutine.close()
        raise ServerError(f"{self.name} has been closed, so nothing more can run on it.")

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
        end: _End | None = None
        try:
            while end is None:
                batch, end = _take(arrived, tick_s)
                if batch or end is None:
                    yield batch
            if end.error is not None:
                raise end.error
        finally:
            if end is None:
                future.cancel()
                _wait_for_end(arrived)

    def is_responsive(self, within_s: float) -> bool:
        """Whether the loop comes round within that time, that is, whether nothing blocks its thread."""
        came_round = threading.Event()
        return self.call(came_round.set) and came_round.wait(within_s)

    def close(self, *, wait: bool = True) -> None:
        """Cancel what still runs, stop the loop and end the thread; in blocking code, once it comes back from there."""
        with self._gate:
            if not self._is_closing:
                self._is_closing = True
                self.loop.call_soon_threadsafe(self._begin_to_wind_down)
        if wait and not self.is_current:
            self._thread.join(_CLOSE_S)

    def _begin_to_wind_down(self) -> None:
        self._winding_down = self.loop.create_task(self._wind_down())

    async def _wind_down(self) -> None:
        try:
            async with asyncio.timeout(_CLOSE_S / 2):
                while others := asyncio.all_tasks() - {self._winding_down}:
                    for task in others:
                        task.cancel()
                    await asyncio.wait(others, timeout=_CANCEL_AGAIN_S)
                await self.loop.shutdown_asyncgens()
        except TimeoutError:
            pass  # a task that will not be cancelled ends here, with its loop
        finally:
            self._has_wound_down = True
            self.loop.call_soon(self.loop.stop)  # not at once: those who wait for the last tasks are told of them first

    def _main(self) -> None:
        asyncio.set_event_loop(self.loop)
        while not self._has_wound_down:
            try:
                self.loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                continue  # of a handler's own task: asyncio lets it through, and every other answer with it
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
        aclose = getattr(items, "aclose", None)
        try:
            if aclose is not None:
                await aclose()
        finally:
            arrived.put(_End(error))


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


def _wait_for_end(arrived: queue.SimpleQueue[Any]) -> None:
    try:
        while not isinstance(arrived.get(timeout=_ITERATOR_CLOSE_S), _End):
            pass
    except queue.Empty:
        pass  # it takes longer to close, and nobody waits for it
