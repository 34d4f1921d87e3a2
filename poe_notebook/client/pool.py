"""HTTP clients: one connection pool for each event loop, since a connection belongs to the loop that opened it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import httpx

__all__ = ["client_for_this_loop", "close_clients_of_this_loop"]

_CONNECT_S = 10.0
_READ_S = 600.0
"""Silence that a bot may keep: the whole time that Poe gives an answer (600 s, protocol specification, 2025-03)."""


class _Pools:
    """The clients of this process, local ones and others, by loop."""

    def __init__(self) -> None:
        self._clients: dict[asyncio.AbstractEventLoop, dict[bool, httpx.AsyncClient]] = {}
        self._ends: dict[
            asyncio.AbstractEventLoop, AsyncGenerator[None, None]
        ] = {}  # the loop itself holds them weakly

    def client(self, *, is_local: bool) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._forget_closed_loops()
            self._clients[loop] = {}
            if loop not in self._ends:
                self._ends[loop] = _begun(self._until_loop_ends())
        clients = self._clients[loop]
        client = clients.get(is_local)
        if client is None or client.is_closed:
            client = clients[is_local] = _new_client(is_local=is_local)
        return client

    async def close(self) -> None:
        for client in self._clients.pop(asyncio.get_running_loop(), {}).values():
            await client.aclose()

    async def _until_loop_ends(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await self.close()
            self._ends.pop(asyncio.get_running_loop(), None)

    def _forget_closed_loops(self) -> None:
        # Weak keys would not do: a client's open connections hold their loop, so no loop would ever go.
        for loop in list(self._clients):
            if loop.is_closed():
                self._clients.pop(loop, None)
                self._ends.pop(loop, None)


def _begun(generator: AsyncGenerator[None, None]) -> AsyncGenerator[None, None]:
    """Run an asynchronous generator to its first yield, so that the loop closes it when it shuts down."""
    with suppress(StopIteration):
        anext(generator).send(None)
    return generator


_pools = _Pools()


def client_for_this_loop(*, is_local: bool = False) -> httpx.AsyncClient:
    """Give the running loop's client. A local one, for 127.0.0.1, heeds no proxy of the environment."""
    return _pools.client(is_local=is_local)


async def close_clients_of_this_loop() -> None:
    """Close the running loop's connections."""
    await _pools.close()


def _new_client(*, is_local: bool) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        trust_env=not is_local,
        verify=not is_local,
        follow_redirects=False,
    )
