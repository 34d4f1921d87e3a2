"""The stand-in for chat models: what it says, and the functions that it calls, over real sockets too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import fastapi_poe
import pytest
from asking_stand_ins import WEATHER, ask, label, said
from endpoints import KEY, Kernel, kernel

from poe_notebook.client.answers import stream_request
from poe_notebook.protocol.call_pieces import CallPieces, deltas_in
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.tools import ToolDefinition
from poe_notebook.simulator.stand_ins import NO_PACE, stand_in

NAME = "GPT-3.5-Turbo"


def calls_in(events: list[Event]) -> list[tuple[str, dict[str, Any]]]:
    """Put an answer's calls together as the client does."""
    pieces = CallPieces()
    for event in events:
        for choice in event.data.get("choices", ()):
            for piece in deltas_in(choice["delta"]):
                pieces.add(piece, answer=None)
    return [(call.function.name, json.loads(call.function.arguments)) for call in pieces.whole(earlier=0)]


def test_it_says_what_it_was_asked() -> None:
    assert said(ask(NAME, "What's the weather like in Tokyo? I ask for Ada.")) == (
        "You wrote: “What's the weather like in Tokyo? I ask for Ada.” That is ten words in two sentences. "
        "What stands out in it: weather, Tokyo, ask, Ada.\n\nThis is where a model's answer would be.\n\n"
        f"{label(NAME)}"
    )


def test_it_tells_of_earlier_turns_system_messages_files_and_parameters() -> None:
    before = [
        {"role": "system", "content": "Speak softly"},
        {"role": "user", "content": "Tell me about printers"},
        {"role": "bot", "content": "They print."},
    ]
    file = {"url": "u", "content_type": "text/plain", "name": "a.txt", "parsed_content": "x" * 200}
    given = {"before": before, "message": {"attachments": [file], "parameters": {"tone": "dry"}}}
    text = said(ask(NAME, "And now?", temperature=0.7, **given))
    assert "You asked: “And now?”" in text
    assert "It is turn 2 of this chat; before it you wrote: “Tell me about printers”." in text
    assert "A system message came with it, of two words: “Speak softly”." in text
    assert "- `a.txt` (`text/plain`), of which Poe read 200 signs" in text
    assert "Parameters: `tone` is `'dry'`." in text
    assert "A model would answer here" in text
    assert "system message" not in said(ask(NAME, "And now?", skip_system_prompt=True, **given))


@pytest.mark.parametrize("content", ["", "   ", "x" * 5000, "`*_[]()<script>"])
def test_odd_messages_are_answered_all_the_same(content: str) -> None:
    text = said(ask(NAME, content))
    assert text.endswith(label(NAME))
    assert len(text) < 1000


def test_without_any_message_it_still_answers() -> None:
    request = {"version": "1.2", "type": "query", "query": [], "user_id": "", "conversation_id": "", "message_id": ""}
    bot = stand_in(NAME, pace=NO_PACE)
    assert bot is not None

    async def gather() -> str:
        given = QueryRequest.model_validate(request)
        return "".join([response.text async for response in bot.get_response(given)])

    assert "You sent no text." in asyncio.run(gather())


def test_calls_go_out_as_chat_completion_chunks() -> None:
    events = ask(NAME, "What's the weather in Tokyo in celsius?", tools=[WEATHER])
    chunks = [event.data for event in events if event.type == "json"]
    assert [event.type for event in events] == ["json"] * len(chunks) + ["done"]
    first = chunks[0]["choices"][0]
    assert first["finish_reason"] is None
    assert first["delta"]["tool_calls"][0]["function"] == {"name": "get_current_weather", "arguments": ""}
    assert first["delta"]["tool_calls"][0]["id"].startswith("call_")
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert chunks[-1]["choices"] == []
    assert calls_in(events) == [("get_current_weather", {"location": "Tokyo", "unit": "celsius"})]


def test_two_places_are_two_calls_at_once() -> None:
    events = ask(NAME, "What's the weather in San Francisco and Paris?", tools=[WEATHER])
    assert calls_in(events) == [
        ("get_current_weather", {"location": "San Francisco"}),
        ("get_current_weather", {"location": "Paris"}),
    ]


def test_without_a_call_it_says_why() -> None:
    assert "your message has no word of `get_current_weather`" in said(ask(NAME, "Tell a joke", tools=[WEATHER]))
    assert "`get_current_weather` needs location" in said(ask(NAME, "What's the weather?", tools=[WEATHER]))
    assert calls_in(ask(NAME, "In Oslo?", tools=[WEATHER], extra_params={"tool_choice": "required"}))


