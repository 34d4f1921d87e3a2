"""Which bots the simulated Poe knows: those that this kernel serves, those registered, and the stand-ins."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from poe_notebook.keys import Secret

__all__ = ["Directory", "KnownBot"]


@dataclass(frozen=True, slots=True)
class KnownBot:
    """A bot as Poe knows it: where its server is and the key they share; a stand-in has no server but itself.

    ``version`` changes whenever the bot is defined anew: its settings are then asked for again. ``is_elsewhere`` is one
    whose server is not this kernel's.
    """

    name: str
    url: str = ""
    access_key: Secret | None = None
    version: object = None
    stand_in: Any = None
    is_elsewhere: bool = False

    @property
    def route(self) -> str:
        """Who answers, as the trace has it."""
        return "kernel" if self.stand_in is None and not self.is_elsewhere else "simulator"


class Directory:
    """Finds bots by name, whatever its case, and by access key. ``served`` gives the kernel's own at any time."""

    def __init__(
        self, served: Callable[[], Iterable[KnownBot]], *, stand_in: Callable[[str], Any], stand_in_names: Iterable[str]
    ) -> None:
        self._served, self._stand_in = served, stand_in
        self.stand_in_names = tuple(stand_in_names)

    @property
    def served(self) -> list[KnownBot]:
        """The bots with a server: the kernel's own, and those registered."""
        return list(self._served())

    def find(self, name: str) -> KnownBot | None:
        """Give the bot of a name: one that is served here, else one that runs elsewhere, else a stand-in."""
        return _named(name, self._served()) or self._stood_in_for(name)

    def find_elsewhere(self, name: str) -> KnownBot | None:
        """Give the bot of a name that is not served here: one that runs elsewhere, or a stand-in."""
        elsewhere = (bot for bot in self._served() if bot.is_elsewhere)
        return _named(name, elsewhere) or self._stood_in_for(name)

    def near(self, name: str) -> list[str]:
        """Give the names of bots that are not served here and that this one may have been meant for."""
        names = [*self.stand_in_names, *(bot.name for bot in self._served() if bot.is_elsewhere)]
        folded = {each.casefold(): each for each in names}
        return [folded[each] for each in difflib.get_close_matches(name.casefold(), folded, n=2, cutoff=0.7)]

    def _stood_in_for(self, name: str) -> KnownBot | None:
        bot = self._stand_in(name)
        if bot is None:
            return None
        return KnownBot(bot.bot_name, version=getattr(bot, "backend", None), stand_in=bot)

    def of_key(self, key: str) -> list[KnownBot]:
        """Give every served bot that has this access key: bots of one kernel may share the key of POE_ACCESS_KEY."""
        return [bot for bot in self._served() if bot.access_key is not None and bot.access_key.matches(key)]


def _named(name: str, bots: Iterable[KnownBot]) -> KnownBot | None:
    folded = name.casefold()
    same = [bot for bot in bots if bot.name.casefold() == folded]
    return next((bot for bot in same if bot.name == name), same[0] if same else None)
