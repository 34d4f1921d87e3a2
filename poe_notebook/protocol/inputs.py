"""The basic parameter controls: each sets one parameter of a message, or is a line between two of them.

Poe drops a bot's parameter controls without a word if it dislikes one of them, so each is checked when it is made.
Names and fields as in fastapi_poe 0.0.83; the rules are from Poe's guide "Parameter controls" (read 2026-04).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from poe_notebook.protocol.faults import kind_of
from poe_notebook.protocol.models import AuthorModel

__all__ = [
    "AspectRatio",
    "AspectRatioOption",
    "Divider",
    "DropDown",
    "Number",
    "ParameterControl",
    "ParameterName",
    "Slider",
    "TextArea",
    "TextField",
    "ToggleSwitch",
    "ValueNamePair",
]

Number: TypeAlias = int | float

_NAME = re.compile(r"[A-Za-z0-9_]+")


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name[:40]!r} is no parameter name; use ASCII letters, digits and underscores only.")
    if name.startswith("poe_"):
        raise ValueError(f"{name[:40]!r} begins with 'poe_', which is kept for Poe's own parameters.")
    return name


def _check_number(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    try:
        return check(value)
    except ValidationError:
        raise ValueError(f"{kind_of(value)} where a finite number is wanted.") from None


def _check_positive(number: Number) -> Number:
    if number <= 0:
        raise ValueError(f"{number} has to be more than 0.")
    return number


ParameterName = Annotated[str, AfterValidator(_check_name)]
# One sentence instead of one for each member of the union.
FiniteNumber = Annotated[Number, WrapValidator(_check_number)]


class Divider(AuthorModel):
    """A line between two controls."""

    control: Literal["divider"] = "divider"


class ParameterControl(AuthorModel):
    """What every control has that sets a parameter."""

    control: str
    label: str
    description: str | None = None
    parameter_name: ParameterName


class TextField(ParameterControl):
    """One line of text."""

    control: Literal["text_field"] = "text_field"
    default_value: str | None = None
    placeholder: str | None = None


class TextArea(ParameterControl):
    """Several lines of text."""

    control: Literal["text_area"] = "text_area"
    default_value: str | None = None
    placeholder: str | None = None


class ValueNamePair(AuthorModel):
    """An option of a drop-down: shows ``name``, sets ``value``."""

    value: str
    name: str


class DropDown(ParameterControl):
    """One of several options."""

    control: Literal["drop_down"] = "drop_down"
    default_value: str | None = None
    options: list[ValueNamePair] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_default(self) -> Self:
        _check_among(self.default_value, [option.value for option in self.options])
        return self


class ToggleSwitch(ParameterControl):
    """On or off."""

    control: Literal["toggle_switch"] = "toggle_switch"
    default_value: bool | None = None


class Slider(ParameterControl):
    """A number between two others."""

    control: Literal["slider"] = "slider"
    default_value: FiniteNumber | None = None
    min_value: FiniteNumber
    max_value: FiniteNumber
    step: FiniteNumber

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        low, high = self.min_value, self.max_value
        if low >= high:
            raise ValueError(f"min_value {low} has to be less than max_value {high}.")
        if not 0 < self.step <= high - low:
            raise ValueError(f"step {self.step} has to be more than 0 and at most the whole range, {high - low}.")
        if self.default_value is not None and not low <= self.default_value <= high:
            raise ValueError(f"default_value {self.default_value} is not between {low} and {high}.")
        return self


class AspectRatioOption(AuthorModel):
    """A shape to choose; sets ``value``, or ``width:height`` if that is not given."""

    value: str | None = None
    width: Annotated[FiniteNumber, AfterValidator(_check_positive)]
    height: Annotated[FiniteNumber, AfterValidator(_check_positive)]

    @property
    def chosen_value(self) -> str:
        """The parameter's value once this shape is chosen."""
        return f"{_plain(self.width)}:{_plain(self.height)}" if self.value is None else self.value


class AspectRatio(ParameterControl):
    """One of several shapes, shown with previews."""

    control: Literal["aspect_ratio"] = "aspect_ratio"
    default_value: str | None = None
    options: list[AspectRatioOption] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_default(self) -> Self:
        _check_among(self.default_value, [option.chosen_value for option in self.options])
        return self


def _check_among(default: str | None, values: list[str]) -> None:
    if default is not None and default not in values:
        raise ValueError(f"default_value {default[:40]!r} is none of the options ({', '.join(values)[:200]}).")


def _plain(number: Number) -> str:
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)
