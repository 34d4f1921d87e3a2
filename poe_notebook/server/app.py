"""The ASGI application: authenticate, read one request, let one bot answer it.

It knows endpoints, not how they run: in a kernel a slot answers on a loop of its own, elsewhere the bot does on this
one. Every refusal is JSON with a sentence; nothing that a client sends makes a 500.
Source: Poe protocol specification, "Requests" (read 2025-03).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any, Protocol

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Message, Receive

from poe_notebook.bot.base import RequestContext
from poe_notebook.bot.settings import as_json
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
from poe_notebook.server.failed_keys import FailedKeys
from poe_notebook.server.stream import AnswerResponse
from poe_notebook.tracing.recorder import Recording, Trace

__all__ = ["HELLO", "MAX_BODY_BYTES", "MAX_DEPTH", "Endpoint", "build_app", "handle", "read_json"]

MAX_BODY_BYTES = 64 * 1024 * 1024
"""A context of 1,000 messages with the text of 50 MB of attachments fits; more is no query."""
MAX_DEPTH = 100
"""Levels of JSON; a query has five or six, and what walks one deeper than a thousand meets Python's own limit."""
_PEER_CHARS = 64
"""Of an address, which behind a proxy is whatever a header says."""
_BODY_S = 30.0
"""How long a request's body may take to arrive."""


class Endpoint(Protocol):
    """Whatever answers behind one path. Without an access key it answers everybody."""

    name: str

    @property
    def access_key(self) -> Secret | None:
        """The secret that a request has to carry."""

    def answer(
        self, request: QueryRequest, context: RequestContext, recording: Recording
    ) -> AsyncGenerator[bytes, None]:
        """Give the answer's bytes as they come; an empty item after a long silence. Closing it stops the handler."""

    async def call(self, method: str, *args: Any, recording: Recording) -> Any:
        """Call one of the bot's other methods."""


def build_app(find: Callable[[str], Endpoint | None], trace: Trace) -> FastAPI:
    """Make the application. ``find`` gives the endpoint that stands at a path, if any.

    How many requests came with a wrong key is in ``app.state.poe_failed_keys``.
    """
    app = FastAPI(title="poe_notebook", openapi_url=None)
    failed = app.state.poe_failed_keys = FailedKeys()

    async def endpoint(request: Request) -> Response:
        found = find(request.scope["path"])
        if found is None:
            return _refuse(404, f"No bot is served at {request.scope['path']}.")
        if request.method != "POST":
            return HTMLResponse(HELLO)
        return await handle(request, found, trace, failed)

    app.add_route("/{path:path}", endpoint, methods=["GET", "POST"], name="poe")
    return app


HELLO = (
    "<!doctype html><meta charset=utf-8><title>A Poe bot</title><p>A Poe server bot answers here. "
    "Give this address to <a href='https://poe.com/create_bot?server=1'>poe.com/create_bot?server=1</a>."
)


async def handle(http_request: Request, endpoint: Endpoint, trace: Trace, failed: FailedKeys) -> Response:
    """Take one POST: refuse it, or have the endpoint answer it; either way it is in the trace."""
    if not _is_authorized(http_request, endpoint.access_key):
        return _unauthorized(http_request, endpoint, trace, failed)
    body: Any = None
    try:
        raw = await _read(http_request)
        body = _parse_json(raw)
        request = parse_request(body)
    except MalformedRequest as error:
        recording = _record(trace, endpoint, http_request, body)
        recording.tap.status = error.status
        recording.end("refused", str(error))
        return _refuse(error.status, str(error))
    except ClientDisconnect:
        return Response(status_code=499)
    recording = _record(trace, endpoint, http_request, body)
    context = RequestContext(http_request=Request(http_request.scope, _again(raw)))
    if isinstance(request, QueryRequest):
        if endpoint.access_key is not None:
            request.access_key = request.api_key = endpoint.access_key.reveal()
        recording.tap.status = 200
        return AnswerResponse(endpoint.answer(request, context, recording))
    return await _call(endpoint, request, context, recording)


_NO_KEY = "The access key is missing or wrong; it belongs in the header Authorization: Bearer <access key>."


