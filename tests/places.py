"""Where synchronous code may stand: a script, a cell (a loop runs in its thread already), a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

Place: TypeAlias = Callable[[Callable[[], Any]], Any]


def in_script(work: Callable[[], Any]) -> Any:
    """Call it as a script does."""
    return work()


def in_cell(work: Callable[[], Any]) -> Any:
    """Call it as a cell does: inside a running loop, on the main thread, where an interrupt raises at once."""

    async def cell() -> Any:
        return work()

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(cell())
    finally:
        loop.close()


def in_thread(work: Callable[[], Any]) -> Any:
    """Call it in a thread; what it raises is raised here."""
    results: list[Any] = []
    errors: list[BaseException] = []

    def collect() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=collect)
    thread.start()
    thread.join(10)
    for error in errors:
        raise error
    return results[0]


everywhere = pytest.mark.parametrize("place", [in_script, in_cell, in_thread])
