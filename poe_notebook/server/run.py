"""``make_app`` and ``run``: bots as a FastAPI application, and such an application in the foreground of a script.

Takes the calls that fastapi_poe 0.0.83 takes. Other than there, nothing exits, no key is in an error, an application
that is given keeps its own handlers, and bots are left as they are, so that the same call works twice.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import warnings
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from poe_notebook.bot.settings import push_settings
from poe_notebook.keys import Redactor, environment_keys
from poe_notebook.server.access import AppError, Served, served_bots
from poe_notebook.server.app import HELLO, handle
from poe_notebook.server.endpoint import InlineEndpoint
from poe_notebook.server.failed_keys import FailedKeys
from poe_notebook.tracing.recorder import Trace

__all__ = ["AppError", "make_app", "run"]

_PORT = 8080
_EVERYWHERE = "0.0.0.0"  # in a container, loopback could not be reached; every request needs the bot's key
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_logger = logging.getLogger(__name__)


def make_app(
    bot: Any,
    access_key: str = "",
    *,
    bot_name: str = "",
    api_key: str = "",
    allow_without_key: bool = False,
    app: FastAPI | None = None,
) -> FastAPI:
    """Make a FastAPI application that serves a bot, or a sequence of bots at different paths.

    The access key is the bot's own, or ``access_key``, or ``POE_ACCESS_KEY``; with ``allow_without_key``, a bot that
    has none answers everybody. Where name and key are known, the settings are sent to Poe and the outcome is logged:
    before this returns or, where a loop runs already, as soon as it turns. What is asked and answered is kept in
    ``app.state.poe_trace``. Raises ``AppError``, a ``ValueError``.
    """
    served = served_bots(
        bot, access_key=access_key, bot_name=bot_name, api_key=api_key, allow_without_key=allow_without_key
    )
    _warn_of_deprecated(served)
    return _application(served, app)


def run(
    bot: Any,
    access_key: str = "",
    *,
    bot_name: str = "",
    api_key: str = "",
    allow_without_key: bool = False,
    app: FastAPI | None = None,
    host: str = _EVERYWHERE,
    port: int | None = None,
) -> None:
    """Serve a bot, or several, until the process is told to end; arguments as for ``make_app``.

    The port is ``port``; else, called from a script, what its command line says (``-p PORT``); else 8080. Raises
    ``AppError`` in a notebook, whose own loop would stand still: serve there with ``%%poebot`` or ``fp.serve``.
    """
    _check_place()
    served = served_bots(
        bot, access_key=access_key, bot_name=bot_name, api_key=api_key, allow_without_key=allow_without_key
    )
    _warn_of_deprecated(served)
    if port is None:
        is_script = sys._getframe(1).f_globals.get("__name__") == "__main__"
        port = _port_of_command_line() if is_script else _PORT
    if host not in _LOOPBACK:
        for one in served:
            if one.key is None:
                _logger.warning("%s has no access key: whoever reaches port %d can use it.", one.name, port)
    _serve(_application(served, app), host=host, port=port)


def _application(served: list[Served], app: FastAPI | None) -> FastAPI:
    app = FastAPI(title="poe_notebook", openapi_url=None) if app is None else app
    trace: Trace | None = getattr(app.state, "poe_trace", None)
    if trace is None:
        trace = app.state.poe_trace = Trace(Redactor())
        app.state.poe_failed_keys = FailedKeys()
    for key in [*environment_keys(), *(one.key for one in served)]:
        trace.redactor.add(key)
    for one in served:
        _add_routes(app, one)
    for one in served:
        _send_settings(one, trace.redactor)
    return app


class _BotRoute(Route):
    """A route of ours, which a later call for the same application and path replaces."""


def _add_routes(app: FastAPI, served: Served) -> None:
    endpoint = InlineEndpoint(served.bot, name=served.name, access_key=served.key)
    trace, failed = app.state.poe_trace, app.state.poe_failed_keys

    async def poe_post(request: Request) -> Response:
        return await handle(request, endpoint, trace, failed)

    async def index(request: Request) -> Response:
        return HTMLResponse(HELLO)

    routes = app.router.routes
    routes[:] = [route for route in routes if not (isinstance(route, _BotRoute) and route.path == served.path)]
    routes.append(_BotRoute(served.path, poe_post, methods=["POST"], name="poe_post", include_in_schema=False))
    routes.append(_BotRoute(served.path, index, methods=["GET"], name="index", include_in_schema=False))


def _send_settings(served: Served, redactor: Redactor) -> None:
    """Send the settings when the application is made, not when it starts.

    Starting is told by the ASGI lifespan, which many hosts never send: an application mounted in another, one tested
    without it, one whose owner has a lifespan of his own.
    """
    if served.key is not None and served.bot_name:
        push_settings(served.bot, name=served.bot_name, key=served.key.reveal(), clean=redactor.text)
        return
    level = logging.WARNING if served.key is not None else logging.INFO
    what = "bot_name" if served.key is not None else "access key"
    _logger.log(
        level,
        "The settings of %s are not sent to Poe: it has no %s. Later: fp.sync_bot_settings(bot_name, access_key)",
        served.name,
        what,
    )


def _warn_of_deprecated(served: list[Served]) -> None:
    for one in served:
        if one.deprecated:
            warnings.warn(
                f"An access key from {one.deprecated} is deprecated. Use access_key=... or POE_ACCESS_KEY.",
                DeprecationWarning,
                stacklevel=3,
            )


def _check_place() -> None:
    shell = sys.modules.get("IPython")
    if shell is not None and shell.get_ipython() is not None:
        raise AppError(
            "run() would hold this notebook until the kernel is interrupted.",
            why="It serves in the foreground, for scripts.",
            now="Write %%poebot above the bot's code, or serve the object: fp.serve(bot, name='MyBot')",
        )
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise AppError(
        "run() was called where a loop runs already.",
        why="It serves on a loop of its own, and a thread can run one.",
        now="Write: await uvicorn.Server(uvicorn.Config(fp.make_app(bot))).serve()",
    )


def _port_of_command_line() -> int:
    parser = argparse.ArgumentParser(description="Serves a Poe bot.", exit_on_error=False, allow_abbrev=False)
    parser.add_argument("-p", "--port", type=int, default=_PORT, help="the port to listen on (%(default)s)")
    try:
        known, unknown = parser.parse_known_args()
        fault = f"{' '.join(unknown)} is not known" if unknown else ""
    except argparse.ArgumentError as error:
        fault = str(error)
    if fault:
        raise AppError(
            f"The command line cannot be read: {fault}.",
            why="run() reads -p PORT from the command line of a script.",
            now="A script with arguments of its own passes the port itself: run(bot, port=8080)",
        )
    port: int = known.port
    return port


def _serve(app: FastAPI, *, host: str, port: int) -> None:
    import uvicorn

    try:
        uvicorn.run(app, host=host, port=port)
    except SystemExit:
        raise AppError(
            f"The server did not start on {host}:{port}.",
            why="uvicorn logged the reason; most often another program has that port.",
            now=f"Choose another: run(bot, port={port + 1}), or -p {port + 1} on the command line",
        ) from None
