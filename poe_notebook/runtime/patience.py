"""Connections whose request does not come: uvicorn waits for a request's head for ever, and this does not.

Imported only when a listener starts, since it imports uvicorn. The time of a body is the application's to bound.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["patient_protocol"]


def patient_protocol(head_s: float) -> type[asyncio.Protocol]:
    """Make uvicorn's HTTP protocol, but one that closes a connection on which no head has come in ``head_s``."""

    class Patient(H11Protocol):
        _impatience: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait_for_head()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state is h11.IDLE:
                self._wait_for_head()
            elif self._impatience is not None:
                self._impatience.cancel()
                self._impatience = None

        def connection_lost(self, exc: Exception | None) -> None:
            if self._impatience is not None:
                self._impatience.cancel()
            super().connection_lost(exc)

        def _wait_for_head(self) -> None:
            if self._impatience is None:
                self._impatience = asyncio.get_running_loop().call_later(head_s, self._give_up)

        def _give_up(self) -> None:
            self._impatience = None
            if not self.transport.is_closing():
                self.transport.close()

    return Patient
