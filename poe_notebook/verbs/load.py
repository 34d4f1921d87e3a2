"""``%poe load``: the exchanges of a saved trace, back among the kept ones."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command
from poe_notebook.verbs.console import Console

COMMAND = Command(
    "load",
    "Load a saved trace: its exchanges can be inspected, replayed and pinned like those of this notebook.",
    words=("FILE",),
    examples=("%poe load trace.jsonl",),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Load, and say how much it was, and under which numbers."""
    from poe_notebook.keeping import load_trace
    from poe_notebook.views.wording import count

    session, file = console.session, str(arguments.word("file"))
    session.learn_keys()
    loaded = load_trace(session.trace, file)
    how_many = count(len(loaded), "exchange")
    if not loaded:
        console.say(session.redactor.text(f"`{file}` holds {how_many}."), kind="warning")
        return
    events = count(sum(len(exchange.events) for exchange in loaded), "event")
    first, last = loaded[0].number, loaded[-1].number
    numbers = f"number {first:,}" if first == last else f"numbers {first:,} to {last:,}"
    words = f"Loaded from `{file}`: {how_many}, {events}, under {numbers}. Look at one: `%poe inspect {last}`"
    console.say(session.redactor.text(words), kind="done")
