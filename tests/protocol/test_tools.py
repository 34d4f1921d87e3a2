"""Tool shapes lose nothing on a round trip."""

from __future__ import annotations

import json
from typing import Any

import fastapi_poe
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from poe_notebook.protocol.tools import (
    CustomCallDefinition,
    CustomToolDefinition,
    ToolCallDefinition,
    ToolCallDefinitionDelta,
    ToolDefinition,
    ToolResultDefinition,
)

FULL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Say the weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"where": {"$ref": "#/$defs/place"}, "note": {"type": ["string", "null"]}},
            "required": ["where"],
            "additionalProperties": False,
            "$defs": {"place": {"type": "string", "enum": ["here", None]}},
        },
    },
    "x-cache": None,
}

extra_keys = st.dictionaries(
    st.sampled_from(["strict", "$defs", "x-a", "title", "examples", "model_config", "copy"]),
    st.none() | st.booleans() | st.lists(st.integers(), max_size=2) | st.dictionaries(st.text(), st.none(), max_size=2),
)


@pytest.mark.parametrize(
    "tool",
    [
        FULL,
        {"type": "function", "function": {"name": "f"}},
        {"type": "function", "function": {"name": "f", "parameters": {}}},
        {"type": "function", "function": {"name": "f", "description": None, "parameters": {"required": None}}},
    ],
)
def test_a_tool_is_dumped_as_it_came(tool: dict[str, Any]) -> None:
    parsed = ToolDefinition.model_validate(tool)
    assert parsed.model_dump(exclude_unset=True) == tool
    assert json.loads(parsed.model_dump_json(exclude_unset=True)) == tool
    assert ToolDefinition.model_validate(parsed.model_dump()) == parsed


@given(outer=extra_keys, function=extra_keys, parameters=extra_keys)
def test_no_key_is_lost_at_any_level(
    outer: dict[str, Any], function: dict[str, Any], parameters: dict[str, Any]
) -> None:
    tool = {
        **outer,
        "type": "function",
        "function": {**function, "name": "f", "parameters": {**parameters, "type": "object", "properties": {}}},
    }
    assert ToolDefinition.model_validate(tool).model_dump() == tool


def test_a_key_that_was_not_given_is_not_dumped() -> None:
    assert "required" not in json.dumps(ToolDefinition.model_validate(FULL | {"function": {"name": "f"}}).model_dump())


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (ToolCallDefinition, {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}, "x": 1}),
        (ToolResultDefinition, {"role": "tool", "name": "f", "tool_call_id": "1", "content": "2", "is_error": False}),
        (ToolCallDefinitionDelta, {"index": 1, "function": {"arguments": "{"}}),
        (
            ToolCallDefinitionDelta,
            {"index": 0, "id": "1", "type": "function", "function": {"name": "f", "arguments": ""}},
        ),
    ],
)
def test_calls_and_results_are_dumped_as_they_came(kind: Any, body: dict[str, Any]) -> None:
    assert kind.model_validate(body).model_dump() == body


def test_the_custom_shapes_take_both_names_of_a_field() -> None:
    by_name = CustomToolDefinition(name="t", format_={"type": "text"})  # type: ignore[call-arg]
    assert by_name == CustomToolDefinition(name="t", format={"type": "text"})
    assert CustomCallDefinition(name="t", input="x").model_dump(by_alias=True) == {"name": "t", "input": "x"}
    assert CustomCallDefinition(name="t", input="x").model_dump() == {"name": "t", "input_": "x"}
    assert CustomToolDefinition(name="t").model_dump(by_alias=True) == {"name": "t"}


def test_a_tool_needs_a_name() -> None:
    with pytest.raises(ValidationError):
        ToolDefinition.model_validate({"type": "function", "function": {}})


def test_a_tool_of_the_official_package_is_taken_by_shape() -> None:
    theirs = fastapi_poe.ToolDefinition.model_validate(FULL)
    ours = ToolDefinition.model_validate(theirs)
    assert ours.function.parameters is not None
    assert ours.model_dump() == theirs.model_dump()
