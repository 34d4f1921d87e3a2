"""What an exception of a handler means and what to do about it, where its type and message tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from poe_notebook.tracing.exchange import Raised

__all__ = ["CIRCLE", "UNDECLARED", "Cause", "beside_the_notebook", "cause_of", "undeclared_cause"]


class Cause(NamedTuple):
    """The rule that was broken, in words, and the next step."""

    rule: str
    why: str
    now: str


UNDECLARED = re.compile(r"0 or undefined call count", re.IGNORECASE)
"""In the sentence that Poe gives a bot which asks an undeclared one (server-bot-quick-start issues 60, 75 and 87)."""
_TOO_OFTEN = re.compile(r"more often than the \d+ times in its settings", re.IGNORECASE)
_CALLED = re.compile(r"\bcalled (?!on\b)(?:bot )?([\w.-]*\w)")

_ITSELF = re.compile(r"(?<![\w.-])([\w.-]+) called (?:bot )?\1(?![\w-])", re.IGNORECASE)

CIRCLE = Cause(
    "circle",
    "Each of its answers asks for another one, until Poe ends the round: a handler that asks asks again when asked.",
    "Ask another bot, or answer without asking where the request says that it is the bot's own.",
)
"""A bot that asks itself."""

_OTHER_LOOP = re.compile(
    r"attached to a different loop|bound to a different event loop|Event loop is closed|different event loop", re.I
)
_RUNNING_LOOP = re.compile(r"cannot be called from a running event loop|event loop is already running", re.I)
_NO_NAME = re.compile(r"name '([^']{1,80})' is not defined")
_NO_MODULE = re.compile(r"No module named '([^'.]{1,80})")
_NO_LIBRARY = "It is no package that Python can find here."


def cause_of(raised: Raised, *, asked: str = "") -> Cause | None:
    """Say what is behind an exception, if that is known. ``asked`` is the other bot that the handler asked last."""
    own = _of_ours(raised) or undeclared_cause(raised.message, asked=asked)
    return own or next((cause for find in _FINDERS if (cause := find(raised)) is not None), None)


def undeclared_cause(text: str, *, asked: str = "") -> Cause | None:
    """Say what is behind Poe's refusal to ask another bot, if the text is one."""
    called = _CALLED.search(text)
    name = called[1] if called else asked or "OTHER_BOT"
    if UNDECLARED.search(text):
        return Cause(
            "undeclared-bot",
            "A bot may ask only those that its settings name under server_bot_dependencies, and Poe has to have read "
            "these settings since.",
            f'Write into the bot\'s cell: `settings = fp.SettingsResponse(server_bot_dependencies={{"{name}": 1}})`, '
            "run it, and for the real Poe `%poe sync BOT`.",
        )
    if _TOO_OFTEN.search(text) and _ITSELF.search(text):
        return CIRCLE
    if _TOO_OFTEN.search(text):
        return Cause(
            "called-too-often",
            "server_bot_dependencies says how often each other bot may be asked for one message of a user.",
            f"Declare as many calls as the handler makes, or make fewer to {name}.",
        )
    return None


def beside_the_notebook(raised: Raised, cause: Cause | None) -> Cause | None:
    """Say what to do about a line in a module of the author's own, which no cell loads again by being run again."""
    module = _module_of(raised)
    if not module:
        return None
    if cause is None or cause.rule == "name":
        why = "An exception ends the answer: its user sees an error, and no reason."
        cause = Cause("raised", why, f"Mend the line in {module}.py.")
    again = f"`import importlib, {module}; importlib.reload({module})`"
    now = (
        f"{cause.now.removesuffix('.')}. Python keeps a module that it has loaded: load it again with {again}, or let "
        "`%load_ext autoreload` and `%autoreload 2` do so; then run the bot's cell, and ask again: `%poe replay`"
    )
    return cause._replace(now=now)


def _module_of(raised: Raised) -> str:
    """Name the module of the author's own in which an exception came up; none for a cell and for a library."""
    file = raised.at.file.replace("\\", "/") if raised.at is not None else ""
    folder, _, name = file.rpartition("/")
    if not folder or not name.endswith(".py") or _LIBRARY.search(file):
        return ""
    module = folder.rpartition("/")[2] if name == "__init__.py" else name.removesuffix(".py")
    return module if module.isidentifier() else ""


_LIBRARY = re.compile(r"/(site|dist)-packages/|/lib/python\d|/ipykernel_\d")


def _of_ours(raised: Raised) -> Cause | None:
    """Read the rule and the next step out of a message of this package: what, why and now, a line each."""
    lines = raised.message.split("\n")
    if raised.type not in _OURS or len(lines) < 2:
        return None
    return Cause(_OURS[raised.type], " ".join(lines[1:-1]) or "", lines[-1])


_OURS = {"HandlerMistake": "no-answer-item", "KeyMissing": "key-missing", "CostRequestError": "cost-failed"}


def _other_loop(raised: Raised) -> Cause | None:
    if not _OTHER_LOOP.search(raised.message):
        return None
    return Cause(
        "other-loop",
        "Locks, queues, events, tasks, futures and HTTP sessions belong to the event loop on which they are first "
        "used. Handlers run on a loop of their own, not on the notebook's, where `await` in a cell runs.",
        "Make the object inside the handler, or at its first use there: not in another cell, and not with `await` in "
        "one.",
    )


def _running_loop(raised: Raised) -> Cause | None:
    if not _RUNNING_LOOP.search(raised.message):
        return None
    return Cause(
        "running-loop",
        "An async handler runs on an event loop already, and a second one cannot be run inside it.",
        "Write `await work()` instead of `asyncio.run(work())`, or make the handler a plain function (`def`).",
    )


def _no_name(raised: Raised) -> Cause | None:
    found = _NO_NAME.search(raised.message) if raised.type in ("NameError", "UnboundLocalError") else None
    if found is None:
        return None
    return Cause(
        "name",
        "A handler looks its names up when it answers, in the notebook as it is then.",
        f"Run the cell that defines `{found[1]}`, or define it in the bot's own cell.",
    )


def _no_module(raised: Raised) -> Cause | None:
    found = _NO_MODULE.search(raised.message) if raised.type == "ModuleNotFoundError" else None
    return Cause("module", _NO_LIBRARY, f"Install it: `%pip install {found[1]}`") if found is not None else None


def _silence(raised: Raised) -> Cause | None:
    if raised.type not in ("TimeoutError", "ReadTimeout", "ConnectTimeout", "PoolTimeout"):
        return None
    return Cause(
        "timeout",
        "Something that the handler waited for did not come in the time that was given to it.",
        "Give it longer, or catch the error and yield a sentence that tells the user to try again.",
    )


def _nothing_left(raised: Raised) -> Cause | None:
    if raised.type not in ("StopIteration", "StopAsyncIteration"):
        return None
    name = "next" if raised.type == "StopIteration" else "await anext"
    return Cause(
        "nothing-left",
        f"`{name}(iterator)` raises {raised.type} where nothing is left, and no generator may let one out: Python "
        "makes a RuntimeError of it.",
        f"Write `{name}(iterator, None)`, which gives None instead, or leave the handler with `return`.",
    )


_FINDERS: tuple[Callable[[Raised], Cause | None], ...] = (
    _other_loop,
    _running_loop,
    _no_name,
    _no_module,
    _silence,
    _nothing_left,
)
