"""A bot's settings, sent to Poe by the bot's own server when it starts.

Poe learns of changed settings only if somebody tells it; a dependency that it does not know of makes every call to
that bot fail. The outcome is logged and never raised: a server that Poe does not hear of still serves.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from poe_notebook.bot.base import RequestContext
from poe_notebook.client.sync import run
from poe_notebook.errors import HandlerMistake, PoeNotebookError
from poe_notebook.protocol.limits import PROTOCOL_VERSION
from poe_notebook.protocol.requests import SettingsRequest

__all__ = ["as_json", "push_settings", "settings_of"]

_TIMEOUT_S = 10.0
"""For the bot to give its settings and Poe to take them; whoever makes an application waits so long at most."""
_NOW = "Once that is put right: fp.sync_bot_settings(bot_name, access_key)"

_logger = logging.getLogger(__name__)
_pushing: set[asyncio.Task[None]] = set()
"""Keeps the tasks alive; a loop alone would let the collector take one that waits."""


def push_settings(bot: Any, *, name: str, key: str, clean: Callable[[str], str]) -> None:
    """Send a bot's settings to Poe: before this returns, or where a loop runs already, soon after and on that loop.

    ``clean`` takes keys out of what is logged.
    """
    pushing = _push(bot, name=name, key=key, clean=clean)
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        run(pushing)
        return
    task = loop.create_task(pushing)
    _pushing.add(task)
    task.add_done_callback(_pushing.discard)


async def settings_of(bot: Any) -> dict[str, Any]:
    """Ask a bot for its settings, as Poe would.

    By the method with a context, since a bot may override that one alone; the HTTP request in it is an empty one.
    """
    http_request = Request({"type": "http", "method": "POST", "path": bot.path, "query_string": b"", "headers": []})
    request = SettingsRequest(version=PROTOCOL_VERSION, type="settings")
    return as_json(await bot.get_settings_with_context(request, RequestContext(http_request=http_request)))


def as_json(settings: Any) -> dict[str, Any]:
    """Give settings as Poe gets them. Raises ``HandlerMistake`` for what are no settings."""
    if not hasattr(settings, "model_dump"):
        raise HandlerMistake(
            f"get_settings gave {settings!r:.80} ({type(settings).__name__}).",
            why="A bot's settings are a SettingsResponse.",
            now="Write: return fp.SettingsResponse(introduction_message='Hello')",
        )
    dumped: dict[str, Any] = settings.model_dump()
    return dumped


async def _push(bot: Any, *, name: str, key: str, clean: Callable[[str], str]) -> None:
    from poe_notebook.client.settings import sync_bot_settings_async  # imports httpx

    try:
        async with asyncio.timeout(_TIMEOUT_S):
            await sync_bot_settings_async(name, key, settings=await settings_of(bot))
    except (Exception, asyncio.CancelledError) as error:
        _logger.error("The settings of %s were not sent to Poe: %s\n%s", name, clean(_account(error)), _NOW)
        if isinstance(error, asyncio.CancelledError):
            raise
    else:
        _logger.info("The settings of %s were sent to Poe.", name)


def _account(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        return "the loop ended before they were."
    if isinstance(error, TimeoutError):
        return f"it took longer than {_TIMEOUT_S:g} s."
    if isinstance(error, PoeNotebookError):
        return str(error)
    return "".join(traceback.format_exception(error)).rstrip()
