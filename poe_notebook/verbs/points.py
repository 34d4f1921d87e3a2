"""``%poe points``: the simulator's ledger."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.verbs.console import Console


def _points(text: str) -> int:
    value = int(text.replace(",", "").replace("_", ""))
    if value < 0:
        raise ValueError(text)
    return value


COMMAND = Command(
    "points",
    "Show the points that you have on the simulator, and what answers have cost.",
    options=(Option("--set", "have so many points, a whole number from 0 on", _points, "POINTS"),),
    examples=("%poe points", "%poe points --set 0"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Set the balance if that is asked for, and show the ledger."""
    from poe_notebook.views.points import Line, points_bundle

    simulator, points = console.session.simulator, arguments.option("set")
    ledger, user = simulator.points, simulator.user_id
    if points is not None:
        ledger.grant(user, points)
    lines = [Line(entry.kind, entry.points, entry.balance, entry.note) for entry in ledger.entries_of(user)]
    console.show(
        points_bundle(ledger.balance(user), reserved=ledger.balance(user) - ledger.available(user), lines=lines)
    )
