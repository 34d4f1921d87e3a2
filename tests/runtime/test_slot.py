"""One bot's address under real requests: stopped, blocked, slow, redefined, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import endpoints
import psutil
import pytest
from endpoints import KEY, Kernel, body_of, events_in, query, until

from poe_notebook.bot.base import PoeBot
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.runtime.slot import Slot

WORD: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="none")
MEGABYTE = "x" * 1_000_000


@pytest.fixture(scope="module")
def served() -> Iterator[Kernel]:
    with endpoints.kernel() as running:
        yield running


@pytest.fixture
def kernel(served: Kernel) -> Iterator[Kernel]:
    """The module's kernel, with no bots before and after."""
    yield served
    for name in served.slots.names:
        served.slots.remove(name)


def begun(kernel: Kernel, slot: Slot) -> socket.socket:
    """Ask a bot and read the beginning of its answer."""
    connection = kernel.open(name=slot.name)
    got = b""
    while b"event: text" not in got:
        got += connection.recv(65536)
    return connection


# Stop.


class Stoppable:
    """Handlers that never end by themselves, and when their clean-up ran."""

    def __init__(self) -> None:
        self.cleaned: list[float] = []

    async def waiting(self, request: Any) -> AsyncIterator[str]:
        try:
            yield "x"
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)  # a clean-up that waits is not cut short
            self.cleaned.append(time.monotonic())

    async def pausing(self, request: Any) -> AsyncIterator[str]:
        try:
            while True:
                yield "x"
                await asyncio.sleep(0.01)
        finally:
            self.cleaned.append(time.monotonic())

    async def tight(self, request: Any) -> AsyncIterator[str]:
        try:
            while True:
                yield "x"
        finally:
            self.cleaned.append(time.monotonic())

    async def swallowing(self, request: Any) -> AsyncIterator[str]:
        try:
            while True:
                yield "x"
                try:
                    await asyncio.sleep(0.01)
                except asyncio.CancelledError:
                    yield "still here"
        finally:
            self.cleaned.append(time.monotonic())

    def plain(self, request: Any) -> Iterator[str]:
        try:
            while True:
                yield "x"
                time.sleep(0.05)
        finally:
            self.cleaned.append(time.monotonic())

    def plain_and_tight(self, request: Any) -> Iterator[str]:
        try:
            while True:
                yield "x"
        finally:
            self.cleaned.append(time.monotonic())


@pytest.mark.parametrize("name", ["waiting", "pausing", "tight", "swallowing", "plain", "plain_and_tight"])
@pytest.mark.parametrize("how", ["the reader leaves", "the bot is stopped"])
def test_stop_cleans_up_within_half_a_second(kernel: Kernel, name: str, how: str) -> None:
    stoppable = Stoppable()
    method: Callable[[Any], Any] = getattr(stoppable, name)
    slot = kernel.serve(method, name)
    connection = begun(kernel, slot)
    assert len(slot.leases) == 1
    stopped = time.monotonic()
    if how == "the reader leaves":
        connection.close()
    else:
        slot.stop()
    assert until(lambda: stoppable.cleaned and not slot.leases, within_s=2)
    assert stoppable.cleaned[0] - stopped < 0.5
    assert len(stoppable.cleaned) == 1
    exchange = kernel.trace[-1]
    assert exchange.outcome == "stopped"
    assert "The handler was cancelled after" in exchange.note
    assert (slot.answered, slot.failed) == (0, 0)
    connection.close()


def test_a_stopped_answer_ends_in_error_and_done_for_a_reader_that_is_still_there(kernel: Kernel) -> None:
    slot = kernel.serve(Stoppable().waiting, "Bot")
    count = len(kernel.trace)
    connection = kernel.open()
    assert until(lambda: len(kernel.trace) > count and kernel.trace[-1].events)
    slot.stop()
    with connection:
        events = events_in(body_of(connection))
    assert [event.type for event in events] == ["text", "error", "done"]
    assert events[1].data["allow_retry"] is True
    assert until(lambda: not slot.leases)
    assert [event.type for event in kernel.trace[-1].events] == ["text", "error", "done"]


async def a_wait_without_end() -> None:
    await asyncio.Event().wait()


