"""Waiting for asynchronous code from a script, a thread, a cell: its result, its end, what is left behind."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import httpx
import pytest
from endpoints import until
from places import Place, everywhere, in_cell, in_script, in_thread

from poe_notebook.client import sync
from poe_notebook.client.pool import client_for_this_loop
from poe_notebook.client.sync import iterate, refuse_session_of_running_loop, run
from poe_notebook.errors import InvalidParameterError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def made_loops(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[asyncio.AbstractEventLoop]]:
    """The loops that a test makes; none of them may be left open, and no worker thread may be left behind."""
    make, loops = sync._new_loop, list[asyncio.AbstractEventLoop]()

    def make_and_keep() -> asyncio.AbstractEventLoop:
        loops.append(make())
        return loops[-1]

    monkeypatch.setattr(sync, "_new_loop", make_and_keep)
    yield loops
    assert until(lambda: not [t.name for t in threading.enumerate() if t.name.startswith("poe-sync")])
    assert all(loop.is_closed() for loop in loops)


async def answer() -> int:
    await asyncio.sleep(0.001)
    return 42


async def fail() -> None:
    await asyncio.sleep(0.001)
    raise LookupError("gone")


async def count(to: int) -> AsyncGenerator[int, None]:
    for number in range(to):
        if number % 3 == 0:
            await asyncio.sleep(0.0005)
        yield number


@everywhere
def test_a_coroutine_is_run_and_its_result_given(place: Place) -> None:
    assert place(lambda: run(answer())) == 42


@everywhere
def test_what_a_coroutine_raises_comes_out(place: Place) -> None:
    with pytest.raises(LookupError, match="gone"):
        place(lambda: run(fail()))


@everywhere
def test_the_items_come_in_order_and_then_the_error(place: Place) -> None:
    async def numbers() -> AsyncGenerator[int, None]:
        for number in range(100):
            yield number
            if number % 10 == 0:
                await asyncio.sleep(0)
        raise LookupError("after all")

    got: list[int] = []

    def take() -> None:
        got.extend(iterate(numbers))

    with pytest.raises(LookupError, match="after all"):
        place(lambda: [got.append(number) for number in iterate(numbers)])
    assert got == list(range(100))


@everywhere
def test_no_items_are_an_empty_iteration(place: Place) -> None:
    assert place(lambda: list(iterate(lambda: count(0)))) == []


@everywhere
def test_an_item_is_given_as_soon_as_it_is_there(place: Place) -> None:
    async def slowly() -> AsyncGenerator[float, None]:
        for _ in range(3):
            yield time.monotonic()
            await asyncio.sleep(0.05)

    lags = place(lambda: [time.monotonic() - at for at in iterate(slowly)])
    assert max(lags) < 0.04


@everywhere
def test_closing_early_closes_the_generator(place: Place) -> None:
    ended: list[str] = []

    async def endless() -> AsyncGenerator[int, None]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0.001)
        finally:
            await asyncio.sleep(0)
            ended.append("closed")

    def leave() -> None:
        items = iterate(endless)
        assert next(items) == 1
        items.close()
        assert ended == ["closed"]
        assert list(items) == []

    place(leave)


@everywhere
def test_an_iteration_given_up_is_closed(place: Place) -> None:
    ended = threading.Event()

    async def endless() -> AsyncGenerator[int, None]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0.001)
        finally:
            ended.set()

    def leave() -> None:
        for _ in iterate(endless):
            break
        gc.collect()
        assert ended.wait(1)

    place(leave)


def test_an_iteration_never_begun_starts_nothing(made_loops: list[asyncio.AbstractEventLoop]) -> None:
    begun: list[int] = []

    async def numbers() -> AsyncGenerator[int, None]:
        begun.append(1)
        yield 1

    threads = threading.active_count()
    items = iterate(numbers)
    items.close()
    assert (made_loops, threading.active_count(), begun) == ([], threads, [])


def test_between_two_items_nothing_runs() -> None:
    made: list[int] = []

    async def numbers() -> AsyncGenerator[int, None]:
        for number in range(1000):
            made.append(number)
            yield number
            await asyncio.sleep(0.001)

    items = iterate(numbers)
    next(items)
    so_far = len(made)
    time.sleep(0.05)
    assert len(made) == so_far
    items.close()


def test_an_iteration_begun_in_a_script_goes_on_in_a_cell_and_in_a_thread() -> None:
    items = iterate(lambda: count(90))
    got = [next(items) for _ in range(30)]
    got += in_cell(lambda: [next(items) for _ in range(30)])
    got += in_thread(lambda: list(items))
    assert got == list(range(90))


@everywhere
def test_context_variables_are_those_of_the_caller(place: Place) -> None:
    variable = contextvars.ContextVar("variable", default="none")

    async def read() -> str:
        return await asyncio.to_thread(variable.get)

    async def reading() -> AsyncGenerator[str, None]:
        yield variable.get()

    def ask() -> tuple[str, list[str]]:
        variable.set("mine")
        return run(read()), list(iterate(reading))

    assert place(lambda: contextvars.copy_context().run(ask)) == ("mine", ["mine"])


def test_the_current_loop_of_the_thread_stays_what_it_was() -> None:
    mine = asyncio.new_event_loop()
    asyncio.set_event_loop(mine)
    try:
        run(answer())
        list(iterate(lambda: count(3)))
        assert asyncio.get_event_loop_policy().get_event_loop() is mine
    finally:
        asyncio.set_event_loop(None)
        mine.close()


@everywhere
def test_connections_are_closed_with_the_loop(place: Place) -> None:
    async def pooled() -> httpx.AsyncClient:
        return client_for_this_loop(is_local=True)

    async def pooling() -> AsyncGenerator[httpx.AsyncClient, None]:
        yield client_for_this_loop(is_local=True)

    assert place(lambda: run(pooled())).is_closed
    assert place(lambda: next(iter(list(iterate(pooling))))).is_closed


@pytest.mark.parametrize("place", [in_script, in_cell])
@pytest.mark.parametrize("kind", ["run", "iterate"])
def test_an_interrupt_gets_through_and_cancels(place: Place, kind: str) -> None:
    cancelled = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.sleep(20)
        finally:
            cancelled.set()

    async def waiting() -> AsyncGenerator[int, None]:
        await wait()
        yield 1

    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        place(lambda: run(wait()) if kind == "run" else list(iterate(waiting)))
    assert time.monotonic() - started < 0.6
    assert cancelled.wait(1)
    timer.join()


@pytest.mark.parametrize("place", [in_script, in_cell])
def test_a_blocked_worker_thread_does_not_hold_up_an_interrupt(place: Place) -> None:
    async def wait() -> None:
        await asyncio.to_thread(time.sleep, 0.9)

    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        place(lambda: run(wait()))
    assert time.monotonic() - started < 0.75
    timer.join()


def test_a_session_is_refused_only_where_a_loop_runs() -> None:
    refuse_session_of_running_loop(object())
    in_cell(lambda: refuse_session_of_running_loop(None))
    with pytest.raises(InvalidParameterError, match="loop"):
        in_cell(lambda: refuse_session_of_running_loop(object()))


def script(code: str) -> subprocess.CompletedProcess[str]:
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    return subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, timeout=20)


ABANDONED = """
import asyncio
from poe_notebook.client.sync import iterate
ended = []
async def endless():
    try:
        while True:
            yield 1
            await asyncio.sleep(0.001)
    finally:
        print("closed")