def test_results_in_the_messages_are_read_as_well() -> None:
    call = {
        "id": "1",
        "type": "function",
        "function": {"name": "get_current_weather", "arguments": '{"location": "Oslo"}'},
    }
    result = {
        "role": "tool",
        "tool_call_id": "1",
        "name": "get_current_weather",
        "content": '{"location": "Oslo", "rain": 3}',
    }
    after = [
        {"role": "user", "content": "The weather in Oslo?"},
        {"role": "bot", "message_type": "function_call", "content": json.dumps([call])},
        {"role": "tool", "content": json.dumps([result])},
    ]
    request = {
        "version": "1.2",
        "type": "query",
        "query": after,
        "user_id": "",
        "conversation_id": "",
        "message_id": "",
    }
    bot = stand_in(NAME, pace=NO_PACE)
    assert bot is not None

    async def gather() -> str:
        given = QueryRequest.model_validate({**request, "tools": [WEATHER]})
        return "".join([response.text async for response in bot.get_response(given)])

    assert asyncio.run(gather()).startswith("In Oslo the rain is 3.")


@pytest.mark.parametrize("broken", [{"function": 3}, {"id": 1}, {"function": {"arguments": "{"}}])
def test_broken_calls_in_the_messages_are_no_matter(broken: dict[str, Any]) -> None:
    before = [{"role": "bot", "message_type": "function_call", "content": json.dumps([broken, 3])}]
    assert said(ask(NAME, "weather", before=before, tools=[WEATHER]))


@pytest.fixture(scope="module")
def served() -> Iterator[Kernel]:
    with kernel() as running:
        running.serve(stand_in(NAME, pace=NO_PACE), NAME)
        yield running


def get_current_weather(location: str, unit: str = "fahrenheit") -> str:
    """The function of Poe's guide."""
    for name, temperature in {"Tokyo": "11", "San Francisco": "72", "Paris": "22"}.items():
        if name.lower() in location.lower():
            return json.dumps({"location": name, "temperature": temperature, "unit": unit})
    return json.dumps({"location": location, "temperature": "unknown"})


def list_orders(user_id: int) -> list[str]:
    return [f"order {user_id}-1", f"order {user_id}-2"]


def find_user(name: str) -> dict[str, Any]:
    return {"user_id": 7, "name": name}


def answered(served: Kernel, library: Any, content: str, functions: list[Any], tools: list[Any]) -> str:
    ids = {"user_id": "", "conversation_id": "", "message_id": ""}
    message = library.ProtocolMessage(role="user", content=content)
    request = library.QueryRequest(version="1.2", type="query", query=[message], **ids)

    async def gather() -> str:
        asked = library.stream_request(
            request,
            NAME,
            KEY,
            tools=[library.ToolDefinition(**each) for each in tools],
            tool_executables=functions,
            base_url=f"http://127.0.0.1:{served.port}/",
        )
        return "".join([response.text async for response in asked])

    return asyncio.run(gather())


class Ours:
    """Our client under the library's names."""

    from poe_notebook.protocol.messages import ProtocolMessage

    QueryRequest, ToolDefinition, stream_request = QueryRequest, ToolDefinition, staticmethod(stream_request)


@pytest.mark.parametrize("library", [fastapi_poe, Ours], ids=["fastapi_poe", "ours"])
def test_the_guide_on_function_calling_runs(served: Kernel, library: Any) -> None:
    question = "What's the weather in Tokyo and San Francisco in celsius?"
    assert answered(served, library, question, [get_current_weather], [WEATHER]) == (
        f"In Tokyo the temperature is 11 celsius. In San Francisco the temperature is 72 celsius.\n\n{label(NAME)}"
    )


@pytest.mark.parametrize("library", [fastapi_poe, Ours], ids=["fastapi_poe", "ours"])
def test_offered_functions_that_are_not_meant_leave_the_answer_as_it_is(served: Kernel, library: Any) -> None:
    text = answered(served, library, "Tell me a joke", [get_current_weather], [WEATHER])
    assert "“Tell me a joke”" in text


def test_what_one_function_gives_can_be_another_ones_argument(served: Kernel) -> None:
    tools = [
        {"type": "function", "function": {"name": name, "description": name, "parameters": {
            "type": "object", "properties": {parameter: {"type": kind}}, "required": [parameter]}}}
        for name, parameter, kind in (("find_user", "name", "string"), ("list_orders", "user_id", "integer"))
    ]  # fmt: skip
    text = answered(served, Ours, "Which orders has the user Ada?", [find_user, list_orders], tools)
    assert "For Ada the user id is 7." in text
    assert "- order 7-1\n- order 7-2" in text
