"""What functions returned, in plain words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.simulator.tool_answers import known_values, result_value, result_words

TOKYO = {"location": "Tokyo", "temperature": "11", "unit": "celsius"}


@pytest.mark.parametrize(
    ("arguments", "value", "sentence"),
    [
        ({"location": "Tokyo, JP"}, TOKYO, "In Tokyo the temperature is 11 celsius."),
        ({"location": "Oslo"}, {"location": "Oslo", "temperature": "unknown"}, "In Oslo the temperature is unknown."),
        ({"ticker": "ACME"}, {"ticker": "ACME", "price": 3.5, "currency": "EUR", "open": True},
         "For ACME the price is 3.5 EUR and the open is yes."),
        ({}, {"total": 3, "names": ["a", "b"], "left": None},
         "The total is 3, the names are a, b and the left is unknown."),
        ({"a": 1, "b": 2}, 3, "`f` of 1, 2 gives 3."),
        ({}, "done", "`f` gives done."),
        ({}, ["x", {"id": 1, "name": "y"}], "`f` gave 2 things:\n- x\n- id 1, name y"),
        ({}, list(range(12)), "`f` gave 12 things:\n" + "".join(f"- {n}\n" for n in range(8)) + "- and 4 more"),
        ({}, {"error": "no such city"}, "`f` failed: no such city."),
        ({}, {}, "`f` gave nothing."),
        ({}, None, "`f` gave nothing."),
    ],
)  # fmt: skip
def test_a_result_is_said_in_a_sentence(arguments: Any, value: Any, sentence: str) -> None:
    assert result_words("f", arguments, value) == sentence


def test_json_in_json_is_opened_as_functions_of_the_guide_return_it() -> None:
    assert result_value(json.dumps(json.dumps(TOKYO))) == TOKYO
    assert result_value(json.dumps(TOKYO)) == TOKYO
    assert result_value("plain words") == "plain words"


def test_single_values_are_known_by_their_names() -> None:
    assert known_values([{"userId": 7, "tags": ["x"]}, [{"order_id": "a"}], 3]) == {"userid": 7, "orderid": "a"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(max_size=8), json_values, max_size=3), json_values)
def test_any_result_can_be_said(arguments: dict[str, Any], value: Any) -> None:
    assert result_words("f", arguments, value).strip()
    known_values([value])
    assert len(result_words("f", {}, {"deep": value})) < 5_000


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_result(text: str) -> None:
    result_value(text)
