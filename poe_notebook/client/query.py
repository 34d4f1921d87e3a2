"""Querying a bot over HTTP: Poe's own, or any bot server. Events as they come, or the library's response objects.

The stream is decoded by httpx-sse. Where that differs from WHATWG HTML §9.2 (a byte order mark, an event made of an id
alone) the difference is made up for here. Wire format: Poe protocol specification, "Bot Query API" (read 2025-03).
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

import httpx
from httpx_sse import EventSource, SSEError

from poe_notebook.client.pool import client_for_this_loop
from poe_notebook.errors import BotError, BotErrorNoRetry, BotProtocolError
from poe_notebook.keys import Secret
from poe_notebook.protocol.events import Event, decode
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import DataResponse, ErrorResponse, PartialResponse, event_to_response
from poe_notebook.trace.recorder import Recording

__all__ = ["bot_url", "stream_events", "stream_request"]

_POE_URL = "https://api.poe.com"
_SHOWN_BODY_CHARS = 500
_BOM = b"\xef\xbb\xbf"


def bot_url(bot_name: str, *, base_url: str | None = None) -> str:
    """Give the address at which a bot on Poe is queried.

    ``base_url`` ends in ``/bot/`` as in fastapi_poe; without it, ``POE_BASE_URL`` (with or without ``/bot/``), else Poe.
    """
    base = base_url or os.environ.get("POE_BASE_URL") or _POE_URL
    base = base.rstrip("/")
    if not base.endswith("/bot") and base_url is None:
        base += "/bot"
    return f"{base}/{quote(bot_name, safe='')}"


async def stream_events(
    request: QueryRequest,
    url: str,
    *,
    key: Secret,
    is_local: bool = False,
    session: httpx.AsyncClient | None = None,
    recording: Recording | None = None,
    extra_headers: dict[str, str] | None = None,
) -> AsyncGenerator[Event, None]:
    """Query the bot at an address and give its events up to ``done`` or ``error``.

    Raises ``BotError`` if the bot cannot be reached or breaks off, ``BotErrorNoRetry`` if it refuses the request.
    """
    http = session or client_for_this_loop(is_local=is_local)
    headers = {
        "Authorization": f"Bearer {key.reveal()}",
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        "Accept-Encoding": "identity",
        "Cache-Control": "no-store",
        **(extra_headers or {}),
    }
    try:
        async with http.stream("POST", url, content=_body(request), headers=headers) as response:
            if recording is not None:
                recording.tap.status = response.status_code
                recording.tap.headers = dict(response.headers)
            await _check_status(response)
            response.stream = _Tapped(response.stream, recording)
            async with aclosing(_decoded(response, recording)) as events:
                async for event in events:
                    yield event
    except httpx.HTTPError as error:
        raise BotError(
            f"The connection to {url} failed: {str(error) or type(error).__name__}.", why=_reason(error)
        ) from error


def _body(request: QueryRequest) -> bytes:
    # Not pydantic's own JSON, which refuses lone surrogates; the keys stay out, they are the caller's alone.
    try:
        return json.dumps(request.model_dump(exclude={"access_key", "api_key"})).encode("ascii")
    except (TypeError, ValueError) as error:
        raise BotErrorNoRetry(f"The query cannot be sent: {error}.", why="A query is one JSON object.") from error


async def _decoded(response: httpx.Response, recording: Recording | None) -> AsyncGenerator[Event, None]:
    start_s = asyncio.get_running_loop().time()
    events = EventSource(response).aiter_sse()
    try:
        async with aclosing(events):
            async for sse in events:
                if sse.event == "message" and not sse.data:
                    continue  # only an id or a retry, which the standard does not dispatch
                at_s = recording.now_s() if recording else asyncio.get_running_loop().time() - start_s
                if recording is not None:
                    recording.event(sse.event, f"event: {sse.event}\ndata: {sse.data}\n\n".encode("utf-8", "replace"))
                event = decode(sse.event, sse.data, at_s)
                yield event
                if event.type in ("done", "error"):
                    return
    except SSEError as error:
        raise BotError(f"The bot's answer is no event stream: {error}.") from error
    raise BotError(
        "The bot's answer broke off without a done event.", why="An answer ends with done, or with error and done."
    )


class _Tapped(httpx.AsyncByteStream):
    """A response's bytes, their arrivals written down, without a byte order mark at the front."""

    def __init__(self, stream: Any, recording: Recording | None) -> None:
        self._stream, self._recording = stream, recording

    async def __aiter__(self) -> AsyncIterator[bytes]:
        head: bytes | None = b""
        async for chunk in self._stream:
            if self._recording is not None:
                self._recording.chunk(len(chunk))
            if head is None:
                yield chunk
                continue
            head += chunk
            if len(head) >= len(_BOM) or not _BOM.startswith(head):
                yield head.removeprefix(_BOM)
                head = None
        if head:
            yield head

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _check_status(response: httpx.Response) -> None:
    if response.status_code == 200:
        return
    body = (await response.aread()).decode("utf-8", "replace")[:_SHOWN_BODY_CHARS]
    what = f"The bot's server answered {response.status_code} {response.reason_phrase}: {body or 'no text'}"
    if response.status_code in (401, 403):
        raise BotErrorNoRetry(what, why="The key was not accepted.")
    raise BotErrorNoRetry(what) if 400 <= response.status_code < 500 else BotError(what)


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectError):
        return "Nothing answers at that address."
    if isinstance(error, httpx.TimeoutException):
        return "It took longer than it may."
    return "The other end closed the connection in the middle." if isinstance(error, httpx.RemoteProtocolError) else ""


async def stream_request(
    request: QueryRequest,
    bot_name: str,
    api_key: str = "",
    *,
    session: httpx.AsyncClient | None = None,
    on_error: Callable[[Exception, str], object] | None = None,
    num_tries: int = 2,
    retry_sleep_time: float = 0.5,
    base_url: str | None = None,
    extra_headers: dict[str, str] | None = None,
) -> AsyncGenerator[PartialResponse | DataResponse, None]:
    """Query a bot on Poe and give its answer as response objects.

    Tried again, up to ``num_tries`` times and ``retry_sleep_time`` seconds apart, as long as nothing has been given.
    Raises ``BotError``; ``BotErrorNoRetry`` if the bot said that trying again would not help.
    """
    url = bot_url(bot_name, base_url=base_url)
    for attempt in range(1, num_tries + 1):
        has_given = False
        events = stream_events(request, url, key=Secret(api_key), session=session, extra_headers=extra_headers)
        try:
            async with aclosing(events):
                async for event in events:
                    response = _response(event)
                    if response is not None:
                        has_given = True
                        yield response
            return
        except BotErrorNoRetry:
            raise
        except BotError as error:
            if on_error is not None:
                on_error(error, f"Bot request to {bot_name} failed on try {attempt}")
            if has_given or attempt == num_tries:
                raise
        await asyncio.sleep(retry_sleep_time)


def _response(event: Event) -> PartialResponse | DataResponse | None:
    try:
        response = event_to_response(event)
    except BotProtocolError as error:
        raise BotErrorNoRetry(str(error)) from error
    if isinstance(response, ErrorResponse):
        kind = BotError if response.allow_retry else BotErrorNoRetry
        raise kind(json.dumps(event.data))
    return response
