"""``%poe react``: react to an answer, as users do on Poe."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command
from poe_notebook.errors import CommandError
from poe_notebook.verbs.console import Console

_REACTIONS = {
    "like": "👍",
    "dislike": "👎",
    "heart": "❤️",
    "laughing": "😂",
    "surprised": "😮",
    "sad": "😢",
}
_BY_EMOJI = {emoji: name for name, emoji in _REACTIONS.items()} | {"❤": "heart", "😆": "laughing"}

COMMAND = Command(
    "react",
    "React to an answer: its bot hears of it, and later queries carry it.",
    words=("WHICH", "REACTION"),
    choices={"REACTION": tuple(_REACTIONS)},
    examples=("%poe react Shout 👍", "%poe react 3 heart", "%poe react -1 dislike"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Report the reaction to the bot, and say so."""
    typed = str(arguments.word("reaction"))
    reaction = _BY_EMOJI.get(typed, typed.lower())
    if reaction not in _REACTIONS:
        raise CommandError(f"{typed!r} is no reaction of Poe's.", now=f"Type one of: {', '.join(_REACTIONS)}")
    exchange = console.session.exchange(arguments.word("which"))
    console.session.chats.react(exchange, reaction)
    console.say(f"{_REACTIONS[reaction]} {exchange.bot} was told of your {reaction}.", kind="done")
