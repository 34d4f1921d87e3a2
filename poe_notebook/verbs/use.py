"""``%poe use``: which Poe the library's functions reach from cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.errors import CommandError
from poe_notebook.verbs.console import Console

if TYPE_CHECKING:
    from poe_notebook.session import Session

COMMAND = Command(
    "use",
    "Choose which Poe the library's functions and scripts reach from here: simulator or poe.",
    words=("WHICH?",),
    choices={"WHICH": ("simulator", "poe")},
    options=(Option("--limits", "the simulator's limits: 2025, 2026 or strict", str, "PROFILE"),),
    examples=("%poe use simulator", "%poe use poe", "%poe use simulator --limits strict"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Point the environment there, and say what that means."""
    session, which = console.session, arguments.word("which")
    profile = arguments.option("limits")
    if profile is not None:
        session.simulator.limit(profile)
    if which == "simulator":
        session.use_simulator()
    elif which == "poe":
        session.outside.use_poe()
    elif which is not None:
        raise CommandError(f"There is no Poe {which!r} to use.", now="Type: %poe use simulator or %poe use poe")
    console.say(_sentence(session), kind="done" if which else "info")


def _sentence(session: Session) -> str:
    if session.outside.uses == "simulator":
        return (
            f"Cells and scripts started here ask the simulator at {session.simulator_address}: POE_BASE_URL and "
            "POE_API_KEY say so. Back with %poe use poe."
        )
    address = session.outside.address("").rstrip("/")
    asked = "poe.com" if address.endswith("//api.poe.com") else f"{address}, as POE_BASE_URL says"
    return f"Cells and scripts ask {asked}, with POE_API_KEY. What a bot asks while it answers goes to who asked it."
