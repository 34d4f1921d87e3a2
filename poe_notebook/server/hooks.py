"""Calling a bot's other methods than its handler (settings, feedback, errors), on whatever loop the caller is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from poe_notebook.tracing.recorder import CURRENT, Recording

__all__ = ["call_hook"]


async def call_hook(hook: Callable[..., Any], *args: Any, recording: Recording) -> Any:
    """Call a method of a bot, plain or asynchronous; what it prints goes to the recording."""
    CURRENT.set(recording)
    try:
        result = hook(*args)
        return await result if inspect.isawaitable(result) else result
    except (SystemExit, KeyboardInterrupt) as error:  # which would end the loop, were they to leave a task
        raise RuntimeError(f"{type(error).__name__} came out of a method of the bot") from error
