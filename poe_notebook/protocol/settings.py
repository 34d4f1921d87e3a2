"""The settings of a bot, as it answers them to Poe.

Strict, because Poe keeps the old settings, or drops the parameter controls, without telling the author. Names and
defaults as in fastapi_poe 0.0.83; source: Poe protocol specification, "settings" (read 2025-03).
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from poe_notebook.protocol.controls import ParameterControls
from poe_notebook.protocol.limits import RESPONSE_VERSION
from poe_notebook.protocol.models import AuthorModel

__all__ = ["SettingsResponse"]


class SettingsResponse(AuthorModel):
    """What Poe may do with a bot and shows of it. ``None`` leaves a setting to Poe's default.

    ``server_bot_dependencies`` says how often, for one user message, which other bot may be asked; Poe refuses calls to
    bots that are not in it. ``response_version`` chooses the set of defaults: without one Poe takes those of 2023.
    """

    response_version: int | None = RESPONSE_VERSION
    context_clear_window_secs: int | None = None
    allow_user_context_clear: bool | None = None
    custom_rate_card: str | None = None
    server_bot_dependencies: dict[str, int] = Field(default_factory=dict)
    allow_attachments: bool | None = None
    introduction_message: str | None = None
    expand_text_attachments: bool | None = None
    enable_image_comprehension: bool | None = None
    enforce_author_role_alternation: bool | None = None
    enable_multi_bot_chat_prompting: bool | None = None
    enable_multi_entity_prompting: bool | None = None
    rate_card: str | None = None
    cost_label: str | None = None
    parameter_controls: ParameterControls | None = None

    @model_validator(mode="after")
    def _check_version(self) -> Self:
        if self.parameter_controls is not None and (self.response_version or 0) < 2:
            raise ValueError("Poe shows parameter_controls only with response_version 2; leave response_version out.")
        return self
