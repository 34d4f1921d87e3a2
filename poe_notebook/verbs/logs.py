"""``%poe logs``: what handlers printed, logged, warned of and raised."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command
from poe_notebook.verbs.console import Console

COMMAND = Command(
    "logs",
    "Show what handlers printed, logged and warned of, exchange by exchange; of one bot or of all.",
    words=("BOT?",),
    examples=("%poe logs", "%poe logs Shout"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Show the lines."""
    from poe_notebook.views.logs import logs_bundle

    session, bot = console.session, arguments.word("bot")
    exchanges = [exchange for exchange in session.trace if bot is None or exchange.bot == bot]
    if bot is not None and not exchanges:
        session.serving.slots.named(bot)
    console.show(logs_bundle(exchanges, bot=bot, redact=session.redactor.text))
