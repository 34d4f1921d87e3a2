"""The bot that a panel is about: how it stands, what its settings allow and ask for, and who else can be called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from poe_notebook.chats import Chats
from poe_notebook.errors import BotError, BotNotFound
from poe_notebook.panel.uploads import FILES_PER_MESSAGE
from poe_notebook.protocol.limits import ATTACHMENT_BYTES
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.views.panel.controls import controls_form, fitting_parameters
from poe_notebook.views.panel.wishes import MESSAGE_CHARS, PIECE_BYTES
from poe_notebook.views.transcript import ROUTES

__all__ = ["BotOfPanel"]

_LIMITS = {"files": FILES_PER_MESSAGE, "bytes": ATTACHMENT_BYTES, "piece": PIECE_BYTES, "chars": MESSAGE_CHARS}


class BotOfPanel:
    """What is known of the bot now. ``look`` asks for it, on the toolkit's loop."""

    def __init__(
        self,
        bot: str,
        route: str,
        *,
        chats: Chats,
        generation_of: Callable[[str], int | None],
        parameters: Mapping[str, Any],
    ) -> None:
        self.name, self.route = bot, route
        self._chats, self._generation_of, self._given = chats, generation_of, dict(parameters)
        chats.names()  # so that the simulator listens before the loop asks it
        self._is_stand_in = chats.is_stand_in(bot, route)
        self._asked: object = self
        self.settings: SettingsResponse | None = None
        self.dropped: tuple[str, ...] = ()
        self.parameters: dict[str, Any] = {}
        self._problem = ""

    @property
    def is_stopped(self) -> bool:
        """Whether this kernel served the bot and no longer does."""
        return self.route == "kernel" and self._generation_of(self.name) is None

    async def look(self) -> None:
        """Ask the bot for its settings, unless that was done for this generation of it."""
        generation = self._generation_of(self.name)
        if self.route == "poe" or self.is_stopped or generation == self._asked:
            return
        self._asked = generation
        try:
            found = await asyncio.to_thread(self._chats.settings, self.name)
        except (BotError, BotNotFound) as error:
            self._problem = f"{error.what} Poe's defaults hold."
            return
        self.settings, self.dropped, self._problem = found.settings, found.dropped, ""
        self.parameters = {**found.parameters, **fitting_parameters(self.settings.parameter_controls, self._given)}

    def fitting(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Keep of what a page gave what the parameter controls can have set; the simulated Poe fills in the others."""
        return fitting_parameters(self.settings.parameter_controls if self.settings is not None else None, given)

    def head(self) -> dict[str, Any]:
        """Give what a page shows of the bot."""
        controls = self.settings.parameter_controls if self.settings is not None else None
        return {
            "bot": self.name,
            "badges": self._badges(),
            "stopped": self._stopped(),
            "notes": [note for note in (self._problem, *self.dropped) if note],
            "no_files": self._no_files(),
            "limits": _LIMITS,
            "form": controls_form(controls, self.parameters) if controls is not None else None,
            "cost": (self.settings.cost_label or "") if self.settings is not None else "",
            "bots": [[name, words] for name, words in self._chats.names().items()],
        }

    @property
    def introduction(self) -> str:
        """The bot's first words, which it says before anybody else."""
        return (self.settings.introduction_message or "") if self.settings is not None else ""

    def _badges(self) -> list[list[str]]:
        badges = [list(ROUTES.get(self.route, (self.route, "muted")))]
        generation = self._generation_of(self.name) if self.route == "kernel" else None
        badges += [[f"generation {generation}", "muted"]] if generation is not None else []
        badges += [["stand-in", "warn"]] if self._is_stand_in else []
        return [*badges, ["stopped", "bad"]] if self.is_stopped else badges

    def _stopped(self) -> str:
        if not self.is_stopped:
            return ""
        return f"{self.name} is no longer served. Run its cell again to go on; what was said stays here."

    def _no_files(self) -> str:
        if self.settings is None or self.settings.allow_attachments:
            return ""
        return f"{self.name} takes no files: its setting allow_attachments is off."
