"""A bot of the fastapi_poe package, seen by its handlers with the access key that its server demands.

Such a bot uploads files and charges costs by itself, with its own ``access_key``. The library's ``make_app`` writes
the key into the bot; here the bot is left as it is, and its handlers get a twin of it: the same attributes, in the same
dictionary, but a key where the bot has none.
"""

from __future__ import annotations

from typing import Any

from poe_notebook.bot.files import key_of_current_answer
from poe_notebook.bot.methods import BotMethods

__all__ = ["with_key_of_server"]


def with_key_of_server(bot: Any) -> Any:
    """Give the bot as its handlers are to see it; bots of ours, which find the key themselves, as they are."""
    uploads_by_itself = hasattr(bot, "post_message_attachment") and not isinstance(bot, BotMethods)
    if not uploads_by_itself or getattr(bot, "access_key", None) or not hasattr(bot, "__dict__"):
        return bot
    kind: Any = type(bot)
    key = property(_key, _set_key)
    try:
        twin_kind = type(kind)(kind.__name__, (kind,), {"access_key": key, "__module__": kind.__module__})
    except TypeError:
        return bot  # of a class that cannot be extended just like that
    twin = object.__new__(twin_kind)
    twin.__dict__ = bot.__dict__
    return twin


def _key(twin: Any) -> str | None:
    own = vars(twin).get("access_key")
    key = own or key_of_current_answer()
    return _HiddenKey(key) if key else None


def _set_key(twin: Any, key: str | None) -> None:
    vars(twin)["access_key"] = key


class _HiddenKey(str):
    """A key that a bot's ``repr`` does not show: the library's bots write all their fields there."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[key hidden]'"
