"""``%poe save``: the kept exchanges, in a file."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.verbs.console import Console

COMMAND = Command(
    "save",
    "Save the kept exchanges, without keys: as JSON Lines, or as an HTTP archive if the name ends in .har.",
    words=("FILE",),
    options=(
        Option("--bot", "only the exchanges with this bot, and the calls that it made", str, "BOT"),
        Option("--force", "write over a saved trace"),
    ),
    examples=("%poe save trace.jsonl", "%poe save shout.jsonl --bot Shout", "%poe save trace.har"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Save, and say how much it was."""
    from poe_notebook.keeping import save_trace
    from poe_notebook.views.wording import count, size

    session = console.session
    session.learn_keys()
    saved = save_trace(
        session.trace,
        str(arguments.word("file")),
        bot=arguments.option("bot"),
        force=bool(arguments.option("force")),
    )
    how_many = f"{count(saved.exchanges, 'exchange')}, {count(saved.events, 'event')}, {size(saved.size_bytes)}"
    console.say(session.redactor.text(f"Saved in `{saved.path}`: {how_many}."), kind="done")
    dropped = session.trace.dropped
    if dropped:
        console.say(f"{count(dropped, 'older exchange')} had been dropped already: the trace is bounded.")
