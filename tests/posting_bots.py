"""Bots that post files with their answers, and what came of an answer; nothing here is a test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from recording_poe import KEY, in_json

from poe_notebook.bot.answer import answer
from poe_notebook.bot.base import PoeBot
from poe_notebook.bot.direct import in_threadpool
from poe_notebook.bot.handlers import servable
from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.requests import QueryRequest

STORED = in_json({"attachment_url": "https://files.example/1", "mime_type": "text/x-test"})
"""What a stand-in for Poe answers to an upload."""


def request_as(message_id: str = "m-1", *, access_key: str = "<missing>") -> QueryRequest:
    message = {"role": "user", "content": "my words", "message_id": "m-0"}
    ids = {"user_id": "u-1", "conversation_id": "c-1", "version": "1.2", "type": "query"}
    return QueryRequest(query=[message], message_id=message_id, access_key=access_key, **ids)  # type: ignore[list-item]


class Outcome:
    """The events of one answer, and what its handler raised."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []
        self.raised: list[BaseException] = []

    @property
    def types(self) -> list[str]:
        return [type_ for type_, _ in self.events]

    @property
    def names(self) -> list[str]:
        return [data["name"] for type_, data in self.events if type_ == "file"]


async def answered(bot: Any, request: QueryRequest | None = None) -> Outcome:
    outcome, context = Outcome(), Any
    events = answer(
        servable(bot, name="Bot"),
        request or request_as(),
        context=context,  # type: ignore[arg-type]
        in_thread=in_threadpool,
        on_raise=outcome.raised.append,
    )
    async for type_, raw in events:
        outcome.events.append((type_, json.loads(raw.partition(b"data: ")[2])))
    return outcome


def posting(**given: Any) -> PoeBot:
    """Give a bot that posts one file and says so."""

    class Bot(PoeBot):
        async def get_response(self, request: QueryRequest) -> AsyncIterator[str]:
            await self.post_message_attachment(**{"message_id": request.message_id, **given})
            yield "attached"

    return Bot(access_key=KEY)


class Storing(PoeBot):
    """A bot that stores files without sending them anywhere."""

    async def _upload_file(self, **given: Any) -> Attachment:
        await asyncio.sleep(0)
        return Attachment(url="https://own.example/x", content_type="image/png", name="stored")