def test_a_stopped_handler_says_at_which_line_it_waited(kernel: Kernel) -> None:
    async def waiting(request: Any) -> AsyncIterator[str]:
        yield "x"
        await a_wait_without_end()

    async def at_a_yield(request: Any) -> AsyncIterator[str]:
        while True:
            yield "x" * 10_000

    def plain(request: Any) -> Iterator[str]:
        while True:
            yield "x"
            time.sleep(0.05)

    def note_of(handler: Any) -> str:
        slot = kernel.serve(handler, handler.__name__)
        with begun(kernel, slot):
            time.sleep(0.1)  # the first text is handed over before the handler goes on
            slot.stop()
            assert until(lambda: not slot.leases)
        return kernel.trace[-1].note

    notes = [note_of(handler) for handler in (waiting, at_a_yield, plain)]
    line = a_wait_without_end.__code__.co_firstlineno + 1
    assert notes[0].endswith(f" s, while it waited at {__file__}, line {line}: await asyncio.Event().wait()")
    assert re.fullmatch(r"The handler was cancelled after [\d.]+ s\.", notes[1])
    assert re.fullmatch(r"The handler was cancelled after [\d.]+ s\.", notes[2])


def test_a_blocked_handler_is_ended_for_its_reader_at_once_and_for_itself_when_it_comes_back(kernel: Kernel) -> None:
    async def blocking(request: Any) -> AsyncIterator[str]:
        yield "x"
        time.sleep(0.6)
        yield "y"

    slot = kernel.serve(blocking, "Bot")
    connection = begun(kernel, slot)
    assert until(lambda: not slot.generations[0].thread.is_responsive(0.02))
    stopped = time.monotonic()
    slot.stop()
    with connection:
        while connection.recv(65536):
            if time.monotonic() - stopped > 2:
                break
            if b"stopped" in b"".join(event.raw for event in kernel.trace[-1].events):
                break
    assert time.monotonic() - stopped < 0.3
    assert slot.leases
    assert until(lambda: not slot.leases, within_s=2)


def test_a_request_whose_handler_never_came_to_run_leaves_no_lease(kernel: Kernel) -> None:
    async def blocking(request: Any) -> AsyncIterator[str]:
        yield "x"
        time.sleep(0.4)

    slot = kernel.serve(blocking, "Bot")
    connection = begun(kernel, slot)
    assert until(lambda: not slot.generations[0].thread.is_responsive(0.02))
    waiting = [kernel.open() for _ in range(5)]
    assert until(lambda: len(slot.leases) == 6)
    for each in waiting:
        each.close()
    connection.close()
    assert until(lambda: not slot.leases, within_s=2)
    assert [exchange.outcome for exchange in list(kernel.trace)[-6:]] == ["stopped"] * 6


# Blocked and slow.


def test_a_blocked_handler_stalls_neither_another_bot_nor_the_server(kernel: Kernel) -> None:
    async def blocking(request: Any) -> AsyncIterator[str]:
        yield "x"
        time.sleep(0.7)

    async def quick(request: Any) -> AsyncIterator[str]:
        yield "quick"

    slot = kernel.serve(blocking, "Blocking")
    kernel.serve(quick, "Quick")
    with begun(kernel, slot):
        assert until(lambda: not slot.generations[0].thread.is_responsive(0.02))
        started = time.monotonic()
        assert kernel.ask(name="Quick").text == "quick"
        assert kernel.post({"version": "1", "type": "settings"}, "Quick").status == 200
        assert endpoints.http_request(kernel.port, "/Blocking", method="GET").status == 200
        assert kernel.post(b"{", "Blocking").status == 400
        assert time.monotonic() - started < 0.4
        assert kernel.slots.named("Blocking").leases


def test_a_new_definition_answers_while_the_old_one_is_blocked(kernel: Kernel) -> None:
    async def blocking(request: Any) -> AsyncIterator[str]:
        yield "old "
        time.sleep(0.7)
        yield "end"

    async def quick(request: Any) -> AsyncIterator[str]:
        yield "new"

    slot = kernel.serve(blocking)
    with begun(kernel, slot) as old:
        assert until(lambda: not slot.generations[0].thread.is_responsive(0.02))
        started = time.monotonic()
        kernel.serve(quick)
        assert kernel.ask().text == "new"
        assert time.monotonic() - started < 0.5
        assert [len(generation.leases) for generation in slot.generations] == [1, 0]
        rest = b""
        while b"event: done" not in rest:
            rest += old.recv(65536)
        assert b'"end"' in rest


