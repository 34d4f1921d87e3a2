"""The toolkit's loops: work handed over, waited for, iterated, and ended, whatever runs on them."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from endpoints import until

from poe_notebook.errors import ServerError
from poe_notebook.runtime.loop import LoopThread

WORD: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="none")


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    running = LoopThread("test-loop")
    yield running
    running.close()
    assert until(lambda: not alive("test-loop"))


def alive(name: str) -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith(name)]


async def on_which_thread() -> str:
    return threading.current_thread().name


def test_a_coroutine_runs_on_the_loops_own_thread(thread: LoopThread) -> None:
    assert thread.run(on_which_thread()) == "test-loop"
    assert thread.submit(on_which_thread()).result(1) == "test-loop"
    assert alive("test-loop")[0].daemon
    assert not thread.is_current

    async def inside() -> bool:
        return thread.is_current

    assert thread.run(inside())


def test_what_a_coroutine_raises_is_raised_to_who_waits(thread: LoopThread) -> None:
    async def fail() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        thread.run(fail())


def test_the_callers_context_goes_with_the_work(thread: LoopThread) -> None:
    async def word() -> tuple[str, str, str]:
        loop = asyncio.get_running_loop()
        return WORD.get(), await asyncio.to_thread(WORD.get), await loop.run_in_executor(None, WORD.get)

    token = WORD.set("mine")
    assert thread.run(word()) == ("mine", "mine", "mine")
    WORD.reset(token)
    assert thread.run(word()) == ("none", "none", "none")


def test_an_interrupt_while_waiting_cancels_the_work(thread: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled = threading.Event()

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    from poe_notebook.runtime import loop as module

    def interrupt(*args: Any) -> Any:
        time.sleep(0.02)
        raise KeyboardInterrupt

    monkeypatch.setattr(module.futures, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        thread.run(long())
    assert cancelled.wait(1)


def test_whether_the_loop_comes_round(thread: LoopThread) -> None:
    assert thread.is_responsive(1)
    thread.call(time.sleep, 0.3)
    assert not thread.is_responsive(0.05)
    assert thread.is_responsive(1)


# Iterating.


async def numbers(count: int, pause_s: float = 0.0) -> AsyncIterator[int]:
    for n in range(count):
        yield n
        if pause_s:
            await asyncio.sleep(pause_s)


def test_items_come_in_order_in_batches(thread: LoopThread) -> None:
    batches = list(thread.iterate(numbers(10_000)))
    assert [n for batch in batches for n in batch] == list(range(10_000))


def test_items_come_as_soon_as_they_are_there_and_empty_batches_in_silence(thread: LoopThread) -> None:
    started, seen = time.monotonic(), []
    for batch in thread.iterate(numbers(3, 0.12), tick_s=0.05):
        seen.append((batch, time.monotonic() - started))
    assert [batch for batch, _ in seen if batch] == [[0], [1], [2]]
    assert [] in [batch for batch, _ in seen]
    for n, at_s in enumerate(at_s for batch, at_s in seen if batch):
        assert n * 0.12 <= at_s < n * 0.12 + 0.06


def test_the_error_of_an_iterator_comes_after_its_items(thread: LoopThread) -> None:
    async def failing() -> AsyncIterator[int]:
        yield 1
        raise ValueError("x")

    batches = thread.iterate(failing())
    assert next(batches) == [1]
    with pytest.raises(ValueError, match="x"):
        next(batches)


def test_leaving_an_iteration_closes_the_iterator_before_going_on(thread: LoopThread) -> None:
    closed: list[str] = []

    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0.001)
        finally:
            await asyncio.sleep(0.02)
            closed.append("closed")

    batches = thread.iterate(endless())
    next(batches)
    started = time.monotonic()
    batches.close()
    assert closed == ["closed"]
    assert time.monotonic() - started < 0.1


def test_leaving_an_iteration_does_not_wait_for_a_slow_clean_up(thread: LoopThread) -> None:
    async def stubborn() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0.001)
        finally:
            await asyncio.sleep(0.4)

    batches = thread.iterate(stubborn())
    next(batches)
    started = time.monotonic()
    batches.close()
    assert time.monotonic() - started < 0.3


# Ending.


def test_closing_cancels_what_runs_and_ends_the_thread() -> None:
    ended: list[str] = []

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            ended.append("task")

    async def generator() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            ended.append("generator")

    async def begin(items: Any) -> None:
        await anext(items)

    running = LoopThread("test-ending")
    future, items = running.submit(long()), generator()
    running.run(begin(items))
    running.close()
    assert ended == ["task", "generator"]
    assert future.cancelled()
    assert not alive("test-ending")


def test_after_closing_nothing_is_taken_and_nobody_waits_for_ever() -> None:
    running = LoopThread("test-closed")
    running.close()
    running.close()
    assert running.call(print) is False
    assert not running.is_responsive(1)
    with pytest.raises(ServerError, match="test-closed has been closed"):
        running.submit(on_which_thread())
    with pytest.raises(ServerError):
        next(running.iterate(numbers(1)))


def test_closing_while_others_hand_over_work_leaves_no_work_undone() -> None:
    for _ in range(20):
        running, futures, refused = LoopThread("test-race"), [], []

        def hand_over(
            running: LoopThread = running, futures: list[Any] = futures, refused: list[Any] = refused
        ) -> None:
            while not refused:
                try:
                    futures.append(running.submit(asyncio.sleep(0)))
                except ServerError:
                    refused.append(1)

        others = [threading.Thread(target=hand_over) for _ in range(2)]
        for other in others:
            other.start()
        time.sleep(0.002)
        running.close()
        for other in others:
            other.join(2)
        assert until(lambda futures=futures: all(future.done() for future in futures), within_s=1)


def test_a_task_that_swallows_its_cancellation_does_not_keep_the_thread() -> None:
    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if stop:
                    raise

    stop: list[int] = []
    running = LoopThread("test-stubborn")
    running.submit(stubborn())
    assert running.is_responsive(1)
    started = time.monotonic()
    running.call(lambda: running.loop.call_later(0.2, stop.append, 1))
    running.close()
    assert time.monotonic() - started < 1.5
    assert not alive("test-stubborn")


def test_a_thread_that_blocks_ends_when_it_comes_back() -> None:
    running = LoopThread("test-blocking")
    running.call(time.sleep, 0.3)
    started = time.monotonic()
    running.close(wait=False)
    assert time.monotonic() - started < 0.1
    assert alive("test-blocking")
    assert until(lambda: not alive("test-blocking"), within_s=1)


def test_workers_end_with_their_loop() -> None:
    running = LoopThread("test-workers")
    running.run(asyncio.to_thread(time.sleep, 0))
    assert alive("test-workers-worker")
    running.close()
    assert until(lambda: not alive("test-workers"), within_s=1)


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt()], ids=repr)
def test_an_exit_from_a_task_does_not_end_the_loop(thread: LoopThread, error: BaseException) -> None:
    async def leave() -> None:
        raise error

    async def hand_over() -> None:
        thread.exiting = asyncio.ensure_future(leave())  # type: ignore[attr-defined]
        await asyncio.wait([thread.exiting])  # type: ignore[attr-defined]

    thread.run(hand_over())
    assert thread.run(on_which_thread()) == "test-loop"


def test_a_loop_that_is_stopped_by_a_task_goes_on(thread: LoopThread) -> None:
    thread.call(thread.loop.stop)
    assert thread.run(on_which_thread()) == "test-loop"
