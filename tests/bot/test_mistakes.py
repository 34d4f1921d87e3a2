"""Each thing that is no part of an answer has its own next step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from poe_notebook import stream_request as stream_request_of_poe
from poe_notebook.bot.mistakes import mistake
from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import PartialResponse


async def look_up() -> str:
    return "x"


async def stream_request() -> AsyncIterator[str]:
    yield "x"


def words() -> Iterator[str]:
    yield "x"


def instead(value: Any, how: str = "yielded as item 2") -> str:
    return mistake("Bot", value, how).now


def test_a_coroutine_is_to_be_awaited() -> None:
    coroutine = look_up()
    assert instead(coroutine) == "The call was not awaited. Write: yield await look_up(...)"
    assert instead(coroutine, "returned") == "The call was not awaited. Write: return await look_up(...)"
    asyncio.run(coroutine)


def test_what_gives_items_is_to_be_gone_through() -> None:
    assert instead(stream_request()).endswith("Write: async for part in stream_request(...): yield part")
    assert instead(words()).endswith("Write: for part in words(...): yield part")
    assert instead(letter for letter in "ab").endswith("Write: for part in value: yield part")
    assert instead(map(str, [1])).endswith("Write: for part in value: yield part")


def test_the_answer_of_another_bot_is_named_as_it_was_asked_for() -> None:
    request = QueryRequest.model_validate(
        {"version": "1.2", "type": "query", "query": [], "user_id": "u", "conversation_id": "c", "message_id": "m"}
    )
    made = mistake("Bot", stream_request_of_poe(request, "Echo", "key"), "yielded as item 1")
    assert "<async_generator object stream_request at" in made.what
    assert "async for part in fp.stream_request(...): yield part" in made.now


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (PartialResponse, "make one of it: yield fp.PartialResponse(text='...')"),
        (Attachment, "yield str(Attachment())"),
        (look_up, "The function was not called. Write: yield look_up(...)"),
        (Attachment(url="http://x/y.png", content_type="image/png", name="a"), "post_message_attachment("),
        (ValueError("v"), "Write: raise value"),
        (3.5, "Write: yield str(value)"),
        ({"a": 1}, "Write: yield json.dumps(value)"),
        (b"a", "Write: yield value.decode()"),
        (None, "Write: yield ''"),
    ],
)
def test_each_other_thing_has_its_next_step(value: Any, words: str) -> None:
    assert words in instead(value)


def test_a_mistake_without_a_line_knows_the_handlers_definition() -> None:
    assert mistake("Bot", 7, "returned", handler=words).code is words.__code__
    assert mistake("Bot", 7, "returned", handler=print).code is None
    assert mistake("Bot", 7, "yielded as item 1").code is None
