"""Waiting for asynchronous code from synchronous code, wherever that stands: a script, a thread, a cell of a notebook.

The code runs on a loop of its own, which turns only while somebody waits for it: in the waiting thread, or, if a loop
runs there already, in a worker thread beside it. So nothing here nests or patches loops, no current loop is set, and
between two items of an iteration nothing runs. A kernel interrupt (KeyboardInterrupt) cancels what is waited for.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent import futures
from contextlib import aclosing
from typing import Any, TypeVar

from poe_notebook.client.pool import close_clients_of_this_loop
from poe_notebook.errors import InvalidParameterError

__all__ = ["iterate", "refuse_session_of_running_loop", "run"]

T = TypeVar("T")

_POLL_S = 0.05
_CLOSE_S = 0.5
"""How long an interrupt and the end of an iteration wait for the code to have cleaned up."""


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine and give its result, whether or not a loop runs in this thread."""
    own = _OwnLoop()
    try:
        return own.run(_and_close_connections(coroutine))
    finally:
        own.close()


def iterate(open_stream: Callable[[], AsyncGenerator[T, None]]) -> Generator[T, None, None]:
    """Give the items of an asynchronous generator, whether or not a loop runs in this thread.

    Nothing is begun before the first item is asked for. Closing this early closes the generator.
    """
    own, feed = _OwnLoop(), _Feed(open_stream)
    try:
        while batch := own.run(feed.more()):
            yield from batch
    finally:
        own.close()


def refuse_session_of_running_loop(session: object | None) -> None:
    """Raise ``InvalidParameterError`` for a session given while a loop runs: its connections belong to that loop."""
    if session is not None and _has_running_loop():
        raise InvalidParameterError(
            "A session cannot be used from here: a loop runs in this thread, and the session belongs to it.",
            why="The call waits on a loop of its own, and a connection cannot change loops.",
            now="Leave session away, or await the asynchronous function of that name.",
        )


class _OwnLoop:
    """A loop that turns only while ``run`` waits for it."""

    def __init__(self) -> None:
        self._loop = _new_loop()
        self._runner = asyncio.Runner(loop_factory=lambda: self._loop)
        self._context = contextvars.copy_context()
        self._worker: futures.ThreadPoolExecutor | None = None
        self._task: asyncio.Task[Any] | None = None
        # For an iteration that is given up but still referred to: at the end of the interpreter, while all is there.
        atexit.register(self.close)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if not _has_running_loop():
            return self._runner.run(coroutine, context=self._context)
        future = self._beside().submit(self._run_as_task, coroutine)
        try:
            while not future.done():
                futures.wait([future], _POLL_S)
            return future.result()
        except BaseException:
            self._cancel(future, coroutine)
            raise

    def close(self) -> None:
        """Cancel what still runs, close the loop, end the worker."""
        atexit.unregister(self.close)
        if self._worker is None and not _has_running_loop():
            self._close_runner()
            return
        try:
            ended, _ = futures.wait([self._beside().submit(self._close_runner)], _CLOSE_S)
            for future in ended:
                future.result()
        except RuntimeError:  # the interpreter is ending, and its worker threads have
            self._close_runner()
        self._beside().shutdown(wait=False)

    def _beside(self) -> futures.ThreadPoolExecutor:
        if self._worker is None:
            self._worker = futures.ThreadPoolExecutor(1, thread_name_prefix="poe-sync")
        return self._worker

    def _run_as_task(self, coroutine: Coroutine[Any, Any, T]) -> T:
        async def tracked() -> T:
            self._task = asyncio.current_task()
            return await coroutine

        return self._runner.run(tracked(), context=self._context)

    def _close_runner(self) -> None:
        self._runner.close()
        self._loop.close()  # a runner that never ran does not know its loop

    def _cancel(self, future: futures.Future[Any], coroutine: Coroutine[Any, Any, Any]) -> None:
        if future.cancel():
            coroutine.close()
        elif not future.done():
            self._loop.call_soon_threadsafe(self._cancel_task)
            futures.wait([future], _CLOSE_S)

    def _cancel_task(self) -> None:
        if self._task is not None:
            self._task.cancel()


class _Feed:
    """Takes items out of a generator in one task, and hands them on in whatever batch has come."""

    def __init__(self, open_stream: Callable[[], AsyncGenerator[Any, None]]) -> None:
        self._open = open_stream
        self._items: list[Any] = []
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def more(self) -> list[Any]:
        """Wait for items; none are the end. Raises what the generator raised, after its items."""
        if self._task is None:
            self._task = asyncio.create_task(_and_close_connections(self._take_all()))
            self._task.add_done_callback(lambda _: self._news.set())
        while not self._items and not self._task.done():
            self._news.clear()
            await self._news.wait()
        batch, self._items = self._items, []
        if not batch:
            self._task.result()
        return batch

    async def _take_all(self) -> None:
        async with aclosing(self._open()) as stream:
            async for item in stream:
                self._items.append(item)
                self._news.set()


class _UnawaitedExecutor(futures.ThreadPoolExecutor):
    """Worker threads that a closing loop does not wait for: one may be blocked for as long as it likes."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=False, cancel_futures=True)


def _new_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_UnawaitedExecutor(thread_name_prefix="poe-sync-worker"))
    return loop


def _has_running_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _and_close_connections(coroutine: Coroutine[Any, Any, T]) -> T:
    try:
        return await coroutine
    finally:
        await close_clients_of_this_loop()
