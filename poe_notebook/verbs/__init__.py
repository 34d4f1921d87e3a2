"""The commands, one file each: what may be typed (``COMMAND``) and what it does (``run``): one call of the session or
of a part of it, and one view. Importing them starts nothing and loads neither web framework, HTTP client nor widgets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from poe_notebook.arguments import Arguments, Command
from poe_notebook.verbs import (
    attachments,
    backend,
    bots,
    chat,
    compare,
    debug,
    faults,
    inspect,
    load,
    login,
    logs,
    nest,
    pin,
    poebot,
    points,
    react,
    register,
    replay,
    rollback,
    save,
    serve_recording,
    settings,
    stop,
    sync,
    tunnel,
    use,
)
from poe_notebook.verbs.console import Console

__all__ = ["POEBOT", "VERBS", "Console", "Verb", "verb_named"]


@dataclass(frozen=True, slots=True)
class Verb:
    """One command. ``run`` takes the console, the arguments, and the cell's body if it was typed above one."""

    command: Command
    run: Callable[[Console, Arguments, str | None], Any]


def _verb(module: Any) -> Verb:
    return Verb(module.COMMAND, module.run)


POEBOT = _verb(poebot)
_ASKING = (chat, compare, react)
_LOOKING = (inspect, logs, attachments, replay, debug, pin, save, load)
_SERVING = (bots, stop, rollback, serve_recording, settings, sync, tunnel)
_OUTSIDE = (use, login, points, faults, backend, register, nest)
VERBS = tuple(map(_verb, (*_ASKING, *_LOOKING, *_SERVING, *_OUTSIDE)))
"""In the order of the help."""


def verb_named(name: str) -> Verb | None:
    """Give the verb of that name, if there is one."""
    return next((verb for verb in VERBS if verb.command.name == name), None)
