"""Sentences about refused values name the place and the kind, never the value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from poe_notebook.protocol.faults import field_path, kind_of, sentences


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "a boolean"),
        (1, "a number"),
        (1.5, "a number"),
        ("", "a string"),
        ([], "a list"),
        ((), "a list"),
        ({}, "an object"),
        (None, "null"),
        (b"", "a bytes"),
    ],
)
def test_a_value_is_named_by_its_kind(value: object, kind: str) -> None:
    assert kind_of(value) == kind


def test_a_path_reads_like_code_and_leaves_out_choices() -> None:
    assert field_path(("query", 3, "feedback", "<value>", 0, "type")) == "query[3].feedback[0].type"
    assert field_path(()) == ""


@given(parts=st.lists(st.integers(min_value=0) | st.text()))
def test_a_path_is_short_whatever_is_in_it(parts: list[int | str]) -> None:
    assert len(field_path(parts)) <= 160


class Parcel(BaseModel):
    weight: int
    labels: list[str]


@given(weight=st.text(min_size=12), labels=st.lists(st.binary(min_size=12), min_size=1))
def test_a_sentence_never_holds_the_value(weight: str, labels: list[bytes]) -> None:
    with pytest.raises(ValidationError) as caught:
        Parcel.model_validate({"weight": weight, "labels": {"x": labels}})
    said = sentences(caught.value)
    assert "labels is an object; it must be a list." in said
    assert not any(weight in sentence for sentence in said)


def test_a_whole_value_of_the_wrong_kind_is_called_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        Parcel.model_validate(3)
    assert sentences(caught.value) == ["the value is a number; it must be an object."]
