"""Threads that a handler starts belong to its exchange: they run in a copy of its context, as tasks do.

Python itself carries the context into ``asyncio.to_thread``, and into every thread from 3.14 on if it is told to
(``-X thread_inherit_context``). Before that a ``threading.Thread`` begins with an empty context, and what it prints
would fall into some cell. So ``Thread.start`` is stood in for while bots are served, and acts inside handlers alone; a
pool's workers outlive the handler that happens to start them, so there it is each piece of work that carries the
context, and the worker that carries none. What such a thread raises is told in the exchange.
"""

from __future__ import annotations

import concurrent.futures.thread as pools
import contextvars
import sys
import threading
from collections.abc import Callable
from typing import Any

from poe_notebook.runtime.replacing import Replacement
from poe_notebook.runtime.unheard import tell
from poe_notebook.tracing.recorder import CURRENT

__all__ = ["ThreadContext"]


class ThreadContext:
    """Carries contexts from ``open`` to ``close``."""

    def __init__(self) -> None:
        self._replacements: list[Replacement] = []

    def open(self) -> None:
        """Take over; again is no harm."""
        if pools.ThreadPoolExecutor.submit.__module__ == __name__:
            return
        self._replacements = [Replacement(pools.ThreadPoolExecutor, "submit", _submitting)]
        if not getattr(sys.flags, "thread_inherit_context", 0):
            self._replacements.append(Replacement(threading.Thread, "start", _starting))

    def close(self) -> None:
        """Give it back, unless somebody has since put something else in its place."""
        while self._replacements:
            self._replacements.pop().take_back()


def _starting(original: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    def start(thread: threading.Thread) -> None:
        if CURRENT.get() is not None and getattr(thread, "_target", None) is not pools._worker:
            run, context = thread.run, contextvars.copy_context()
            thread.run = lambda: context.run(_once, thread, run)  # type: ignore[method-assign]
        original(thread)

    return start


def _once(thread: threading.Thread, run: Callable[[], None]) -> None:
    del thread.run  # which would keep the thread, its context and the exchange alive
    recording = CURRENT.get()
    try:
        run()
    except SystemExit:
        raise  # which ends a thread without a word
    except BaseException as error:
        if recording is not None:
            tell(recording, error, of="thread", name=recording.clean(thread.name))
        if recording is None or threading.excepthook is not threading.__excepthook__:
            raise


def _submitting(original: Callable[..., Any]) -> Callable[..., Any]:
    def submit(pool: Any, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if CURRENT.get() is None:
            return original(pool, function, *args, **kwargs)
        return original(pool, contextvars.copy_context().run, function, *args, **kwargs)

    return submit
