"""From one thread's loop to another's: nothing lost, in order, at once, and never more than fits."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator

import pytest

from poe_notebook.runtime import bridge as module
from poe_notebook.runtime.bridge import Bridge
from poe_notebook.runtime.loop import LoopThread


@pytest.fixture(scope="module")
def loops() -> Iterator[tuple[LoopThread, LoopThread]]:
    """The reader's loop and the writer's."""
    pair = LoopThread("test-reader"), LoopThread("test-writer")
    yield pair
    for each in pair:
        each.close()


async def a_bridge() -> Bridge:
    return Bridge()


async def read(bridge: Bridge, *, pause_s: float = 0.0) -> list[bytes]:
    batches = []
    async for batch in bridge.batches():
        batches.append(batch)
        if pause_s:
            await asyncio.sleep(pause_s)
    return batches


@pytest.mark.parametrize("pauses", ["none", "after each", "now and then"])
def test_every_item_comes_across_in_order(loops: tuple[LoopThread, LoopThread], pauses: str) -> None:
    reader, writer = loops
    for seed in range(5):
        chance = random.Random(seed)
        bridge = reader.run(a_bridge())

        async def write(bridge: Bridge = bridge, chance: random.Random = chance) -> None:
            for n in range(3000):
                assert bridge.put(b"%d " % n)
                if pauses == "after each" or (pauses == "now and then" and chance.random() < 0.05):
                    await asyncio.sleep(0)
                if bridge.is_full or chance.random() < 0.01:
                    await bridge.room()
            bridge.end()

        writing = writer.submit(write())
        assert b"".join(reader.run(read(bridge))) == b"".join(b"%d " % n for n in range(3000))
        writing.result(1)


def test_an_item_comes_across_at_once(loops: tuple[LoopThread, LoopThread]) -> None:
    reader, writer = loops
    bridge = reader.run(a_bridge())
    delays: list[float] = []

    async def write() -> None:
        for _ in range(20):
            await asyncio.sleep(0.005)
            bridge.put(f"{time.monotonic()} ".encode())
        bridge.end()

    async def take() -> None:
        async for batch in bridge.batches():
            delays.extend(time.monotonic() - float(put) for put in batch.split())

    writer.submit(write())
    reader.run(take())
    assert len(delays) == 20
    assert sorted(delays)[10] < 0.01


def test_what_was_put_before_the_end_is_not_lost(loops: tuple[LoopThread, LoopThread]) -> None:
    reader, writer = loops

    async def write(bridge: Bridge) -> None:
        bridge.put(b"last")
        bridge.end()

    for _ in range(300):
        bridge = reader.run(a_bridge())
        writer.submit(write(bridge))
        assert reader.run(read(bridge)) == [b"last"]


@pytest.mark.parametrize("ends", [False, True])
def test_what_comes_just_as_the_reader_begins_to_wait_is_not_lost(
    loops: tuple[LoopThread, LoopThread], ends: bool
) -> None:
    class Meddling(asyncio.Event):
        """Lets the writer act at the worst moment: after the reader has looked, before it waits."""

        def clear(self) -> None:
            super().clear()
            if not bridge.has_ended:
                if not ends:
                    bridge.put(b"late")
                bridge.has_ended = True

    reader, _ = loops
    bridge = reader.run(a_bridge())
    bridge._wake = Meddling()
    started = time.monotonic()
    assert reader.run(read(bridge)) == ([] if ends else [b"late"])
    assert time.monotonic() - started < 1


def test_room_is_there_when_the_reader_has_taken_all(loops: tuple[LoopThread, LoopThread]) -> None:
    reader, writer = loops
    bridge = reader.run(a_bridge())

    async def write() -> None:
        bridge.put(b"x")
        await bridge.room()

    waiting = writer.submit(write())
    time.sleep(0.02)
    assert not waiting.done()
    reading = reader.submit(read(bridge))
    waiting.result(1)
    bridge.end()
    assert reading.result(1) == [b"x"]
    writer.run(bridge.room())  # and at once if there is nothing to take


def test_a_bridge_that_ends_empty_gives_nothing(loops: tuple[LoopThread, LoopThread]) -> None:
    reader, _ = loops
    bridge = reader.run(a_bridge())
    bridge.end()
    assert reader.run(read(bridge)) == []


def test_the_writer_waits_for_a_slow_reader(loops: tuple[LoopThread, LoopThread]) -> None:
    reader, writer = loops
    bridge = reader.run(a_bridge())
    most = 0

    async def write() -> None:
        nonlocal most
        for _ in range(200):
            bridge.put(b"x" * 10_000)
            most = max(most, sum(map(len, bridge._items)))
            if bridge.is_full:
                await bridge.room()
        bridge.end()

    writing = writer.submit(write())
    batches = reader.run(read(bridge, pause_s=0.002))
    writing.result(1)
    assert sum(map(len, batches)) == 2_000_000
    assert most <= module._HIGH_BYTES + 10_000
    assert max(map(len, batches)) <= module._HIGH_BYTES + 10_000


def test_a_reader_that_leaves_frees_the_writer_and_tells_it(loops: tuple[LoopThread, LoopThread]) -> None:
    reader, writer = loops
    bridge = reader.run(a_bridge())

    async def write() -> bool:
        while not bridge.is_full:
            bridge.put(b"x" * 10_000)
        await bridge.room()
        return bridge.put(b"more")

    writing = writer.submit(write())
    time.sleep(0.02)
    assert not writing.done()
    bridge.abandon()
    assert writing.result(1) is False


def test_silence_gives_an_empty_item(loops: tuple[LoopThread, LoopThread], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IDLE_S", 0.02)
    reader, writer = loops
    bridge = reader.run(a_bridge())

    async def write() -> None:
        await asyncio.sleep(0.1)
        bridge.put(b"late")
        bridge.end()

    writer.submit(write())
    batches = reader.run(read(bridge))
    assert batches[-1] == b"late"
    assert 2 <= batches[:-1].count(b"") == len(batches) - 1 <= 6


def test_a_reader_whose_loop_has_gone_stops_the_writer_without_an_error() -> None:
    reader = LoopThread("test-gone")
    bridge = reader.run(a_bridge())
    reader.submit(read(bridge))
    assert reader.is_responsive(1)
    reader.close()
    bridge.abandon()
    assert bridge.put(b"x") is False
    bridge.end()
