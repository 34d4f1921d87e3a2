"""Bots of fastapi_poe without a key of their own: their handlers see the one that the server demands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import fastapi_poe
from posting_bots import answered, request_as
from recording_poe import KEY, in_json, poe, sse

from poe_notebook.bot.base import PoeBot
from poe_notebook.bot.handlers import servable
from poe_notebook.bot.keyed import with_key_of_server
from poe_notebook.client.sync import run


class Posting(fastapi_poe.PoeBot):
    """Posts a file and charges a cost, the library's own way, and counts its answers."""

    poe: str
    seen: list[str | None]

    async def get_response(self, request: fastapi_poe.QueryRequest) -> AsyncIterator[Any]:
        await self.post_message_attachment(
            message_id=request.message_id, file_data=b"x", filename="x.txt", base_url=f"{self.poe}/poe_api/"
        )
        await self.capture_cost(request, fastapi_poe.CostItem(amount_usd_milli_cents=3), base_url=f"{self.poe}/")
        self.count = getattr(self, "count", 0) + 1
        self.seen.append(self.access_key)
        yield fastapi_poe.PartialResponse(text=f"{self.count} {self!r}")


def test_a_bot_of_the_library_posts_files_and_charges_with_the_key_that_only_its_server_was_given() -> None:
    bot = Posting()
    bot.seen = []
    with poe(in_json({"attachment_url": "u", "mime_type": "t"}), sse(("result", {"status": "success"}))) as stand_in:
        bot.poe = stand_in.url
        request = request_as(access_key=KEY)
        request.bot_query_id = "b-1"
        outcome = run(answered(bot, request))
    assert outcome.types == ["file", "text", "done"], outcome.raised
    assert stand_in.seen[0].headers["authorization"] == KEY
    assert stand_in.seen[1].json["access_key"] == KEY
    assert bot.seen == [KEY]


def test_the_bot_itself_is_left_as_it_is_and_its_state_is_one() -> None:
    bot = Posting()
    twin = with_key_of_server(bot)
    assert (type(twin).__name__, isinstance(twin, Posting)) == ("Posting", True)
    twin.count = 7
    bot.path = "/elsewhere"
    assert (bot.count, twin.path) == (7, "/elsewhere")
    assert bot.access_key is twin.access_key is None
    twin.access_key = "own"
    assert bot.access_key == twin.access_key == "own"


def test_the_key_is_the_answers_own_and_in_no_representation() -> None:
    class Telling(fastapi_poe.PoeBot):
        async def get_response(self, request: Any) -> AsyncIterator[Any]:
            await asyncio.sleep(0.01)
            keys.add((request.message_id, self.access_key))
            yield fastapi_poe.PartialResponse(text=repr(self))

    keys: set[tuple[str, str | None]] = set()
    bot = Telling()

    async def ask_all() -> list[Any]:
        asks = (answered(bot, request_as(f"m-{n}", access_key=f"key-number-{n}")) for n in range(3))
        return await asyncio.gather(*asks)

    outcomes = run(ask_all())
    assert keys == {(f"m-{n}", f"key-number-{n}") for n in range(3)}
    assert not any("key-number" in str(outcome.events) for outcome in outcomes)
    run(answered(bot, request_as("m-9")))
    assert ("m-9", None) in keys


def test_a_bot_with_a_key_and_a_bot_of_ours_are_served_as_they_are() -> None:
    class Final(fastapi_poe.PoeBot):
        def __init_subclass__(cls) -> None:
            raise TypeError("final")

    for bot in (Posting(access_key=KEY), PoeBot(), Final()):
        assert with_key_of_server(bot) is bot
        assert servable(bot, name="Bot").bot is bot
