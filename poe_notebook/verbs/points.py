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
    options=(Option("--set", "have so many points", _points, "POINTS"),),
    examples=("%poe points", "%poe points --set 0"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Set the balance if that is asked for, and show the ledger."""
    from poe_notebook.views.points import points_bundle

    simulator, balance = console.session.simulator, arguments.option("set")
    if balance is not None:
        simulator.points.set_balance(simulator.user_id, balance)
    console.show(points_bundle(simulator.points.statement(simulator.user_id)))
