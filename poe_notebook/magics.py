"""The magics: a line to its verb and its arguments, and errors for people. What a verb does stands in ``verbs``.

Importing this starts nothing and imports neither web framework, HTTP client nor widgets; the first command does.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from IPython.core.magic import Magics, cell_magic, line_cell_magic, magics_class, no_var_expand

from poe_notebook.arguments import parse
from poe_notebook.errors import CommandError, PoeNotebookError
from poe_notebook.verbs import POEBOT, VERBS, Console, Verb, nest, verb_named

__all__ = ["PoeMagics"]


@magics_class
class PoeMagics(Magics):
    """``%poe``, ``%%poe`` and ``%%poebot``."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.console = Console(shell)

    @no_var_expand
    @cell_magic
    def poebot(self, line: str, cell: str) -> None:
        """Define a bot in a cell and serve it from this kernel."""
        __tracebackhide__ = True
        with _errors_for_people(line):
            self._run(POEBOT, line, cell)

    @line_cell_magic
    def poe(self, line: str, cell: str | None = None) -> Any:
        """Chat with bots, list, stop, inspect them: ``%poe`` alone shows every command."""
        __tracebackhide__ = True
        with _errors_for_people(line):
            name, _, rest = line.strip().partition(" ")
            if name in ("", "help", "-h", "--help"):
                self._help(VERBS)
                return None
            verb = verb_named(name)
            if verb is None:
                raise _unknown_verb(name)
            if cell is not None and not verb.command.text:
                raise CommandError(f"%%poe {name} takes no cell.", now=f"Type: {verb.command.usage}")
            return self._run(verb, rest, cell)

    def hint_at_nesting(self, result: Any) -> None:
        """Say what to do about an ``asyncio.run`` that failed in the cell that has just run."""
        nest.hint(self.console, result.error_in_exec)

    def _run(self, verb: Verb, line: str, cell: str | None) -> Any:
        __tracebackhide__ = True
        arguments = parse(verb.command, line)
        if arguments.wants_help:
            return self._help([verb])
        return verb.run(self.console, arguments, cell)

    def _help(self, verbs: Sequence[Verb]) -> None:
        from poe_notebook.views.status import Verb as Shown
        from poe_notebook.views.status import help_bundle

        commands = [verb.command for verb in verbs]
        self.console.show(help_bundle([Shown(c.name, c.usage, c.summary, c.examples) for c in commands]))


def _unknown_verb(name: str) -> CommandError:
    names = [verb.command.name for verb in VERBS]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean %poe {near[0]}?" if near else "Type %poe alone to see what each does."
    return CommandError(f"%poe knows no {name!r}.", why=f"It knows: {', '.join(names)}.", now=hint)


@contextmanager
def _errors_for_people(line: str) -> Iterator[None]:
    """Let our errors, and an interrupt, be shown as a message instead of a traceback of our frames."""
    __tracebackhide__ = True
    try:
        yield
    except (PoeNotebookError, KeyboardInterrupt) as error:
        if "--debug" in line.split():
            frames = traceback.format_exception(error)
            vars(error)["_render_traceback_"] = lambda: frames
        elif "_render_traceback_" not in vars(error):
            message = str(error) or "stopped"
            rendered = [f"\x1b[0;31m{type(error).__name__}\x1b[0m: {message}"]
            vars(error)["_render_traceback_"] = lambda: rendered
        raise
