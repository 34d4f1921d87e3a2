"""The form: what holds the controls, and what ties several of them together."""

from __future__ import annotations

from typing import Any

import fastapi_poe
import pytest
from pydantic import ValidationError

from poe_notebook.protocol.controls import (
    AspectRatio,
    ComparatorCondition,
    ConditionallyRenderControls,
    Divider,
    DropDown,
    LiteralValue,
    ParameterControls,
    ParameterValue,
    Section,
    Slider,
    Tab,
    TextArea,
    TextField,
    ToggleSwitch,
)

CONDITION = ComparatorCondition(
    comparator="eq", left=ParameterValue(parameter_name="p"), right=LiteralValue(literal="a")
)
POSTCARD: dict[str, Any] = {
    "api_version": "2",
    "sections": [
        {
            "name": "Card",
            "tabs": [
                {
                    "name": "Look",
                    "controls": [
                        {
                            "control": "drop_down",
                            "label": "Front",
                            "parameter_name": "front",
                            "default_value": "paint",
                            "options": [{"value": "paint", "name": "Painted"}, {"value": "none", "name": "Empty"}],
                        },
                        {
                            "control": "condition",
                            "condition": {
                                "comparator": "ne",
                                "left": {"parameter_name": "front"},
                                "right": {"literal": "none"},
                            },
                            "controls": [
                                {
                                    "control": "aspect_ratio",
                                    "label": "Shape",
                                    "parameter_name": "shape",
                                    "options": [{"width": 3, "height": 2}],
                                },
                                {
                                    "control": "slider",
                                    "label": "Detail",
                                    "parameter_name": "detail",
                                    "min_value": 1,
                                    "max_value": 5,
                                    "step": 1,
                                },
                            ],
                        },
                    ],
                },
                {
                    "name": "Words",
                    "controls": [
                        {"control": "text_field", "label": "Greeting", "parameter_name": "greeting"},
                        {"control": "divider"},
                        {"control": "text_area", "label": "Text", "parameter_name": "text"},
                    ],
                },
            ],
        },
        {
            "collapsed_by_default": True,
            "controls": [
                {"control": "toggle_switch", "label": "Stamp", "parameter_name": "stamp", "default_value": True}
            ],
        },
    ],
}


def toggle(name: str, default: bool | None = None) -> ToggleSwitch:
    return ToggleSwitch(label="L", parameter_name=name, default_value=default)


def when(name: str, *controls: Any) -> ConditionallyRenderControls:
    condition = ComparatorCondition(
        comparator="eq", left=LiteralValue(literal=True), right=ParameterValue(parameter_name=name)
    )
    return ConditionallyRenderControls(condition=condition, controls=list(controls))


def controls(*shown: Any) -> ParameterControls:
    return ParameterControls(sections=[Section(controls=list(shown))])


def test_a_whole_form_reads_as_the_library_reads_it() -> None:
    theirs = fastapi_poe.ParameterControls.model_validate(POSTCARD)
    assert ParameterControls.model_validate(POSTCARD).model_dump() == theirs.model_dump()


def test_the_name_in_control_decides_the_class() -> None:
    form = ParameterControls.model_validate(POSTCARD)
    assert [type(control) for control in form.parameters()] == [
        DropDown,
        AspectRatio,
        Slider,
        TextField,
        TextArea,
        ToggleSwitch,
    ]
    assert [condition.comparator for condition in form.conditions()] == ["ne"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({}, Divider),
        ({"label": "L", "parameter_name": "p"}, TextField),
        ({"label": "L", "parameter_name": "p", "default_value": True}, ToggleSwitch),
        ({"label": "L", "parameter_name": "p", "min_value": 0, "max_value": 1, "step": 1}, Slider),
        ({"label": "L", "parameter_name": "p", "options": [{"value": "a", "name": "A"}]}, DropDown),
        ({"label": "L", "parameter_name": "p", "options": [{"width": 1, "height": 1}]}, AspectRatio),
        ({"condition": when("p").condition, "controls": []}, ConditionallyRenderControls),
    ],
)
def test_a_control_without_its_name_is_guessed_as_the_library_guesses(body: dict[str, Any], kind: type) -> None:
    section = Section.model_validate({"controls": [body]})
    assert section.controls is not None
    assert type(section.controls[0]) is kind


