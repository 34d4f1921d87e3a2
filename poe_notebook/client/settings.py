"""Having Poe take over a bot's settings: fetched from the bot's server, or pushed.

Poe wants the access key in the path of these calls, so the address is shown and logged nowhere as it is. Wire format:
Poe protocol specification, "Updating bot settings" (read 2025-03), and fastapi_poe 0.0.83.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from poe_notebook.client.endpoints import (
    MALFORMED,
    base_address,
    failure,
    is_local,
    key_fault,
    refusal,
    segment,
    without_key,
)
from poe_notebook.client.pool import client_for_this_loop
from poe_notebook.client.sync import run
from poe_notebook.errors import BotError, BotErrorNoRetry
from poe_notebook.protocol.limits import PROTOCOL_VERSION
from poe_notebook.protocol.settings import SettingsResponse

__all__ = ["sync_bot_settings", "sync_bot_settings_async"]

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""To fetch settings Poe asks the bot, which alone may take 5 s; the library gives the whole call no more than that."""


def sync_bot_settings(
    bot_name: str,
    access_key: str = "",
    *,
    settings: Mapping[str, Any] | SettingsResponse | None = None,
    base_url: str | None = None,
) -> None:
    """Have Poe fetch the settings from the bot's running server, or, if ``settings`` are given, take those.

    Works in a script, in a thread, in a cell. Raises ``BotError`` if Poe did not do it.
    """
    run(sync_bot_settings_async(bot_name, access_key, settings=settings, base_url=base_url))


async def sync_bot_settings_async(
    bot_name: str,
    access_key: str = "",
    *,
    settings: Mapping[str, Any] | SettingsResponse | None = None,
    base_url: str | None = None,
) -> str:
    """Do what ``sync_bot_settings`` does, without blocking the loop, and give what Poe said of the settings."""
    key = access_key.strip()
    _check(bot_name, key)
    action = "fetch_settings" if settings is None else "update_settings"
    root = base_address(base_url, under="/bot")
    url = f"{root}/{action}/{segment(bot_name)}/{segment(key)}/{PROTOCOL_VERSION}"
    body = None if settings is None else _encode(settings)
    response = await _post(url, body, bot_name=bot_name, key=key)
    if response.status_code != 200:
        raise BotError(
            f"Poe did not take over the settings of {bot_name}. It answered {refusal(response, key=key)}",
            why="The bot's name or its access key was not accepted." if response.status_code in (401, 403, 404) else "",
        )
    return without_key(response.text, key)


def _check(bot_name: str, key: str) -> None:
    fault = key_fault(key)
    if fault:
        raise BotErrorNoRetry(
            f"The settings of {bot_name} need the bot's access key, and {fault}.", now="Pass access_key=..."
        )
    if not bot_name:
        raise BotErrorNoRetry("The bot has no name, so Poe cannot know whose settings these are.")


def _encode(settings: Any) -> bytes:
    given = settings.model_dump() if hasattr(settings, "model_dump") else settings
    try:
        return json.dumps(given, allow_nan=False).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise BotErrorNoRetry(f"The settings are no JSON: {error}.", why="Settings are one JSON object.") from error


async def _post(url: str, body: bytes | None, *, bot_name: str, key: str) -> httpx.Response:
    http = client_for_this_loop(is_local=is_local(url))
    headers = {} if body is None else {"Content-Type": "application/json"}
    try:
        request = http.build_request("POST", url, content=body, headers=headers, timeout=_TIMEOUT)
        request.url = _QuietURL(request.url, shown=without_key(str(request.url), key))
        return await http.send(request)
    except MALFORMED:
        raise BotErrorNoRetry(f"The settings of {bot_name} cannot be sent: the address is malformed.") from None
    except httpx.HTTPError as error:
        waits_for_bot = body is None and isinstance(error, httpx.ReadTimeout)
        raise BotError(
            f"Poe did not take over the settings of {bot_name}: {failure(error, key=key)}.",
            why="Poe asks the bot's own server for them." if waits_for_bot else "",
            now="See that the server runs and can be reached from outside." if waits_for_bot else "",
        ) from None  # what caused it holds the request, and its address the key


class _QuietURL(httpx.URL):
    """An address that is written otherwise than it is sent: httpx logs the address of every request."""

    def __init__(self, url: httpx.URL, *, shown: str) -> None:
        super().__init__(url)
        self._shown = shown

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"URL({self._shown!r})"
