"""``%poe rollback``: back to the generation before."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command
from poe_notebook.verbs.console import Console

COMMAND = Command("rollback", "Send new requests to a bot's generation before.", words=("BOT",))


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Point the bot's address to its generation before, and say so."""
    status = console.session.serving.rollback(str(arguments.word("bot")))
    console.say(f"{status.name} is back on generation {status.generation}, at the same address.", kind="done")
