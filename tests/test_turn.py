"""Turns against real servers: to the end, stopped, late, broken; and what is said about each."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import endpoints
import pytest
from endpoints import KEY, Kernel, raw_server, response, until
from recorded import an_exchange

from poe_notebook.client.query import stream_events
from poe_notebook.conversation import Conversation
from poe_notebook.errors import BotError, BotErrorNoRetry
from poe_notebook.keys import Secret
from poe_notebook.tracing.exchange import Blocked, Place
from poe_notebook.turn import Turn, _what_the_handler_did


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with endpoints.kernel() as running:
        yield running


def a_turn(
    kernel: Kernel, *, bot: str = "Bot", url: str = "", key: str = KEY, timeout_s: float | None = None, text: str = "hi"
) -> Turn:
    request, reply = Conversation(bot).ask(text, route="kernel")
    recording = kernel.trace.begin_client(
        bot=bot, kind="query", message_id=request.message_id, route="kernel", request={}, url=url
    )
    events = stream_events(request, url or kernel.url(bot), key=Secret(key), is_local=True, recording=recording)
    return Turn(reply, events, recording, thread=kernel.thread, timeout_s=timeout_s)


class Handlers:
    """Handlers, and the times at which their clean-up ran."""

    def __init__(self) -> None:
        self.cleaned: list[float] = []
        self.blocks = threading.Event()

    async def counting(self, request: Any) -> AsyncIterator[str]:
        try:
            for n in range(1000):
                yield f"{n} "
                await asyncio.sleep(0.02)
        finally:
            self.cleaned.append(time.monotonic())

    async def silent(self, request: Any) -> AsyncIterator[str]:
        await asyncio.sleep(60)
        yield "never"

    async def blocking(self, request: Any) -> AsyncIterator[str]:
        yield "first "
        self.blocks.set()
        time.sleep(0.6)
        self.blocks.clear()
        yield "second"

    async def failing(self, request: Any) -> AsyncIterator[str]:
        yield "so far "
        raise ValueError("no more")

    async def mistaken(self, request: Any) -> AsyncIterator[Any]:
        yield 3

    async def empty(self, request: Any) -> AsyncIterator[str]:
        for _ in ():
            yield ""


@pytest.fixture(scope="module")
def handlers(kernel: Kernel) -> Handlers:
    made = Handlers()
    for name in ("counting", "silent", "blocking", "failing", "mistaken", "empty"):
        method: Any = getattr(made, name)

        def handler(request: Any, method: Callable[..., Any] = method) -> Any:
            return method(request)

        kernel.serve(handler, name)
    return made


def test_a_turn_runs_to_its_end(kernel: Kernel) -> None:
    async def echo(request: Any) -> AsyncIterator[str]:
        yield "you said "
        yield request.query[-1].content

    kernel.serve(echo)
    turn = a_turn(kernel, text="hello")
    reply = turn.run()
    assert (reply.text, reply.state, reply.failure, reply.generation) == ("you said hello", "done", None, 1)
    assert [event.type for event in reply.events] == ["text", "text", "done"]
    assert reply.exchange is kernel.trace[-1]
    assert reply.exchange.outcome == "done"
    assert reply.exchange.server is not None
    assert reply.first_text_s is not None
    assert reply.duration_s is not None
    assert reply.first_text_s <= reply.duration_s < 2
    assert asyncio.run(a_turn(kernel, text="again").arun()).text == "you said again"


def test_a_turn_gives_its_reply_while_it_grows_and_while_nothing_comes(kernel: Kernel, handlers: Handlers) -> None:
    lengths, started = [], time.monotonic()
    with a_turn(kernel, bot="counting") as turn:
        for reply in turn:
            lengths.append(len(reply.text))
            if time.monotonic() - started > 0.3:
                break
    assert len(set(lengths)) > 6
    ticks, started = 0, time.monotonic()
    with a_turn(kernel, bot="silent") as turn:
        for _ in turn:
            ticks += 1
            if time.monotonic() - started > 0.3:
                break
    assert 3 <= ticks < 12


# Stopped.


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ValueError])
def test_leaving_the_block_stops_the_answer_in_half_a_second(
    kernel: Kernel, handlers: Handlers, error: type[BaseException] | None
) -> None:
    handlers.cleaned.clear()
    turn = a_turn(kernel, bot="counting")
    left = 0.0
    try:
        with turn:
            for reply in turn:
                if len(reply.text) > 10:
                    left = time.monotonic()
                    if error is not None:
                        raise error
                    break
    except (KeyboardInterrupt, ValueError):
        pass
    assert time.monotonic() - left < 0.5
    assert handlers.cleaned[0] - left < 0.5
    reply = turn.reply
    assert (reply.state, reply.failure) == ("stopped", None)
    assert reply.text.startswith("0 1 2 ")
    assert "The handler was cancelled after" in reply.note
    assert kernel.trace[-1].outcome == "stopped"


def test_stopping_before_anything_came_is_quick_too(kernel: Kernel, handlers: Handlers) -> None:
    turn = a_turn(kernel, bot="silent")
    with turn:
        next(iter(turn))
        left = time.monotonic()
    assert time.monotonic() - left < 0.5
    assert (turn.reply.state, turn.reply.text) == ("stopped", "")


def test_a_turn_that_was_never_begun_may_be_stopped(kernel: Kernel, handlers: Handlers) -> None:
    turn = a_turn(kernel, bot="silent")
    with turn:
        pass
    assert turn.reply.state == "stopped"
    assert "The connection was closed" in turn.reply.note


def test_stopping_a_handler_that_blocks_does_not_wait_for_it_and_says_so(kernel: Kernel, handlers: Handlers) -> None:
    turn = a_turn(kernel, bot="blocking")
    with turn:
        for reply in turn:
            if reply.text and handlers.blocks.is_set():
                break
        time.sleep(0.1)  # so that what blocks is seen in time, on a slow machine too
        left = time.monotonic()
    assert time.monotonic() - left < 0.5
    assert turn.reply.text == "first "
    assert "has not come back yet" in turn.reply.note
    assert "it is in blocking code" in turn.reply.note
    assert until(lambda: kernel.trace[-1].server and kernel.trace[-1].server.ended_s)


def test_a_handler_in_its_own_clean_up_is_not_said_to_block(kernel: Kernel) -> None:
    cleaning = threading.Event()

    async def slow_to_go(request: Any) -> AsyncIterator[str]:
        try:
            yield "first "
            await asyncio.sleep(60)
        finally:
            cleaning.set()
            await asyncio.sleep(0.8)

    kernel.serve(slow_to_go)
    turn = a_turn(kernel)
    with turn:
        next(reply for reply in turn if reply.text)
    assert cleaning.is_set()
    assert "has not come back yet: it may be cleaning up, in a `finally`" in turn.reply.note
    assert "blocking" not in turn.reply.note


def test_a_handler_that_was_seen_to_block_is_said_to() -> None:
    exchange = an_exchange("first", outcome="stopped")
    assert exchange.server is not None
    exchange.server.ended_s = None
    exchange.blocked = [Blocked(0.1, 0.5, Place("Cell In[1]", 3))]
    assert "it is in blocking code" in _what_the_handler_did(exchange, 0.65)
    assert "it may be cleaning up" in _what_the_handler_did(exchange, 5.0), "that was long ago"


# Late.


def test_an_answer_that_takes_too_long_has_failed_and_keeps_its_text(kernel: Kernel, handlers: Handlers) -> None:
    started = time.monotonic()
    reply = a_turn(kernel, bot="counting", timeout_s=0.2).run()
    assert time.monotonic() - started < 1
    assert reply.state == "failed"
    assert reply.text.startswith("0 1 ")
    assert reply.failure is not None
    assert reply.failure.text == "No end of the answer within 0.2 s."
    started = time.monotonic()
    reply = asyncio.run(a_turn(kernel, bot="silent", timeout_s=0.2).arun())
    assert time.monotonic() - started < 1
    assert (reply.state, reply.failure is not None) == ("failed", True)


def test_cancelling_a_coroutine_stops_its_turn_without_blocking_the_loop(kernel: Kernel, handlers: Handlers) -> None:
    turn = a_turn(kernel, bot="blocking")

    async def run() -> float:
        task = asyncio.create_task(turn.arun())
        while not turn.reply.text or not handlers.blocks.is_set():
            await asyncio.sleep(0.005)
        task.cancel()
        longest, last = 0.0, time.monotonic()
        while not task.done():
            await asyncio.sleep(0.005)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        assert task.cancelled()
        return longest

    assert asyncio.run(run()) < 0.15
    assert turn.reply.state == "stopped"
    assert turn.reply.text == "first "
    assert until(lambda: not kernel.slots.named("blocking").leases)


# Failed.


def test_an_exception_of_the_handler_is_explained_with_its_lines(kernel: Kernel, handlers: Handlers) -> None:
    reply = a_turn(kernel, bot="failing").run()
    assert (reply.state, reply.text) == ("failed", "so far ")
    assert reply.failure is not None
    assert reply.failure.error_type == "ValueError"
    assert 'raise ValueError("no more")' in reply.failure.traceback
    assert "poe_notebook/" not in reply.failure.traceback
    assert "run its cell again" in reply.failure.hint
    assert kernel.trace[-1].outcome == "failed"


def test_a_mistake_of_the_handler_is_explained_with_what_to_write(kernel: Kernel, handlers: Handlers) -> None:
    reply = a_turn(kernel, bot="mistaken").run()
    assert reply.failure is not None
    assert reply.failure.hint == "Write: yield str(value)"
    assert "yield 3" in reply.failure.traceback


def test_an_answer_of_nothing_has_failed(kernel: Kernel, handlers: Handlers) -> None:
    reply = a_turn(kernel, bot="empty").run()
    assert reply.state == "failed"
    assert reply.failure is not None
    assert "without giving anything" in reply.failure.text
    assert [event.type for event in reply.events] == ["done"]


def test_a_bot_that_is_stopped_in_the_middle_says_so_to_its_asker(kernel: Kernel) -> None:
    async def endless(request: Any) -> AsyncIterator[str]:
        yield "x"
        await asyncio.sleep(60)

    kernel.serve(endless, "Removed")
    turn = a_turn(kernel, bot="Removed")
    for reply in turn:
        if reply.text and "Removed" in kernel.slots:
            kernel.slots.remove("Removed")
    assert turn.reply.state == "failed"
    assert turn.reply.failure is not None
    assert turn.reply.failure.text == "This bot was stopped while it was answering."


@pytest.mark.parametrize("is_async", [False, True])
def test_a_refusal_is_raised(kernel: Kernel, handlers: Handlers, is_async: bool) -> None:
    for turn in (a_turn(kernel, bot="counting", key="wrong-key-wrong-key"), a_turn(kernel, bot="nobody")):
        with pytest.raises(BotErrorNoRetry):
            asyncio.run(turn.arun()) if is_async else turn.run()
        assert turn.reply.state == "failed"
        assert kernel.trace.numbered(turn.reply.exchange.number).outcome == "refused"


def test_nobody_there_is_raised(kernel: Kernel) -> None:
    turn = a_turn(kernel, url="http://127.0.0.1:1/Bot")
    with pytest.raises(BotError, match="Nothing answers"):
        turn.run()
    assert turn.reply.is_finished


HI = b'event: text\ndata: {"text": "hi"}\n\n'


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (b"", "broke off"),
        (b"event: text\ndata: {\n\n", "is no JSON"),
        (b'event: text\ndata: {"text": 5}\n\nevent: text\ndata: {"text": "more"}\n\n', "has a number as 'text'"),
        (b"event: file\ndata: {}\n\n" + HI * 1000, "comes without 'url'"),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_stream_that_breaks_in_the_middle_keeps_what_came(
    kernel: Kernel, rest: bytes, said: str, is_async: bool
) -> None:
    with raw_server([response(HI), 0.1, rest]) as server:
        turn = a_turn(kernel, url=server.url)
        reply = asyncio.run(turn.arun()) if is_async else turn.run()
    assert (reply.state, reply.text) == ("failed", "hi")
    assert reply.failure is not None
    assert said in reply.failure.text
    assert kernel.trace[-1].outcome == "failed"


def test_a_stream_that_is_given_up_is_closed(kernel: Kernel) -> None:
    bad = b"event: file\ndata: {}\n\n"
    with raw_server([response(HI + bad), *[HI * 1000, 0.005] * 400]) as server:
        turn = a_turn(kernel, url=server.url)
        assert turn.run().state == "failed"
        started = time.monotonic()
    assert time.monotonic() - started < 0.5  # the server met a closed connection, instead of 2 s of script
    assert turn.reply.text == "hi"


def test_no_task_is_left_after_turns_of_every_kind(kernel: Kernel) -> None:
    def names() -> list[str]:
        async def pumps() -> list[str]:
            return [name for task in asyncio.all_tasks() if "_pump" in (name := str(task.get_coro()))]

        return kernel.thread.run(pumps())

    assert until(lambda: not names())
