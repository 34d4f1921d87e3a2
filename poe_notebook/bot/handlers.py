"""What may be served as a bot: a ``PoeBot``, a bot of the fastapi_poe package, or plain functions from a cell.

All become one ``Servable``. Another package's bots are known by shape (a class named ``PoeBot`` among their bases), so
that package is never imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from poe_notebook.bot.base import PoeBot, RequestContext
from poe_notebook.bot.keyed import with_key_of_server
from poe_notebook.errors import CellHasNoBot
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.settings import SettingsResponse

__all__ = ["METHODS", "Servable", "check_handler", "function_bot", "is_bot", "is_bot_class", "servable"]

METHODS = (
    "get_response",
    "get_response_with_context",
    "get_settings",
    "get_settings_with_context",
    "on_feedback",
    "on_feedback_with_context",
    "on_reaction_with_context",
    "on_error",
    "on_error_with_context",
)
"""Functions of these names in a cell are methods of its bot."""


@dataclass(frozen=True, slots=True)
class Servable:
    """A bot ready to be served. ``respond`` is called with a request and its context, and gives the answer's items."""

    name: str
    bot: Any
    respond: Callable[[QueryRequest, RequestContext], Any]
    is_plain: bool
    """Whether ``respond`` is a plain function, which may block and so has to run in a worker thread."""
    handler: Any = None
    """The author's own function behind ``respond``."""


def servable(bot: Any, *, name: str) -> Servable:
    """Make a bot object servable under a name."""
    bot = with_key_of_server(bot)
    respond, handler = _respond(bot)
    return Servable(name=name, bot=bot, respond=respond, is_plain=not _is_async(handler), handler=handler)


def is_bot(value: Any) -> bool:
    """Whether the value is a bot object, ours or fastapi_poe's."""
    return not inspect.isclass(value) and is_bot_class(type(value))


def is_bot_class(value: Any) -> bool:
    """Whether the value is a class of bots, ours or fastapi_poe's, other than the base itself."""
    return (
        inspect.isclass(value)
        and value.__name__ != "PoeBot"
        and any(base.__name__ == "PoeBot" for base in value.__mro__[1:])
    )


def check_handler(bot: Any, *, name: str) -> None:
    """Raise ``CellHasNoBot`` if the handler of a bot object wants more arguments than it is called with."""
    handler = _respond(bot)[1]
    method = getattr(handler, "__name__", "")
    try:
        parameters = list(inspect.signature(handler).parameters.values())
    except (TypeError, ValueError):
        return  # it does not say what it takes
    if method in METHODS:
        _check_required(method, parameters, name)


def function_bot(functions: Mapping[str, Any], *, name: str, settings: SettingsResponse | None = None) -> PoeBot:
    """Make a bot from functions named as ``PoeBot``'s methods, each with or without ``self``, and its settings.

    Raises ``CellHasNoBot`` if one of them takes no request, or needs more than it is given.
    """
    methods = {method: _as_method(method, function, name) for method, function in functions.items()}
    if settings is not None and "get_settings" not in methods:
        methods["get_settings"] = _giving(settings)
    kind = type(name, (PoeBot,), {**methods, "__module__": "__main__"})
    bot: PoeBot = kind()
    return bot


def _respond(bot: Any) -> tuple[Callable[[QueryRequest, RequestContext], Any], Any]:
    with_context = getattr(bot, "get_response_with_context", None)
    handler = bot.get_response
    if with_context is not None and getattr(with_context, "__qualname__", "") != _DEFAULT:
        return with_context, with_context
    return (lambda request, context: handler(request)), handler


# The inherited method, ours or fastapi_poe's, only passes on what get_response gives; calling that itself also lets it
# be a plain function.
_DEFAULT = "PoeBot.get_response_with_context"


def _is_async(function: Any) -> bool:
    plain = inspect.unwrap(function)
    return inspect.isasyncgenfunction(plain) or inspect.iscoroutinefunction(plain)


def _as_method(method: str, function: Any, bot: str) -> Any:
    parameters = list(inspect.signature(function).parameters.values())
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)]
    if not positional:
        raise CellHasNoBot(
            f"{method} of {bot} takes no request.",
            why="Poe's request is the handler's only argument.",
            now=f"Write: async def {method}(request):",
        )
    has_self = positional[0].name == "self"
    _check_required(method, parameters[has_self:], bot)
    return function if has_self else staticmethod(function)


def _check_required(method: str, parameters: Sequence[inspect.Parameter], bot: str) -> None:
    """Refuse a handler that wants more arguments than it is called with."""
    given = list(inspect.signature(getattr(PoeBot, method)).parameters)[1:]
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    required = [p for p in parameters if p.default is p.empty and p.kind not in variable]
    by_name = [p.name for p in required if p.kind is p.KEYWORD_ONLY]
    excess = [p.name for p in required if p.kind is not p.KEYWORD_ONLY][len(given) :] + by_name
    if excess:
        names = ", ".join(p.name for p in required if p.name not in excess) or given[0]
        raise CellHasNoBot(
            f"{method} of {bot} needs {' and '.join(excess)} too, which nobody gives it.",
            why=f"It is called with {' and '.join(given)} alone.",
            now=f"Write: async def {method}({names}):  or give a default: {excess[0]}=None",
        )


def _giving(settings: SettingsResponse) -> Any:
    async def get_settings(self: PoeBot, setting: Any) -> SettingsResponse:
        return settings

    return get_settings
