"""The Python twins of the magics, for scripts, loops and coroutines: the same words, the same session."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from poe_notebook.attaching import as_files
from poe_notebook.checks.finding import Finding
from poe_notebook.comparing import Comparison
from poe_notebook.conversation import Reply
from poe_notebook.errors import CommandError
from poe_notebook.given import exchange_given, port_given, seconds_given, text_given
from poe_notebook.keeping import check_place, load_trace, save_trace
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
    "findings",
    "inspect",
    "load",
    "pin",
    "react",
    "register",
    "replay",
    "rollback",
    "save",
    "serve",
    "serve_recording",
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
    __tracebackhide__ = True
    return current_session().serving.serve(bot, name=name, path=path, port=port_given(port))


def ask(
    bot: str,
    message: str,
    *,
    new: bool = False,
    via: str | None = None,
    parameters: dict[str, Any] | None = None,
    attach: Any = (),
    system: str | None = None,
    user: str | None = None,
    faults: Sequence[str] = (),
    timeout: float | None = None,
) -> Reply:
    """Ask a bot and wait for its answer, in a cell, a thread or a script.

    ``attach`` is one or several of: a path, an address, bytes, a text, a data frame, a figure, an image. ``user`` is
    the name of who speaks in a chat of several; ``faults`` are what the simulator lets go wrong, as ``"cut@3"``;
    ``timeout`` is in seconds. A failed answer is in the reply (``reply.failure``, ``reply.raise_for_failure()``).
    Raises ``BotNotFound`` for an unknown name.
    """
    options: dict[str, Any] = {"parameters": parameters, "system": system, "user": user, "faults": faults}
    return _turn(bot, message, attach, timeout, new=new, via=via, **options).run()


async def aask(
    bot: str,
    message: str,
    *,
    new: bool = False,
    via: str | None = None,
    parameters: dict[str, Any] | None = None,
    attach: Any = (),
    system: str | None = None,
    user: str | None = None,
    faults: Sequence[str] = (),
    timeout: float | None = None,
) -> Reply:
    """Ask a bot from a coroutine, with the arguments of ``ask``; cancelling it stops the answer."""
    options: dict[str, Any] = {"parameters": parameters, "system": system, "user": user, "faults": faults}
    turn = await asyncio.to_thread(_turn, bot, message, attach, timeout, new=new, via=via, **options)
    return await turn.arun()


def _turn(bot: str, message: str, attach: Any, timeout: float | None, **options: Any) -> Turn:
    options["timeout_s"] = seconds_given(timeout)
    return current_session().chats.turn(_name(bot), message, attach=as_files(attach), **options)


def _name(bot: object) -> str:
    return text_given(bot, "bot's name", example="Shout")


def _name_or_none(bot: object) -> str | None:
    return _name(bot) if bot is not None else None


def react(which: str | int | Exchange | Reply | None, reaction: str) -> None:
    """React to an answer: ``like``, ``dislike``, ``heart``, ``laughing``, ``surprised`` or ``sad``, or by its sign."""
    session = current_session()
    session.chats.react(session.exchange(exchange_given(which)), reaction)


def settings(bot: str) -> SettingsResponse:
    """Ask a bot for its settings and give those that are in force on Poe then. Raises ``BotError``."""
    return current_session().chats.settings(_name(bot)).settings


def sync(bot: str, *, name: str | None = None) -> str:
    """Push a served bot's settings to Poe, under its name there; gives what Poe said. Raises ``BotError``."""
    return current_session().chats.sync(_name(bot), name=_name_or_none(name))[1]


def use(which: Literal["simulator", "poe"]) -> None:
    """Choose which Poe the library's functions, and scripts started from here, reach."""
    session = current_session()
    if which == "simulator":
        session.use_simulator()
    elif which == "poe":
        session.outside.use_poe()
    else:
        raise CommandError(f"There is no Poe {which!r} to use.", now="Pass 'simulator' or 'poe'.")


def register(name: str, url: str, *, access_key_env: str | None = None) -> None:
    """Make a bot server that runs elsewhere known to the simulator; its key is in that environment variable."""
    current_session().register(
        _name(name), text_given(url, "address", example="http://127.0.0.1:8080/"), access_key_variable=access_key_env
    )


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
    options = {"system": system, "parameters": parameters, "timeout_s": seconds_given(timeout)}
    return current_session().panel(_name(bot), via=via, **options)


