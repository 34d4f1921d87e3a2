"""What handlers give and the events that come of it, on the test's own loop with real worker threads."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from poe_notebook.bot.answer import CUT_SHORT, answer
from poe_notebook.bot.base import PoeBot
from poe_notebook.bot.handlers import function_bot, servable
from poe_notebook.errors import HandlerMistake, InsufficientFundError
from poe_notebook.protocol.events import ServerSentEvent
from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import DataResponse, ErrorResponse, MetaResponse, PartialResponse
from poe_notebook.runtime.threads import in_thread

REQUEST = QueryRequest(
    version="1.2",
    type="query",
    query=[{"role": "user", "content": "hello"}],  # type: ignore[list-item]
    user_id="u-1",
    conversation_id="c-1",
    message_id="m-1",
)
CONTEXT: Any = object()
FAILED = {"allow_retry": False, "text": "This bot failed while it was answering."}

Given = list[tuple[str, Any]]


def given_by(bot: Any) -> tuple[Given, list[BaseException]]:
    """Run a handler to its end; gives the events of its answer and what it raised."""
    if not isinstance(bot, PoeBot):
        bot = function_bot({"get_response": bot}, name="Bot")
    raised: list[BaseException] = []

    async def run() -> Given:
        events = answer(
            servable(bot, name="Bot"), REQUEST, context=CONTEXT, in_thread=in_thread, on_raise=raised.append
        )
        return [(type_, data_of(raw)) async for type_, raw in events]

    return asyncio.run(run()), raised


def data_of(raw: bytes) -> Any:
    return json.loads(raw.partition(b"data: ")[2])


def texts(*pieces: str) -> Given:
    return [*(("text", {"text": piece}) for piece in pieces), ("done", {})]


# The kinds of handlers.


class Pieces:
    """An async iterator that is no generator."""

    def __init__(self) -> None:
        self.left = ["a", "b"]

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)


async def async_generator(request: Any) -> AsyncIterator[str]:
    yield "a"
    yield "b"


def generator(request: Any) -> Iterator[str]:
    yield "a"
    yield "b"


def plain_iterator(request: Any) -> Iterator[str]:
    return iter(["a", "b"])


def gives_an_async_generator(request: Any) -> Any:
    return async_generator(request)


async def returns_an_async_generator(request: Any) -> Any:
    return async_generator(request)


async def returns_a_generator(request: Any) -> Any:
    return generator(request)


def gives_a_coroutine(request: Any) -> Any:
    return returns_an_async_generator(request)


def gives_an_async_iterator(request: Any) -> Any:
    return Pieces()


@pytest.mark.parametrize(
    "handler",
    [
        async_generator,
        generator,
        plain_iterator,
        gives_an_async_generator,
        returns_an_async_generator,
        returns_a_generator,
        gives_a_coroutine,
        gives_an_async_iterator,
    ],
)
def test_a_handler_may_give_its_pieces_in_any_way(handler: Any) -> None:
    assert given_by(handler) == (texts("a", "b"), [])


async def coroutine(request: Any) -> str:
    return "whole"


def function(request: Any) -> str:
    return "whole"


async def coroutine_of_a_response(request: Any) -> PartialResponse:
    return PartialResponse(text="whole")


@pytest.mark.parametrize("handler", [coroutine, function, coroutine_of_a_response])
def test_a_handler_may_return_its_whole_answer(handler: Any) -> None:
    assert given_by(handler) == (texts("whole"), [])


@pytest.mark.parametrize("handler", [generator, function, plain_iterator])
def test_plain_handlers_run_in_a_thread_of_their_own(handler: Any) -> None:
    seen: list[threading.Thread] = []

    def spying(request: Any) -> Any:
        seen.append(threading.current_thread())
        return handler(request)

    given_by(spying)
    assert seen[0] is not threading.main_thread()
    assert seen[0].daemon


# The kinds of items.


class Text(str):
    """A str of another class."""


class OwnResponse(PartialResponse):
    """An author's own class."""


FILE = Attachment(url="https://x/f.png", content_type="image/png", name="f.png", inline_ref="r1")