def many_megabytes(is_plain: bool, made: list[int]) -> Any:
    async def asynchronous(request: Any) -> AsyncIterator[str]:
        for n in range(200):
            made[0] = n + 1
            yield MEGABYTE

    def plain(request: Any) -> Iterator[str]:
        for n in range(200):
            made[0] = n + 1
            yield MEGABYTE

    return plain if is_plain else asynchronous


@pytest.mark.parametrize("is_plain", [False, True], ids=["async", "plain"])
def test_a_slow_reader_holds_the_handler_back(kernel: Kernel, is_plain: bool) -> None:
    made = [0]
    slot = kernel.serve(many_megabytes(is_plain, made), "Large")
    connection = begun(kernel, slot)
    got, until_ = 0, time.monotonic() + 0.4
    while time.monotonic() < until_:
        got += len(connection.recv(20_000))
        time.sleep(0.01)
    assert made[0] <= got // 1_000_000 + 12  # what the sockets hold, one batch under way, and the bridge
    connection.close()
    assert until(lambda: not slot.leases)
    assert made[0] < 30


@pytest.mark.parametrize("is_plain", [False, True], ids=["async", "plain"])
def test_two_hundred_megabytes_go_through_in_little_memory(kernel: Kernel, is_plain: bool) -> None:
    kernel.serve(many_megabytes(is_plain, [0]), "Large")
    process, most, got = psutil.Process(), 0, 0
    gc.collect()
    before = process.memory_info().rss
    with kernel.open(name="Large") as connection:
        tail = b""
        while b"event: done" not in tail:
            piece = connection.recv(1 << 20)
            got, tail = got + len(piece), tail[-100:] + piece
            if got % 7 == 0:
                most = max(most, process.memory_info().rss - before)
    assert got > 200_000_000
    assert most < 100_000_000
    tap = kernel.trace[-1].server
    assert tap is not None
    assert len(tap.events) + tap.omitted == 201
    assert sum(len(event.raw) for event in tap.events) < 17_000_000


# Where and how handlers run.


def test_handlers_run_in_the_context_of_their_definition_each_in_a_copy(kernel: Kernel) -> None:
    async def get_response(request: Any) -> AsyncIterator[str]:
        before = WORD.get()
        WORD.set("changed")
        yield f"{before} {await asyncio.to_thread(WORD.get)}"

    token = WORD.set("defined")
    kernel.serve(get_response)
    WORD.reset(token)
    assert kernel.ask().text == "defined changed"
    assert kernel.ask().text == "defined changed"


def test_answers_of_one_bot_run_side_by_side(kernel: Kernel) -> None:
    async def get_response(request: Any) -> AsyncIterator[str]:
        together.append(1)
        await asyncio.sleep(0.2)
        yield str(len(together))

    together: list[int] = []
    kernel.serve(get_response)
    connections = [kernel.open() for _ in range(20)]
    started = time.monotonic()
    bodies = [body_of(connection) for connection in connections]
    assert time.monotonic() - started < 1
    assert all(b'"20"' in body for body in bodies)
    for connection in connections:
        connection.close()


def test_other_methods_run_on_the_bots_own_loop(kernel: Kernel) -> None:
    class Bot(PoeBot):
        async def get_response(self, request: Any) -> AsyncIterator[str]:
            yield threading.current_thread().name

        async def get_settings(self, setting: Any) -> SettingsResponse:
            return SettingsResponse(introduction_message=f"{threading.current_thread().name} {WORD.get()}")

    token = WORD.set("defined")
    kernel.serve(Bot())
    WORD.reset(token)
    where = kernel.ask().text
    settings = kernel.post({"version": "1", "type": "settings"}).json
    assert where.startswith("poe-bot-")
    assert settings["introduction_message"] == f"{where} defined"


def test_a_plain_method_will_do_and_a_missing_one_is_no_error(kernel: Kernel) -> None:
    class Bot:
        """A bot by shape alone."""

        async def get_response(self, request: Any) -> AsyncIterator[str]:
            yield "x"

        def get_settings_with_context(self, setting: Any, context: Any) -> SettingsResponse:
            return SettingsResponse(introduction_message="plain")

    from poe_notebook.bot.handlers import servable
    from poe_notebook.keys import Secret

    kernel.slots.publish(servable(Bot(), name="Bot"), thread=kernel.slots.thread_for("Bot"), access_key=Secret(KEY))
    assert kernel.post({"version": "1", "type": "settings"}).json["introduction_message"] == "plain"
    ids = {"version": "1", "message_id": "m", "user_id": "u", "conversation_id": "c"}
    assert kernel.post({**ids, "type": "report_reaction", "reaction": "like"}).json == {}


