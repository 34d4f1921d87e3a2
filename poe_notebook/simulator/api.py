"""api.poe.com, offline: the endpoints that scripts and bots call, as one ASGI application for a loopback port.

Every refusal is JSON with a sentence, and quotes no key: settings calls have one in their path.
Paths: Poe protocol specification, "Bot Query API" and "Updating bot settings" (read 2025-03), Poe's monetization guide,
fastapi_poe 0.0.83, Poe's OpenAI-compatible API (2026-04).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from poe_notebook.simulator.openai_errors import OPENAI_PATHS, ApiError
from poe_notebook.simulator.requests import json_response, refusal, shown_name

__all__ = ["build_api"]


Handler = Callable[[Request], Awaitable[Response]]


def build_api(
    *,
    query: Handler,
    fetch_settings: Handler,
    update_settings: Handler,
    cost: Handler,
    upload: Handler,
    more: Sequence[BaseRoute],
) -> Starlette:
    """Make the application of its endpoints."""
    routes = [
        _post("/bot/cost/{query_id}/authorize", cost),
        _post("/bot/cost/{query_id}/capture", cost),
        *_keyed("/bot/fetch_settings", fetch_settings),
        *_keyed("/bot/update_settings", update_settings),
        _post("/bot/{name}", query),
        _post("/poe_api/file_upload_3RD_PARTY_POST", upload),
        *more,
    ]
    return Starlette(
        routes=routes, exception_handlers={HTTPException: _refused, ClientDisconnect: _left, Exception: _failed}
    )


def _post(path: str, handler: Handler) -> Route:
    async def endpoint(request: Request) -> Response:
        return await handler(request)

    return Route(path, endpoint, methods=["POST"])


def _keyed(path: str, handler: Handler) -> list[Route]:
    return [_post(path + "/{name}/{key}" + version, handler) for version in ("", "/{version}")]


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    said = {
        404: f"The simulated Poe has nothing at {_shown_path(request)}.",
        405: f"{_shown_path(request)} takes no {request.method[:10]}.",
    }.get(status, str(getattr(error, "detail", "")))
    if request.url.path.startswith(OPENAI_PATHS):
        return json_response(ApiError(said, status=404).body, status=status)
    return refusal(status, said)


def _shown_path(request: Request) -> str:
    """Give the first two parts of the path: a key comes behind them."""
    first, second, *more = [*request.url.path[:200].split("/")[1:], ""]
    shown = f"/{shown_name(first)}/{shown_name(second)}" if second else f"/{shown_name(first)}"
    return f"{shown}/…" if any(more) else shown


async def _left(request: Request, error: Exception) -> Response:
    return Response(status_code=499)  # which nobody reads


async def _failed(request: Request, error: Exception) -> Response:
    return refusal(500, f"The simulator failed: {type(error).__name__}. That is a fault of its own.")
