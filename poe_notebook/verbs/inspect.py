"""``%poe inspect``: an exchange, whole, while it is answered and after; or all of them in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from poe_notebook.arguments import Arguments, Command
from poe_notebook.verbs.console import Console

if TYPE_CHECKING:
    from poe_notebook.tracing.exchange import Exchange

__all__ = ["COMMAND", "exchange_shown", "run"]

COMMAND = Command(
    "inspect",
    "Show an exchange: what went wrong, when, every event, what the handler printed; or all of them.",
    words=("WHICH?",),
    examples=("%poe inspect", "%poe inspect 3", "%poe inspect -2", "%poe inspect Shout", "%poe inspect all"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> Any:
    """Show the exchange and give it, or show the list."""
    which = arguments.word("which")
    session = console.session
    if which == "all" and "all" not in session.serving.slots:
        from poe_notebook.views.exchange_list import exchanges_bundle

        trace = session.trace
        console.show(exchanges_bundle(list(trace), dropped=trace.dropped, mark=console.mark(0)))
        return None
    exchange = session.exchange(which)
    if exchange.outcome == "open" and hasattr(console.shell, "kernel"):
        _follow(console, exchange)
    else:
        console.show(exchange_shown(console, exchange))
    return console.give(exchange)


def exchange_shown(console: Console, exchange: Exchange) -> dict[str, Any]:
    """Give an exchange as it is shown in this console."""
    from poe_notebook.views.inspector import exchange_bundle

    return {**exchange_bundle(console.session.inspecting.inspected(exchange, mark=console.mark(exchange.number)))}


def _follow(console: Console, exchange: Exchange) -> None:
    from poe_notebook.views.inspector_live import LiveExchange
    from poe_notebook.views.live import CellOutput

    live = LiveExchange(exchange, draw=lambda: exchange_shown(console, exchange), show=CellOutput())
    console.session.every(live.update)
