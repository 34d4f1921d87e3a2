"""``fastapi_poe.sync_utils``, for code that imports from there."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from poe_notebook.client.sync import refuse_session_of_running_loop, run

__all__ = ["run_sync"]

T = TypeVar("T")


def run_sync(coro: Coroutine[Any, Any, T], *, session: object | None = None) -> T:
    """Wait for a coroutine, whether or not a loop runs in this thread.

    Raises ``InvalidParameterError`` (a ``ValueError``) for a ``session`` given where a loop runs.
    """
    try:
        refuse_session_of_running_loop(session)
    except ValueError:
        coro.close()
        raise
    return run(coro)
