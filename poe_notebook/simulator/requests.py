"""Reading what comes to the simulated api.poe.com, and answering it: keys from headers, JSON, refusals in sentences."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from poe_notebook.protocol.events import encode
from poe_notebook.protocol.limits import ACCESS_KEY_CHARS
from poe_notebook.server.stream import AnswerResponse

__all__ = [
    "bearer",
    "events_response",
    "json_response",
    "raw_key",
    "refusal",
    "shown_name",
    "streamed",
    "unless_left",
]

T = TypeVar("T")

_SHOWN_CHARS = 100
_HIGH_BYTES = 64 * 1024
"""So far an answer may be ahead of its reader."""


def bearer(request: Request) -> str:
    """Give the key in ``Authorization: Bearer <key>``; empty if there is none."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def raw_key(request: Request) -> str:
    """Give the key in ``Authorization: <key>``, as uploads carry it; a scheme before it does no harm."""
    given: str = request.headers.get("authorization", "").strip()
    return given.partition(" ")[2].strip() if given.lower().startswith("bearer ") else given


def shown_name(name: str) -> str:
    """Give what stands where a bot's name belongs as an answer may quote it: an access key may stand there too."""
    return "…" if len(name) == ACCESS_KEY_CHARS else name[:_SHOWN_CHARS]


def json_response(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON, in ASCII: what bots and clients write may hold what UTF-8 cannot."""
    return Response(json.dumps(value), status_code=status, headers=dict(headers or {}), media_type="application/json")


def refusal(status: int, sentence: str) -> Response:
    """Refuse a request in a sentence."""
    return json_response({"detail": sentence}, status=status)


def events_response(*events: tuple[str, Mapping[str, Any]], status: int = 200) -> Response:
    """Answer with events that are there at once."""

    async def body() -> AsyncGenerator[bytes, None]:
        yield b"".join(encode(type_, data) for type_, data in events)

    response = AnswerResponse(body())
    response.status_code = status
    return response


def streamed(pieces: AsyncGenerator[bytes, None]) -> AnswerResponse:
    """Answer with the events of a stream as they come; the stream is closed when the client leaves."""
    return AnswerResponse(_in_batches(pieces))


async def _in_batches(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Join the pieces that are there at the same time: written one by one, 10,000 events take three times as long."""
    there: list[bytes] = []
    news, room = asyncio.Event(), asyncio.Event()

    async def gather() -> None:
        size_bytes = 0
        async with aclosing(pieces):
            async for piece in pieces:
                size_bytes = size_bytes + len(piece) if there else len(piece)
                there.append(piece)
                news.set()
                if size_bytes > _HIGH_BYTES:
                    room.clear()
                    await room.wait()

    gathering = asyncio.create_task(gather())
    gathering.add_done_callback(lambda task: news.set())
    try:
        while there or not gathering.done():
            await news.wait()
            news.clear()
            batch = b"".join(there)
            there.clear()
            room.set()
            if batch:
                yield batch
        gathering.result()
    finally:
        gathering.cancel()
        await asyncio.wait((gathering,))


async def unless_left(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do something for a client, and stop when it leaves. Raises ``ClientDisconnect`` then.

    The request's body has to be read by now.
    """
    working, leaving = asyncio.create_task(work), asyncio.create_task(_left(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()
        await asyncio.wait((working, leaving))


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
