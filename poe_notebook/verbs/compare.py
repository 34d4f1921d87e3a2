"""``%poe compare``: the same message to several bots, their answers side by side."""

from __future__ import annotations

from typing import Any

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.errors import CommandError
from poe_notebook.verbs.console import Console
from poe_notebook.verbs.options import ATTACH, DEBUG, PARAM, TIMEOUT, VIA, files_of, message_of

COMMAND = Command(
    "compare",
    "Send the same message to several bots and watch their answers side by side.",
    words=("BOT…",),
    text="MESSAGE?",
    options=(
        ATTACH,
        PARAM,
        Option("--system", "a system message ahead of the message", str, "TEXT"),
        VIA,
        TIMEOUT,
        DEBUG,
    ),
    examples=("%poe compare Shout GPT-3.5-Turbo -- hello", "%%poe compare Shout Whisper"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> Any:
    """Ask all, show the answers while they come, and give them."""
    __tracebackhide__ = True
    from poe_notebook.views.compare_live import open_comparison

    bots = arguments.many
    message = message_of(arguments, cell)
    if not message.strip():
        raise CommandError(
            "The message is missing.",
            why="Bots and message are told apart by --.",
            now=f"Type: %poe compare {' '.join(bots)} -- hello",
        )
    comparison = console.session.compare(
        bots,
        message,
        attach=files_of(console, arguments),
        parameters=dict(arguments.option("param") or ()),
        system=arguments.option("system"),
        via=arguments.option("via"),
        timeout_s=arguments.option("timeout"),
    )
    view = open_comparison(
        comparison.replies,
        shell=console.shell,
        redact=console.session.redactor.text,
        resolve=console.session.content_of,
        points=comparison.points_of,
    )
    view.open()
    return console.give(comparison.run(view))