@pytest.mark.parametrize(
    ("item", "events"),
    [
        ("é\n\u2028", [("text", {"text": "é\n\u2028"})]),
        ("", [("text", {"text": ""})]),
        (Text("own"), [("text", {"text": "own"})]),
        (PartialResponse(text="a"), [("text", {"text": "a"})]),
        (PartialResponse(text="a", raw_response=1, full_prompt="p"), [("text", {"text": "a"})]),
        (PartialResponse(text="a", index=3), [("text", {"text": "a", "index": 3})]),
        (OwnResponse(text="a"), [("text", {"text": "a"})]),
        (PartialResponse(text="a", is_replace_response=True), [("replace_response", {"text": "a"})]),
        (PartialResponse(text="a", is_suggested_reply=True), [("suggested_reply", {"text": "a"})]),
        (PartialResponse(text="", data={"choices": []}), [("json", {"choices": []})]),
        (DataResponse(metadata="m"), [("data", {"metadata": "m"})]),
        (
            PartialResponse(text="see", attachment=FILE),
            [
                ("file", {"url": "https://x/f.png", "content_type": "image/png", "name": "f.png", "inline_ref": "r1"}),
                ("text", {"text": "see"}),
            ],
        ),
        (ServerSentEvent(event="text", data='{"text": "raw"}'), [("text", {"text": "raw"})]),
        (PoeBot.suggested_reply_event("more"), [("suggested_reply", {"text": "more"})]),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, list) else value[0][0],
)
@pytest.mark.parametrize("is_plain", [False, True], ids=["async", "plain"])
def test_an_item_becomes_its_events(item: Any, events: Given, is_plain: bool) -> None:
    async def asynchronous(request: Any) -> AsyncIterator[Any]:
        yield item

    def plain(request: Any) -> Iterator[Any]:
        yield item

    assert given_by(plain if is_plain else asynchronous) == ([*events, ("done", {})], [])


def test_a_response_that_was_changed_after_it_was_made_is_sent_as_it_is() -> None:
    async def handler(request: Any) -> AsyncIterator[Any]:
        response = PartialResponse(text="a")
        response.is_replace_response = True
        yield response
        response.text = "b"
        yield response

    assert given_by(handler)[0] == [*(("replace_response", {"text": t}) for t in "ab"), ("done", {})]


def test_meta_comes_as_its_own_event() -> None:
    async def handler(request: Any) -> AsyncIterator[Any]:
        yield MetaResponse(content_type="text/plain", suggested_replies=True)
        yield "a"

    (kind, data), *rest = given_by(handler)[0]
    assert kind == "meta"
    assert data == {"content_type": "text/plain", "suggested_replies": True, "linkify": True, "refetch_settings": False}
    assert rest == texts("a")


# How answers end.


@pytest.mark.parametrize(
    ("end", "events"),
    [
        (ErrorResponse(text="no", allow_retry=False), [("error", {"allow_retry": False, "text": "no"}), ("done", {})]),
        (PoeBot.error_event("no"), [("error", {"allow_retry": True, "text": "no"}), ("done", {})]),
        (PoeBot.done_event(), [("done", {})]),
        (ServerSentEvent(event="done", data='{"mine": 1}'), [("done", {"mine": 1})]),
    ],
    ids=["ErrorResponse", "error event", "done event", "done with data"],
)
def test_nothing_is_sent_after_an_end_and_the_handler_is_closed(end: Any, events: Given) -> None:
    closed: list[str] = []

    async def handler(request: Any) -> AsyncIterator[Any]:
        try:
            yield "a"
            yield end
            yield "never"
        finally:
            closed.append("closed")

    assert given_by(handler) == ([("text", {"text": "a"}), *events], [])
    assert closed == ["closed"]


