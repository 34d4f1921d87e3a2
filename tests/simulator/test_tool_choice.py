"""Which functions a message asks for, and with which arguments."""

from __future__ import annotations

import time
from typing import Any

import pytest
from asking_stand_ins import WEATHER
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.protocol.tools import ToolDefinition
from poe_notebook.simulator.found_arguments import Reading
from poe_notebook.simulator.tool_choice import Call, choose

WEATHER_SCHEMA = WEATHER["function"]["parameters"]  # type: ignore[index]


def tool(name: str, description: str = "", required: tuple[str, ...] = (), **properties: Any) -> ToolDefinition:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return ToolDefinition.model_validate(
        {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}
    )


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("What's the weather in Tokyo in celsius?", [{"location": "Tokyo", "unit": "celsius"}]),
        ("What's the weather in San Francisco and Paris?", [{"location": "San Francisco"}, {"location": "Paris"}]),
        (
            "weather in tokyo, oslo and new york",
            [{"location": "tokyo"}, {"location": "oslo"}, {"location": "new york"}],
        ),
        (
            "How warm is it in Tokyo in celsius and in Paris in FAHRENHEIT?",
            [{"location": "Tokyo", "unit": "celsius"}, {"location": "Paris", "unit": "fahrenheit"}],
        ),
        ("Is it cold in San Francisco, CA?", [{"location": "San Francisco, CA"}]),
        ("What is the weather in the morning?", [{}]),
        ('weather, location: "Rio de Janeiro"', [{"location": "Rio de Janeiro"}]),
    ],
)
def test_places_are_found_and_several_of_them_are_several_calls(message: str, arguments: list[Any]) -> None:
    assert Reading(message).arguments(WEATHER_SCHEMA) == arguments


@pytest.mark.parametrize(
    ("message", "properties", "arguments"),
    [
        ("Add 3 and 4.5", {"a": {"type": "number"}, "b": {"type": "number"}}, {"a": 3, "b": 4.5}),
        (
            "Plan 2 rooms for 5 nights",
            {"nights": {"type": "integer"}, "rooms": {"type": "integer"}},
            {"nights": 5, "rooms": 2},
        ),
        ("What is 12 * (3 + 4)?", {"expression": {"type": "string"}}, {"expression": "12 * (3 + 4)"}),
        ('Search for "cats"', {"query": {"type": "string"}}, {"query": "cats"}),
        ("Search cats", {"query": {"type": "string"}}, {"query": "Search cats"}),
        ("Mail to a.b@example.com.", {"email": {"type": "string"}}, {"email": "a.b@example.com"}),
        ("Open https://example.com/a?b=1 now", {"url": {"type": "string"}}, {"url": "https://example.com/a?b=1"}),
        ("Trains on 2026-03-04", {"date": {"type": "string"}}, {"date": "2026-03-04"}),
        ("Mean of 3, 5 and 8", {"values": {"type": "array", "items": {"type": "number"}}}, {"values": [3, 5, 8]}),
        ("Invite Ada and Bo", {"guests": {"type": "array", "items": {"type": "string"}}}, {"guests": ["Ada", "Bo"]}),
        ("Not direct please", {"direct": {"type": "boolean"}}, {"direct": False}),
        ("With breakfast", {"include_breakfast": {"type": "boolean"}}, {"include_breakfast": True}),
        ("Level 3", {"level": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}, {"level": 3}),
        ("In Oslo", {"city": {"type": ["null", "string"]}}, {"city": "Oslo"}),
        ("for one person", {"mode": {"const": "fast"}}, {}),
        (
            "From Paris to New York",
            {"origin": {"type": "string"}, "destination": {"type": "string"}},
            {"origin": "Paris", "destination": "New York"},
        ),
    ],
)
def test_each_kind_of_parameter_is_looked_for_in_its_own_way(
    message: str, properties: dict[str, Any], arguments: dict[str, Any]
) -> None:
    assert Reading(message).arguments({"properties": properties}) == [arguments]


def test_a_tool_is_meant_by_a_word_of_its_name_or_two_of_its_description() -> None:
    tools = [
        tool("get_stock_price", "Look up what a share costs on an exchange"),
        tool("get_time", "Say how late it is"),
    ]
    assert [call.name for call in choose("the stock of Acme", tools).calls] == ["get_stock_price"]
    assert [call.name for call in choose("what does a share cost on the exchange", tools).calls] == ["get_stock_price"]
    assert not choose("get me an exchange", tools).calls
    assert [call.name for call in choose("anything", tools, must=True).calls] == ["get_stock_price"]


def test_two_tools_can_be_meant_at_once() -> None:
    tools = [ToolDefinition.model_validate(WEATHER), tool("get_time", city={"type": "string"})]
    assert choose("time and weather in Oslo", tools).calls == [
        Call("get_current_weather", {"location": "Oslo"}),
        Call("get_time", {"city": "Oslo"}),
    ]


def test_what_is_missing_is_said_and_never_made_up() -> None:
    choice = choose("What's the weather?", [ToolDefinition.model_validate(WEATHER)])
    assert (choice.calls, choice.missing) == ([], {"get_current_weather": ["location"]})


def test_an_earlier_result_can_give_an_argument() -> None:
    orders = tool("list_orders", required=("user_id",), user_id={"type": "integer"})
    assert choose("Which orders has Ada?", [orders]).missing == {"list_orders": ["user_id"]}
    assert choose("Which orders has Ada?", [orders], known={"userid": "7"}).calls == [
        Call("list_orders", {"user_id": 7})
    ]


def test_the_same_call_has_the_same_id() -> None:
    call = Call("f", {"a": 1})
    assert call.identifier(0) == Call("f", {"a": 1}).identifier(0) != call.identifier(1)
    assert len(call.identifier(0)) == len("call_") + 24


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
kinds = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"]) | json,
        "enum": json,
        "items": json,
        "format": json,
        "anyOf": json,
    },
)


@settings(max_examples=40, deadline=None)
@given(
    st.text(),
    st.dictionaries(st.text(max_size=12), kinds | json, max_size=4),
    st.dictionaries(st.text(), json, max_size=3),
)
def test_no_schema_and_no_message_makes_it_stumble(message: str, properties: Any, known: Any) -> None:
    assert Reading(message, known).arguments({"properties": properties})


@pytest.mark.parametrize("piece", ["a@", "1(", "-1.", "in ", "a.b", "in a, ", '"', "a:a=", "San Francisco "])
def test_a_long_message_takes_no_time(piece: str) -> None:
    begun = time.perf_counter()
    names = ("location", "expression", "email", "date", "url", "x", "from", "query")
    Reading(piece * 50_000).arguments({"properties": {name: {"type": "string"} for name in names}})
    assert time.perf_counter() - begun < 2
