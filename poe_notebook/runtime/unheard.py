"""Errors that no handler hears of: those of threads, background tasks and callbacks that it started.

Python prints them wherever it prints; here they are lines of the exchange of the handler that started them, and
reports on it. Where no exchange is known they are shown as before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal

from poe_notebook.tracing.failures import authors_last_place, authors_traceback, said_of
from poe_notebook.tracing.recorder import CURRENT, Recording

__all__ = ["hear_of_tasks", "tell"]

_MARK = "_poe_notebook_recording"
"""Where a task carries the recording of the handler that started it; Python 3.11 does not give a task's context."""


def tell(recording: Recording, error: BaseException, *, of: Literal["thread", "task", "callback"], name: str) -> None:
    """Write down, in the exchange of the handler that started it, how something failed that nobody waits for."""
    traceback = authors_traceback(error, label=recording.label, clean=recording.clean)
    recording.log("stderr", f"Exception in {of} {name}:\n{traceback}\n")
    at = authors_last_place(error, label=recording.label, clean=recording.clean)
    recording.report(of, said_of(error, clean=recording.clean), **({} if at is None else at._asdict()))


def hear_of_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Tell of the failures of tasks and callbacks on a loop that handlers run on."""
    loop.set_task_factory(_marked)  # type: ignore[arg-type]  # which knows no generators as coroutines
    loop.set_exception_handler(_hear)


def _marked(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:
    task = asyncio.Task(coroutine, loop=loop, **options)
    context = options.get("context")
    recording = CURRENT.get() if context is None else context.get(CURRENT)
    if recording is not None:
        setattr(task, _MARK, recording)
    return task


def _hear(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    task, handle, error = context.get("future"), context.get("handle"), context.get("exception")
    recording = getattr(task, _MARK, None)
    if isinstance(error, BaseException) and isinstance(recording, Recording):
        name = getattr(getattr(task, "get_coro", lambda: None)(), "__qualname__", "")
        tell(recording, error, of="task", name=recording.clean(str(name)))
        return
    called_in = getattr(handle, "_context", None)
    recording = called_in.get(CURRENT) if called_in is not None else None
    if isinstance(error, BaseException) and recording is not None:
        tell(recording, error, of="callback", name="of the loop")
        return
    loop.default_exception_handler(context)
