"""Each basic control refuses what Poe would drop without a word."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from poe_notebook.protocol.inputs import AspectRatio, AspectRatioOption, DropDown, Slider, TextField, ValueNamePair

RANGE: dict[str, Any] = {"label": "L", "parameter_name": "p", "min_value": 0, "max_value": 10, "step": 1}
OPTIONS = [ValueNamePair(value="a", name="A"), ValueNamePair(value="b", name="B")]
SHAPES = [AspectRatioOption(width=3, height=2), AspectRatioOption(width=1, height=1, value="square")]


@pytest.mark.parametrize("name", ["a", "A_1", "_", "9lives", "poem"])
def test_letters_digits_and_underscores_make_a_parameter_name(name: str) -> None:
    assert TextField(label="L", parameter_name=name).parameter_name == name


@pytest.mark.parametrize("name", ["", "a-b", "a b", "é", "poe_x", "poe_", "a\n", "a.b"])
def test_other_parameter_names_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="parameter"):
        TextField(label="L", parameter_name=name)


@pytest.mark.parametrize(
    "change", [{}, {"default_value": 0}, {"default_value": 10}, {"step": 0.5}, {"step": 10}, {"min_value": -1.5}]
)
def test_a_slider_within_its_range_is_made(change: dict[str, Any]) -> None:
    assert Slider(**RANGE | change).control == "slider"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"min_value": 10}, "min_value 10 has to be less than max_value 10"),
        ({"max_value": -1}, "has to be less than"),
        ({"step": 0}, "step 0 has to be more than 0"),
        ({"step": -1}, "step -1"),
        ({"step": 11}, "at most the whole range, 10"),
        ({"default_value": 11}, "default_value 11 is not between 0 and 10"),
        ({"default_value": -0.1}, "is not between"),
        ({"default_value": "lots"}, "a string where a finite number is wanted"),
        ({"step": float("nan")}, "finite"),
        ({"max_value": float("inf")}, "finite"),
        ({"min": 3}, "Slider has no field 'min'; did you mean 'min_value'?"),
    ],
)
def test_a_slider_that_cannot_move_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Slider(**RANGE | change)
    assert says in str(caught.value)
    assert caught.value.error_count() == 1


@given(low=st.integers(), high=st.integers(), step=st.integers(), default=st.integers())
def test_a_slider_is_made_exactly_if_its_default_can_be_shown(low: int, high: int, step: int, default: int) -> None:
    fits = low <= default <= high and 0 < step <= high - low
    try:
        Slider(label="L", parameter_name="p", min_value=low, max_value=high, step=step, default_value=default)
    except ValidationError:
        assert not fits
    else:
        assert fits


def test_a_default_has_to_be_among_the_options() -> None:
    assert DropDown(label="L", parameter_name="p", options=OPTIONS, default_value="b").default_value == "b"
    with pytest.raises(ValidationError, match=r"'B' is none of the options \(a, b\)"):
        DropDown(label="L", parameter_name="p", options=OPTIONS, default_value="B")


def test_the_default_of_a_shape_is_its_value_or_its_ratio() -> None:
    for default in ("3:2", "square", None):
        assert AspectRatio(label="L", parameter_name="p", options=SHAPES, default_value=default)
    with pytest.raises(ValidationError, match=r"'1:1' is none of the options \(3:2, square\)"):
        AspectRatio(label="L", parameter_name="p", options=SHAPES, default_value="1:1")


@pytest.mark.parametrize(("width", "height", "value"), [(16, 9, "16:9"), (16.0, 9.0, "16:9"), (1.85, 1, "1.85:1")])
def test_a_shape_without_a_value_gives_its_ratio(width: float, height: float, value: str) -> None:
    assert AspectRatioOption(width=width, height=height).chosen_value == value


@pytest.mark.parametrize("size", [0, -1, float("nan"), float("inf"), "wide", None])
def test_a_shape_has_a_positive_size(size: Any) -> None:
    with pytest.raises(ValidationError, match="width"):
        AspectRatioOption(width=size, height=1)


@pytest.mark.parametrize("kind", [DropDown, AspectRatio])
def test_a_choice_needs_options(kind: Any) -> None:
    with pytest.raises(ValidationError, match="options is empty"):
        kind(label="L", parameter_name="p", options=[])
