"""The Python twins of the magics, for scripts, loops and coroutines: the same words, the same session."""

from __future__ import annotations

from typing import Any

from poe_notebook.conversation import Reply
from poe_notebook.panel import Panel
from poe_notebook.session import current_session
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.recorder import Trace
from poe_notebook.turn import Turn
from poe_notebook.views.status import BotStatus

__all__ = ["aask", "ask", "bots", "chat", "inspect", "rollback", "serve", "stop", "trace"]


def serve(bot: Any, *, name: str | None = None, path: str | None = None, port: int | None = None) -> BotStatus:
    """Serve a bot object, a bot class or a handler function from this process; again under its name: a new generation.

    Raises ``ServerError`` if the port that was asked for is taken, ``CommandError`` for what is no bot.
    """
    return current_session().serving.serve(bot, name=name, path=path, port=port)


def ask(
    bot: str,
    message: str,
    *,
    new: bool = False,
    via: str | None = None,
    parameters: dict[str, Any] | None = None,
    timeout: float | None = None,
) -> Reply:
    """Ask a bot and wait for its answer, in a cell, a thread or a script.

    A failed answer is in the reply (``reply.failure``, ``reply.raise_for_failure()``). Raises ``BotNotFound`` for an
    unknown name and ``BotError`` if the bot could not be asked at all. ``timeout`` is in seconds.
    """
    return _turn(bot, message, new=new, via=via, parameters=parameters, timeout_s=timeout).run()


async def aask(
    bot: str,
    message: str,
    *,
    new: bool = False,
    via: str | None = None,
    parameters: dict[str, Any] | None = None,
    timeout: float | None = None,
) -> Reply:
    """Ask a bot from a coroutine; cancelling it stops the answer."""
    return await _turn(bot, message, new=new, via=via, parameters=parameters, timeout_s=timeout).arun()


def chat(
    bot: str,
    *,
    via: str | None = None,
    system: str | None = None,
    parameters: dict[str, Any] | None = None,
    timeout: float | None = None,
) -> Panel:
    """Give a panel to chat with a bot: as a cell's last value it shows itself; ``send`` asks from Python.

    Each panel has a conversation of its own. ``parameters`` are what its parameter controls begin with, ``timeout`` is
    in seconds. Raises ``BotNotFound`` for an unknown name.
    """
    return current_session().panel(bot, via=via, system=system, parameters=parameters, timeout_s=timeout)


def bots() -> list[BotStatus]:
    """Tell how every bot stands."""
    return current_session().serving.statuses()


def stop(bot: str) -> None:
    """End a bot, its running answers included."""
    current_session().serving.stop(bot)


def rollback(bot: str) -> BotStatus:
    """Send new requests to the bot's generation before the current one."""
    return current_session().serving.rollback(bot)


def inspect(which: str | int | None = None) -> Exchange:
    """Give an exchange: the latest, the latest of a bot, or by number; shown in full as a cell's last value."""
    return current_session().exchange(which)


def trace() -> Trace:
    """Give the recorded exchanges."""
    return current_session().trace


def _turn(bot: str, message: str, **options: Any) -> Turn:
    return current_session().chats.turn(bot, message, **options)
