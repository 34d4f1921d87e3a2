"""The stand-in for chat models: it says what it was asked, and calls the functions that the message speaks of.

Calls go out as Poe sends those of OpenAI's models: ``json`` events in the form of chat-completion chunks. All words go
out as ``text`` events, as from bots without functions, since fastapi_poe 0.0.83 shows nothing of the chunks with words
that come after the results.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, NamedTuple

from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import PartialResponse
from poe_notebook.simulator.call_chunks import chunk
from poe_notebook.simulator.chat_words import about_query
from poe_notebook.simulator.standing_in import StandIn, last_user_message
from poe_notebook.simulator.tool_answers import known_values, result_value, result_words
from poe_notebook.simulator.tool_choice import Call, Choice, choose

__all__ = ["ChatStandIn"]

_ARGUMENT_PIECES, _MOST_CALLS = 3, 16


class _Done(NamedTuple):
    """A call that was asked for in an earlier round, and what it gave."""

    call: Call
    value: Any


class ChatStandIn(StandIn):
    """Answers a chat, with functions if some are offered, for as many rounds as they take."""

    about = "tells you what arrived, and calls the functions that your message speaks of"

    async def get_response(self, request: QueryRequest) -> AsyncIterator[PartialResponse]:
        """Ask for calls, or say what came of them, or say what was asked."""
        if not request.tools:
            text = about_query(request)
        else:
            done = _done(request)
            choice = _chosen(request, done)
            if choice.calls:
                for each in _chunks(choice.calls, model=self.name):
                    await self.pace.wait()
                    yield PartialResponse(text="", data=each)
                return
            text = _results_in_words(done) if done else _without_call(request, choice)
        async for response in self.say(text, request):
            yield response


def _chosen(request: QueryRequest, done: Sequence[_Done]) -> Choice:
    """Choose the calls of this round: what the message asks for, then what earlier results make possible."""
    if len(done) >= _MOST_CALLS:
        return Choice()
    options = request.extra_params or {}
    message, tools = last_user_message(request).content, request.tools or ()
    must = options.get("tool_choice") == "required" and not done
    choice = choose(message, tools, must=must)
    if done:
        called = {each.call.name for each in done}
        uncalled = [tool for tool in tools if tool.function.name not in called]
        possible = choose(message, uncalled, known=known_values([each.value for each in done]))
        choice = Choice([*choice.calls, *possible.calls], possible.missing)
    earlier = [each.call for each in done]
    calls = [call for place, call in enumerate(choice.calls) if call not in [*earlier, *choice.calls[:place]]]
    return Choice(calls[:1] if options.get("parallel_tool_calls") is False else calls, choice.missing)


def _done(request: QueryRequest) -> list[_Done]:
    """Give the calls of the earlier rounds, from wherever the query has them."""
    calls = [call.model_dump() for call in request.tool_calls or ()]
    results = [result.model_dump() for result in request.tool_results or ()]
    for message in reversed(request.query):
        if message.role == "user":
            break
        # A bot may also keep the loop to itself and put both into the messages, as a guide of Poe's does.
        if message.message_type == "function_call":
            calls = [*_objects(message.content), *calls]
        elif message.role == "tool":
            results = [*_objects(message.content), *results]
    contents = {result.get("tool_call_id"): str(result.get("content", "")) for result in results}
    return [_Done(_call(call), result_value(contents.get(call.get("id"), ""))) for call in calls]


def _objects(content: str) -> list[dict[str, Any]]:
    value = result_value(content)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _call(call: dict[str, Any]) -> Call:
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    arguments = result_value(str(function.get("arguments", "")))
    return Call(str(function.get("name", "")), arguments if isinstance(arguments, dict) else {})


def _results_in_words(done: Sequence[_Done]) -> str:
    said = [result_words(each.call.name, each.call.arguments, each.value) for each in done]
    return ("\n\n" if any("\n" in text for text in said) else " ").join(said)


def _without_call(request: QueryRequest, choice: Choice) -> str:
    """Say what was asked, and why no function is called."""
    if choice.missing:
        lacks = [f"`{name}` needs {', '.join(missing)}" for name, missing in choice.missing.items()]
        why = f"No function is called: {'; '.join(lacks)}, and your message does not say it."
    else:
        names = ", ".join(f"`{tool.function.name}`" for tool in request.tools or ())
        why = f"No function is called: your message has no word of {names}."
    return f"{why}\n\n{about_query(request)}"


def _chunks(calls: Sequence[Call], *, model: str) -> Iterator[dict[str, Any]]:
    """Give the chunks that ask for calls: their names first, their arguments in pieces, the end, the count."""
    for place, call in enumerate(calls):
        function = {"name": call.name, "arguments": ""}
        first = {"index": place, "id": call.identifier(place), "type": "function", "function": function}
        yield chunk({"tool_calls": [first]}, model=model)
        for piece in _cut(call.arguments_json):
            yield chunk({"tool_calls": [{"index": place, "function": {"arguments": piece}}]}, model=model)
    yield chunk({}, model=model, finish_reason="tool_calls")
    yield {"object": "chat.completion.chunk", "model": model, "choices": [], "usage": _usage(calls)}


def _cut(text: str) -> list[str]:
    size = max(1, -(-len(text) // _ARGUMENT_PIECES))
    return [text[start : start + size] for start in range(0, len(text), size)]


def _usage(calls: Sequence[Call]) -> dict[str, int]:
    signs = len(json.dumps([[call.name, call.arguments_json] for call in calls]))
    return {"completion_tokens": signs // 4}
