"""Asking stand-ins without a server: the events of an answer, and what they say."""

from __future__ import annotations

import asyncio
from typing import Any

from poe_notebook.bot.base import RequestContext
from poe_notebook.protocol.events import Event, decode
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.simulator.stand_ins import NO_PACE, stand_in
from poe_notebook.simulator.standing_in import StandIn

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_current_weather",
        "description": "Get the current weather in a given location",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["location"],
        },
    },
}
"""The tool of Poe's guide on function calling."""


def query_of(content: str, *, message: dict[str, Any] | None = None, before: Any = (), **fields: Any) -> QueryRequest:
    last = {"role": "user", "content": content, **(message or {})}
    ids = {"user_id": "u", "conversation_id": "c", "message_id": "m"}
    return QueryRequest.model_validate({"version": "1.2", "type": "query", "query": [*before, last], **ids, **fields})


def events_of(bot: StandIn, request: QueryRequest) -> list[Event]:
    """Give an answer's events; data that is no JSON object as an event that holds it raw."""

    async def gather() -> list[Event]:
        context = RequestContext(http_request=None)  # type: ignore[arg-type]
        return [_event(each) async for each in bot.handle_query(request, context)]

    return asyncio.run(gather())


def _event(event: Any) -> Event:
    try:
        return decode(event.event, event.data)
    except Exception:
        return Event(event.event, {"unreadable": event.data})


def ask(name: str, content: str = "Hello world", **fields: Any) -> list[Event]:
    """Ask the stand-in of a name."""
    bot = stand_in(name, pace=NO_PACE)
    assert bot is not None
    return events_of(bot, query_of(content, **fields))


def said(events: list[Event]) -> str:
    return "".join(str(event.data.get("text")) for event in events if event.type == "text")


def label(name: str) -> str:
    bot = stand_in(name)
    assert bot is not None
    return bot.label
