"""``%poe serve-recording``: a recorded bot, served like any other, without its model."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.verbs.console import Console

COMMAND = Command(
    "serve-recording",
    "Serve a recorded bot: its answers at their own pace, by the last message, else in order.",
    words=("FILE", "BOT?"),
    options=(Option("--as", "the name to serve it under, instead of its own", str, "NAME"),),
    examples=("%poe serve-recording demo.jsonl", "%poe serve-recording demo.jsonl Shout --as ShoutDemo"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Serve the recording, with a status line as every bot has."""
    session, file = console.session, str(arguments.word("file"))
    status = session.serve_recording(file, bot=arguments.word("bot"), name=arguments.option("as"))
    console.show_line(status)
    said = f"{status.name} is a recording, `{file}`: its answers come at their own pace, and no handler runs."
    console.say(session.redactor.text(said))
