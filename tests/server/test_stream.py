"""One answer on the wire: in time, kept alive, and ended when its reader leaves."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import endpoints
import pytest
from endpoints import Kernel, events_in, until

from poe_notebook.runtime import bridge


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with endpoints.kernel() as running:
        yield running


def test_each_piece_is_sent_when_it_is_given(kernel: Kernel) -> None:
    async def get_response(request: Any) -> AsyncIterator[str]:
        for n in range(3):
            yield f"piece{n}"
            await asyncio.sleep(0.1)

    kernel.serve(get_response, "Slow")
    started, came = time.monotonic(), {}
    with kernel.open(name="Slow") as connection:
        raw = b""
        while b"event: done" not in raw:
            raw += connection.recv(65536)
            for n in range(3):
                if f"piece{n}".encode() in raw:
                    came.setdefault(n, time.monotonic() - started)
    assert came[0] < 0.08
    assert 0.08 < came[1] < 0.18
    assert 0.18 < came[2] < 0.28


def test_a_silent_answer_is_kept_alive_by_comments(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "_IDLE_S", 0.05)

    async def get_response(request: Any) -> AsyncIterator[str]:
        await asyncio.sleep(0.28)
        yield "late"

    kernel.serve(get_response, "Silent")
    answer = kernel.ask(name="Silent")
    assert 3 <= answer.body.count(b": ping\n\n") <= 6
    assert [event.type for event in events_in(answer.body)] == ["text", "done"]


def test_the_head_is_sent_before_the_first_piece(kernel: Kernel) -> None:
    async def get_response(request: Any) -> AsyncIterator[str]:
        await asyncio.sleep(5)
        yield "late"

    kernel.serve(get_response, "Late")
    started = time.monotonic()
    with kernel.open(name="Late") as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    assert time.monotonic() - started < 1


def test_an_answer_without_a_piece_ends_in_done(kernel: Kernel) -> None:
    async def get_response(request: Any) -> AsyncIterator[str]:
        for _ in ():
            yield "never"

    kernel.serve(get_response, "Mute")
    answer = kernel.ask(name="Mute")
    assert answer.body == b"event: done\ndata: {}\n\n"


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_reader_that_leaves_a_silent_answer_ends_it(kernel: Kernel, how: str) -> None:
    ended: list[float] = []

    async def get_response(request: Any) -> AsyncIterator[str]:
        try:
            yield "x"
            await asyncio.sleep(60)
        finally:
            ended.append(time.monotonic())

    slot = kernel.serve(get_response, "Left")
    connection = kernel.open(name="Left")
    got = b""
    while b"event: text" not in got:
        got += connection.recv(65536)
    if how == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST instead of FIN
    left = time.monotonic()
    connection.close()
    assert until(lambda: ended and not slot.leases, within_s=2)
    assert ended[0] - left < 0.5
    assert until(lambda: kernel.trace[-1].outcome == "stopped")
    assert "cancelled after" in kernel.trace[-1].note


def test_an_answer_that_is_over_leaves_nothing_behind(kernel: Kernel) -> None:
    async def get_response(request: Any) -> AsyncIterator[str]:
        yield "x"

    slot = kernel.serve(get_response, "Quick")

    def tasks() -> int:
        async def count() -> int:
            return len(asyncio.all_tasks())

        return kernel.thread.run(count())

    kernel.ask(name="Quick")
    assert until(lambda: not slot.leases)
    before = tasks()
    for _ in range(20):
        kernel.ask(name="Quick")
    assert until(lambda: not slot.leases)
    assert until(lambda: tasks() <= before)
