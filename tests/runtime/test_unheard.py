"""Errors of tasks and callbacks that a handler started and does not wait for: told in its exchange, or as before."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import endpoints
import pytest
from endpoints import Kernel, until

from poe_notebook.runtime.unheard import hear_of_tasks
from poe_notebook.tracing.exchange import Exchange


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with endpoints.kernel() as running:
        yield running


async def background() -> None:
    raise LookupError(f"it died with {endpoints.KEY}")


def callback() -> None:
    raise OSError("called back")


def asked(kernel: Kernel, handler: Any) -> Exchange:
    kernel.serve(handler)
    assert kernel.ask().events[-1].type == "done"
    exchange = kernel.trace[-1]

    def is_told() -> bool:
        gc.collect()  # a task tells of its failure when it goes
        return bool(exchange.reports)

    assert until(is_told)
    return exchange


def test_a_background_task_that_fails_is_told_in_the_exchange_of_who_started_it(kernel: Kernel) -> None:
    async def handler(request: Any) -> AsyncIterator[str]:
        task = asyncio.create_task(background())
        yield "x"
        await asyncio.wait([task])
        yield "y"

    exchange = asked(kernel, handler)
    [line] = exchange.logs
    assert line.text.startswith("Exception in task background:\nTraceback (most recent call last):\n  File ")
    assert line.text.endswith("LookupError: it died with [key hidden]\n")
    [report] = exchange.reports
    assert (report.source, report.text) == ("task", "LookupError: it died with [key hidden]")
    assert report.values["function"] == "background"


def test_a_callback_that_fails_is_told_in_the_exchange_of_who_left_it(kernel: Kernel) -> None:
    async def handler(request: Any) -> AsyncIterator[str]:
        asyncio.get_running_loop().call_soon(callback)
        yield "x"
        await asyncio.sleep(0.01)

    [report] = asked(kernel, handler).reports
    assert (report.source, report.text) == ("callback", "OSError: called back")


def test_a_task_that_somebody_waits_for_is_not_told_of(kernel: Kernel) -> None:
    async def handler(request: Any) -> AsyncIterator[str]:
        task = asyncio.create_task(background())
        try:
            await task
        except LookupError:
            yield "caught"

    kernel.serve(handler)
    assert kernel.ask().text == "caught"
    gc.collect()
    assert kernel.trace[-1].reports == []


def test_a_task_of_nobodys_is_told_of_as_before(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        hear_of_tasks(asyncio.get_running_loop())
        task = asyncio.create_task(background(), name="nobodys")
        await asyncio.wait([task])
        assert task.get_name() == "nobodys"

    asyncio.run(run())
    gc.collect()
    assert "Task exception was never retrieved" in caplog.text
