"""Settings: the defaults of the library, and mistakes told in sentences."""

from __future__ import annotations

import fastapi_poe
import pytest
from pydantic import ValidationError

from poe_notebook.protocol.controls import Divider, ParameterControls, Section
from poe_notebook.protocol.faults import sentences
from poe_notebook.protocol.settings import SettingsResponse


def test_settings_are_those_of_the_library_unless_said() -> None:
    assert SettingsResponse().model_dump() == fastapi_poe.SettingsResponse().model_dump()


def test_a_misspelt_setting_is_named_with_the_right_one() -> None:
    with pytest.raises(ValidationError, match="no field 'allow_attachment'; did you mean 'allow_attachments'"):
        SettingsResponse(allow_attachment=True)  # type: ignore[call-arg]


def test_a_mistake_deep_inside_is_told_once_and_with_its_place() -> None:
    body = {"sections": [{"controls": [{"control": "divider"}, {"control": "slider", "labl": "L"}]}]}
    with pytest.raises(ValidationError) as caught:
        SettingsResponse.model_validate({"parameter_controls": body})
    place = "parameter_controls.sections[0].controls[1]"
    assert sentences(caught.value) == [
        f"{place}: Slider has no field 'labl'; did you mean 'label'?",
        *(f"{place}: {name} is missing." for name in ("parameter_name", "min_value", "max_value", "step")),
    ]


@pytest.mark.parametrize("version", [None, 0, 1])
def test_controls_need_the_version_that_shows_them(version: int | None) -> None:
    form = ParameterControls(sections=[Section(controls=[Divider()])])
    with pytest.raises(ValidationError, match="only with response_version 2"):
        SettingsResponse(response_version=version, parameter_controls=form)
    assert SettingsResponse(response_version=version).response_version == version
