"""Parameter controls as a page draws them, and what of its values is believed."""

from __future__ import annotations

import json

import pytest

from poe_notebook.protocol.controls import (
    AspectRatio,
    AspectRatioOption,
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
    TextField,
    ToggleSwitch,
    ValueNamePair,
)
from poe_notebook.views.panel.controls import controls_form, fitting_parameters

CONTROLS = ParameterControls(
    sections=[
        Section(
            name="Look",
            tabs=[
                Tab(
                    name="Front",
                    controls=[
                        DropDown(label="Front", parameter_name="front", options=[ValueNamePair(value="a", name="A")]),
                        ConditionallyRenderControls(
                            condition=ComparatorCondition(
                                comparator="eq",
                                left=ParameterValue(parameter_name="front"),
                                right=LiteralValue(literal="a"),
                            ),
                            controls=[
                                AspectRatio(
                                    label="Shape",
                                    parameter_name="shape",
                                    options=[
                                        AspectRatioOption(width=3, height=2),
                                        AspectRatioOption(width=1, height=1, value="sq"),
                                    ],
                                )
                            ],
                        ),
                    ],
                )
            ],
        ),
        Section(
            collapsed_by_default=True,
            controls=[
                Slider(label="Detail", parameter_name="detail", min_value=1, max_value=5, step=1),
                Divider(),
                ToggleSwitch(label="Stamp", parameter_name="stamp"),
                TextField(label="Greeting", parameter_name="greeting"),
            ],
        ),
    ]
)


def test_the_form_is_plain_values_in_the_order_of_the_controls() -> None:
    form = controls_form(CONTROLS, {"front": "a"})
    assert json.loads(json.dumps(form)) == form
    look, rest = form["sections"]
    assert [card["name"] for card in look["cards"]] == ["Front"]
    condition = look["cards"][0]["controls"][1]
    assert condition["condition"]["left"] == {"parameter_name": "front"}
    assert [option["value"] for option in condition["controls"][0]["options"]] == ["3:2", "sq"]
    assert rest["collapsed"] is True
    assert [control["control"] for control in rest["cards"][0]["controls"]] == [
        "slider",
        "divider",
        "toggle_switch",
        "text_field",
    ]
    assert form["values"] == {"front": "a"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"front": "a", "shape": "3:2", "detail": 2.5, "stamp": False, "greeting": "x"}, 5),
        ({"front": "b", "shape": "2:3"}, 0),
        ({"detail": 6}, 0),
        ({"detail": True}, 0),
        ({"detail": float("nan")}, 0),
        ({"detail": "3"}, 0),
        ({"stamp": 1}, 0),
        ({"greeting": 1}, 0),
        ({"front": 1}, 0),
        ({"unknown": "x", "poe_model": "x"}, 0),
    ],
)
def test_only_what_a_control_could_have_set_is_kept(given: dict[str, object], kept: int) -> None:
    assert len(fitting_parameters(CONTROLS, given)) == kept


def test_a_bot_without_controls_gets_no_parameters() -> None:
    assert fitting_parameters(None, {"front": "a"}) == {}
