"""Which bots an application serves, at which paths, and which access key each demands.

Keys come from the bot, from the call, from the environment, in that order; the bot objects are only read. Which calls
are refused is as in fastapi_poe 0.0.83; the names of bots are in the errors, their keys never.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from poe_notebook.errors import PoeNotebookError
from poe_notebook.keys import Secret, find_access_key, find_api_key
from poe_notebook.protocol.limits import ACCESS_KEY_CHARS

__all__ = ["AppError", "Served", "served_bots"]

_GIVEN = "given in the call"
_DEPRECATED = {"given as api_key": "api_key", "from POE_API_KEY": "the environment variable POE_API_KEY"}
_logger = logging.getLogger(__name__)


class AppError(PoeNotebookError, ValueError):
    """Bots cannot be served in that way."""


@dataclass(frozen=True, slots=True)
class Served:
    """A bot, its path, its handle on Poe if that is known, and the key that it demands, if any."""

    bot: Any
    path: str
    bot_name: str
    key: Secret | None

    @property
    def name(self) -> str:
        """What the bot is called in a trace and in a log."""
        return self.bot_name or type(self.bot).__name__

    @property
    def deprecated(self) -> str:
        """Where the key came from, if that is deprecated."""
        return _DEPRECATED.get(self.key.origin, "") if self.key is not None else ""


def served_bots(bots: Any, *, access_key: str, bot_name: str, api_key: str, allow_without_key: bool) -> list[Served]:
    """Find out what is to be served, one bot or a sequence of them. Raises ``AppError``."""
    is_one = not isinstance(bots, Sequence) or isinstance(bots, str)
    given = {"access_key": access_key, "api_key": api_key, "bot_name": bot_name}
    named = [name for name, value in given.items() if value]
    if not is_one and named:
        raise AppError(
            f"{len(bots)} bots are given together with {' and '.join(named)}.",
            why="Each of several bots has a key and a name of its own.",
            now="Write: make_app([OneBot(path='/one', access_key=..., bot_name=...), ...])",
        )
    served = [
        Served(
            bot=_checked(bot),
            path=_path(bot),
            bot_name=_bot_name(bot, bot_name),
            key=_key(bot, access_key, api_key=api_key, is_needed=not allow_without_key),
        )
        for bot in ([bots] if is_one else bots)
    ]
    _check_paths(served)
    return served


def _checked(bot: Any) -> Any:
    if inspect.isclass(bot) or not hasattr(bot, "get_response"):
        called = bot.__name__ if inspect.isclass(bot) else f"{bot!r:.80} ({type(bot).__name__})"
        raise AppError(
            f"{called} is no bot.",
            why="A bot is an object of a class that extends fp.PoeBot.",
            now=f"Write: make_app({called}())" if inspect.isclass(bot) else "For example: make_app(MyBot())",
        )
    return bot


def _path(bot: Any) -> str:
    path = getattr(bot, "path", "/")
    if not isinstance(path, str) or not path.startswith("/"):
        raise AppError(f"The path of {_kind(bot)} is {path!r}.", why="A path is a str that begins with a slash.")
    return path


def _bot_name(bot: Any, given: str) -> str:
    own = getattr(bot, "bot_name", None) or ""
    if own and given and own != given:
        raise AppError(f"{_kind(bot)} has the bot_name {own!r}, and the call says {given!r}.", now="Give it once.")
    return str(own or given)


def _key(bot: Any, access_key: str, *, api_key: str, is_needed: bool) -> Secret | None:
    own = str(getattr(bot, "access_key", None) or "").strip()
    if own:
        _check_same(bot, own, access_key=access_key, api_key=api_key)
        return Secret(own, origin="of the bot")
    found = _found(access_key, api_key)
    if found is None and is_needed:
        raise AppError(
            f"{_kind(bot)} has no access key.",
            why="Without one, whoever knows its address can use it. Poe shows a bot's key where it is created: "
            "https://poe.com/create_bot?server=1",
            now="Pass access_key=..., or set POE_ACCESS_KEY; to serve it without a key: allow_without_key=True",
        )
    if found is None or len(found.reveal()) == ACCESS_KEY_CHARS:
        return found
    if not is_needed and found.origin == "from POE_API_KEY":
        return None  # a user's own API key, which is longer and not meant for the bot
    raise AppError(
        f"The access key {found.origin} has {len(found.reveal())} characters.",
        why=f"Poe's access keys have {ACCESS_KEY_CHARS}.",
        now="Copy it once more from the page on which the bot is edited.",
    )


def _check_same(bot: Any, own: str, *, access_key: str, api_key: str) -> None:
    for name, given in (("access_key", access_key), ("api_key", api_key)):
        if given and given.strip() != own:
            raise AppError(
                f"{_kind(bot)} has an access key, and another one is given as {name}.", now="Give it to one of the two."
            )
    if len(own) != ACCESS_KEY_CHARS:
        _logger.warning(
            "The access key of %s has %d characters, Poe's have %d.", _kind(bot), len(own), ACCESS_KEY_CHARS
        )


def _found(access_key: str, api_key: str) -> Secret | None:
    if access_key and access_key.strip():
        return Secret(access_key.strip(), origin=_GIVEN)
    found = find_access_key()
    if found is None and api_key and api_key.strip():
        return Secret(api_key.strip(), origin="given as api_key")
    return found or find_api_key()


def _check_paths(served: list[Served]) -> None:
    seen: dict[str, Served] = {}
    for one in served:
        other = seen.setdefault(one.path, one)
        if other is not one:
            raise AppError(
                f"{other.name} and {one.name} have the same path, {one.path!r}.",
                why="An address leads to one bot.",
                now="Give each its own: OneBot(path='/one'), OtherBot(path='/other')",
            )


def _kind(bot: Any) -> str:
    return type(bot).__name__
