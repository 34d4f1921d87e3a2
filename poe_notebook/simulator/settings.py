"""Bots' settings as Poe keeps them: fetched or pushed, defaults by response_version, what is invalid dropped.

Poe takes what it fetches with a 200 even where a part is invalid; a bad ``parameter_controls`` alone is dropped without
a word, which is the fault that authors search longest for, so ``Understood`` keeps the reason. Sources: Poe protocol
specification, "settings" (read 2025-03); pull requests 160 and 176 of fastapi_poe for the defaults of versions 1 and 2.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from poe_notebook.errors import BotError, PoeNotebookError
from poe_notebook.protocol.faults import sentences
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.simulator.directory import KnownBot
from poe_notebook.simulator.parameters import default_parameters

__all__ = ["SettingsBook", "Understood", "understand"]

_DEFAULTS: dict[str, tuple[object, object, object]] = {
    # for response_version 0, 1, 2 and above
    "allow_attachments": (False, True, True),
    "expand_text_attachments": (True, True, True),
    "enable_image_comprehension": (False, False, False),
    "enforce_author_role_alternation": (False, False, False),
    "enable_multi_entity_prompting": (False, True, True),
}
_MAX_VERSION = 2


@dataclass(frozen=True, slots=True)
class Understood:
    """Settings in force. ``given`` is what the bot answered, ``dropped`` what of it Poe left out, in sentences.

    ``fault`` is why the bot's own could not be had when they were asked for last.
    """

    settings: SettingsResponse
    given: Mapping[str, Any] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    fault: str = ""

    @property
    def parameters(self) -> dict[str, object]:
        """The values with which the parameter controls begin."""
        return default_parameters(self.settings)

    def echo(self) -> str:
        """Say what Poe has understood, as its endpoints answer it."""
        kept = self.settings.model_dump(exclude_none=True)
        lines = [f"Settings in force: {json.dumps(kept, ensure_ascii=False)}", *self.dropped]
        return "\n".join(lines)


def understand(given: Mapping[str, Any]) -> Understood:
    """Take settings as Poe takes them. Raises ``BotError`` if nothing of them can be used."""
    known = {name: value for name, value in given.items() if name in SettingsResponse.model_fields}
    version = _version(known.get("response_version"))
    controls = known.pop("parameter_controls", None)
    dropped = [f"Unknown setting {name!r} is left out." for name in given if name not in SettingsResponse.model_fields]
    base = _checked({**known, "response_version": version})
    if controls is not None:
        base, reason = _with_controls(base, controls, version)
        dropped += [reason] if reason else []
    return Understood(_with_defaults(base, version), dict(given), tuple(dropped))


def _version(given: object) -> int:
    return given if isinstance(given, int) and not isinstance(given, bool) and given >= 0 else 0


def _checked(fields: Mapping[str, Any]) -> SettingsResponse:
    try:
        return SettingsResponse(**fields)
    except (ValidationError, PoeNotebookError, ValueError) as error:
        raise BotError(f"The settings cannot be read: {_reason(error)}", why="Poe keeps the settings it had.") from None


def _with_controls(base: SettingsResponse, controls: Any, version: int) -> tuple[SettingsResponse, str]:
    try:
        if not (isinstance(controls, dict) and "api_version" in controls):
            raise ValueError("api_version '2' is missing.")
        fields = {**base.model_dump(), "parameter_controls": controls, "response_version": version}
        return SettingsResponse(**fields), ""
    except (ValidationError, ValueError) as error:
        return base, f"parameter_controls are dropped, without a word on Poe itself: {_reason(error)}"


def _reason(error: Exception) -> str:
    return " ".join(sentences(error)) if isinstance(error, ValidationError) else str(error)


def _with_defaults(settings: SettingsResponse, version: int) -> SettingsResponse:
    place = min(version, _MAX_VERSION)
    given = {name: getattr(settings, name) for name in _DEFAULTS}
    if given["enable_multi_entity_prompting"] is None:  # the older name of the same setting
        given["enable_multi_entity_prompting"] = settings.enable_multi_bot_chat_prompting
    filled = {name: _DEFAULTS[name][place] if value is None else value for name, value in given.items()}
    return settings.model_copy(update=filled)


class SettingsBook:
    """The settings of every bot that was asked. ``fetch`` asks a bot for them and gives the JSON object."""

    def __init__(self, fetch: Callable[[KnownBot], Awaitable[Mapping[str, Any]]]) -> None:
        self._fetch = fetch
        self._kept: dict[str, tuple[object, Understood]] = {}
        self._pushes: Counter[str] = Counter()
        self._fetching: dict[str, asyncio.Lock] = {}

    async def of(self, bot: KnownBot) -> Understood:
        """Give the settings in force; a bot that was defined anew is asked first, as if it had just been deployed."""
        async with self._fetching.setdefault(bot.name, asyncio.Lock()):
            version, kept = self._kept.get(bot.name, (None, None))
            if kept is not None and version == bot.version:
                return kept
            try:
                return await self.refetch(bot)
            except BotError as error:
                # A failed fetch leaves what was there; the defaults of version 0 if it was the first.
                left = replace(kept or understand({}), fault=error.what)
                self._kept[bot.name] = (bot.version, left)
                return left

    async def refetch(self, bot: KnownBot) -> Understood:
        """Ask the bot for its settings now; some that are pushed meanwhile count more than what it gives.

        Raises ``BotError``; what was in force then stays.
        """
        before = self._pushes[bot.name]
        understood = understand(await self._fetch(bot))
        if self._pushes[bot.name] == before:
            self._kept[bot.name] = (bot.version, understood)
        return self._kept[bot.name][1]

    def push(self, bot: KnownBot, given: Mapping[str, Any]) -> Understood:
        """Take settings that are pushed. Raises ``BotError``; what was in force then stays."""
        understood = understand(given)
        self._kept[bot.name] = (bot.version, understood)
        self._pushes[bot.name] += 1
        return understood
