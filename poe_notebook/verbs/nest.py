"""``%poe nest``: ``asyncio.run`` in cells, and the hint that names it where a pasted one fails."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command
from poe_notebook.verbs.console import Console

COMMAND = Command("nest", "Let asyncio.run work in the cells of this kernel, for code pasted from scripts.")


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Apply nest_asyncio2, and say what that means."""
    from poe_notebook.nesting import allow_nesting

    sentence, is_well = allow_nesting()
    console.say(sentence, kind="done" if is_well else "warning")


def hint(console: Console, error: BaseException | None) -> None:
    """Say what to do about an ``asyncio.run`` that failed in the cell that has just run."""
    from poe_notebook.nesting import HINT, is_nesting_error

    if is_nesting_error(error):
        console.say(HINT)
