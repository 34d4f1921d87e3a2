"""Querying a bot over HTTP: Poe's own, or any bot server. Events as they come, or the library's response objects.

Wire format: Poe protocol specification, "Bot Query API" (read 2025-03). What fastapi_poe 0.0.83 does differently on
purpose: an HTTP status counts, nothing is asked again once something has been given, and no error holds a key.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, TypeAlias

import httpx

from poe_notebook.client.decoding import decoded, is_event_stream
from poe_notebook.client.endpoints import base_address, segment
from poe_notebook.client.pool import client_for_this_loop
from poe_notebook.errors import BotError, BotErrorNoRetry
from poe_notebook.keys import Redactor, Secret
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.requests import QueryRequest, without_keys
from poe_notebook.tracing.recorder import EXCHANGE_HEADER, Recording

__all__ = ["Through", "bot_url", "stream_events"]

Through: TypeAlias = Callable[[Any], AsyncIterator[bytes]]
"""What the bytes of an answer go through before they are read: the simulator's faults."""

_SHOWN_BODY_CHARS = 500
_REFUSAL_S = 5.0
"""How long the body of a refusal is waited for; it only explains."""


def bot_url(bot_name: str, *, base_url: str | None = None) -> str:
    """Give the address at which a bot on Poe is queried.

    ``base_url`` ends in ``/bot/`` as in fastapi_poe; without it, ``POE_BASE_URL`` with or without ``/bot/``, else Poe.
    """
    return base_address(base_url, under="/bot") + "/" + segment(bot_name)


async def stream_events(
    request: QueryRequest,
    url: str,
    *,
    key: Secret,
    is_local: bool = False,
    session: httpx.AsyncClient | None = None,
    recording: Recording | None = None,
    extra_headers: dict[str, str] | None = None,
    through: Through | None = None,
) -> AsyncGenerator[Event, None]:
    """Query the bot at an address and give its events up to ``done`` or ``error``; ``through`` may change its bytes.

    Raises ``BotError`` if the bot cannot be reached or breaks off, ``BotErrorNoRetry`` if it refuses the request,
    ``BotProtocolError`` if an event cannot be read.
    """
    http = session or client_for_this_loop(is_local=is_local)
    body, headers = _body(request), _headers(key, extra_headers or {})
    if recording is not None and is_local:
        headers[EXCHANGE_HEADER] = recording.reference
    redactor = Redactor()
    redactor.add(key)
    try:
        async with http.stream("POST", url, content=body, headers=headers) as response:
            if recording is not None:
                recording.answered(response.status_code, response.headers)
            if not is_event_stream(response):
                raise await _refusal(response, redactor)
            chunks = response.aiter_bytes() if through is None else through(response.aiter_bytes())
            async with aclosing(decoded(chunks, recording, clean=redactor.text)) as events:
                async for event in events:
                    yield event
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError):
        # Without their own words, which may quote a header.
        raise BotErrorNoRetry(f"{url} cannot be queried.", why="The address or a header is malformed.") from None
    except httpx.HTTPError as error:
        what = redactor.text(str(error)) or type(error).__name__
        raise BotError(f"The connection to {url} failed: {what}.", why=_reason(error)) from error


def _headers(key: Secret, extra: dict[str, str]) -> httpx.Headers:
    # httpx.Headers, since it hides the key when a traceback shows the variables of a frame.
    headers = httpx.Headers(
        {
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",
            "Cache-Control": "no-store",
        }
    )
    headers.update(extra)
    if "authorization" not in headers:
        headers["Authorization"] = f"Bearer {_sendable(key)}"
    return headers


def _sendable(key: Secret) -> str:
    given = key.reveal().strip()
    if not given:
        raise BotErrorNoRetry(
            "A query needs a key and none was given.",
            why="In a handler that is request.access_key, elsewhere your API key: https://poe.com/api_key",
        )
    if not (given.isascii() and given.isprintable()):
        raise BotErrorNoRetry("The key cannot be sent.", why="It holds a character that no key and no header has.")
    return given


def _body(request: QueryRequest) -> bytes:
    # Not pydantic's own JSON, which refuses lone surrogates; the keys stay out, they are the caller's alone.
    try:
        return json.dumps(without_keys(request), allow_nan=False).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise BotErrorNoRetry(f"The query cannot be sent: {error}.", why="A query is one JSON object.") from error


async def _refusal(response: httpx.Response, redactor: Redactor) -> BotError:
    status, text = response.status_code, redactor.text(await _start_of(response))[:_SHOWN_BODY_CHARS] or "no text"
    what = f"The bot's server answered {status} {redactor.text(response.reason_phrase)}: {text}"
    if status == 200:
        return BotError(what, why="An answer is an event stream, and this is none.")
    if status in (401, 403):
        return BotErrorNoRetry(what, why="The key was not accepted.")
    return BotErrorNoRetry(what) if 400 <= status < 500 else BotError(what)


async def _start_of(response: httpx.Response) -> str:
    raw = bytearray()
    try:
        async with asyncio.timeout(_REFUSAL_S):
            async for piece in response.aiter_bytes():
                raw += piece
                if len(raw) > 4 * _SHOWN_BODY_CHARS:
                    break
    except (TimeoutError, httpx.HTTPError):
        pass  # what came will do
    return raw.decode("utf-8", "replace")


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectError):
        return "Nothing answers at that address."
    if isinstance(error, httpx.TimeoutException):
        return "It took longer than it may."
    return "The other end closed the connection in the middle." if isinstance(error, httpx.RemoteProtocolError) else ""