def test_answers_are_counted_and_every_change_is_told(kernel: Kernel) -> None:
    async def get_response(request: Any) -> AsyncIterator[str]:
        if request.query[-1].content == "fail":
            raise ValueError
        yield "x"

    slot = kernel.serve(get_response)
    kernel.changes.clear()
    kernel.ask()
    kernel.ask("fail")
    kernel.ask()
    assert until(lambda: not slot.leases)
    assert (slot.answered, slot.failed) == (2, 1)
    assert until(lambda: len(kernel.changes) == 6)  # a lease taken and given back, each time


# Generations.


def saying(word: str, pieces: int = 5) -> Any:
    async def get_response(request: Any) -> AsyncIterator[str]:
        for n in range(pieces):
            yield f"{word} "
            await asyncio.sleep(0.0005 if n % 2 else 0)

    return get_response


def test_running_answers_end_on_their_own_generation_however_many_come_after_it(kernel: Kernel) -> None:
    release = threading.Event()

    async def first(request: Any) -> AsyncIterator[str]:
        yield "first "
        while not release.is_set():
            await asyncio.sleep(0.005)
        yield "to the end"

    slot = kernel.serve(first)
    connection = begun(kernel, slot)
    for n in range(30):
        kernel.serve(saying(f"later{n}"))
        assert kernel.ask().text.startswith(f"later{n} ")
    assert [generation.number for generation in slot.generations] == [1, *range(22, 32)]
    assert len(slot.leases) == 1
    release.set()
    rest = b""
    while b"event: done" not in rest:
        rest += connection.recv(65536)
    connection.close()
    assert b"to the end" in rest
    assert until(lambda: not slot.leases)
    kernel.serve(saying("last"))
    assert slot.generations[0].number == 23


def test_a_thousand_redefinitions_under_load_lose_and_mix_no_answer(kernel: Kernel) -> None:
    slot = kernel.serve(saying("g1"))
    stop, wrong, counts = threading.Event(), [], [0] * 4

    def ask(name: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", kernel.port, timeout=10)
        body, headers = json.dumps(query()), {"Authorization": f"Bearer {KEY}"}
        while not stop.is_set():
            assert slot.current is not None
            at_least = slot.current.number
            connection.request("POST", "/Bot", body, headers)
            events = events_in(connection.getresponse().read())
            words = "".join(event.data.get("text", "") for event in events).split()
            kinds = [event.type for event in events]
            if kinds != ["text"] * 5 + ["done"] or len(set(words)) != 1 or int(words[0][1:]) < at_least:
                wrong.append((at_least, events))
                return
            counts[name] += 1
        connection.close()

    askers = [threading.Thread(target=ask, args=(name,)) for name in range(4)]
    for asker in askers:
        asker.start()
    for n in range(2, 1002):
        kernel.serve(saying(f"g{n}"))
        if n % 5 == 0:
            time.sleep(0.002)  # so that answers begin, run on and end between definitions
    stop.set()
    for asker in askers:
        asker.join(10)
    assert wrong == []
    assert min(counts) > 20
    assert until(lambda: not slot.leases)
    assert kernel.ask().text.startswith("g1001 ")
    assert slot.answered == sum(counts) + 1
    assert until(lambda: sum(thread.name == "poe-bot-Bot" for thread in threading.enumerate()) <= len(slot.generations))


def test_memory_is_flat_over_thousands_of_exchanges() -> None:
    async def quick(request: Any) -> AsyncIterator[str]:
        for _ in range(3):
            yield "x"

    with endpoints.kernel(max_trace_bytes=1_000_000) as kernel:
        kernel.serve(quick)
        kernel.serve(lambda request: "plain", "Plain")
        connection = http.client.HTTPConnection("127.0.0.1", kernel.port, timeout=10)

        def ask(times: int) -> int:
            for n in range(times):
                path = "/Plain" if n % 10 == 0 else "/Bot"
                connection.request("POST", path, json.dumps(query()), {"Authorization": f"Bearer {KEY}"})
                assert b"event: done" in connection.getresponse().read()
            kernel.changes.clear()
            gc.collect()
            return len(gc.get_objects())

        ask(500)
        before = ask(100)
        after = ask(1200)
        connection.close()
        assert kernel.trace.dropped > 800
        assert kernel.trace.size_bytes <= 1_000_000
        assert after - before < 0.02 * before
