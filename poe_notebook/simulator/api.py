"""api.poe.com, offline: the endpoints that scripts and bots call, as one ASGI application for a loopback port.

Paths: Poe protocol specification, "Bot Query API" and "Updating bot settings" (read 2025-03), Poe's monetization guide,
fastapi_poe 0.0.83, Poe's OpenAI-compatible API (2026-04).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from poe_notebook.simulator.requests import refusal

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
    return Starlette(routes=routes, exception_handlers={404: _not_found})


def _post(path: str, handler: Handler) -> Route:
    async def endpoint(request: Request) -> Response:
        return await handler(request)

    return Route(path, endpoint, methods=["POST"])


def _keyed(path: str, handler: Handler) -> list[Route]:
    return [_post(path + "/{name}/{key}" + version, handler) for version in ("", "/{version}")]


async def _not_found(request: Request, error: Exception) -> Response:
    return refusal(404, f"The simulated Poe has nothing at {request.url.path[:200]}.")
