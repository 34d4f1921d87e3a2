"""``%poe stop``: end a bot."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command
from poe_notebook.errors import CommandError
from poe_notebook.verbs.console import Console

COMMAND = Command("stop", "End a bot; without a name, the only one.", words=("BOT?",), examples=("%poe stop Shout",))


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """End the bot, its running answers included, and say so."""
    serving = console.session.serving
    name = arguments.word("bot") or _the_only(serving.slots.names)
    serving.stop(name)
    console.end_line(name)
    console.say(f"{name} is stopped; its address answers 404 now.", kind="done")


def _the_only(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    served = f"Served here: {', '.join(names)}." if names else "No bot is served here."
    raise CommandError("Which bot?", why=served, now="Type: %poe stop BOT")
