"""``%poe replay``: the same request again, to what the bot is now, and both answers side by side."""

from __future__ import annotations

from typing import Any

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.errors import CommandError
from poe_notebook.verbs.chat import watch
from poe_notebook.verbs.console import Console
from poe_notebook.verbs.options import DEBUG, TIMEOUT

COMMAND = Command(
    "replay",
    "Send the request of an exchange again, to the bot as it is now, and compare the two answers.",
    words=("WHICH?",),
    options=(
        Option("--bot", "another bot to send it to", str, "BOT"),
        Option("--timing", "ask nobody: play the recorded answer at its own pace"),
        TIMEOUT,
        DEBUG,
    ),
    examples=("%poe replay", "%poe replay 3", "%poe replay -2 --bot Shout2", "%poe replay 3 --timing"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> Any:
    """Ask again and show both answers, or play the recorded one; give the reply."""
    __tracebackhide__ = True
    session, bot = console.session, arguments.option("bot")
    before = session.exchange(arguments.word("which"))
    if arguments.option("timing"):
        if bot is not None:
            raise CommandError("--timing and --bot do not go together.", why="A recorded answer is played by nobody.")
        turn = session.chats.play_back(before, timeout_s=arguments.option("timeout"))
        watch(console, turn)
        return console.give(turn.reply)
    missing = session.inspecting.files_gone(before)
    if missing:
        said = f"Not kept in this kernel, so the bot cannot read them: {', '.join(missing[:5])}."
        console.say(session.redactor.text(said), kind="warning")
    turn = session.chats.replay(before, bot=bot, timeout_s=arguments.option("timeout"))
    watch(console, turn)
    after = turn.reply.exchange
    if after is not None:
        from poe_notebook.views.replay import replay_bundle

        console.show(replay_bundle(before, after, redact=session.redactor.text))
    return console.give(turn.reply)
