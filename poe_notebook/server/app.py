"""The ASGI application: authenticate, read one request, let one bot answer it.

It knows endpoints, not how they run: in a kernel a slot answers on a loop of its own, elsewhere the bot does on this
one. Every refusal is JSON with a sentence; nothing that a client sends makes a 500.
Source: Poe protocol specification, "Requests" (read 2025-03).
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from typing import Any, Protocol

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from poe_notebook.bot.base import RequestContext
from poe_notebook.keys import Secret
from poe_notebook.protocol.requests import (
    BaseRequest,
    MalformedRequest,
    QueryRequest,
    ReportErrorRequest,
    ReportFeedbackRequest,
    ReportReactionRequest,
    SettingsRequest,
    parse_request,
)
from poe_notebook.server.stream import AnswerResponse
from poe_notebook.trace.recorder import Recording, Trace

__all__ = ["MAX_BODY_BYTES", "Endpoint", "build_app"]

MAX_BODY_BYTES = 64 * 1024 * 1024
"""A context of 1,000 messages with the text of 50 MB of attachments fits; more is no query."""


class Endpoint(Protocol):
    """Whatever answers behind one path."""

    name: str
    access_key: Secret

    def answer(
        self, request: QueryRequest, context: RequestContext, recording: Recording
    ) -> AsyncGenerator[bytes, None]:
        """Give the answer's bytes as they come; an empty item after a long silence. Closing it stops the handler."""

    async def call(self, method: str, *args: Any) -> Any:
        """Call one of the bot's other methods."""


def build_app(find: Callable[[str], Endpoint | None], trace: Trace) -> FastAPI:
    """Make the application. ``find`` gives the endpoint that stands at a path, if any."""
    app = FastAPI(title="poe_notebook", openapi_url=None)

    async def post(request: Request) -> Response:
        endpoint = find(request.url.path)
        if endpoint is None:
            return _refuse(404, f"No bot is served at {request.url.path}.")
        return await _handle(request, endpoint, trace)

    async def get(request: Request) -> Response:
        endpoint = find(request.url.path)
        if endpoint is None:
            return _refuse(404, f"No bot is served at {request.url.path}.")
        return HTMLResponse(_HELLO)

    app.add_route("/{path:path}", post, methods=["POST"], name="poe_post")
    app.add_route("/{path:path}", get, methods=["GET"], name="poe_get")
    return app


_HELLO = (
    "<!doctype html><meta charset=utf-8><title>A Poe bot</title><p>A Poe server bot answers here. "
    "Give this address to <a href='https://poe.com/create_bot?server=1'>poe.com/create_bot?server=1</a>."
)


async def _handle(http_request: Request, endpoint: Endpoint, trace: Trace) -> Response:
    if not _is_authorized(http_request, endpoint.access_key):
        return _refuse(
            401,
            "The access key is missing or wrong; it belongs in the header Authorization: Bearer <access key>.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    try:
        body = await _read_json(http_request)
        request = parse_request(body)
    except MalformedRequest as error:
        return _refuse(error.status, str(error))
    except ClientDisconnect:
        return Response(status_code=499)
    recording = trace.begin_server(
        bot=endpoint.name,
        kind=request.type,
        message_id=getattr(request, "message_id", "") if isinstance(request, QueryRequest) else "",
        request=body,
        headers=dict(http_request.headers),
    )
    context = RequestContext(http_request=http_request)
    if isinstance(request, QueryRequest):
        request.access_key = request.api_key = endpoint.access_key.reveal()
        recording.tap.status = 200
        return AnswerResponse(endpoint.answer(request, context, recording), recording)
    return await _call(endpoint, request, context, recording)


async def _call(endpoint: Endpoint, request: BaseRequest, context: RequestContext, recording: Recording) -> Response:
    method = _METHODS[type(request)]
    try:
        result = await endpoint.call(f"{method}_with_context", request, context)
    except Exception as error:
        recording.raised(error)
        recording.tap.status = 500
        recording.end("failed")
        return _refuse(500, f"{method} of this bot raised {type(error).__name__}.")
    recording.tap.status = 200
    recording.end("done")
    return _json({} if result is None else result.model_dump())


_METHODS: dict[type[BaseRequest], str] = {
    SettingsRequest: "get_settings",
    ReportFeedbackRequest: "on_feedback",
    ReportReactionRequest: "on_reaction",
    ReportErrorRequest: "on_error",
}


def _is_authorized(request: Request, access_key: Secret) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and access_key.matches(given.strip())


async def _read_json(request: Request) -> Any:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY_BYTES:
            raise MalformedRequest(
                f"The body is larger than {MAX_BODY_BYTES // 1024 // 1024} MB.", status=413, why="No query is so long."
            )
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"The body is no JSON: {error}.", status=400) from None


def _refuse(status: int, sentence: str, *, headers: dict[str, str] | None = None) -> Response:
    return _json({"detail": sentence}, status=status, headers=headers)


def _json(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    # Not starlette's JSONResponse, which fails on a lone surrogate.
    return Response(json.dumps(value), status_code=status, headers=headers, media_type="application/json")