class OwnError(Exception):
    """An author's error whose text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("/home/me/secret.txt"),
        OwnError(),
        SystemExit(3),
        KeyboardInterrupt(),
        asyncio.CancelledError(),
        ExceptionGroup("several", [ValueError("a"), KeyError("b")]),
        RecursionError(),
        StopIteration(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("is_plain", [False, True], ids=["async", "plain"])
def test_an_exception_ends_the_answer_in_error_and_done_and_is_heard_of(error: BaseException, is_plain: bool) -> None:
    async def asynchronous(request: Any) -> AsyncIterator[str]:
        yield "a"
        raise error

    def plain(request: Any) -> Iterator[str]:
        yield "a"
        raise error

    events, raised = given_by(plain if is_plain else asynchronous)
    kind = "RuntimeError" if isinstance(error, StopIteration) else type(error).__name__
    assert events == [("text", {"text": "a"}), ("error", {**FAILED, "raw_response": kind}), ("done", {})]
    assert [type(heard).__name__ for heard in raised] == [kind]
    assert "secret" not in json.dumps(events)


def test_a_handler_whose_own_task_was_cancelled_has_failed_and_was_not_stopped() -> None:
    async def handler(request: Any) -> AsyncIterator[str]:
        task = asyncio.create_task(asyncio.sleep(9))
        asyncio.get_running_loop().call_soon(task.cancel)
        await task
        yield "never"

    events, raised = given_by(handler)
    assert [kind for kind, _ in events] == ["error", "done"]
    assert isinstance(raised[0], asyncio.CancelledError)


def test_a_handler_that_fails_at_once_gives_error_and_done() -> None:
    def function(request: Any) -> str:
        raise ValueError

    async def coroutine(request: Any) -> str:
        raise ValueError

    for handler in (function, coroutine):
        assert [kind for kind, _ in given_by(handler)[0]] == ["error", "done"]


@pytest.mark.parametrize("last", ["error", "done", "text"])
def test_a_clean_up_that_fails_adds_no_second_end(last: str) -> None:
    async def handler(request: Any) -> AsyncIterator[Any]:
        try:
            yield {"error": ErrorResponse(text="no"), "done": PoeBot.done_event(), "text": "x"}[last]
        finally:
            raise ValueError("clean-up")

    events, raised = given_by(handler)
    ends = {"error": ["error", "done"], "done": ["done"], "text": ["text", "error", "done"]}
    assert [kind for kind, _ in events] == ends[last]
    assert [str(error) for error in raised] == ["clean-up"]


def test_a_user_who_cannot_pay_is_told_so() -> None:
    class InsufficientFundErrorOfTheirs(Exception):
        pass

    InsufficientFundErrorOfTheirs.__name__ = "InsufficientFundError"
    for error in (InsufficientFundError(), InsufficientFundErrorOfTheirs()):

        async def handler(request: Any, error: Exception = error) -> AsyncIterator[str]:
            raise error
            yield ""

        data = given_by(handler)[0][0][1]
        assert data == {"allow_retry": True, "text": "", "error_type": "insufficient_fund"}


def test_an_answer_cut_short_ends_like_any_other() -> None:
    assert [kind for kind, _ in CUT_SHORT] == ["error", "done"]
    assert data_of(CUT_SHORT[0][1])["allow_retry"] is True


# Mistakes.


class Odd:
    """Something whose repr and attributes fail."""

    def __repr__(self) -> str:
        raise ValueError("no repr")

    def __getattr__(self, name: str) -> Any:
        raise ValueError("no attribute")


@pytest.mark.parametrize(
    ("item", "instead"),
    [
        (3, "str(value)"),
        (b"x", "value.decode()"),
        ({"a": 1}, "json.dumps(value)"),
        (["a"], "json.dumps(value)"),
        (None, "yield ''"),
        (ValueError("x"), "str(value)"),
        (PartialResponse, "fp.PartialResponse(text="),
        (REQUEST, "str(value)"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("is_plain", [False, True], ids=["async", "plain"])
def test_what_is_no_part_of_an_answer_is_raised_at_its_yield_with_what_to_write(
    item: Any, instead: str, is_plain: bool
) -> None:
    async def asynchronous(request: Any) -> AsyncIterator[Any]:
        yield "a"
        yield item

    def plain(request: Any) -> Iterator[Any]:
        yield "a"
        yield item

    events, raised = given_by(plain if is_plain else asynchronous)
    assert events == [("text", {"text": "a"}), ("error", {**FAILED, "raw_response": "HandlerMistake"}), ("done", {})]
    assert isinstance(raised[0], HandlerMistake)
    assert "yielded as item 2" in str(raised[0])
    assert instead in raised[0].now
    assert "\n    yield item\n" in "".join(traceback.format_exception(raised[0]))


@pytest.mark.parametrize(
    ("value", "instead"),
    [(None, "return a str"), (3, "return str(value)"), (["a"], "return json.dumps"), (Odd, "return")],
)
def test_a_wrong_return_value_is_said(value: Any, instead: str) -> None:
    def function(request: Any) -> Any:
        return value

    async def coroutine(request: Any) -> Any:
        return value

    for handler in (function, coroutine):
        _, raised = given_by(handler)
        assert isinstance(raised[0], HandlerMistake)
        assert instead in str(raised[0])


def test_a_handler_that_catches_the_mistake_and_goes_on_has_failed_all_the_same() -> None:
    async def handler(request: Any) -> AsyncIterator[Any]:
        try:
            yield 3
        except TypeError:
            yield "never mind"

    events, raised = given_by(handler)
    assert [kind for kind, _ in events] == ["error", "done"]
    assert isinstance(raised[0], HandlerMistake)


@pytest.mark.parametrize(
    "item",
    [
        Odd(),
        PartialResponse(text="", data={"x": float("nan")}),
        PartialResponse(text="", data={"x": object()}),
        ServerSentEvent(event="a\nb"),
    ],
    ids=["fails at everything", "NaN", "no JSON", "line break in the type"],
)
def test_an_item_that_cannot_be_encoded_fails_the_answer(item: Any) -> None:
    async def handler(request: Any) -> AsyncIterator[Any]:
        yield "a"
        yield item

    events, raised = given_by(handler)
    assert [kind for kind, _ in events] == ["text", "error", "done"]
    assert len(raised) == 1


# Bots with more than get_response.


def test_attachments_that_poe_has_read_are_put_into_the_conversation_if_the_bot_does_so() -> None:
    class Bot(PoeBot):
        should_insert_attachment_messages = True

        def insert_attachment_messages(self, query_request: QueryRequest) -> QueryRequest:
            return query_request.model_copy(update={"query": query_request.query * 2})

        async def get_response(self, request: Any) -> AsyncIterator[str]:
            yield str(len(request.query))

    assert given_by(Bot())[0] == texts("2")
    bot = Bot()
    bot.should_insert_attachment_messages = False
    assert given_by(bot)[0] == texts("1")


class Uploads(PoeBot):
    """Queues file events as fastapi_poe's post_message_attachment does."""

    def __init__(self) -> None:
        self._file_events_to_yield: dict[str, list[ServerSentEvent]] = {}

    def queue(self, message_id: str, name: str) -> None:
        event = self.file_event(url=f"https://x/{name}", content_type="text/plain", name=name)
        self._file_events_to_yield.setdefault(message_id, []).append(event)

    async def get_response(self, request: Any) -> AsyncIterator[str]:
        self.queue("m-1", "one")
        self.queue("m-other", "other")
        yield "a"
        yield "b"
        self.queue("m-1", "two")
        self.queue("m-1", "three")


