"""HTTP clients by loop: shared on one, apart on others, gone with theirs."""

from __future__ import annotations

import asyncio
import gc
import weakref

import httpx
import pytest
from endpoints import raw_server, response

from poe_notebook.client import pool
from poe_notebook.client.pool import client_for_this_loop, close_clients_of_this_loop


async def two_clients() -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    assert client_for_this_loop() is client_for_this_loop()
    assert client_for_this_loop(is_local=True) is client_for_this_loop(is_local=True)
    return client_for_this_loop(), client_for_this_loop(is_local=True)


def test_a_loop_has_one_client_for_this_machine_and_one_for_the_world() -> None:
    first, second = asyncio.run(two_clients()), asyncio.run(two_clients())
    assert len({*first, *second}) == 4


def test_closing_closes_them_and_the_next_use_makes_others() -> None:
    async def run() -> None:
        before = await two_clients()
        await close_clients_of_this_loop()
        assert all(client.is_closed for client in before)
        after = await two_clients()
        assert not {*before} & {*after}
        await after[0].aclose()
        assert client_for_this_loop() is not after[0]
        await close_clients_of_this_loop()
        await close_clients_of_this_loop()

    asyncio.run(run())


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_loops_that_have_ended_are_not_kept_even_if_a_connection_was_open() -> None:
    alive: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def run(url: str) -> None:
        alive.append(weakref.ref(asyncio.get_running_loop()))
        assert (await client_for_this_loop(is_local=True).post(url)).text == "ok"

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    with raw_server([head + b"ok", 0.05]) as server:
        for _ in range(5):
            asyncio.run(run(server.url))
    asyncio.run(two_clients())
    gc.collect()
    assert [ref() for ref in alive] == [None] * 5
    assert len(pool._pools._clients) <= 2


def test_a_client_for_this_machine_asks_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    async def run(url: str) -> str:
        with pytest.raises(httpx.ConnectError):
            await client_for_this_loop().post(url)
        return (await client_for_this_loop(is_local=True).post(url)).text

    with raw_server([response(b"ok")]) as server:
        assert asyncio.run(run(server.url)) == "ok"
