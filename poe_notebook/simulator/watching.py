"""A bot's answer as Poe reads it: up to its end and within the limits, unknown events passed over, mistakes noted.

Each event costs a look-up and an addition, however long the answer is. Source: Poe protocol specification, "Response"
and "Limits" (read 2025-03); which mistakes are reported, and which of them end an answer, as in fastapi_poe 0.0.83.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from poe_notebook.errors import BotError, BotErrorNoRetry, BotProtocolError
from poe_notebook.protocol.event_fields import string_in
from poe_notebook.protocol.events import KNOWN_TYPES, Event
from poe_notebook.protocol.limits import Limits
from poe_notebook.simulator.faults import ConnectionCut

__all__ = ["Watch"]

_TEXTS = frozenset({"text", "replace_response"})
_SHOWN = frozenset({"text", "replace_response", "file", "json"})
_GIVEN = _SHOWN | {"suggested_reply"}
_WANTED = {
    "text": ("text",),
    "replace_response": ("text",),
    "suggested_reply": ("text",),
    "file": ("url", "content_type", "name"),
    "data": ("metadata",),
}
_META = {"content_type": str, "linkify": bool, "suggested_replies": bool}
_KEPT_MISTAKES = 5


class Watch:
    """Reads one answer. ``mistakes`` are what Poe would report to the bot, each a sentence and the data at fault."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.mistakes: list[tuple[str, dict[str, Any]]] = []
        self.has_given = False
        """Whether anything has been passed on that would stand twice if the bot were asked again."""
        self.has_replies = False
        """Whether the bot suggested replies of its own."""
        self.suggests: bool | None = None
        self._has_shown = False
        self._chars = self._events = self._files = 0

    async def over(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Give the events that count, up to ``done`` or ``error``: what goes wrong is an ``error`` of Poe's."""
        began_s = asyncio.get_running_loop().time()
        async with aclosing(events):
            try:
                while True:
                    async with asyncio.timeout_at(began_s + self._patience_s):
                        event = await anext(events, None)
                    if event is None:
                        return
                    self._events += 1
                    fault = self._fault(event)
                    if fault:
                        yield _ended(fault)
                        return
                    if self._counts(event):
                        yield event
            except TimeoutError:
                what = "its answer" if self._events else "the first event of its answer"
                yield _ended(f"The bot took longer than {self._patience_s:g} seconds for {what}.")
            except BotProtocolError as error:
                self._note("Invalid event in response", {"fault": error.what[:500]})
                yield _ended(f"The bot's answer cannot be read: {error.what}")
            except (BotError, ConnectionCut) as error:
                if self._events:
                    self._note("Response ended without a done event", {})
                may_retry = not isinstance(error, BotErrorNoRetry | ConnectionCut)
                yield Event("error", {"allow_retry": may_retry, "text": error.what})

    @property
    def _patience_s(self) -> float:
        first_s = self._limits.first_event_s
        return self._limits.response_s if self._events or first_s is None else first_s

    def _fault(self, event: Event) -> str:
        if self._events > self._limits.events_per_response:
            return f"The bot sent more than {self._limits.events_per_response:,} events."
        if event.type in _TEXTS:
            text = event.data.get("text")
            self._chars += len(text) if isinstance(text, str) else 0
            if self._chars > self._limits.response_chars:
                return f"The bot's answer is longer than {self._limits.response_chars:,} characters."
        return ""

    def _counts(self, event: Event) -> bool:
        """Whether the event is passed on; what is wrong with it is noted. Raises ``BotProtocolError``."""
        type_, data = event.type, event.data
        if type_ == "text" and type(data.get("text")) is str:
            self._has_shown = self.has_given = True
            return True
        if type_ == "ping":
            self._events -= 1
            return False
        if type_ == "meta":
            return self._counts_meta(data)
        if type_ not in KNOWN_TYPES:
            self._note(f"Unknown event type: {type_[:100]}", {"data": str(data)[:500]})
            return False
        for key in _WANTED.get(type_, ()):
            string_in(event, key)
        if type_ == "file":
            self._files += 1
            if self._files > self._limits.attachments_per_response:
                self._note(f"More than {self._limits.attachments_per_response} files", {"name": data["name"][:200]})
                return False
        self.has_replies = self.has_replies or type_ == "suggested_reply"
        if type_ == "done" and not self._has_shown:
            self._note("Bot returned no text in response", {})
        self._has_shown = self._has_shown or type_ in _SHOWN
        self.has_given = self.has_given or type_ in _GIVEN
        return True

    def _counts_meta(self, data: dict[str, Any]) -> bool:
        if self._events > 1:
            return False
        for key, kind in _META.items():
            if key in data and not isinstance(data[key], kind):
                self._note(f"Invalid {key} value in meta event", {"value": str(data[key])[:100]})
                return False
        self.suggests = data.get("suggested_replies", False)
        return True

    def _note(self, mistake: str, data: dict[str, Any]) -> None:
        if len(self.mistakes) < _KEPT_MISTAKES:
            self.mistakes.append((mistake, data))


def _ended(text: str) -> Event:
    return Event("error", {"text": text, "allow_retry": False})
