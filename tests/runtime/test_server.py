"""The listener: its port, its lifetime, and what it keeps off the cells."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from endpoints import until

from poe_notebook.errors import ServerError
from poe_notebook.runtime import server as module
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.runtime.server import Listener

Send = Callable[[dict[str, Any]], Awaitable[None]]


async def app(scope: dict[str, Any], receive: Any, send: Send) -> None:
    if scope["path"] == "/fail":
        raise ValueError("app failed")
    if scope["path"] == "/slow":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(60)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    running = LoopThread("test-listener")
    yield running
    running.close()


@pytest.fixture
def listener(thread: LoopThread) -> Iterator[Listener]:
    made = Listener(app, thread=thread)
    yield made
    made.close()


def get(port: int | None, path: str = "/") -> bytes:
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_it_serves_from_opening_to_closing(listener: Listener) -> None:
    assert listener.port is None
    listener.open(0)
    port = listener.port
    assert listener.address == f"http://127.0.0.1:{port}"
    assert get(port).endswith(b"ok")
    listener.close()
    assert listener.port is None
    assert is_free(port)
    listener.close()


def test_opening_again_changes_nothing(listener: Listener) -> None:
    listener.open(0)
    port = listener.port
    for again in (None, 0, port):
        listener.open(again)
        assert listener.port == port
    with pytest.raises(ServerError, match=f"already served on port {port}"):
        listener.open(1)


def test_after_closing_it_opens_again_on_the_same_port(listener: Listener) -> None:
    listener.open(0)
    port = listener.port
    get(port)
    listener.close()
    listener.open(port)
    assert listener.port == port
    assert get(port).endswith(b"ok")


def test_it_listens_on_this_machine_alone(listener: Listener) -> None:
    listener.open(0)
    assert listener._socket is not None
    assert listener._socket.getsockname()[0] == "127.0.0.1"


def test_a_port_that_was_asked_for_and_is_taken_is_said(listener: Listener, taken: int) -> None:
    with pytest.raises(ServerError, match=f"Port {taken} of 127.0.0.1 is taken") as raised:
        listener.open(taken)
    assert f"--port {taken + 1}" in raised.value.now
    assert isinstance(raised.value, OSError)
    assert listener.port is None
    listener.open(0)
    assert get(listener.port).endswith(b"ok")


def test_without_a_wish_a_taken_port_gives_way_to_a_free_one(
    listener: Listener, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEFAULT_PORT", taken)
    listener.open()
    assert listener.port not in (None, taken)


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_what_is_no_port_is_said(listener: Listener, port: int) -> None:
    with pytest.raises(ServerError, match=f"{port}"):
        listener.open(port)
    assert listener.port is None


def test_closing_ends_open_connections_and_running_answers(listener: Listener) -> None:
    listener.open(0)
    idle = socket.create_connection(("127.0.0.1", listener.port), timeout=5)
    slow = socket.create_connection(("127.0.0.1", listener.port), timeout=5)
    slow.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    assert slow.recv(100).startswith(b"HTTP/1.1 200")
    started = time.monotonic()
    listener.close()
    assert time.monotonic() - started < 2.5
    for connection in (idle, slow):
        with connection:
            assert until(lambda connection=connection: connection.recv(100) == b"", within_s=1)


def test_answers_on_one_connection_are_not_delayed(listener: Listener) -> None:
    listener.open(0)
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as connection:
        took = []
        for _ in range(10):
            started = time.monotonic()
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            got = b""
            while not got.endswith(b"ok"):
                got += connection.recv(65536)
            took.append(time.monotonic() - started)
    assert sorted(took)[8] < 0.02


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost:"], ids=["nothing", "half a head"])
def test_a_connection_whose_request_does_not_come_is_closed(thread: LoopThread, sent: bytes) -> None:
    impatient = Listener(app, thread=thread, head_s=0.2)
    impatient.open(0)
    try:
        with socket.create_connection(("127.0.0.1", impatient.port or 0), timeout=5) as silent:
            silent.sendall(sent)
            began = time.monotonic()
            assert silent.recv(100) == b""
            assert 0.1 < time.monotonic() - began < 2
    finally:
        impatient.close()


def test_a_long_answer_and_a_second_request_are_not_cut_by_that(thread: LoopThread) -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await asyncio.sleep(0.4)
        await send({"type": "http.response.body", "body": b"ok"})

    impatient = Listener(slow, thread=thread, head_s=0.2)
    impatient.open(0)
    try:
        with socket.create_connection(("127.0.0.1", impatient.port or 0), timeout=5) as asking:
            for _ in range(2):
                asking.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert asking.recv(1000).startswith(b"HTTP/1.1 200")
                assert asking.recv(1000) == b"ok"
                time.sleep(0.05)
            time.sleep(0.3)
    finally:
        impatient.close()


def test_faults_of_the_server_are_kept_and_nothing_is_written_anywhere(
    listener: Listener, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger("uvicorn.error")
    before = (root.propagate, list(root.handlers))
    listener.open(0)
    assert b"500" in get(listener.port, "/fail")
    assert until(lambda: listener.faults)
    assert "app failed" in "".join(listener.faults)
    for _ in range(300):
        logging.getLogger("uvicorn.error").warning("again")
    assert len(listener.faults) == 100
    listener.close()
    assert (root.propagate, root.handlers) == before
    written = capfd.readouterr()
    assert written.out + written.err == ""


def test_signals_and_the_callers_thread_are_left_alone(listener: Listener) -> None:
    import signal

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    threads = set(threading.enumerate())
    listener.open(0)
    get(listener.port)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert set(threading.enumerate()) == threads
