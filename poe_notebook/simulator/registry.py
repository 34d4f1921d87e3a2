"""Bot servers that run elsewhere, made known to the simulated Poe, as poe.com's form for server bots does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx

from poe_notebook.errors import CommandError
from poe_notebook.keys import Secret, new_access_key
from poe_notebook.simulator.directory import KnownBot

__all__ = ["Registry"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


class Registry:
    """The registered bots, by name; registering one again takes the place of the former."""

    def __init__(self) -> None:
        self._bots: dict[str, KnownBot] = {}

    def __iter__(self) -> Iterator[KnownBot]:
        return iter(list(self._bots.values()))

    def add(self, name: str, url: str, access_key: Secret | None) -> KnownBot:
        """Register a server. Without an access key one is made, which a server that demands none takes as well.

        Raises ``CommandError``.
        """
        if not _NAME.fullmatch(name):
            raise CommandError(
                f"{name!r} cannot be a bot's name.",
                why="Names are made of ASCII letters, digits, '-', '_' and '.', 100 at the most, as on Poe.",
                now="For example: %poe register MyBot http://127.0.0.1:8080/",
            )
        _check(url)
        bot = KnownBot(name, url, access_key or new_access_key(), version=object(), is_elsewhere=True)
        self._bots[name] = bot
        return bot

    def remove(self, name: str) -> None:
        """Forget a server. Raises ``CommandError`` if none has that name."""
        if self._bots.pop(name, None) is None:
            known = ", ".join(self._bots)
            raise CommandError(
                f"No server is registered as {name!r}.",
                why=f"Registered are: {known}." if known else "None is registered.",
            )


def _check(url: str) -> None:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise _no_address(repr(url), str(error)) from None
    if parsed.userinfo:
        raise _no_address("This", "A password in it would be seen, and Poe sends none.")
    if parsed.scheme not in ("http", "https") or not parsed.host or not 0 < (parsed.port or 80) < 65536:
        raise _no_address(repr(url), "It begins with http:// or https:// and names a host.")


def _no_address(what: str, why: str) -> CommandError:
    return CommandError(f"{what} is no address of a bot server.", why=why, now="For example: http://127.0.0.1:8080/")
