"""Streaming, ours and fastapi_poe's side by side: events a second out of a server, first event under load, client.

Not a test: run it with ``python tests/benchmarks/streaming.py`` on a quiet machine. Servers run in a process of their
own and are read with plain sockets; the clients are fed by a plain asyncio server in a process of its own. Every
round measures every contender, and each figure is the median of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KEY = "k" * 32
EVENTS, STREAMS, EVENTS_EACH = 5_000, 100, 200
SERVERS = ("fastapi_poe", "ours", "ours, str", "ours, plain uvicorn", "ours, fastapi_poe bot")


# The servers, each in a process of its own.


def serve(name: str) -> None:
    """Serve one contender on a free port, printed on the first line, until standard input closes."""
    if name == "feed":
        asyncio.run(_feed())
    elif name in ("fastapi_poe", "ours, plain uvicorn"):
        import uvicorn

        app = _their_app() if name == "fastapi_poe" else _our_app()
        bound = socket.create_server(("127.0.0.1", 0), backlog=2048)
        print(bound.getsockname()[1], flush=True)
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        asyncio.run(_until_stdin_closes(server, bound))
    else:
        print(_serve_ours(name), flush=True)
        sys.stdin.read()
    os._exit(0)


async def _until_stdin_closes(server: Any, bound: socket.socket) -> None:
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)
    await serving


def _their_bot() -> Any:
    import fastapi_poe

    class Bot(fastapi_poe.PoeBot):
        async def get_response(self, request: Any) -> Any:
            for _ in range(int(request.query[-1].content)):
                yield fastapi_poe.PartialResponse(text="word ")

    return Bot(access_key=KEY, path="/bot")


def _our_bot(*, plain: bool) -> Any:
    from poe_notebook.bot.base import PoeBot
    from poe_notebook.protocol.responses import PartialResponse

    class Words(PoeBot):
        async def get_response(self, request: Any) -> Any:
            for _ in range(int(request.query[-1].content)):
                yield PartialResponse(text="word ")

    class Strings(PoeBot):
        async def get_response(self, request: Any) -> Any:
            for _ in range(int(request.query[-1].content)):
                yield "word "

    return Strings(path="/bot") if plain else Words(path="/bot")


def _their_app() -> Any:
    import fastapi_poe

    with redirect_stdout(sys.stderr):  # it prints that settings will not be synced
        return fastapi_poe.make_app(_their_bot())


def _serve_ours(name: str) -> int:
    from poe_notebook.bot.handlers import servable
    from poe_notebook.keys import Redactor, Secret
    from poe_notebook.runtime.loop import LoopThread
    from poe_notebook.runtime.server import Listener
    from poe_notebook.runtime.slots import Slots
    from poe_notebook.server.app import build_app
    from poe_notebook.tracing.recorder import Trace

    redactor, key = Redactor(), Secret(KEY)
    redactor.add(key)
    trace, slots = Trace(redactor), Slots(lambda slot: None)
    listener = Listener(build_app(slots.at, trace), thread=LoopThread("server"))
    bot = _their_bot() if name == "ours, fastapi_poe bot" else _our_bot(plain=name == "ours, str")
    slots.publish(servable(bot, name="bot"), thread=LoopThread("bot"), path="bot", access_key=key)
    listener.open(0)
    return listener.port or 0


def _our_app() -> Any:
    from poe_notebook.server.run import make_app

    return make_app(_our_bot(plain=False), access_key=KEY)


async def _feed() -> None:
    """Answer each request with 5,000 events, sent as fast as they are taken, on a connection that may stay open."""
    event = b'event: text\r\ndata: {"text": "word "}\r\n\r\n'
    body = event * EVENTS + b"event: done\r\ndata: {}\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                length = int(request.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                await reader.readexactly(length)
                writer.write(head + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)


@contextmanager
def served(name: str) -> Iterator[int]:
    """Start a contender's server and give its port."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)


# The readers: plain sockets.


