"""Who is known to the simulated Poe: the bots that this kernel serves, and the stand-ins; and who asks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from poe_notebook.keys import Secret

__all__ = ["Asker", "Directory", "KnownBot"]


@dataclass(frozen=True, slots=True)
class KnownBot:
    """A bot as Poe knows it: where its server is and the key they share; a stand-in has no server but itself.

    ``version`` changes whenever the bot is defined anew: its settings are then asked for again.
    """

    name: str
    url: str = ""
    access_key: Secret | None = None
    version: object = None
    stand_in: Any = None


@dataclass(frozen=True, slots=True)
class Asker:
    """Who queries a bot: a user in a chat, a user's script, or a bot while it answers the message ``message_id``."""

    user_id: str
    is_in_chat: bool = False
    bot: KnownBot | None = None
    message_id: str = ""


class Directory:
    """Finds bots by name, whatever its case, and by access key. ``served`` gives the kernel's own at any time."""

    def __init__(
        self, served: Callable[[], Iterable[KnownBot]], *, stand_in: Callable[[str], Any], stand_in_names: Iterable[str]
    ) -> None:
        self._served, self._stand_in = served, stand_in
        self.stand_in_names = tuple(stand_in_names)

    @property
    def served(self) -> list[KnownBot]:
        """The kernel's own bots."""
        return list(self._served())

    def find(self, name: str) -> KnownBot | None:
        """Give the bot of a name; one that is served here comes before a stand-in."""
        folded = name.casefold()
        own = [bot for bot in self._served() if bot.name.casefold() == folded]
        exact = [bot for bot in own if bot.name == name]
        if own:
            return (exact or own)[0]
        bot = self._stand_in(name)
        if bot is None:
            return None
        return KnownBot(bot.bot_name, version=getattr(bot, "backend", None), stand_in=bot)

    def of_key(self, key: str) -> list[KnownBot]:
        """Give every served bot that has this access key: bots of one kernel may share the key of POE_ACCESS_KEY."""
        return [bot for bot in self._served() if bot.access_key is not None and bot.access_key.matches(key)]
