"""The rounds of a query with tools: how often a bot is asked, with what, and what its reader gets; with retries too."""

from __future__ import annotations

import asyncio
from typing import Any

import fastapi_poe
import pytest
from calling_bots import FINAL, REQUEST, SCHEMA, TOOLS, Bot, asks, call, chunk, in_json, run, weather, words
from endpoints import query
from recording_poe import DONE, KEY, Reply, Seen, poe, sse, text

import poe_notebook
from poe_notebook.client.answers import stream_request
from poe_notebook.client.retries import Restart
from poe_notebook.client.tools import run_tools
from poe_notebook.errors import BotErrorNoRetry
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import MetaResponse, PartialResponse, ReceivedData
from poe_notebook.protocol.tools import ToolDefinition

# Rounds.


def test_a_call_is_carried_out_and_the_bot_asked_again_with_its_result() -> None:
    bot = Bot(asks('{"city": "Oslo"}'), FINAL)
    assert words(run(bot, weather)) == "It rains."
    first, second = bot.asked
    assert (first.tools, first.tool_calls, first.tool_results) == (TOOLS, None, None)
    assert second.tools == TOOLS
    assert second.model_dump()["tool_calls"] == [
        {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    ]
    assert second.model_dump()["tool_results"] == [
        {"role": "tool", "name": "weather", "tool_call_id": "call_a", "content": '"rain in Oslo"'}
    ]
    assert second.query == REQUEST.query
    assert REQUEST.tools is None


def test_the_bot_may_call_in_as_many_rounds_as_it_likes_and_is_told_of_all_of_them() -> None:
    bot = Bot(*[asks(f'{{"city": "{n}"}}', id=f"call_{n}") for n in range(5)], FINAL)
    assert words(run(bot, weather)) == "It rains."
    assert len(bot.asked) == 6
    last = bot.asked[-1]
    assert [each.id for each in last.tool_calls or ()] == [f"call_{n}" for n in range(5)]
    assert [each.tool_call_id for each in last.tool_results or ()] == [f"call_{n}" for n in range(5)]
    assert bot.results(5) == [f"rain in {n}" for n in range(5)]


def test_the_rounds_are_bounded() -> None:
    bot = Bot(asks('{"city": "Oslo"}'))
    with pytest.raises(BotErrorNoRetry, match=r"still calls functions \(weather\) after 3 rounds"):
        run(bot, weather, max_rounds=3)
    assert len(bot.asked) == 4
    assert bot.closed == 4


def test_an_answer_without_calls_is_one_round() -> None:
    bot = Bot(FINAL)
    assert words(run(bot, weather)) == "It rains."
    assert len(bot.asked) == 1


def test_a_bot_without_tools_just_answers() -> None:
    answer = [
        MetaResponse(suggested_replies=True),
        PartialResponse(text="plain "),
        PartialResponse(text="again", is_replace_response=True),
        PartialResponse(text="More?", is_suggested_reply=True),
        ReceivedData(metadata="m"),
        PartialResponse(text="", data={"usage": {}, "choices": []}),
        PartialResponse(text="", data={"choices": None}),
        PartialResponse(text="", data={"choices": ["x"]}),
        PartialResponse(text="", data={"other": 1}),
    ]
    assert run(Bot(answer), weather) == answer


def test_a_later_round_has_no_meta_of_its_own() -> None:
    bot = Bot([MetaResponse(), *asks("{}", name="none")], [MetaResponse(), *FINAL])
    kinds = [type(response) for response in run(bot, weather)]
    assert kinds.count(MetaResponse) == 1


def test_calls_that_a_query_already_has_come_first() -> None:
    given = query(
        tool_calls=[{"id": "old", "type": "function", "function": {"name": "x", "arguments": "{}"}}],
        tool_results=[{"role": "tool", "name": "x", "tool_call_id": "old", "content": "1"}],
    )

    async def gather() -> None:
        functions = [weather]
        async for _ in run_tools(bot, QueryRequest.model_validate(given), tools=TOOLS, tool_executables=functions):
            pass

    bot = Bot(asks('{"city": "Oslo"}'), FINAL)
    asyncio.run(gather())
    assert [each.id for each in bot.asked[1].tool_calls or ()] == ["old", "call_a"]
    assert bot.results() == [1, "rain in Oslo"]


def test_closing_the_answer_closes_the_query() -> None:
    async def leave() -> None:
        answer = run_tools(bot, REQUEST, tools=TOOLS)
        async for _ in answer:
            break
        await answer.aclose()

    bot = Bot(FINAL)
    asyncio.run(leave())
    assert bot.closed == 1


# Without executables.


@pytest.mark.parametrize("executables", [None, []])
def test_without_functions_the_pieces_are_handed_on(executables: list[Any] | None) -> None:
    bot = Bot(
        in_json(
            chunk({"content": "a"}),
            chunk(call('{"ci', name="weather", id="x", index=1)),
            chunk(call('ty": 1}', index=1), "tool_calls"),
        )
    )
    got = run(bot, tool_executables=executables)
    assert len(bot.asked) == 1
    pieces = [each for response in got if isinstance(response, PartialResponse) for each in response.tool_calls]
    assert [(p.index, p.id, p.function.name, p.function.arguments) for p in pieces] == [
        (1, "x", "weather", '{"ci'),
        (1, None, None, 'ty": 1}'),
    ]
    assert words(got) == "a"


# Answers that begin again.


def test_a_restart_forgets_the_pieces_of_calls() -> None:
    half = in_json(chunk(call('{"city": "Os', name="weather", id="call_a")))
    bot = Bot([*half, Restart(), *asks('{"city": "Oslo"}')], FINAL)
    run(bot, weather)
    assert bot.results() == ["rain in Oslo"]


def test_a_restart_in_a_later_round_brings_the_text_of_the_former_rounds_with_it() -> None:
    first = [PartialResponse(text="x"), PartialResponse(text="Let me see. ", is_replace_response=True), *asks("{}")]
    again = [PartialResponse(text="It r"), Restart(), PartialResponse(text="It rains.")]
    got = run(Bot(first, again), weather)
    assert got[-2] == Restart(text="Let me see. ")
    assert got[-1] == PartialResponse(text="It rains.")


def test_a_restart_in_the_first_round_begins_with_nothing() -> None:
    got = run(Bot([PartialResponse(text="It r"), Restart(), PartialResponse(text="It rains.")]), weather)
    assert got[1] == Restart()


# Against the library, over the wire.


def ask_both(*replies: Reply, executables: list[Any]) -> tuple[list[Any], list[Any], list[Seen], list[Seen]]:
    theirs_request = fastapi_poe.QueryRequest(**query("What is the weather in Oslo?"))
    their_tools = [fastapi_poe.ToolDefinition(**each.model_dump()) for each in TOOLS]

    async def mine(url: str) -> list[Any]:
        answer = stream_request(REQUEST, "Bot", KEY, tools=TOOLS, tool_executables=executables, base_url=url)
        return [each async for each in answer]

    async def theirs(url: str) -> list[Any]:
        return [
            each
            async for each in fastapi_poe.stream_request(
                theirs_request, "Bot", KEY, tools=their_tools, tool_executables=executables, base_url=url
            )
        ]

    with poe(*replies) as server:
        my_answer = asyncio.run(mine(f"{server.url}/bot/"))
    with poe(*replies) as their_server:
        their_answer = asyncio.run(theirs(f"{their_server.url}/bot/"))
    return my_answer, their_answer, server.seen, their_server.seen


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def test_the_library_sends_the_same_queries_and_gives_the_same_responses() -> None:
    asked = sse(
        text("Hm. "),
        ("json", chunk({"role": "assistant", "content": "Let me see."})),
        ("json", chunk(call('{"city"', name="weather", id="call_1"))),
        ("json", chunk(call(': "Oslo"}'))),
        ("json", chunk({}, "tool_calls")),
        ("json", {"choices": [], "usage": {"total_tokens": 1}}),
        DONE,
    )
    mine, theirs, seen, their_seen = ask_both(asked, sse(text("It rains."), DONE), executables=[weather])
    assert len(seen) == len(their_seen) == 2
    for my_query, their_query in zip(seen, their_seen, strict=True):
        their_body = without_nulls(their_query.json)
        assert {their_body.pop("api_key"), their_body.pop("access_key")} == {"<missing>"}
        assert without_nulls(my_query.json) == their_body
        assert my_query.headers["authorization"] == their_query.headers["authorization"] == f"Bearer {KEY}"
        assert my_query.path == their_query.path == "/bot/Bot"
    leave = {"raw_response", "full_prompt"}  # a copy of the event and of the whole query, on every object of theirs
    assert [each.model_dump(exclude=leave) for each in mine] == [each.model_dump(exclude=leave) for each in theirs]


def test_whoever_carries_out_the_calls_himself_sends_the_same_as_with_the_library() -> None:
    made = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    result = {"role": "tool", "tool_call_id": "c1", "name": "weather", "content": '"rain"'}
    models = [(TOOLS[0].model_dump(), "ToolDefinition"), (made, "ToolCallDefinition"), (result, "ToolResultDefinition")]

    async def ask(package: Any, url: str) -> list[Any]:
        request = package.QueryRequest(**query("weather?"))
        names = ("tools", "tool_calls", "tool_results")
        given: Any = {name: [getattr(package, kind)(**each)] for name, (each, kind) in zip(names, models, strict=True)}
        return [each async for each in package.client.stream_request_base(request, "Bot", KEY, base_url=url, **given)]

    with poe(sse(("json", chunk({"content": "It rains."})), DONE)) as server:
        mine, theirs = (asyncio.run(ask(package, f"{server.url}/bot/")) for package in (poe_notebook, fastapi_poe))
    my_query, their_query = (without_nulls(seen.json) for seen in server.seen)
    assert my_query == {key: value for key, value in their_query.items() if key not in ("access_key", "api_key")}
    assert [each.data for each in mine] == [each.data for each in theirs] != []


def test_tool_definitions_of_the_library_and_dictionaries_will_do() -> None:
    kinds = [fastapi_poe.ToolDefinition(**TOOLS[0].model_dump()), TOOLS[0].model_dump()]
    bot = Bot(FINAL)
    run(bot, weather, tools=kinds)
    assert [without_nulls(each.model_dump()) for each in bot.asked[0].tools or ()] == [TOOLS[0].model_dump()] * 2


def test_keys_of_a_tool_that_the_library_drops_are_sent() -> None:
    strict = {
        "type": "function",
        "function": {"name": "f", "strict": True, "parameters": {**SCHEMA, "$defs": {"x": {}}}},
    }

    async def ask(url: str) -> None:
        tools = [ToolDefinition.model_validate(strict)]
        async for _ in stream_request(REQUEST, "Bot", KEY, tools=tools, base_url=url):
            pass

    with poe(sse(text("x"), DONE)) as server:
        asyncio.run(ask(f"{server.url}/bot/"))
    assert server.seen[0].json["tools"] == [strict]


def test_a_connection_cut_in_the_second_round_is_asked_again_with_the_results() -> None:
    async def ask(url: str) -> list[Any]:
        options = {"tools": TOOLS, "tool_executables": [weather], "base_url": url, "retry_sleep_time": 0}
        return [each async for each in stream_request(REQUEST, "Bot", KEY, **options)]

    asked = sse(text("Let me see. "), *[("json", each.data) for each in asks('{"city": "Oslo"}')], DONE)
    cut = sse(text("It r"), is_cut=True)
    with poe(asked, cut, sse(text("It rains."), DONE)) as server:
        got = asyncio.run(ask(f"{server.url}/bot/"))
    assert server.seen[1].json == server.seen[2].json
    assert [each.content for each in QueryRequest.model_validate(server.seen[2].json).tool_results] == [
        '"rain in Oslo"'
    ]
    shown = ""
    for each in got:
        shown = each.text if each.is_replace_response else shown + each.text
    assert shown == "Let me see. It rains."
