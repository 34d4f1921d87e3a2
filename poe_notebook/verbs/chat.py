"""``%poe chat``: ask a bot and watch it answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.errors import CommandError
from poe_notebook.verbs.console import Console
from poe_notebook.verbs.options import DEBUG, seconds

if TYPE_CHECKING:
    from poe_notebook.turn import Turn


def parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(text)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


COMMAND = Command(
    "chat",
    "Ask a bot and watch it answer; the conversation goes on from turn to turn. Without a message: a panel to chat in.",
    words=("BOT",),
    text="MESSAGE?",
    options=(
        Option("--attach", "a file's path or address, or the name of an object here", str, "X", repeats=True),
        Option("--param", "the value of a parameter, as name=value", parameter, "NAME=VALUE", repeats=True),
        Option("--system", "a system message ahead of the conversation", str, "TEXT"),
        Option("--as", "the name of the user who says it, in a chat of several", str, "USER"),
        Option("--new", "begin a new conversation"),
        Option("--via", "who answers: kernel, poe or simulator", str, "ROUTE"),
        Option("--fault", "what goes wrong on the way, as cut@3 or delay=2", str, "FAULT", repeats=True),
        Option("--timeout", "give up after so many seconds", seconds, "SECONDS"),
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
    from poe_notebook.attaching import file_named

    bot = str(arguments.word("bot"))
    if not arguments.text and cell is None:
        return _panel(console, bot, arguments)
    message = "\n".join(part for part in (arguments.text, (cell or "").strip("\n")) if part)
    if not message.strip():
        raise CommandError("The message is missing.", now=f"Type: %poe chat {bot} hello")
    turn = console.session.chats.turn(
        bot,
        message,
        attach=[file_named(given, console.shell.user_ns) for given in arguments.option("attach") or ()],
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
