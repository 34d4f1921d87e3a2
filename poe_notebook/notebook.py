"""The Python twins of the magics, for scripts, loops and coroutines: the same words, the same session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from poe_notebook.attaching import as_file
from poe_notebook.comparing import Comparison
from poe_notebook.conversation import Reply
from poe_notebook.panel import Panel
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.session import current_session
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.recorder import Trace
from poe_notebook.turn import Turn
from poe_notebook.views.status import BotStatus

__all__ = [
    "aask",
    "ask",
    "bots",
    "chat",
    "compare",
    "inspect",
    "react",
    "register",
    "rollback",
    "serve",
    "settings",
    "stop",
    "sync",
    "trace",
    "use",
]


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
    attach: Iterable[Any] = (),
    system: str | None = None,
    user: str | None = None,
    faults: Sequence[str] = (),
    timeout: float | None = None,
) -> Reply:
    """Ask a bot and wait for its answer, in a cell, a thread or a script.

    ``attach`` are paths, bytes, texts, data frames, figures or images; ``user`` is the name of who speaks in a chat of
    several; ``faults`` are what the simulator lets go wrong, as ``"cut@3"``; ``timeout`` is in seconds. A failed answer
    is in the reply (``reply.failure``, ``reply.raise_for_failure()``). Raises ``BotNotFound`` for an unknown name.
    """
    options = {"parameters": parameters, "system": system, "user": user, "faults": faults, "timeout_s": timeout}
    return _turn(bot, message, attach, new=new, via=via, **options).run()


async def aask(
    bot: str,
    message: str,
    *,
    new: bool = False,
    via: str | None = None,
    parameters: dict[str, Any] | None = None,
    attach: Iterable[Any] = (),
    system: str | None = None,
    user: str | None = None,
    faults: Sequence[str] = (),
    timeout: float | None = None,
) -> Reply:
    """Ask a bot from a coroutine, with the arguments of ``ask``; cancelling it stops the answer."""
    options = {"parameters": parameters, "system": system, "user": user, "faults": faults, "timeout_s": timeout}
    turn = await asyncio.to_thread(_turn, bot, message, attach, new=new, via=via, **options)
    return await turn.arun()


def _turn(bot: str, message: str, attach: Iterable[Any], **options: Any) -> Turn:
    files = [as_file(given) for given in attach]
    return current_session().chats.turn(bot, message, attach=files, **options)


def react(which: str | int | None, reaction: str) -> None:
    """React to an answer: ``like``, ``dislike``, ``heart``, ``laughing``, ``surprised`` or ``sad``."""
    session = current_session()
    session.chats.react(session.exchange(which), reaction)


def settings(bot: str) -> SettingsResponse:
    """Ask a bot for its settings and give those that are in force on Poe then. Raises ``BotError``."""
    return current_session().chats.settings(bot).settings


def sync(bot: str, *, name: str | None = None) -> str:
    """Push a served bot's settings to Poe, under its name there; gives what Poe said. Raises ``BotError``."""
    return current_session().chats.sync(bot, name=name)[1]


def use(which: Literal["simulator", "poe"]) -> None:
    """Choose which Poe the library's functions, and scripts started from here, reach."""
    session = current_session()
    if which == "simulator":
        session.use_simulator()
    else:
        session.outside.use_poe()


def register(name: str, url: str, *, access_key_env: str | None = None) -> None:
    """Make a bot server that runs elsewhere known to the simulator; its key is in that environment variable."""
    current_session().register(name, url, access_key_variable=access_key_env)


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


def compare(
    bots: Sequence[str],
    message: str,
    *,
    via: str | None = None,
    parameters: dict[str, Any] | None = None,
    attach: Iterable[Any] = (),
    system: str | None = None,
    timeout: float | None = None,
) -> Comparison:
    """Ask several bots the same at once and wait for all answers; as a cell's last value they stand side by side.

    What fails is in its reply. Raises ``BotNotFound`` for an unknown name, before anybody is asked.
    """
    __tracebackhide__ = True
    options = {"parameters": parameters, "system": system, "timeout_s": timeout}
    files = [as_file(given) for given in attach]
    return current_session().compare(bots, message, via=via, attach=files, **options).run()


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
