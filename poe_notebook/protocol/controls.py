"""Parameter controls: the form that a bot may ask Poe to show beside the message box.

The basic controls are in ``inputs``; here is what holds them: conditions, tabs, sections, and the form with what ties
several controls together. Names and fields as in fastapi_poe 0.0.83; the rules are from Poe's guide "Parameter
controls" (read 2026-04).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self, TypeAlias, Union

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from poe_notebook.protocol.faults import kind_of
from poe_notebook.protocol.inputs import (
    AspectRatio,
    AspectRatioOption,
    Divider,
    DropDown,
    Number,
    ParameterControl,
    ParameterName,
    Slider,
    TextArea,
    TextField,
    ToggleSwitch,
    ValueNamePair,
)
from poe_notebook.protocol.models import AuthorModel

__all__ = [
    "AspectRatio",
    "AspectRatioOption",
    "BaseControl",
    "ComparatorCondition",
    "ConditionallyRenderControls",
    "Divider",
    "DropDown",
    "FullControls",
    "LiteralValue",
    "Number",
    "ParameterControl",
    "ParameterControls",
    "ParameterValue",
    "Section",
    "Slider",
    "Tab",
    "TextArea",
    "TextField",
    "ToggleSwitch",
    "ValueNamePair",
]

Comparator: TypeAlias = Literal["eq", "ne", "gt", "ge", "lt", "le"]


def _check_literal(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    try:
        return check(value)
    except ValidationError:
        raise ValueError(f"{kind_of(value)} where a string, a finite number or a boolean is wanted.") from None


LiteralScalar = Annotated[str | float | int | bool, WrapValidator(_check_literal)]


class LiteralValue(AuthorModel):
    """A fixed side of a condition."""

    literal: LiteralScalar


class ParameterValue(AuthorModel):
    """A side of a condition that is the present value of a parameter."""

    parameter_name: ParameterName


def _side_of(value: Any) -> str | None:
    names = value if isinstance(value, dict) else getattr(type(value), "model_fields", ())
    return next((f"<{name}>" for name in ("literal", "parameter_name") if name in names), None)


Side = Annotated[
    Annotated[LiteralValue, Tag("<literal>")] | Annotated[ParameterValue, Tag("<parameter_name>")],
    Discriminator(
        _side_of,
        custom_error_type="unknown_side",
        custom_error_message="a side of a condition has either a 'parameter_name' or a 'literal'",
    ),
]


class ComparatorCondition(AuthorModel):
    """Two sides compared. Poe's guide writes ``equals``, its library ``eq``; both are taken and ``eq`` is sent."""

    comparator: Annotated[Comparator, BeforeValidator(lambda word: "eq" if word == "equals" else word)]
    left: Side
    right: Side


BaseControl: TypeAlias = Union[Divider, TextField, TextArea, DropDown, ToggleSwitch, Slider, AspectRatio]  # noqa: UP007


def _control_of(value: Any) -> str | None:
    if isinstance(value, dict):
        return f"<{value.get('control') or _guess_control(value)}>"
    name = getattr(value, "control", None)
    return f"<{name}>" if name else None


def _guess_control(fields: dict[str, Any]) -> str:
    """Tell which control was meant without its name, which Poe wants but fastapi_poe does not."""
    if "condition" in fields:
        return "condition"
    if "min_value" in fields:
        return "slider"
    if "options" in fields:
        return "aspect_ratio" if _has_shapes(fields["options"]) else "drop_down"
    if isinstance(fields.get("default_value"), bool):
        return "toggle_switch"
    return "text_field" if "label" in fields else "divider"


def _has_shapes(options: object) -> bool:
    first = options[0] if isinstance(options, list) and options else None
    return "width" in first if isinstance(first, dict) else isinstance(first, AspectRatioOption)


def _by_control(*, names: str) -> Discriminator:
    return Discriminator(
        _control_of, custom_error_type="unknown_control", custom_error_message=f"'control' has to be one of {names}"
    )


