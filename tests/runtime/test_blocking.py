"""A handler that keeps its loop from running anything else is named, with the line that does and for how long."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import endpoints
import pytest
from endpoints import Kernel, body_of, until

from poe_notebook.runtime import blocking
from poe_notebook.tracing.exchange import Blocked

FILE = __file__


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with endpoints.kernel() as running:
        running.trace.label = lambda name: "Cell In[3]" if name == FILE else None
        yield running


def blocked_by(kernel: Kernel, handler: Any) -> list[Blocked]:
    kernel.serve(handler)
    assert kernel.ask().events[-1].type == "done"
    return kernel.trace[-1].blocked


@contextmanager
def stretch(lengths_s: list[float]) -> Iterator[None]:
    """How long something really took: on a busy machine more than was asked for."""
    began_s = time.monotonic()
    try:
        yield
    finally:
        lengths_s.append(time.monotonic() - began_s)


def test_a_line_that_blocks_the_loop_is_named_with_its_length(kernel: Kernel) -> None:
    lengths_s: list[float] = []

    async def get_response(request: Any) -> AsyncIterator[str]:
        yield "before "
        with stretch(lengths_s):
            await asyncio.sleep(0.15)
        with stretch(lengths_s):
            time.sleep(0.6)  # the line
        yield "after"

    [blocked] = blocked_by(kernel, get_response)
    assert blocked.at.code == "time.sleep(0.6)  # the line"
    assert blocked.at.file == "Cell In[3]"
    assert blocked.at.function.endswith("get_response")
    assert blocked.at.line == get_response.__code__.co_firstlineno + 5
    waited_s, blocked_s = lengths_s
    assert blocked.length_s == pytest.approx(blocked_s, abs=0.1)
    assert blocked.at_s == pytest.approx(waited_s, abs=0.1)
    assert blocked.inside == ""


def test_a_library_that_blocks_is_named_by_the_line_that_called_it(kernel: Kernel) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    lengths_s: list[float] = []

    async def get_response(request: Any) -> AsyncIterator[str]:
        with (
            socket.create_connection(silent.getsockname(), timeout=0.5) as connection,
            connection.makefile("rb") as file,
        ):
            with suppress(TimeoutError), stretch(lengths_s):
                file.read(1)
            yield "no answer"

    with silent:
        [blocked] = blocked_by(kernel, get_response)
    assert blocked.at.code == "file.read(1)"
    assert blocked.inside == "socket.SocketIO.readinto"
    assert blocked.length_s == pytest.approx(lengths_s[0], abs=0.1)


def test_a_loop_that_computes_is_named_too(kernel: Kernel) -> None:
    lengths_s: list[float] = []

    async def get_response(request: Any) -> AsyncIterator[str]:
        until_s = time.monotonic() + 0.5
        with stretch(lengths_s):
            while time.monotonic() < until_s:
                json.dumps(list(range(200)))
        yield "computed"

    [blocked] = blocked_by(kernel, get_response)
    assert blocked.at.function.endswith("get_response")
    assert blocked.length_s == pytest.approx(lengths_s[0], abs=0.15)


def test_a_task_of_the_handler_that_blocks_is_the_handlers(kernel: Kernel) -> None:
    async def work() -> None:
        time.sleep(0.4)

    async def get_response(request: Any) -> AsyncIterator[str]:
        await asyncio.gather(work(), asyncio.sleep(0))
        yield "x"

    [blocked] = blocked_by(kernel, get_response)
    assert blocked.at.code == "time.sleep(0.4)"
    assert blocked.at.function.endswith("work")


def test_several_stretches_are_several(kernel: Kernel) -> None:
    async def get_response(request: Any) -> AsyncIterator[str]:
        for _ in range(2):
            time.sleep(0.35)
            await asyncio.sleep(0.12)
        yield "x"

    assert len(blocked_by(kernel, get_response)) == 2


def test_of_two_answers_on_one_loop_the_one_that_blocks_is_named(kernel: Kernel) -> None:
    async def get_response(request: Any) -> AsyncIterator[str]:
        yield "begun"
        if request.query[-1].content == "block":
            await asyncio.sleep(0.1)
            time.sleep(0.5)
        await asyncio.sleep(0.2)
        yield "x"

    kernel.serve(get_response)
    connections = [kernel.open(word) for word in ("patient", "block", "patient")]
    for connection in connections:
        with connection:
            assert b"event: done" in body_of(connection)
    exchanges = list(kernel.trace)[-3:]
    assert {e.request["query"][0]["content"]: len(e.blocked) for e in exchanges} == {"patient": 0, "block": 1}


def test_a_block_is_there_while_it_lasts_and_grows(kernel: Kernel) -> None:
    released = threading.Event()

    async def get_response(request: Any) -> AsyncIterator[str]:
        released.wait(5)
        yield "x"

    kernel.serve(get_response)
    with kernel.open() as connection:
        assert until(lambda: kernel.trace[-1].blocked)
        assert kernel.trace[-1].outcome == "open"
        [blocked] = kernel.trace[-1].blocked
        early_s = blocked.length_s
        assert until(lambda: blocked.length_s > early_s + 0.2)
        released.set()
        assert b"event: done" in body_of(connection)
    assert kernel.trace[-1].blocked == [blocked]
    assert blocked.at.code == "released.wait(5)"
    assert blocked.inside == "threading.Condition.wait"


def test_what_waits_computes_shortly_or_runs_in_a_thread_is_not_named(kernel: Kernel) -> None:
    async def patient(request: Any) -> AsyncIterator[str]:
        await asyncio.sleep(0.4)
        await asyncio.to_thread(time.sleep, 0.4)
        for _ in range(5):
            time.sleep(0.1)
            await asyncio.sleep(0)
        yield "x"

    def plain(request: Any) -> str:
        time.sleep(0.4)
        return "x"

    def generator(request: Any) -> Iterator[str]:
        time.sleep(0.4)
        yield "x"

    for handler in (patient, plain, generator):
        assert blocked_by(kernel, handler) == []


def test_many_answers_that_keep_a_loop_busy_together_are_not_named(kernel: Kernel) -> None:
    async def get_response(request: Any) -> AsyncIterator[str]:
        for n in range(8):
            until_s = time.monotonic() + 0.01
            while time.monotonic() < until_s:
                pass
            yield f"{n}"
            await asyncio.sleep(0)

    kernel.serve(get_response)
    connections = [kernel.open() for _ in range(15)]
    for connection in connections:
        with connection:
            assert b"event: done" in body_of(connection)
    assert [exchange.blocked for exchange in list(kernel.trace)[-15:]] == [[]] * 15


def test_a_key_in_the_line_is_not_kept(kernel: Kernel) -> None:
    async def get_response(request: Any) -> AsyncIterator[str]:
        time.sleep(0.4 if "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6" else 0)
        yield "x"

    [blocked] = blocked_by(kernel, get_response)
    assert blocked.at.code == 'time.sleep(0.4 if "[key hidden]" else 0)'


def test_nothing_is_watched_while_nothing_is_answered(kernel: Kernel) -> None:
    async def get_response(request: Any) -> AsyncIterator[str]:
        yield "x"

    blocked_by(kernel, get_response)
    watch = kernel.slots._watch
    assert until(lambda: not watch._loops)
    assert not watch._has_work.is_set()


def test_watching_a_loop_that_comes_round_never_looks_at_its_thread(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Any] = []
    monkeypatch.setattr(blocking._Pulse, "_look_at_thread", lambda *given: looks.append(given))

    async def get_response(request: Any) -> AsyncIterator[str]:
        for _ in range(40):
            await asyncio.sleep(0.01)
            yield "x"

    assert blocked_by(kernel, get_response) == []
    assert len(looks) <= 1
