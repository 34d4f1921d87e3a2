"""``%poe faults``: what is to go wrong with every answer of a bot."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command
from poe_notebook.verbs.console import Console

COMMAND = Command(
    "faults",
    "Let things go wrong with every answer of a bot on the simulator; off: with none any more.",
    words=("BOT",),
    text="FAULTS?",
    examples=("%poe faults GPT-3.5-Turbo cut@3", "%poe faults Shout delay=2 split=1", "%poe faults Shout off"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Set or clear the faults, and say what they are; with none typed, name those that there are."""
    from poe_notebook.simulator.fault_names import FAULT_NAMES

    chats, bot, text = console.session.chats, str(arguments.word("bot")), arguments.text
    if text:
        said = chats.let_fail(bot, None if text == "off" else text).describe()
        console.say(f"{bot}: {said}", kind="done")
    else:
        console.say(f"{bot}: {chats.faults_of(bot).describe()} There are: {', '.join(FAULT_NAMES)}.")
