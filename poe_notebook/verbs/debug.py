"""``%poe debug``: post-mortem where a handler raised."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any

from poe_notebook.arguments import Arguments, Command
from poe_notebook.errors import CommandError
from poe_notebook.verbs.console import Console

if TYPE_CHECKING:
    from poe_notebook.session import Session
    from poe_notebook.tracing.exchange import Exchange

COMMAND = Command(
    "debug",
    "Open the debugger at the line where a handler raised, with its variables as they were.",
    words=("WHICH?",),
    examples=("%poe debug", "%poe debug 3", "%poe debug Shout"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Have IPython debug the exception of an exchange, from the author's own line on."""
    from poe_notebook.tracing.authorship import has_authors_line
    from poe_notebook.tracing.chains import error_with_line
    from poe_notebook.tracing.failures import authors_frames
    from poe_notebook.views.raised import raised_bundle

    exchange, label = _raised(console.session, arguments.word("which")), console.session.trace.label
    error = error_with_line(_kept(exchange), label)
    if not has_authors_line(error.__traceback__, label):
        raise CommandError(
            f"No line of yours was running when exchange {exchange.number} failed, so there is none to look into.",
            why="The handler could not be called, or what it gave back was no answer.",
            now=f"What was raised, and the rule that it met: %poe inspect {exchange.number}",
        )
    _check_prompt(console.shell, exchange)
    console.show(raised_bundle(exchange))
    frames, up = authors_frames(error, label)
    _debug(console.shell, error, frames, up=up)


def _raised(session: Session, which: str | None) -> Exchange:
    latest = next((exchange for exchange in session.trace.latest() if exchange.raised is not None), None)
    if which is None:
        if latest is None:
            raise CommandError("No handler has raised anything.", why=f"Kept: {session.trace!r}.")
        return latest
    exchange = session.exchange(which)
    if exchange.raised is None:
        now = f"The latest that did: %poe debug {latest.number}" if latest is not None else ""
        raise CommandError(f"The handler of exchange {exchange.number} raised nothing.", now=now)
    return exchange


def _kept(exchange: Exchange) -> BaseException:
    error = exchange.raised.error if exchange.raised is not None else None
    if error is None:
        raise CommandError(
            f"The frames of exchange {exchange.number} are gone.",
            why="Those of the last 20 failures are kept, and none comes out of a file.",
            now=f"Have it fail again: %poe replay {exchange.number}, then %poe debug",
        )
    return error


def _check_prompt(shell: Any, exchange: Exchange) -> None:
    if not getattr(getattr(shell, "kernel", None), "_allow_stdin", True):
        raise CommandError(
            "The debugger asks for commands, and nobody can be asked here.",
            why="This notebook is run without a prompt.",
            now=f"The exception, with its frames: fp.inspect({exchange.number}).raised.error",
        )


def _debug(shell: Any, error: BaseException, frames: TracebackType | None, *, up: int) -> None:
    before, error.__traceback__ = error.__traceback__, frames
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, frames
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    tracebacks = shell.InteractiveTB
    tracebacks.tb = frames
    if tracebacks.pdb is None:
        tracebacks.pdb = tracebacks.debugger_cls()
    if up:
        tracebacks.pdb.cmdqueue.append(f"up {up}")  # from where a library raised to the author's line
    try:
        shell.run_line_magic("debug", "")
    finally:
        error.__traceback__ = before
