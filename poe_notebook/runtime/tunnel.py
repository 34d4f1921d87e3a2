"""What a tunnel is: something that gives a local port a public address. The makers of tunnels live beside this file.

A tunnel knows nothing of bots and keys: whoever opens one first makes sure that what listens on the port demands an
access key. Nothing here starts a process or a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["START_COMMAND", "Tunnel", "TunnelState", "TunnelStatus"]

START_COMMAND = "%poe tunnel start"

TunnelState = Literal["closed", "opening", "open", "lost"]
"""``lost``: it was open and its agent has ended, so the public address leads nowhere."""


@dataclass(frozen=True, slots=True)
class TunnelStatus:
    """How a tunnel is at one moment.

    ``age_s`` counts from when the tunnel opened (while it is opening: from the start of the attempt), ``detail`` is
    one sentence for the reader. A lost tunnel still tells the address it had.
    """

    state: TunnelState = "closed"
    public_url: str | None = None
    port: int | None = None
    age_s: float = 0.0
    detail: str = f"No tunnel is open; type: {START_COMMAND}"


class Tunnel(Protocol):
    """A way to give a local port a public address. Every method may be called from any thread."""

    name: str

    def open(self, port: int, *, domain: str | None = None) -> str:
        """Give the port a public ``https`` address and return it; blocks up to the tunnel's own deadline.

        Open already for this port and domain: the same address again. Open for others: those are closed first.
        """

    def status(self) -> TunnelStatus:
        """Tell how the tunnel is now, without waiting for anything."""

    def close(self) -> None:
        """Take the public address away and end whatever served it; closing twice is fine."""
