"""A bot answered for on the server's own loop, over real sockets and with the trace on."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from apps import serving
from endpoints import KEY, Answer, body_of, events_in, http_request, query, raw_request, until

from poe_notebook.bot.base import PoeBot
from poe_notebook.bot.handlers import function_bot
from poe_notebook.keys import Redactor, Secret
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.server import endpoint
from poe_notebook.server.app import build_app
from poe_notebook.server.endpoint import InlineEndpoint
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.recorder import CURRENT, Trace

REQUEST = QueryRequest.model_validate(query())


@dataclass
class Running:
    """A bot that is served inline, and the trace of what it was asked."""

    port: int
    trace: Trace

    def ask(self, **body: Any) -> Answer:
        return http_request(self.port, "/", body={**query(), **body})

    def open(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(raw_request("/", json.dumps(query()).encode()))
        return connection

    @property
    def exchange(self) -> Exchange:
        return self.trace[-1]


@contextmanager
def served(bot: Any) -> Iterator[Running]:
    redactor = Redactor()
    redactor.add(Secret(KEY))
    trace, inline = Trace(redactor), inline_of(bot)
    with serving(build_app(lambda path: inline, trace)) as port:
        yield Running(port, trace)


def inline_of(bot: Any) -> InlineEndpoint:
    bot = bot if isinstance(bot, PoeBot) else function_bot({"get_response": bot}, name="Bot")
    return InlineEndpoint(bot, name="Bot", access_key=Secret(KEY))


def read_until(connection: socket.socket, word: bytes) -> bytes:
    seen = b""
    while word not in seen:
        seen += connection.recv(4096)
    return seen


def test_an_answer_is_sent_and_recorded_event_by_event() -> None:
    async def handler(request: Any) -> AsyncIterator[str]:
        assert CURRENT.get() is not None
        yield request.query[-1].content
        yield f"!{request.access_key}"

    with served(handler) as running:
        answer, exchange = running.ask(), running.exchange
    assert answer.text == f"hello!{KEY}"
    assert exchange.server is not None
    assert [event.type for event in exchange.server.events] == ["text", "text", "done"]
    assert b"".join(event.raw for event in exchange.server.events) == answer.body.replace(KEY.encode(), b"[key hidden]")
    assert (exchange.outcome, exchange.bot, exchange.server.status) == ("done", "Bot", 200)
    assert exchange.server.ended_s is not None


def test_a_failed_answer_ends_in_an_error_and_is_recorded_with_its_exception() -> None:
    async def handler(request: Any) -> AsyncIterator[str]:
        yield "so far"
        raise ValueError(f"because of {KEY}")

    with served(handler) as running:
        answer, exchange = running.ask(), running.exchange
    assert [event.type for event in answer.events] == ["text", "error", "done"]
    assert exchange.outcome == "failed"
    assert exchange.raised is not None
    assert (exchange.raised.type, exchange.raised.message) == ("ValueError", "because of [key hidden]")


# How it is sent.


def test_what_is_yielded_without_waiting_leaves_in_few_pieces_the_first_of_them_at_once() -> None:
    async def handler(request: Any) -> AsyncIterator[str]:
        for n in range(5_000):
            yield f"{n} "

    async def pieces() -> list[bytes]:
        recording = Trace(Redactor()).begin_server(bot="Bot", kind="query", message_id="m", request={}, headers={})
        context: Any = None
        return [piece async for piece in inline_of(handler).answer(REQUEST, context, recording)]

    sent = asyncio.run(pieces())
    assert len(events_in(sent[0])) == 1
    assert [event.type for event in events_in(b"".join(sent))] == ["text"] * 5_000 + ["done"]
    assert len(sent) < 200


def test_what_is_yielded_ahead_of_a_wait_leaves_at_once() -> None:
    async def handler(request: Any) -> AsyncIterator[str]:
        yield "first"
        await asyncio.sleep(0.6)
        yield "last"

    with served(handler) as running, running.open() as connection:
        started = time.monotonic()
        assert b"last" not in read_until(connection, b"first")
        assert time.monotonic() - started < 0.5


def test_a_silent_handler_is_kept_alive_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_IDLE_S", 0.05)

    async def handler(request: Any) -> AsyncIterator[str]:
        await asyncio.sleep(0.2)
        yield "awake"

    with served(handler) as running:
        answer = running.ask()
    assert answer.body.count(b": ping\n\n") in (2, 3, 4)
    assert answer.text == "awake"


def test_a_reader_that_does_not_read_holds_the_handler_back() -> None:
    count = 0

    async def handler(request: Any) -> AsyncIterator[str]:
        nonlocal count
        while count < 3_000:
            count += 1
            yield "x" * 10_000

    with served(handler) as running, running.open() as connection:
        assert until(lambda: count > 5)
        held: list[int] = [-1]

        def is_held() -> bool:
            before = count
            time.sleep(0.1)
            held[0] = count
            return before == count

        assert until(is_held)
        assert held[0] < 2_500
        body = body_of(connection)
    assert len(events_in(body)) == 3_001


# Stopping.


def test_a_reader_that_leaves_stops_the_handler_where_it_waits() -> None:
    ended: list[float] = []

    async def handler(request: Any) -> AsyncIterator[str]:
        try:
            yield "begun"
            await asyncio.sleep(60)
        finally:
            ended.append(time.monotonic())

    with served(handler) as running:
        with running.open() as connection:
            read_until(connection, b"begun")
        left = time.monotonic()
        assert until(lambda: ended)
        assert ended[0] - left < 0.5
        assert until(lambda: running.exchange.outcome == "stopped")
        assert running.exchange.note.startswith("The handler was cancelled after")


def test_a_handler_that_cancels_itself_leaves_its_reader_an_end() -> None:
    async def handler(request: Any) -> AsyncIterator[str]:
        yield "begun"
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)
        yield "never"

    with served(handler) as running:
        answer = running.ask()
        assert [event.type for event in answer.events] == ["text", "error", "done"]
        assert answer.events[1].data["allow_retry"] is True
        assert running.exchange.outcome == "stopped"


def test_a_handler_that_takes_its_time_to_clean_up_does_not_hold_the_server() -> None:
    cleaned = threading.Event()

    async def handler(request: Any) -> AsyncIterator[str]:
        try:
            yield "begun"
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.6)
            cleaned.set()

    async def close_early() -> float:
        recording = Trace(Redactor()).begin_server(bot="Bot", kind="query", message_id="m", request={}, headers={})
        context: Any = None
        answer = inline_of(handler).answer(REQUEST, context, recording)
        await anext(answer)
        started = time.monotonic()
        await answer.aclose()
        took_s = time.monotonic() - started
        await asyncio.sleep(0.4)
        return took_s

    assert asyncio.run(close_early()) < 0.5
    assert cleaned.is_set()


# Plain handlers.


def test_a_plain_handler_blocks_nobody_else() -> None:
    def handler(request: Any) -> Iterator[str]:
        if request.message_id == "slow":
            time.sleep(0.6)
        yield request.message_id

    with served(handler) as running:
        slow = threading.Thread(target=running.ask, kwargs={"message_id": "slow"})
        slow.start()
        assert until(lambda: len(running.trace) == 1)
        started = time.monotonic()
        assert running.ask(message_id="quick").text == "quick"
        assert time.monotonic() - started < 0.4
        slow.join(5)


def test_a_plain_handler_is_closed_when_its_reader_leaves() -> None:
    closed = threading.Event()

    def handler(request: Any) -> Iterator[str]:
        try:
            while True:
                yield "again "
                time.sleep(0.01)
        finally:
            closed.set()

    with served(handler) as running:
        with running.open() as connection:
            read_until(connection, b"again")
        assert closed.wait(2)
        assert until(lambda: running.exchange.outcome == "stopped")


def test_a_plain_handler_cleans_up_in_a_worker_thread_wherever_it_was() -> None:
    cleaned_in: list[str] = []
    count = 0

    def handler(request: Any) -> Iterator[str]:
        nonlocal count
        try:
            while True:
                count += 1
                yield "x" * 100_000
        finally:
            cleaned_in.append(threading.current_thread().name)

    def is_held() -> bool:
        before = count
        time.sleep(0.1)
        return before == count

    with served(handler) as running:
        with running.open() as connection:
            read_until(connection, b"xx")
            assert until(is_held)
        assert until(lambda: cleaned_in)
    assert cleaned_in[0].startswith("AnyIO worker")


# The other requests.


def test_settings_and_reports_reach_the_bots_methods() -> None:
    heard: list[Any] = []

    class Bot(PoeBot):
        async def get_settings(self, setting: Any) -> SettingsResponse:
            return SettingsResponse(introduction_message="Hello")

        def on_feedback_with_context(self, feedback_request: Any, context: Any) -> None:  # type: ignore[override]
            heard.append(feedback_request.feedback_type)

        async def on_error(self, error_request: Any) -> None:
            raise SystemExit(3)

    ids = {"message_id": "m", "user_id": "u", "conversation_id": "c"}
    with served(Bot()) as running:
        assert running.ask(type="settings").json["introduction_message"] == "Hello"
        assert running.ask(type="report_feedback", feedback_type="like", **ids).json == {}
        assert running.ask(type="report_error", message="no", metadata={}).status == 500
        assert running.ask(type="report_reaction", reaction="heart", **ids).json == {}
        assert [exchange.outcome for exchange in running.trace] == ["done", "done", "failed", "done"]
    assert heard == ["like"]


def test_a_bot_may_lack_a_method() -> None:
    class PoeBot:
        async def get_response(self, request: Any) -> AsyncIterator[str]:
            yield "only this"

    trace = Trace(Redactor())
    inline = InlineEndpoint(PoeBot(), name="Bot", access_key=None)
    with serving(build_app(lambda path: inline, trace)) as port:
        body = {"version": "1", "type": "report_error", "message": "no", "metadata": {}}
        assert http_request(port, "/", body=body, key=None).json == {}
        assert http_request(port, "/", body=query(), key=None).text == "only this"
