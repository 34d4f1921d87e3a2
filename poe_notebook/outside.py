"""Which Poe the library's functions reach from cells and from scripts that a notebook starts: the real one or ours.

It is told by ``POE_BASE_URL`` and ``POE_API_KEY``, so that everything that reads them follows; what stood there before
is put back. What the user sets meanwhile is the user's: it counts, and it is left alone. Inside a handler neither
variable counts: a bot's calls go to the Poe that asked it.
"""

from __future__ import annotations

import os
from typing import Literal

from poe_notebook.keys import Secret

__all__ = ["Outside"]

_BASE_URL, _API_KEY = "POE_BASE_URL", "POE_API_KEY"


class Outside:
    """The environment's two variables, and what they were before."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}
        self._before: dict[str, str | None] = {}

    @property
    def uses(self) -> Literal["poe", "simulator"]:
        """Which of the two is in use."""
        return "simulator" if self._is_ours(_BASE_URL) else "poe"

    def use_simulator(self, address: str, api_key: Secret) -> None:
        """Let calls reach the simulator."""
        for name, value in ((_BASE_URL, address), (_API_KEY, api_key.reveal())):
            if not self._is_ours(name):
                self._before[name] = os.environ.get(name)
            os.environ[name] = self._ours[name] = value

    def use_poe(self) -> None:
        """Put back what was there before; again is no harm."""
        for name in list(self._ours):
            before = self._users(name)
            del self._ours[name]
            if before is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = before

    def api_key(self) -> Secret | None:
        """Give the user's own API key, whatever is in use."""
        value = (self._users(_API_KEY) or "").strip()
        return Secret(value, origin=f"from {_API_KEY}") if value else None

    def address(self, under: str, *, host: str = "https://api.poe.com") -> str:
        """Give the address of Poe's endpoints below a path, ``/bot`` say, with a slash at its end, whatever is in use.

        It is at ``host``, unless the user has named another Poe in the environment.
        """
        root = (self._users(_BASE_URL) or "").strip().rstrip("/").removesuffix("/bot")
        return f"{root or host}{under}/"

    def _is_ours(self, name: str) -> bool:
        return name in self._ours and os.environ.get(name) == self._ours[name]

    def _users(self, name: str) -> str | None:
        """Give what the user has set a variable to."""
        return self._before.get(name) if self._is_ours(name) else os.environ.get(name)
