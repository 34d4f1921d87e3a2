"""``/bot/fetch_settings`` and ``/bot/update_settings`` of the simulated api.poe.com: the access key is in the path."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from poe_notebook.errors import BotError
from poe_notebook.protocol.requests import MalformedRequest
from poe_notebook.server.app import read_json
from poe_notebook.simulator.directory import KnownBot
from poe_notebook.simulator.poe import Poe
from poe_notebook.simulator.requests import refusal, shown_name
from poe_notebook.simulator.settings import Understood

__all__ = ["BotSettings"]


class BotSettings:
    """Takes over the settings of bots."""

    def __init__(self, poe: Poe) -> None:
        self._poe = poe

    async def fetch(self, request: Request) -> Response:
        """Ask the bot's server for its settings, and say what was understood."""
        bot = self._authorized(request)
        if isinstance(bot, Response):
            return bot
        try:
            return _said(await self._poe.settings.refetch(bot))
        except BotError as error:
            return refusal(400, str(error))

    async def update(self, request: Request) -> Response:
        """Take the settings in the body, and say what was understood."""
        bot = self._authorized(request)
        if isinstance(bot, Response):
            return bot
        try:
            given = await read_json(request)
            if not isinstance(given, dict):
                return refusal(400, "Settings are one JSON object.")
            return _said(self._poe.settings.push(bot, given))
        except MalformedRequest as error:
            return refusal(error.status, str(error))
        except BotError as error:
            return refusal(400, str(error))

    def _authorized(self, request: Request) -> KnownBot | Response:
        name, key = request.path_params["name"], request.path_params["key"]
        bot = self._poe.directory.find(name)
        if bot is None or bot.stand_in is not None:
            return refusal(404, f"There is no server bot {shown_name(name)!r} here.")
        if bot.access_key is None or not bot.access_key.matches(key):
            return refusal(403, f"This is not the access key of {bot.name}.")
        return bot


def _said(understood: Understood) -> Response:
    return Response(understood.echo().encode("utf-8", "backslashreplace"), media_type="text/plain")
