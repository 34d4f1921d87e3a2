"""The values with which a bot's parameter controls begin, before the user has touched one."""

from __future__ import annotations

from poe_notebook.protocol.settings import SettingsResponse

__all__ = ["default_parameters"]


def default_parameters(settings: SettingsResponse) -> dict[str, object]:
    """Give the values that the parameter controls begin with.

    A control without a default begins with an empty text, its first option, off, or its least value: undocumented, and
    the simulator's rule.
    """
    controls = settings.parameter_controls
    if controls is None:
        return {}
    return {control.parameter_name: _initial(control) for control in reversed(list(controls.parameters()))}


def _initial(control: object) -> object:
    default = getattr(control, "default_value", None)
    if default is not None:
        return default
    kind = getattr(control, "control", "")
    if kind == "toggle_switch":
        return False
    if kind == "slider":
        return getattr(control, "min_value", 0)
    options = getattr(control, "options", None)
    if options:
        first = options[0]
        width = getattr(first, "width", None)
        value: object = getattr(first, "value", None)
        return value if value is not None or width is None else f"{width:g}:{first.height:g}"
    return ""
