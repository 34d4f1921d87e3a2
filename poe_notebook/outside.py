"""Which Poe the library's functions reach from cells and from scripts that a notebook starts: the real one or ours.

It is told by ``POE_BASE_URL`` and ``POE_API_KEY``, so that everything that reads them follows; what stood there before
is put back. Inside a handler neither counts: a bot's calls go to the Poe that asked it.
"""

from __future__ import annotations

import os
from typing import Literal

from poe_notebook.keys import Secret, find_api_key

__all__ = ["Outside"]

_BASE_URL, _API_KEY = "POE_BASE_URL", "POE_API_KEY"


class Outside:
    """The environment's two variables, and what they were before."""

    def __init__(self) -> None:
        self._before: dict[str, str | None] | None = None

    @property
    def uses(self) -> Literal["poe", "simulator"]:
        """Which of the two is in use."""
        return "poe" if self._before is None else "simulator"

    def use_simulator(self, address: str, api_key: Secret) -> None:
        """Let calls reach the simulator."""
        if self._before is None:
            self._before = {name: os.environ.get(name) for name in (_BASE_URL, _API_KEY)}
        os.environ[_BASE_URL], os.environ[_API_KEY] = address, api_key.reveal()

    def use_poe(self) -> None:
        """Put back what was there before; again is no harm."""
        for name, value in (self._before or {}).items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before = None

    def api_key(self) -> Secret | None:
        """Give the user's own API key, whatever is in use."""
        return find_api_key() if self._before is None else _secret(self._before[_API_KEY])

    def base_url(self) -> str | None:
        """Give the address of bots on Poe, if the environment had one before the simulator's; none for the usual."""
        before = self._before[_BASE_URL] if self._before is not None else None
        return before.rstrip("/").removesuffix("/bot") + "/bot/" if before else None


def _secret(value: str | None) -> Secret | None:
    value = (value or "").strip()
    return Secret(value, origin=f"from {_API_KEY}") if value else None
