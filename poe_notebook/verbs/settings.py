"""``%poe settings``: a bot's settings as Poe understands them."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command
from poe_notebook.verbs.console import Console

COMMAND = Command(
    "settings",
    "Ask a bot for its settings and show them as Poe understands them: in force, left out, the introduction.",
    words=("BOT",),
    examples=("%poe settings Shout",),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Fetch the settings and show them."""
    from poe_notebook.views.settings import settings_bundle

    bot = str(arguments.word("bot"))
    found = console.session.chats.settings(bot)
    console.show(settings_bundle(bot, found.settings, dropped=found.dropped, parameters=found.parameters))
