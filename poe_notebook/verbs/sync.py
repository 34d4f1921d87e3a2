"""``%poe sync``: tell Poe of a bot's settings."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command
from poe_notebook.verbs.console import Console
from poe_notebook.verbs.options import DEBUG

COMMAND = Command(
    "sync",
    "Push a bot's settings to Poe, under its name there and with its access key.",
    words=("BOT", "NAME?"),
    options=(DEBUG,),
    examples=("%poe sync Shout", "%poe sync Shout MyShoutOnPoe"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Push the settings and say what Poe answered."""
    bot = str(arguments.word("bot"))
    where, said = console.session.chats.sync(bot, name=arguments.word("name"))
    console.say(f"{where} has taken over the settings of {bot}. It says: {said[:500]}", kind="done")
