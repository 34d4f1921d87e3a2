"""``%poe react``: react to an answer, as users do on Poe."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command
from poe_notebook.verbs.console import Console

COMMAND = Command(
    "react",
    "React to an answer: its bot hears of it, and later queries carry it.",
    words=("WHICH", "REACTION"),
    choices={"REACTION": ("like", "dislike", "heart", "laughing", "surprised", "sad")},
    examples=("%poe react Shout 👍", "%poe react 3 heart", "%poe react -1 dislike"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Report the reaction to the bot, and say so."""
    exchange = console.session.exchange(arguments.word("which"))
    reacted = console.session.chats.react(exchange, str(arguments.word("reaction")))
    if reacted.failed_in is not None:
        look = f"The bot's own method for that raised: `%poe inspect {reacted.failed_in}`."
        console.say(f"{reacted.emoji} {exchange.bot} was told of your {reacted.name}. {look}", kind="warning")
        return
    if reacted.was_told:
        console.say(f"{reacted.emoji} {exchange.bot} was told of your {reacted.name}.", kind="done")
        return
    why = "Poe takes no reactions from outside" if exchange.route == "poe" else "it cannot be reached"
    sentence = f"{reacted.emoji} {exchange.bot} was not told of your {reacted.name}: {why}. Later queries carry it."
    console.say(sentence, kind="warning")
