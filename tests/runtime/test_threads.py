"""Generators of blocking code, run beside a loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Generator
from contextlib import aclosing
from typing import Any

import pytest
from endpoints import until

from poe_notebook.runtime import threads as module
from poe_notebook.runtime.threads import in_thread

WORD: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="none")


def workers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "poe-handler"]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Any:
    yield
    assert until(lambda: not workers(), within_s=2)


def all_of(make: Callable[[], Generator[Any, None, None]]) -> list[Any]:
    async def run() -> list[Any]:
        return [item async for item in in_thread(make())]

    return asyncio.run(run())


def test_items_come_in_order() -> None:
    assert all_of(lambda: (n for n in range(20_000))) == list(range(20_000))


def test_items_come_as_soon_as_they_are_there() -> None:
    def slow() -> Generator[float, None, None]:
        for _ in range(5):
            time.sleep(0.02)
            yield time.monotonic()

    async def run() -> list[float]:
        return [time.monotonic() - item async for item in in_thread(slow())]

    assert sorted(asyncio.run(run()))[2] < 0.01


def test_the_loop_goes_on_while_the_generator_blocks() -> None:
    def blocking() -> Generator[str, None, None]:
        time.sleep(0.2)
        yield "x"

    async def run() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        async for _ in in_thread(blocking()):
            pass
        ticking.cancel()
        return ticks

    assert asyncio.run(run()) > 8


def test_it_runs_in_a_daemon_thread_with_the_callers_context() -> None:
    def spy() -> Generator[Any, None, None]:
        yield threading.current_thread().daemon, threading.current_thread() is threading.main_thread(), WORD.get()
        WORD.set("inner")
        yield WORD.get()

    WORD.set("outer")
    assert all_of(spy) == [(True, False, "outer"), "inner"]
    assert WORD.get() == "outer"


@pytest.mark.parametrize(
    "error", [ValueError("x"), SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()], ids=repr
)
def test_what_the_generator_raises_comes_after_its_items(error: BaseException) -> None:
    def failing() -> Generator[int, None, None]:
        yield 1
        raise error

    async def run() -> tuple[list[int], BaseException | None]:
        got: list[int] = []
        try:
            async for item in in_thread(failing()):
                got.append(item)
        except BaseException as raised:
            return got, raised
        return got, None

    assert asyncio.run(run()) == ([1], error)


def test_closing_closes_the_generator_at_its_next_item() -> None:
    closed: list[float] = []

    def endless() -> Generator[int, None, None]:
        try:
            while True:
                yield 1
                time.sleep(0.05)
        finally:
            closed.append(time.monotonic())

    async def run() -> float:
        async with aclosing(in_thread(endless())) as items:
            async for _ in items:
                break
            return time.monotonic()

    left = asyncio.run(run())
    assert len(closed) == 1  # closing waited for it
    assert closed[0] - left < 0.15


def test_closing_does_not_wait_for_a_generator_that_blocks() -> None:
    closed: list[int] = []

    def blocking() -> Generator[int, None, None]:
        try:
            yield 1
            time.sleep(0.6)
            yield 2
            closed.append(-1)
        finally:
            closed.append(1)

    async def run() -> float:
        items = in_thread(blocking())
        await anext(items)
        started = time.monotonic()
        await items.aclose()
        return time.monotonic() - started

    assert 0.2 < asyncio.run(run()) < 0.45
    assert closed == []
    assert until(lambda: closed, within_s=2)
    assert closed == [1]


def test_closing_frees_a_generator_that_waits_for_room() -> None:
    async def run() -> float:
        items = in_thread("x" * 10_000 for _ in range(10**9))
        await anext(items)
        await asyncio.sleep(0.05)
        started = time.monotonic()
        await items.aclose()
        return time.monotonic() - started

    assert asyncio.run(run()) < 0.1


class Text:
    """A response with a text."""

    def __init__(self, text: Any) -> None:
        self.text = text


@pytest.mark.parametrize(
    ("item", "most"),
    [("x" * 1_000_000, 3), (Text("x" * 1_000_000), 3), ("x" * 10_000, 40), (Text(None), 1100), (1, 1100), ("", 1100)],
    ids=["large str", "large response", "str", "response without text", "int", "empty"],
)
def test_the_generator_does_not_run_far_ahead(item: Any, most: int) -> None:
    made = 0

    def counting() -> Generator[Any, None, None]:
        nonlocal made
        while True:
            made += 1
            yield item

    async def run() -> list[int]:
        ahead = []
        async with aclosing(in_thread(counting())) as items:
            for taken in range(1, 6):
                await anext(items)
                await asyncio.sleep(0.02)
                ahead.append(made - taken)
        return ahead

    assert max(asyncio.run(run())) <= most


def test_what_comes_just_as_the_loop_begins_to_wait_is_not_lost() -> None:
    async def run() -> None:
        worker = module._Worker(iter([1]))  # type: ignore[arg-type]

        class Meddling(asyncio.Event):
            """Lets the thread act at the worst moment: after the loop has looked, before it waits."""

            def clear(self) -> None:
                super().clear()
                worker.items.append((1, "late"))

        worker._wake = Meddling()
        await asyncio.wait_for(worker.more(), 1)

    asyncio.run(run())


def test_a_loop_that_closes_first_leaves_the_thread_to_end() -> None:
    started = threading.Event()

    def blocking() -> Generator[int, None, None]:
        started.set()
        time.sleep(0.5)
        yield 1

    async def run() -> None:
        items = in_thread(blocking())
        asyncio.get_running_loop().create_task(anext(items))  # type: ignore[arg-type]
        await asyncio.to_thread(started.wait)

    asyncio.run(run())
    assert workers()


def test_the_wait_at_closing_leaves_time_for_stop() -> None:
    assert module._CLOSE_S < 0.5
