"""``%poe chat``: ask a bot and watch it answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.errors import CommandError
from poe_notebook.verbs.console import Console
from poe_notebook.verbs.options import DEBUG, seconds

if TYPE_CHECKING:
    from poe_notebook.turn import Turn

COMMAND = Command(
    "chat",
    "Ask a bot and watch it answer; the conversation goes on from turn to turn.",
    words=("BOT",),
    text="MESSAGE",
    options=(
        Option("--new", "begin a new conversation"),
        Option("--via", "who answers: kernel or poe", str, "ROUTE"),
        Option("--timeout", "give up after so many seconds", seconds, "SECONDS"),
        DEBUG,
    ),
    examples=("reply = %poe chat Shout hello from a notebook", "%%poe chat Shout --new"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> Any:
    """Ask, show the answer while it comes, and give the reply."""
    __tracebackhide__ = True
    bot = str(arguments.word("bot"))
    message = "\n".join(part for part in (arguments.text, (cell or "").strip("\n")) if part)
    if not message.strip():
        raise CommandError("The message is missing.", now=f"Type: %poe chat {bot} hello")
    turn = console.session.chats.turn(
        bot,
        message,
        via=arguments.option("via"),
        new=bool(arguments.option("new")),
        timeout_s=arguments.option("timeout"),
    )
    watch(console, turn)
    return console.give(turn.reply)


def watch(console: Console, turn: Turn) -> None:
    """Show a turn in the running cell until it has ended."""
    __tracebackhide__ = True
    from poe_notebook.views.live import open_turn

    view = open_turn(turn.reply, shell=console.shell, redact=console.session.redactor.text)
    try:
        with turn:
            view.open()
            for _ in turn:
                view.update()
    finally:
        view.close()