"""


@pytest.mark.parametrize(
    "begin",
    [
        "items = iterate(endless); next(items)",
        "async def cell():\n    next(items)\nitems = iterate(endless)\nasyncio.run(cell())",
    ],
)
def test_a_script_may_end_in_the_middle_of_an_iteration(begin: str) -> None:
    done = script(ABANDONED + begin)
    assert (done.returncode, done.stdout, done.stderr) == (0, "closed\n", "")


def test_it_works_in_a_loop_that_nest_asyncio_has_patched() -> None:
    done = script(
        """
import asyncio, nest_asyncio2
from poe_notebook.client.sync import iterate, run
async def answer():
    await asyncio.sleep(0.001)
    return 42
async def numbers():
    for n in range(5):
        yield n
        await asyncio.sleep(0.001)
async def cell():
    nest_asyncio2.apply()
    print(run(answer()), list(iterate(numbers)))
asyncio.run(cell())
print(run(answer()), list(iterate(numbers)))
"""
    )
    assert done.stderr == ""
    assert done.stdout == "42 [0, 1, 2, 3, 4]\n" * 2


def test_a_loop_on_which_nothing_ran_is_closed_all_the_same(made_loops: list[asyncio.AbstractEventLoop]) -> None:
    for place in (in_script, in_cell):
        own = sync._OwnLoop()
        place(own.close)
    assert len(made_loops) == 2