def request_for(events: int) -> bytes:
    """Give the bytes of a query that asks a bot for so many events."""
    message = {"role": "user", "content": str(events), "message_id": "m-" + "0" * 32, "timestamp": 0}
    ids = {"user_id": "u-" + "0" * 32, "conversation_id": "c-" + "0" * 32, "message_id": "m-" + "1" * 32}
    body = json.dumps({"version": "1.2", "type": "query", "query": [message], **ids}).encode()
    head = (
        f"POST /bot HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def one_stream(port: int) -> float:
    """Read answers of 5,000 events, one after another; gives the median of their events a second."""
    return statistics.median(_one_stream(port) for _ in range(5))


def _one_stream(port: int) -> float:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        started = time.perf_counter()
        connection.sendall(request_for(EVENTS))
        pieces = []
        while piece := connection.recv(1 << 20):
            pieces.append(piece)
        took = time.perf_counter() - started
    count = b"".join(pieces).count(b"event: text")
    assert count == EVENTS, f"{count} events came"
    return EVENTS / took


def many_streams(port: int) -> float:
    """Ask for 100 answers of 200 events at once; gives the median of the seconds to the first event of each."""
    return statistics.median(_many_streams(port) for _ in range(3))


def _many_streams(port: int) -> float:
    waiting = selectors.DefaultSelector()
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(STREAMS)]
    request = request_for(EVENTS_EACH)
    firsts: dict[socket.socket, float] = {}
    got = {connection: b"" for connection in connections}
    started = time.perf_counter()
    for connection in connections:
        connection.sendall(request)
        connection.setblocking(False)
        waiting.register(connection, selectors.EVENT_READ)
    while waiting.get_map():
        for key, _ in waiting.select():
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            piece = connection.recv(1 << 20)
            got[connection] += piece
            if connection not in firsts and b"event: text" in got[connection]:
                firsts[connection] = time.perf_counter() - started
            if not piece:
                waiting.unregister(connection)
                connection.close()
    assert all(body.count(b"event: text") == EVENTS_EACH for body in got.values())
    return statistics.median(firsts.values())


# The clients.


def client_rate(name: str, port: int, *, messages: int, chars: int) -> float:
    """Read 5,000 events with a client; gives events a second."""
    return asyncio.run(_client_rate(name, port, messages=messages, chars=chars))


async def _client_rate(name: str, port: int, *, messages: int, chars: int) -> float:
    import fastapi_poe

    from poe_notebook.client.answers import stream_request
    from poe_notebook.protocol.messages import ProtocolMessage
    from poe_notebook.protocol.requests import QueryRequest

    ask: Any = fastapi_poe.stream_request if name == "fastapi_poe" else stream_request
    message: Any = fastapi_poe.ProtocolMessage if name == "fastapi_poe" else ProtocolMessage
    query: Any = fastapi_poe.QueryRequest if name == "fastapi_poe" else QueryRequest
    turns = [message(role="user", content="x" * chars) for _ in range(messages)]
    request = query(
        version="1.2", type="query", query=turns, user_id="", conversation_id="", message_id="", access_key=KEY
    )
    rates = []
    for _ in range(3):
        started, count = time.perf_counter(), 0
        async for _ in ask(request, "Feed", KEY, base_url=f"http://127.0.0.1:{port}/bot/"):
            count += 1
        assert count == EVENTS
        rates.append(EVENTS / (time.perf_counter() - started))
    return max(rates)


# The table.


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Measure every contender in every round; gives the median of each figure."""
    servers = {name: served(name) for name in (*SERVERS, "feed")}
    ports = {name: server.__enter__() for name, server in servers.items()}
    figures: dict[str, dict[str, list[float]]] = {}
    try:
        for round_ in range(rounds + 1):
            for row, take in _figures(ports).items():
                for name, figure in take.items():
                    value = figure()
                    if round_:  # the first warms up
                        figures.setdefault(row, {}).setdefault(name, []).append(value)
    finally:
        for server in servers.values():
            server.__exit__(None, None, None)
    return {row: {name: statistics.median(v) for name, v in values.items()} for row, values in figures.items()}


def _figures(ports: dict[str, int]) -> dict[str, dict[str, Callable[[], float]]]:
    feed = ports["feed"]
    return {
        "server, one stream of 5,000: events/s": {n: lambda n=n: one_stream(ports[n]) for n in SERVERS},
        "server, 100 streams of 200: median first event, ms": {
            n: lambda n=n: 1000 * many_streams(ports[n]) for n in SERVERS
        },
        "client, 1 short message: events/s": {
            n: lambda n=n: client_rate(n, feed, messages=1, chars=5) for n in ("fastapi_poe", "ours")
        },
        "client, 100 messages of 1,000 characters: events/s": {
            n: lambda n=n: client_rate(n, feed, messages=100, chars=1000) for n in ("fastapi_poe", "ours")
        },
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if arguments.serve:
        serve(arguments.serve)
    for row, values in measure(arguments.rounds).items():
        print(row)
        for name, value in values.items():
            ratio = value / values["fastapi_poe"]
            better = 1 / ratio if row.endswith("ms") else ratio
            print(f"    {name:24}{value:12,.0f}   {better:6.1f} x")


if __name__ == "__main__":
    main()
