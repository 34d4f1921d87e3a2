"""Bots that ask for function calls, for tests of the rounds of a query with tools."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

from endpoints import query

from poe_notebook.client.tools import run_tools
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import PartialResponse
from poe_notebook.protocol.tools import ToolDefinition

REQUEST = QueryRequest.model_validate(query("What is the weather in Oslo?"))
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [
    ToolDefinition.model_validate(
        {"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}
    )
]


def weather(city: str) -> str:
    return f"rain in {city}"


def chunk(delta: Any, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}], **more}


def call(
    arguments: str | None = "", *, name: str | None = None, id: str | None = None, index: int = 0
) -> dict[str, Any]:
    """Give a delta with a piece of a call; the first piece of a call has a name and an id."""
    type_ = "function" if id else None
    return {
        "tool_calls": [{"index": index, "id": id, "type": type_, "function": {"name": name, "arguments": arguments}}]
    }


def in_json(*chunks: dict[str, Any]) -> list[PartialResponse]:
    return [PartialResponse(text="", data=each) for each in chunks]


def asks(arguments: str, *, name: str = "weather", id: str = "call_a") -> list[PartialResponse]:
    """Give an answer that is one call."""
    return in_json(chunk(call(arguments, name=name, id=id)), chunk({}, "tool_calls"))


FINAL = in_json(chunk({"content": "It rains."}), chunk({}, "stop"))


class Bot:
    """Answers each query with the next of its answers, and keeps the queries."""

    def __init__(self, *answers: list[Any]) -> None:
        self.answers, self.asked = list(answers), list[QueryRequest]()
        self.closed = 0

    async def __call__(self, request: QueryRequest) -> AsyncGenerator[PartialResponse, None]:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        try:
            for response in answer:
                await asyncio.sleep(0)
                yield response
        finally:
            self.closed += 1

    def results(self, number: int = 1) -> list[Any]:
        """Give what the results in a query say."""
        return [json.loads(result.content) for result in self.asked[number].tool_results or ()]


def run(bot: Bot, *functions: Callable[..., Any], **options: Any) -> list[PartialResponse]:
    async def gather() -> list[PartialResponse]:
        given = {"tools": TOOLS, "tool_executables": list(functions), **options}
        return [response async for response in run_tools(bot, REQUEST, **given)]

    return asyncio.run(gather())


def words(responses: list[PartialResponse]) -> str:
    return "".join(response.text for response in responses)