@pytest.mark.parametrize("odd", [{"options": 3}, {"options": []}, {"options": [4]}, {"options": None}, {"control": []}])
def test_an_odd_control_without_its_name_is_refused_not_a_crash(odd: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Section.model_validate({"controls": [{"label": "L", "parameter_name": "a-b", **odd}]})


@pytest.mark.parametrize("name", ["dropdown", "Slider", "conditions"])
def test_a_wrong_control_name_is_told_with_the_right_ones(name: str) -> None:
    with pytest.raises(ValidationError, match="drop_down, toggle_switch, slider, aspect_ratio, condition") as caught:
        Section.model_validate({"controls": [{"control": name, "label": "L", "parameter_name": "p"}]})
    assert caught.value.error_count() == 1


def test_a_section_holds_controls_or_tabs() -> None:
    tab = Tab(controls=[Divider()])
    assert Section(tabs=[tab])
    with pytest.raises(ValidationError, match="both"):
        Section(controls=[Divider()], tabs=[tab])
    with pytest.raises(ValidationError, match="neither"):
        Section(name="Empty")


@pytest.mark.parametrize(
    "make", [lambda: Tab(controls=[]), lambda: Section(tabs=[]), lambda: ParameterControls(sections=[])]
)
def test_a_container_needs_content(make: Any) -> None:
    with pytest.raises(ValidationError, match="is empty; it needs at least one item"):
        make()


def test_controls_may_share_a_parameter_if_their_defaults_are_equal() -> None:
    assert controls(toggle("p", True), toggle("p", True))
    assert controls(toggle("p"), toggle("p"))
    one = Slider(label="L", parameter_name="p", min_value=0, max_value=2, step=1, default_value=1)
    assert controls(one, one.model_copy(update={"default_value": 1.0}))


def test_controls_may_not_share_a_parameter_with_unequal_defaults() -> None:
    one = Slider(label="L", parameter_name="p", min_value=0, max_value=2, step=1, default_value=1)
    for first, second in (
        (toggle("p", True), toggle("p", False)),
        (toggle("p", True), toggle("p")),
        (toggle("p", True), one),
    ):
        with pytest.raises(ValidationError, match="share the parameter 'p'"):
            controls(first, when("p", second))


def test_a_condition_asks_for_a_parameter_that_is_set_anywhere_in_the_form() -> None:
    assert controls(when("late", Divider()), toggle("late"))
    assert ParameterControls(sections=[Section(controls=[when("p")]), Section(tabs=[Tab(controls=[toggle("p")])])])


def test_a_condition_on_a_parameter_that_nothing_sets_is_refused() -> None:
    with pytest.raises(ValidationError, match="'stmp', which no control sets; known are stamp"):
        controls(toggle("stamp"), when("stmp", Divider()))


def test_the_word_of_the_guide_is_sent_as_the_word_of_the_library() -> None:
    condition = ComparatorCondition.model_validate({**CONDITION.model_dump(), "comparator": "equals"})
    assert condition == CONDITION
    assert condition.model_dump()["comparator"] == "eq"


@pytest.mark.parametrize("comparator", ["eq", "ne", "gt", "ge", "lt", "le"])
def test_each_comparator_of_the_library_is_taken(comparator: Any) -> None:
    assert ComparatorCondition(comparator=comparator, left=CONDITION.left, right=CONDITION.right)


@pytest.mark.parametrize("comparator", ["is", "==", "", None])
def test_other_comparators_are_refused(comparator: Any) -> None:
    with pytest.raises(ValidationError, match="comparator must be 'eq', 'ne'"):
        ComparatorCondition(comparator=comparator, left=CONDITION.left, right=CONDITION.right)


@pytest.mark.parametrize("literal", ["a", 1, 1.5, True])
def test_a_literal_keeps_its_kind(literal: Any) -> None:
    kept = LiteralValue(literal=literal).literal
    assert (type(kept), kept) == (type(literal), literal)


@pytest.mark.parametrize("literal", [None, [], float("nan")])
def test_other_literals_are_refused_in_one_sentence(literal: Any) -> None:
    with pytest.raises(ValidationError, match="where a string, a finite number or a boolean is wanted") as caught:
        LiteralValue(literal=literal)
    assert caught.value.error_count() == 1


def test_a_side_of_a_condition_is_a_parameter_or_a_literal() -> None:
    with pytest.raises(ValidationError, match="either a 'parameter_name' or a 'literal'"):
        ComparatorCondition.model_validate({"comparator": "eq", "left": {"name": "p"}, "right": {"literal": 1}})


def test_conditions_do_not_nest() -> None:
    inner = ConditionallyRenderControls(condition=CONDITION, controls=[ToggleSwitch(label="L", parameter_name="p")])
    with pytest.raises(ValidationError, match="'control' has to be one of divider"):
        ConditionallyRenderControls(condition=CONDITION, controls=[inner])  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["a-b", "poe_x", ""])
def test_a_condition_asks_for_a_parameter_by_a_proper_name(name: str) -> None:
    with pytest.raises(ValidationError, match="parameter"):
        ParameterValue(parameter_name=name)
