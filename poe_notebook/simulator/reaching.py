"""Reaching a bot: over HTTP where its server is, or in here if it is a stand-in. What is sent and heard, and no rules.

A server may be anything: it is not believed in its length, its pace or its form. Only this kernel's own servers are
told which exchange a request belongs to.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import httpx
from starlette.requests import Request

from poe_notebook.bot.base import RequestContext
from poe_notebook.client.decoding import Decoder
from poe_notebook.client.endpoints import failure, is_local, without_key
from poe_notebook.client.pool import client_for_this_loop
from poe_notebook.client.query import stream_events
from poe_notebook.errors import BotError
from poe_notebook.keys import Secret
from poe_notebook.protocol.events import Event, decode
from poe_notebook.protocol.limits import FIRST_RESPONSE_S, PROTOCOL_VERSION
from poe_notebook.protocol.requests import QueryRequest, SettingsRequest
from poe_notebook.server.endpoint import InlineEndpoint
from poe_notebook.simulator.asking import Asking
from poe_notebook.simulator.directory import KnownBot
from poe_notebook.simulator.faults import NO_FAULTS, Faults

__all__ = ["answer_of", "send_report", "settings_of"]

_ANSWER_BYTES, _SHOWN_CHARS = 4_000_000, 200


def answer_of(bot: KnownBot, request: QueryRequest, asking: Asking, faults: Faults) -> AsyncGenerator[Event, None]:
    """Send a query, and give the events of the answer as they come, with faults on the way. Raises ``BotError``."""
    if bot.stand_in is not None:
        return _answer_in_here(bot, request, asking, faults)
    return stream_events(
        request,
        bot.url,
        key=_key(bot),
        is_local=is_local(bot.url),
        recording=asking.own_recording,
        extra_headers={} if bot.is_elsewhere else asking.headers,
        through=None if faults is NO_FAULTS else faults.apply,
    )


async def settings_of(bot: KnownBot) -> Mapping[str, Any]:
    """Ask a bot for its settings, and give the JSON object. Raises ``BotError``."""
    if bot.stand_in is not None:
        request = SettingsRequest(version=PROTOCOL_VERSION, type="settings")
        given: dict[str, Any] = (await bot.stand_in.get_settings(request)).model_dump()
        return given
    status, raw = await _post(bot, {"version": PROTOCOL_VERSION, "type": "settings"})
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        value = None
    if status != 200 or not isinstance(value, dict):
        said = value.get("detail") if isinstance(value, dict) else None
        said = said if isinstance(said, str) else raw.decode("utf-8", "replace")
        raise BotError(
            f"{bot.name} answered {status} to the settings request: {_shown(said, bot)}",
            why="Poe wants status 200 and a JSON object, and keeps the settings it had.",
        )
    return value


async def send_report(bot: KnownBot, kind: str, fields: Mapping[str, Any]) -> None:
    """Send a report, as ``report_error``; what the bot answers does not matter. Raises ``BotError``."""
    if bot.stand_in is None:
        await _post(bot, {"version": PROTOCOL_VERSION, "type": kind, **fields})


async def _post(bot: KnownBot, body: Mapping[str, Any]) -> tuple[int, bytes]:
    """Send a request that is answered whole; gives the status and the body of the answer."""
    raw = bytearray()
    headers = httpx.Headers({"Authorization": f"Bearer {_key(bot).reveal()}", "Content-Type": "application/json"})
    http = client_for_this_loop(is_local=is_local(bot.url))
    try:
        async with (
            asyncio.timeout(FIRST_RESPONSE_S),
            http.stream("POST", bot.url, content=json.dumps(body).encode(), headers=headers) as response,
        ):
            async for piece in response.aiter_bytes():
                raw += piece
                if len(raw) > _ANSWER_BYTES:
                    raise BotError(f"{bot.name} answered a {body['type']} request with more than 4 MB.")
            return response.status_code, bytes(raw)
    except TimeoutError:
        raise BotError(f"{bot.name} did not answer within {FIRST_RESPONSE_S:g} s.") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        what = failure(error, key=_key(bot).reveal()) if isinstance(error, httpx.HTTPError) else "it is malformed"
        raise BotError(f"{bot.name} cannot be reached at {bot.url}: {what}.") from None


def _key(bot: KnownBot) -> Secret:
    return bot.access_key or Secret("")


def _shown(said: str, bot: KnownBot) -> str:
    return " ".join(without_key(said, _key(bot).reveal()).split())[:_SHOWN_CHARS] or "no text"


async def _answer_in_here(
    bot: KnownBot, request: QueryRequest, asking: Asking, faults: Faults
) -> AsyncGenerator[Event, None]:
    """Let a stand-in answer, by the machinery that answers for users' bots."""
    endpoint = InlineEndpoint(bot.stand_in, name=bot.name, access_key=None)
    decoder = Decoder()
    context = RequestContext(http_request=Request({"type": "http", "method": "POST", "path": "/", "headers": []}))
    batches = endpoint.answer(request, context, asking.recording.at_other_end())
    async with aclosing(batches if faults is NO_FAULTS else faults.apply(batches)) as pieces:
        async for piece in pieces:
            for type_, data, raw in decoder.feed(piece):
                at_s = asking.event(type_, raw)
                yield decode(type_, data, at_s)
                if type_ in ("done", "error"):
                    return
    raise BotError("The bot's answer broke off without a done event.")
