"""``%poe inspect``: an exchange, whole."""

from __future__ import annotations

from typing import Any

from poe_notebook.arguments import Arguments, Command
from poe_notebook.verbs.console import Console

COMMAND = Command(
    "inspect",
    "Show an exchange: request, events with their times, what the handler printed or raised.",
    words=("WHICH?",),
    examples=("%poe inspect", "%poe inspect 3", "%poe inspect Shout"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> Any:
    """Show the exchange and give it."""
    from poe_notebook.views.inspector import Inspected, exchange_bundle

    exchange = console.session.exchange(arguments.word("which"))
    console.show(exchange_bundle(Inspected(exchange)))
    return console.give(exchange)
