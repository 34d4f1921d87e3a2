"""Parameter controls for the page, as plain values, and what a page gives back as parameters of a message. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from poe_notebook.protocol.controls import (
    AspectRatio,
    ConditionallyRenderControls,
    DropDown,
    ParameterControls,
    Section,
    Slider,
    ToggleSwitch,
)

__all__ = ["controls_form", "fitting_parameters"]


def controls_form(controls: ParameterControls, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the form as the page draws it: sections of cards of controls, and the values to begin with."""
    return {"sections": [_section(section) for section in controls.sections], "values": dict(values)}


def fitting_parameters(controls: ParameterControls | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of what a page gave each value that its control could have set."""
    found = {control.parameter_name: control for control in (controls.parameters() if controls is not None else ())}
    return {name: value for name, value in given.items() if name in found and _fits(found[name], value)}


def _fits(control: object, value: object) -> bool:
    if isinstance(control, ToggleSwitch):
        return isinstance(value, bool)
    if isinstance(control, Slider):
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return is_number and control.min_value <= value <= control.max_value  # type: ignore[operator]
    if isinstance(control, DropDown):
        return value in [option.value for option in control.options]
    if isinstance(control, AspectRatio):
        return value in [option.chosen_value for option in control.options]
    return isinstance(value, str)


def _section(section: Section) -> dict[str, Any]:
    cards = [(tab.name, tab.controls) for tab in section.tabs or ()] or [(None, section.controls or [])]
    return {
        "name": section.name,
        "collapsed": bool(section.collapsed_by_default),
        "cards": [{"name": name, "controls": list(_controls(given))} for name, given in cards],
    }


def _controls(controls: Any) -> Iterator[dict[str, Any]]:
    for control in controls:
        if isinstance(control, ConditionallyRenderControls):
            condition = control.condition.model_dump()
            yield {"control": "condition", "condition": condition, "controls": list(_controls(control.controls))}
        else:
            yield _control(control)


def _control(control: Any) -> dict[str, Any]:
    given: dict[str, Any] = control.model_dump(exclude_none=True)
    if isinstance(control, AspectRatio):
        shapes = zip(given["options"], control.options, strict=True)
        given["options"] = [{**shape, "value": option.chosen_value} for shape, option in shapes]
    return given