def test_queued_files_come_before_what_is_yielded_next_and_at_the_end() -> None:
    bot = Uploads()
    events, _ = given_by(bot)
    assert [data.get("name", data.get("text")) for _, data in events] == ["one", "a", "b", "two", "three", None]
    assert list(bot._file_events_to_yield) == ["m-other"]


def test_files_queued_before_a_failure_do_not_stay_for_a_later_answer() -> None:
    class Bot(Uploads):
        async def get_response(self, request: Any) -> AsyncIterator[str]:
            self.queue("m-1", "one")
            raise ValueError
            yield ""

    bot = Bot()
    assert [kind for kind, _ in given_by(bot)[0]] == ["error", "done"]
    assert bot._file_events_to_yield == {}


# Stopping.


def test_closing_the_answer_runs_the_handlers_finally() -> None:
    closed: list[str] = []

    async def asynchronous(request: Any) -> AsyncIterator[str]:
        try:
            yield "a"
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            closed.append("async")

    def plain(request: Any) -> Iterator[str]:
        try:
            while True:
                yield "a"
                time.sleep(0.01)
        finally:
            closed.append("plain")

    async def leave(handler: Any) -> None:
        bot = servable(function_bot({"get_response": handler}, name="Bot"), name="Bot")
        events = answer(bot, REQUEST, context=CONTEXT, in_thread=in_thread, on_raise=pytest.fail)
        async with aclosing(events):
            async for _ in events:
                break

    for handler in (asynchronous, plain):
        asyncio.run(leave(handler))
    assert closed == ["async", "plain"]


@pytest.mark.parametrize("swallows", [False, True], ids=["", "swallowing"])
def test_cancelling_is_no_failure(swallows: bool) -> None:
    async def handler(request: Any) -> AsyncIterator[str]:
        try:
            yield "a"
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if not swallows:
                raise
            yield "still here"

    async def run() -> tuple[list[str], list[BaseException]]:
        raised: list[BaseException] = []
        kinds: list[str] = []
        bot = servable(function_bot({"get_response": handler}, name="Bot"), name="Bot")

        async def read() -> None:
            async for kind, _ in answer(bot, REQUEST, context=CONTEXT, in_thread=in_thread, on_raise=raised.append):
                kinds.append(kind)

        task = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
        return kinds, raised

    kinds, raised = asyncio.run(run())
    assert kinds == (["text", "text", "done"] if swallows else ["text"])
    assert raised == []


def test_no_frame_is_lost_to_deep_recursion() -> None:
    def deep(request: Any) -> str:
        def down(n: int) -> str:
            return down(n + 1)

        return down(0)

    limit = sys.getrecursionlimit()
    events, raised = given_by(deep)
    assert [kind for kind, _ in events] == ["error", "done"]
    assert isinstance(raised[0], RecursionError)
    assert sys.getrecursionlimit() == limit
