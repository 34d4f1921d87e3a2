"""The library's own application under plain uvicorn, on a loopback socket, in a thread of the test."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import fastapi_poe
from apps import serving
from endpoints import KEY


@contextmanager
def their_server(bot: fastapi_poe.PoeBot) -> Iterator[int]:
    """Serve a bot of the library's, and give the port."""
    bot.access_key = KEY
    with redirect_stdout(io.StringIO()):
        app = fastapi_poe.make_app(bot)
    with serving(app) as port:
        yield port