def _unauthorized(request: Request, endpoint: Endpoint, trace: Trace, failed: FailedKeys) -> Response:
    """Refuse a request without reading its body, and count it."""
    peer = request.client.host[:_PEER_CHARS] if request.client is not None else ""
    failed.count(peer)
    wait_s = failed.wait_s(peer)
    status = 429 if wait_s else 401
    if failed.is_worth_recording:
        recording = _record(trace, endpoint, request, None)
        recording.tap.status = status
        recording.end("refused", _NO_KEY)
    if wait_s:
        headers = {"Retry-After": str(wait_s), "Connection": "close"}
        return _refuse(status, f"{_NO_KEY} Too many such requests have come from there.", headers=headers)
    return _refuse(status, _NO_KEY, headers={"WWW-Authenticate": "Bearer"})


_KINDS = ("query", "settings", "report_feedback", "report_reaction", "report_error")


def _record(trace: Trace, endpoint: Endpoint, http_request: Request, body: Any) -> Recording:
    body = body if isinstance(body, dict) else {}
    kind, message_id = body.get("type"), body.get("message_id")
    return trace.begin_server(
        bot=endpoint.name,
        kind=kind if kind in _KINDS else "",
        message_id=message_id if kind == "query" and isinstance(message_id, str) else "",
        request=body,
        headers=http_request.headers,
    )


async def _call(endpoint: Endpoint, request: BaseRequest, context: RequestContext, recording: Recording) -> Response:
    method = _METHODS[type(request)]
    try:
        result = await endpoint.call(f"{method}_with_context", request, context, recording=recording)
        body = as_json(result) if isinstance(request, SettingsRequest) else {}
        response = _json(body)
        recording.responded(body)
    except Exception as error:
        recording.raised(error)
        recording.end("failed")
        response = _refuse(500, f"{method} of this bot failed: {type(error).__name__}.")
    else:
        recording.end("done")
    recording.tap.status = response.status_code
    return response


_METHODS: dict[type[BaseRequest], str] = {
    SettingsRequest: "get_settings",
    ReportFeedbackRequest: "on_feedback",
    ReportReactionRequest: "on_reaction",
    ReportErrorRequest: "on_error",
}


def _is_authorized(request: Request, access_key: Secret | None) -> bool:
    if access_key is None:
        return True
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and access_key.matches(given.strip())


async def read_json(request: Request) -> Any:
    """Read a request's body as JSON. Raises ``MalformedRequest`` with the status that it deserves."""
    return _parse_json(await _read(request))


async def _read(request: Request) -> bytes:
    raw = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > MAX_BODY_BYTES:
                    size = f"{MAX_BODY_BYTES // 1024 // 1024} MB"
                    raise MalformedRequest(f"The body is larger than {size}.", status=413, why="No query is so long.")
    except TimeoutError:
        raise MalformedRequest(f"The body did not come within {_BODY_S:g} s.", status=408) from None
    return bytes(raw)


def _parse_json(raw: bytes) -> Any:
    try:
        body = json.loads(raw, parse_constant=_not_in_json)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"The body is no JSON: {error}.", status=400) from None
    if _is_deeper(body, MAX_DEPTH):
        raise MalformedRequest(f"The body is nested deeper than {MAX_DEPTH} levels.", status=400)
    return body


def _not_in_json(name: str) -> None:
    raise ValueError(f"it has no {name}")


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth + 1):
        inner = [item for item in level if isinstance(item, dict | list)]
        level = [child for item in inner for child in (item.values() if isinstance(item, dict) else item)]
        if not level:
            return False
    return True


def _again(raw: bytes) -> Receive:
    """Give the handler, on its own loop, a body that has been read; it never says that the client has left."""
    unread: Iterator[Message] = iter([{"type": "http.request", "body": raw, "more_body": False}])

    async def receive() -> Message:
        for message in unread:
            return message
        never: Message = await asyncio.get_running_loop().create_future()
        return never

    return receive


def _refuse(status: int, sentence: str, *, headers: dict[str, str] | None = None) -> Response:
    return _json({"detail": sentence}, status=status, headers=headers)


def _json(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    # Not starlette's JSONResponse, which fails on a lone surrogate.
    text = json.dumps(value, allow_nan=False)
    return Response(text, status_code=status, headers=headers, media_type="application/json")
