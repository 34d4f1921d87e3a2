"""``%poe tunnel``: a public address for the bots."""

from __future__ import annotations

from typing import Any

from poe_notebook.arguments import Arguments, Command
from poe_notebook.errors import CommandError
from poe_notebook.verbs.console import Console
from poe_notebook.verbs.options import DEBUG, DOMAIN

COMMAND = Command(
    "tunnel",
    "Give the bots a public address through ngrok: start, stop or status.",
    words=("ACTION?",),
    choices={"ACTION": ("start", "stop", "status")},
    options=(DOMAIN, DEBUG),
    examples=("%poe tunnel start", "%poe tunnel stop"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Start it, stop it, or tell how it stands."""
    serving, action = console.session.serving, arguments.word("action") or "status"
    if action == "start":
        show_tunnel(console, serving.open_tunnel(domain=arguments.option("domain")))
    elif action == "stop":
        show_tunnel(console, serving.close_tunnel())
    elif action == "status":
        show_tunnel(console, serving.tunnel.status())
    else:
        raise CommandError(f"%poe tunnel cannot {action!r}.", now="Type: %poe tunnel start, stop or status")


def show_tunnel(console: Console, status: Any) -> None:
    """Show how the tunnel stands."""
    from poe_notebook.views.status import tunnel_bundle

    console.show(tunnel_bundle(status.state, public_url=status.public_url, detail=status.detail))