_BASE_NAMES = "divider, text_field, text_area, drop_down, toggle_switch, slider, aspect_ratio"

# The name in ``control`` decides, so that a mistake in one control is one error, not one for each kind of control.
TaggedControl: TypeAlias = (
    Annotated[Divider, Tag("<divider>")]
    | Annotated[TextField, Tag("<text_field>")]
    | Annotated[TextArea, Tag("<text_area>")]
    | Annotated[DropDown, Tag("<drop_down>")]
    | Annotated[ToggleSwitch, Tag("<toggle_switch>")]
    | Annotated[Slider, Tag("<slider>")]
    | Annotated[AspectRatio, Tag("<aspect_ratio>")]
)


class ConditionallyRenderControls(AuthorModel):
    """Controls that are shown while a condition holds; conditions do not nest."""

    control: Literal["condition"] = "condition"
    condition: ComparatorCondition
    controls: list[Annotated[TaggedControl, _by_control(names=_BASE_NAMES)]]


FullControls: TypeAlias = Union[BaseControl, ConditionallyRenderControls]  # noqa: UP007

AnyControl = Annotated[
    TaggedControl | Annotated[ConditionallyRenderControls, Tag("<condition>")],
    _by_control(names=f"{_BASE_NAMES}, condition"),
]


class Tab(AuthorModel):
    """One of several cards of a section, of which one is shown at a time."""

    name: str | None = None
    controls: list[AnyControl] = Field(min_length=1)


class Section(AuthorModel):
    """A card that can be folded; holds either controls or tabs."""

    name: str | None = None
    controls: list[AnyControl] | None = None
    tabs: list[Tab] | None = Field(default=None, min_length=1)
    collapsed_by_default: bool | None = None

    @model_validator(mode="after")
    def _check_content(self) -> Self:
        if self.controls is not None and self.tabs is not None:
            raise ValueError("a section holds controls or tabs, and this one has both; move the controls into a tab.")
        if self.controls is None and self.tabs is None:
            raise ValueError("a section holds controls or tabs, and this one has neither.")
        return self


class ParameterControls(AuthorModel):
    """All parameter controls of a bot. Controls may share a parameter if they give it the same default."""

    api_version: Literal["2"] = "2"
    sections: list[Section] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        defaults: dict[str, object] = {}
        for control in self.parameters():
            default: object = getattr(control, "default_value", None)
            known = defaults.setdefault(control.parameter_name, default)
            if known != default or isinstance(known, bool) != isinstance(default, bool):
                raise ValueError(
                    f"two controls share the parameter {control.parameter_name!r} and give it different defaults, "
                    f"{_cut(known)} and {_cut(default)}; give them the same, or two names."
                )
        for condition in self.conditions():
            _check_sides(condition, known=list(defaults))
        return self

    def parameters(self) -> Iterator[ParameterControl]:
        """Give each control that sets a parameter, in the order in which they are shown."""
        for control in self._shown():
            if isinstance(control, ConditionallyRenderControls):
                yield from (inner for inner in control.controls if not isinstance(inner, Divider))
            elif not isinstance(control, Divider):
                yield control

    def conditions(self) -> Iterator[ComparatorCondition]:
        """Give each condition under which some controls are shown."""
        return (control.condition for control in self._shown() if isinstance(control, ConditionallyRenderControls))

    def _shown(self) -> Iterator[FullControls]:
        for section in self.sections:
            yield from section.controls or ()
            for tab in section.tabs or ():
                yield from tab.controls


def _check_sides(condition: ComparatorCondition, *, known: Sequence[str]) -> None:
    for side in (condition.left, condition.right):
        if isinstance(side, ParameterValue) and side.parameter_name not in known:
            raise ValueError(
                f"a condition asks for the parameter {side.parameter_name!r}, which no control sets; "
                f"known are {', '.join(known)[:200] or 'none'}."
            )


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