def compare(
    bots: Sequence[str],
    message: str,
    *,
    via: str | None = None,
    parameters: dict[str, Any] | None = None,
    attach: Any = (),
    system: str | None = None,
    timeout: float | None = None,
) -> Comparison:
    """Ask several bots the same at once and wait for all answers; as a cell's last value they stand side by side.

    What fails is in its reply. Raises ``BotNotFound`` for an unknown name, before anybody is asked.
    """
    __tracebackhide__ = True
    options = {"parameters": parameters, "system": system, "timeout_s": seconds_given(timeout)}
    bots = [_name(bot) for bot in ([bots] if isinstance(bots, str) else bots)]
    return current_session().compare(bots, message, via=via, attach=as_files(attach), **options).run()


def bots() -> list[BotStatus]:
    """Tell how every bot stands."""
    return current_session().serving.statuses()


def stop(bot: str) -> None:
    """End a bot, its running answers included."""
    current_session().serving.stop(_name(bot))


def rollback(bot: str) -> BotStatus:
    """Send new requests to the bot's generation before the current one."""
    return current_session().serving.rollback(_name(bot))


def replay(
    which: str | int | Exchange | Reply | None = None,
    *,
    bot: str | None = None,
    timing: bool = False,
    timeout: float | None = None,
) -> Reply:
    """Send the request of an exchange again, to its bot as it is now or to another, and wait for the answer.

    The new exchange is ``reply.exchange``. With ``timing`` nobody is asked: the recorded answer is played at its own
    pace. Raises ``CommandError`` for what was no query.
    """
    if timing and bot is not None:
        raise CommandError("timing and bot do not go together.", why="A recorded answer is played by nobody.")
    session, called, timeout_s = current_session(), _name_or_none(bot), seconds_given(timeout)
    exchange = session.exchange(exchange_given(which))
    if timing:
        return session.chats.play_back(exchange, timeout_s=timeout_s).run()
    return session.chats.replay(exchange, bot=called, timeout_s=timeout_s).run()


def save(file: str | Path, *, bot: str | None = None, force: bool = False) -> Path:
    """Save the kept exchanges, or those with one bot, without keys: as JSON Lines, or as HAR by the name's ending.

    Raises ``TraceFileError`` if the file is there, unless ``force`` is said.
    """
    session = current_session()
    session.learn_keys()
    return save_trace(session.trace, file, bot=_name_or_none(bot), force=force).path


def load(file: str | Path) -> list[Exchange]:
    """Load a saved trace and give its exchanges, which are kept from now on. Raises ``TraceFileError``."""
    session = current_session()
    session.learn_keys()
    return load_trace(session.trace, file)


def pin(
    which: str | int | Exchange | Reply | None,
    file: str | Path,
    *,
    bot: str | None = None,
    url: str | None = None,
    key_env: str | None = None,
    match: Literal["exact", "similar", "regex"] | None = None,
    threshold: float | None = None,
    pattern: str | None = None,
) -> Path:
    """Keep a turn that was right as a pytest test, which runs outside the notebook; gives the file.

    The test imports its bot by ``bot`` (``"module"``, ``"module:object"``) or asks at ``url``, with the access key in
    the variable ``key_env`` (POE_ACCESS_KEY). Texts match exactly, by a ``pattern``, or are alike by a ``threshold``.
    """
    __tracebackhide__ = True
    check_place(bot=bot, url=url)
    how = {"key_variable": key_env, "match": match, "threshold": threshold, "pattern": pattern}
    return current_session().pin(exchange_given(which), file, bot=bot, url=url, **how).path


def serve_recording(file: str | Path, bot: str | None = None, *, name: str | None = None) -> BotStatus:
    """Serve a recorded bot out of a saved trace, at the pace of the recording; ``name`` is what to serve it as."""
    return current_session().serve_recording(file, bot=_name_or_none(bot), name=_name_or_none(name))


def inspect(which: str | int | Exchange | Reply | None = None) -> Exchange:
    """Give an exchange: the latest, the latest of a bot, or by number; shown in full as a cell's last value."""
    return current_session().exchange(exchange_given(which))


def findings(which: str | int | Exchange | Reply | None = None) -> list[Finding]:
    """Say which rules an exchange broke (the latest, the latest of a bot, or by number), the gravest first."""
    session = current_session()
    return session.inspecting.findings(session.exchange(exchange_given(which)))


def trace() -> Trace:
    """Give the recorded exchanges: ``fp.trace[-1].text``, ``.events``, ``.first_text_s``, ``.gaps_s``, ``.logs``.

    ``fp.trace.to_dataframe()`` and ``fp.trace[-1].to_dataframe()`` give pandas' tables of exchanges and of events.
    """
    return current_session().trace
