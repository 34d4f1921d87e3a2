"""An ASGI application on a loopback socket, served by uvicorn in a thread of the test."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from endpoints import until


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """Serve an application and give its port; nothing of the server is left afterwards."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True)
    thread.start()
    try:
        assert until(lambda: server.started)
        yield int(listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(5)
        listening.close()
    assert not thread.is_alive()
