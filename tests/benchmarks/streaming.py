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
from contextlib import contextmanager
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

        app = _their_app() if name == "fastapi_poe" else _our_app_on_its_loop()
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

    return Strings() if plain else Words()


def _their_app() -> Any:
    import fastapi_poe

    return fastapi_poe.make_app(_their_bot())


def _serve_ours(name: str) -> int:
    from poe_notebook.bot.handlers import servable
    from poe_notebook.keys import Redactor, Secret
    from poe_notebook.runtime.loop import LoopThread
    from poe_notebook.runtime.server import Listener
    from poe_notebook.runtime.slots import Slots
    from poe_notebook.server.app import build_app
    from poe_notebook.trace.recorder import Trace

    redactor, key = Redactor(), Secret(KEY)
    redactor.add(key)
    trace, slots = Trace(redactor), Slots(lambda slot: None)
    listener = Listener(build_app(slots.at, trace), thread=LoopThread("server"))
    bot = _their_bot() if name == "ours, fastapi_poe bot" else _our_bot(plain=name == "ours, str")
    slots.publish(servable(bot, name="bot"), thread=LoopThread("bot"), path="bot", access_key=key)
    listener.open(0)
    return listener.port or 0


def _our_app_on_its_loop() -> Any:
    raise NotImplementedError


