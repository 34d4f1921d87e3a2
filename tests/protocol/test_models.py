"""The bases: leniency and strictness do not get into each other's way, and cost what they should."""

from __future__ import annotations

import json
import timeit
from functools import partial
from typing import Any

import fastapi_poe
import pytest
from pydantic import Field, ValidationError

from poe_notebook.protocol.models import AuthorModel, Flag, Listed, Mapped, Text, WireModel
from poe_notebook.protocol.requests import QueryRequest


class Letter(WireModel):
    pages: Listed[int] = Field(default_factory=list)
    stamps: Mapped[str] = Field(default_factory=dict)
    address: Text = ""
    is_urgent: Flag = False


class Envelope(AuthorModel):
    colour: str
    letter: Letter | None = None
    inner: Envelope | None = None


def test_null_stands_for_the_empty_value_of_each_kind() -> None:
    nulls = dict.fromkeys(Letter.model_fields)
    assert Letter.model_validate(nulls) == Letter()
    assert Letter.model_validate_json(json.dumps(nulls)) == Letter()


def test_null_inside_a_list_is_still_a_fault() -> None:
    with pytest.raises(ValidationError):
        Letter(pages=[1, None])  # type: ignore[list-item]


def test_a_field_that_takes_null_is_dumped_as_any_other() -> None:
    letter = Letter(pages=[1], stamps={"a": "b"}, address="x", is_urgent=True)
    assert letter.model_dump() == json.loads(letter.model_dump_json()) == vars(letter)


def test_strict_validation_takes_no_null() -> None:
    with pytest.raises(ValidationError):
        Letter.model_validate({"address": None}, strict=True)


def test_a_nested_mistake_keeps_its_sentence_and_gets_its_place() -> None:
    with pytest.raises(ValidationError) as caught:
        Envelope.model_validate({"colour": "red", "inner": {"color": "blue", "inner": {}}})
    assert [(fault["loc"], fault["msg"]) for fault in caught.value.errors()] == [
        (("inner", "color"), "Envelope has no field 'color'; did you mean 'colour'?"),
        (("inner", "inner", "colour"), "colour is missing."),
    ]


def test_an_author_model_can_be_copied_pickled_and_compared() -> None:
    envelope = Envelope(colour="red", letter=Letter(pages=[1]))
    assert envelope.model_copy(deep=True) == envelope
    assert Envelope.model_validate_json(envelope.model_dump_json()) == envelope


def test_reading_a_long_query_costs_about_what_it_costs_the_library() -> None:
    message: dict[str, Any] = {
        "role": "user",
        "content": "x" * 1000,
        "feedback": [],
        "attachments": [],
        "parameters": {},
    }
    ids = {"message_id": "", "user_id": "", "conversation_id": ""}
    body = {"version": "1.2", "type": "query", "query": [message] * 100, **ids}
    read = QueryRequest.model_validate, fastapi_poe.QueryRequest.model_validate
    # In turns, so that a busy moment of the machine falls on both.
    rounds = [[timeit.timeit(partial(validate, body), number=20) for validate in read] for _ in range(9)]
    ours, theirs = map(min, zip(*rounds, strict=True))
    assert ours < 1.5 * theirs
