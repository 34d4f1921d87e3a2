"""``%poe chat``: ask a bot and watch it answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.errors import CommandError
from poe_notebook.verbs.console import Console
from poe_notebook.verbs.options import ATTACH, DEBUG, PARAM, TIMEOUT, VIA, files_of, message_of

if TYPE_CHECKING:
    from poe_notebook.turn import Turn


COMMAND = Command(
    "chat",
    "Ask a bot and watch it answer; the conversation goes on from turn to turn. Without a message: a panel to chat in.",
    words=("BOT",),
    text="MESSAGE?",
    options=(
        ATTACH,
        PARAM,
        Option("--system", "a system message ahead of the conversation", str, "TEXT"),
        Option("--as", "the name of the user who says it, in a chat of several", str, "USER"),
        Option("--new", "begin a new conversation"),
        VIA,
        Option("--fault", "what goes wrong on the way, as cut@3 or delay=2", str, "FAULT", repeats=True),
        TIMEOUT,
        DEBUG,
    ),
    examples=(
        "reply = %poe chat Shout hello from a notebook",
        "%%poe chat Shout --new",
        "%poe chat Shout",
        "%poe chat Reader --attach report.pdf what is this about?",
    ),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> Any:
    """Ask, show the answer while it comes, and give the reply."""
    __tracebackhide__ = True
    bot = str(arguments.word("bot"))
    if not arguments.text and cell is None:
        return _panel(console, bot, arguments)
    message = message_of(arguments, cell)
    if not message.strip():
        raise CommandError("The message is missing.", now=f"Type: %poe chat {bot} hello")
    turn = console.session.chats.turn(
        bot,
        message,
        attach=files_of(console, arguments),
        parameters=dict(arguments.option("param") or ()),
        system=arguments.option("system"),
        user=arguments.option("as"),
        via=arguments.option("via"),
        new=bool(arguments.option("new")),
        faults=arguments.option("fault") or (),
        timeout_s=arguments.option("timeout"),
    )
    watch(console, turn)
    return console.give(turn.reply)


def _panel(console: Console, bot: str, arguments: Arguments) -> Any:
    """Show a panel, which stays when the cell has ended, and give it."""
    __tracebackhide__ = True
    if arguments.option("attach"):
        raise CommandError("A file goes with a message.", now=f"Type one, or attach it in the panel: %poe chat {bot}")
    panel = console.session.panel(
        bot,
        via=arguments.option("via"),
        system=arguments.option("system"),
        parameters=dict(arguments.option("param") or ()),
        user=arguments.option("as"),
        faults=arguments.option("fault") or (),
        timeout_s=arguments.option("timeout"),
    )
    panel.show()
    return console.give(panel)


def watch(console: Console, turn: Turn) -> None:
    """Show a turn in the running cell until it has ended."""
    __tracebackhide__ = True
    from poe_notebook.views.live import open_turn

    session = console.session
    view = open_turn(turn.reply, shell=console.shell, redact=session.redactor.text, resolve=session.content_of)
    try:
        with turn:
            view.open()
            for _ in turn:
                view.update()
    finally:
        view.close()
