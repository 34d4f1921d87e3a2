"""The line under a ``%%poebot`` cell, shown through a display handle and kept up to date through it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from IPython.display import display

from poe_notebook.views.status import BotStatus, status_bundle

__all__ = ["StatusLine"]


class StatusLine:
    """One bot's line. ``is_live``: whether the front end can change an output that it shows already."""

    def __init__(self, status: BotStatus, *, is_live: bool) -> None:
        self._status, self._is_live = status, is_live
        self._handle: Any = display(status_bundle(status), raw=True, display_id=True)

    def update(self, status: BotStatus) -> None:
        """Show how the bot stands now; from any thread."""
        if status != self._status and self._is_live:
            self._status = status
            self._handle.update(status_bundle(status), raw=True)

    def replaced(self, generation: int) -> None:
        """Say that a later cell defined the bot anew."""
        note = f"replaced by generation {generation}"
        self.update(replace(self._status, in_flight=0, in_flight_old=0, state="replaced", note=note))

    def stopped(self) -> None:
        """Say that the bot is no longer served."""
        self.update(replace(self._status, in_flight=0, in_flight_old=0, state="stopped"))
