"""Reading what comes to the simulated api.poe.com, and answering it: keys from headers, JSON, refusals in sentences."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from poe_notebook.protocol.events import encode
from poe_notebook.server.stream import AnswerResponse

__all__ = ["bearer", "events_response", "raw_key", "refusal"]


def bearer(request: Request) -> str:
    """Give the key in ``Authorization: Bearer <key>``; empty if there is none."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def raw_key(request: Request) -> str:
    """Give the key in ``Authorization: <key>``, as uploads carry it; a scheme before it does no harm."""
    given: str = request.headers.get("authorization", "").strip()
    return given.partition(" ")[2].strip() if given.lower().startswith("bearer ") else given


def refusal(status: int, sentence: str) -> Response:
    """Refuse a request in a sentence."""
    return JSONResponse({"detail": sentence}, status_code=status)


def events_response(*events: tuple[str, Mapping[str, Any]], status: int = 200) -> Response:
    """Answer with events that are there at once."""

    async def body() -> AsyncGenerator[bytes, None]:
        yield b"".join(encode(type_, data) for type_, data in events)

    response = AnswerResponse(body())
    response.status_code = status
    return response
