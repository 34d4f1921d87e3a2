"""``%poe bots``: what is served in this kernel."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command
from poe_notebook.verbs.console import Console

COMMAND = Command("bots", "List the bots served in this kernel.")


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Show how every bot stands."""
    from poe_notebook.views.status import bots_bundle

    console.show(bots_bundle(console.session.serving.statuses()))
