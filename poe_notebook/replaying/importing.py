"""Where a pinned test finds its bot: in a module, by the name of an object there or as what the module is there for.

What is not found is an ``AssertionError`` with words for people.
"""

from __future__ import annotations

import inspect
import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from poe_notebook.bot.handlers import METHODS, function_bot, is_bot, is_bot_class
from poe_notebook.errors import InvalidParameterError

__all__ = ["bot_at", "bot_of"]


def bot_at(place: str) -> tuple[str, Any]:
    """Import a bot by ``module:object`` or ``module``; gives its name too.

    A module alone stands for its handler ``get_response``, or else for the only bot or bot class in it; the handler
    also stands for a name that the module does not have, since a ``%%poebot`` cell names its bot outside of its body.
    """
    __tracebackhide__ = True
    module_name, _, name = place.partition(":")
    module = _module(module_name, place)
    if not name:
        return bot_of(module, place=place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            if _has_handler(module):
                return bot_of(module, place=place)
            raise AssertionError(
                f"{module_name} has no {name}, and no function get_response.\n"
                f"The pinned test asks {place!r}; name what is there."
            )
        found = getattr(found, part)
    return bot_of(found, place=place)


def bot_of(found: Any, *, place: Any = None) -> tuple[str, Any]:
    """Make a bot of what was found: a module, a class of bots, a bot, a handler function; gives its name too."""
    __tracebackhide__ = True
    if inspect.ismodule(found):
        if _has_handler(found):
            functions = {key: getattr(found, key) for key in METHODS if callable(getattr(found, key, None))}
            return found.__name__, function_bot(functions, name="bot", settings=getattr(found, "settings", None))
        found = _only_bot_in(found)
    if is_bot_class(found):
        found = found()
    if is_bot(found):
        return type(found).__name__, found
    if inspect.isfunction(found):
        return found.__name__, function_bot({"get_response": found}, name="bot")
    raise InvalidParameterError(
        f"{place or found!r} is no bot.",
        why="A bot is an object or a class that extends fp.PoeBot, or a handler function.",
    )


def _module(name: str, place: str) -> ModuleType:
    """Import a module, from the working folder too: pytest alone does not look there."""
    __tracebackhide__ = True
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise  # something that the module itself wants to import
        raise AssertionError(
            f"There is no module {name!r}, from which the pinned test takes its bot, {place!r}.\n"
            f"Looked for in {folder} and on Python's path. Put the bot there, or change that line of the test to "
            "another module:object or to the address of the bot's server."
        ) from None


def _has_handler(module: ModuleType) -> bool:
    handlers = (getattr(module, name, None) for name in ("get_response", "get_response_with_context"))
    return any(map(callable, handlers))


def _only_bot_in(module: ModuleType) -> Any:
    """Give the bot that a module is there for: an object, or else a class of its own that none of the others extends.

    Raises ``AssertionError`` if there is none, or more than one.
    """
    __tracebackhide__ = True
    values = vars(module)
    bots = {name: value for name, value in values.items() if is_bot(value)}
    kinds = {name: kind for name, kind in values.items() if is_bot_class(kind) and kind.__module__ == module.__name__}
    leaves = {n: kind for n, kind in kinds.items() if not any(kind in other.__mro__[1:] for other in kinds.values())}
    candidates = bots or leaves
    if len(candidates) == 1:
        return next(iter(candidates.values()))
    there = f"It has {', '.join(candidates)}: name one" if candidates else "Name what is there"
    raise AssertionError(
        f"{module.__name__} has no function get_response, and {'several bots' if candidates else 'no bot'}.\n"
        f"{there} in that line of the test, as {module.__name__}:{next(iter(candidates), 'object')}."
    )
