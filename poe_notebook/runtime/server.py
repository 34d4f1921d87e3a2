"""The kernel's one listener: uvicorn on the toolkit's loop, behind a socket that is bound before anything starts.

Signals are left to the kernel, uvicorn's own logging is kept off every cell, and the port stays from the first bot to
the end of the session.
"""

from __future__ import annotations

import asyncio
import concurrent.futures as futures
import errno
import logging
import os
import socket
from collections import deque
from contextvars import Context
from typing import TYPE_CHECKING, Any

from poe_notebook.errors import ServerError

if TYPE_CHECKING:
    from poe_notebook.runtime.loop import LoopThread

__all__ = ["DEFAULT_PORT", "SIMULATOR_PORT", "Listener"]

DEFAULT_PORT, SIMULATOR_PORT = 8765, 8764
_HOST = "127.0.0.1"
_START_S = 10.0
_GRACE_S = 1
_BACKLOG = 2048
_HEAD_S = 30.0
"""How long a request's head may take to arrive; as long as its body may."""
_KEPT_FAULTS = 100


class Listener:
    """A port on 127.0.0.1 and the ASGI application behind it."""

    def __init__(
        self, app: Any, *, thread: LoopThread, usual_port: int = DEFAULT_PORT, head_s: float = _HEAD_S
    ) -> None:
        self._app, self._thread, self._usual_port, self._head_s = app, thread, usual_port, head_s
        self._socket: socket.socket | None = None
        self._server: Any = None
        self._serving: futures.Future[None] | None = None
        self.faults: deque[str] = deque(maxlen=_KEPT_FAULTS)
        self._logging = _Faults(self.faults)

    @property
    def port(self) -> int | None:
        """The bound port, or none while the listener is closed."""
        return None if self._socket is None else int(self._socket.getsockname()[1])

    @property
    def address(self) -> str:
        """The address without a path."""
        return f"http://{_HOST}:{self.port}"

    def open(self, port: int | None = None) -> None:
        """Bind and serve. Without a port, the usual one or, if that is taken, any free one.

        Raises ``ServerError`` if the port that was asked for is taken, or another than the one already bound.
        """
        if self._socket is not None:
            self._stay(port)
            return
        self._socket = _bind(self._usual_port if port is None else port, is_asked_for=port is not None)
        try:
            # Whoever is the first to need a port may be a handler: what is served there is not its doing.
            Context().run(self._thread.run, self._start())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop serving and free the port; answers still running are cut after a second."""
        serving, server, bound = self._serving, self._server, self._socket
        self._serving = self._server = self._socket = None
        if server is not None and serving is not None:
            server.should_exit = True
            futures.wait([serving], _GRACE_S + 1)
        if bound is not None:
            bound.close()
        self._logging.remove()

    def _stay(self, port: int | None) -> None:
        if port not in (None, 0, self.port):
            raise ServerError(
                f"Port {port} was asked for, but this kernel's bots are already served on port {self.port}.",
                why="All bots of a kernel share one port, so that their addresses stay as they are.",
                now="Leave --port away, or free the port first: %unload_ext poe_notebook, then %load_ext poe_notebook",
            )

    async def _start(self) -> None:
        import uvicorn

        from poe_notebook.runtime.patience import patient_protocol

        config = uvicorn.Config(
            self._app,
            http=patient_protocol(self._head_s),
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="off",
            backlog=_BACKLOG,
            timeout_graceful_shutdown=_GRACE_S,
            server_header=False,
        )
        self._logging.install()
        self._server = uvicorn.Server(config)  # which takes signals over in a main thread alone
        self._serving = self._thread.submit(self._server.serve(sockets=[self._socket]))
        async with asyncio.timeout(_START_S):
            while not self._server.started:
                if self._serving.done():
                    raise ServerError("The server ended while it was starting.", why=str(self._serving.exception()))
                await asyncio.sleep(0.005)


def _bind(port: int, *, is_asked_for: bool) -> socket.socket:
    try:
        return _create(port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise ServerError(f"Port {port} of {_HOST} cannot be bound: {error.strerror}.") from None
        if not is_asked_for:
            return _create(0)
        raise ServerError(
            f"Port {port} of {_HOST} is taken by another program.",
            why="A port can have one listener.",
            now=f"Choose another (--port {port + 1 if port < 65535 else 0}), or leave --port away to get a free one.",
        ) from None
    except OverflowError:
        raise ServerError(f"{port} is no port.", why="Ports go from 0 (any free one) to 65535.") from None


def _create(port: int) -> socket.socket:
    # Not socket.create_server: asyncio turns Nagle's algorithm off only for sockets that name their protocol, and with
    # it every answer on a connection that is used again begins 40 ms late (measured: 43 ms against 2).
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two programs share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((_HOST, port))
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


class _Faults(logging.Handler):
    """Keeps the server's own warnings and errors in a list instead of letting them fall into a cell."""

    def __init__(self, faults: deque[str]) -> None:
        super().__init__(logging.WARNING)
        self._faults = faults
        self._logger = logging.getLogger("uvicorn.error")
        self._propagated = self._logger.propagate

    def install(self) -> None:
        self._logger.propagate = False
        self._logger.addHandler(self)

    def remove(self) -> None:
        self._logger.propagate = self._propagated
        self._logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self._faults.append(self.format(record))
