"""The chats of a kernel: who answers a bot's name (the route), and the next turn of the conversation with it."""

from __future__ import annotations

from typing import Any

from poe_notebook.client.query import bot_url, stream_events
from poe_notebook.conversation import Conversation
from poe_notebook.errors import BotNotFound, CommandError, KeyMissing
from poe_notebook.keys import Secret, find_api_key
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.runtime.slot import Slot
from poe_notebook.serving import Serving, learn_keys
from poe_notebook.tracing.recorder import Trace
from poe_notebook.turn import Turn

__all__ = ["ROUTES", "Chats"]

ROUTES = ("kernel", "poe")


class Chats:
    """The conversations, one for each bot and route."""

    def __init__(self, serving: Serving, trace: Trace, *, thread: LoopThread) -> None:
        self._serving, self._trace, self._thread = serving, trace, thread
        self._conversations: dict[tuple[str, str], Conversation] = {}

    def turn(
        self,
        bot: str,
        message: str,
        *,
        via: str | None = None,
        new: bool = False,
        parameters: dict[str, Any] | None = None,
        timeout_s: float | None = None,
    ) -> Turn:
        """Begin the next turn of the conversation with a bot."""
        learn_keys(self._trace.redactor)
        route, url, key = self._route(bot, via)
        if new or (bot, route) not in self._conversations:
            self._conversations[bot, route] = Conversation(bot)
        request, reply = self._conversations[bot, route].ask(message, route=route, parameters=parameters)
        recording = self._trace.begin_client(
            bot=bot,
            kind="query",
            message_id=request.message_id,
            route=route,
            request=request.model_dump(exclude={"access_key", "api_key"}),
            url=url,
        )
        events = stream_events(request, url, key=key, is_local=route == "kernel", recording=recording)
        return Turn(reply, events, recording, thread=self._thread, timeout_s=timeout_s)

    def _route(self, bot: str, via: str | None) -> tuple[str, str, Secret]:
        route = via or ("kernel" if bot in self._serving.slots or find_api_key() is None else "poe")
        if route not in ROUTES:
            raise CommandError(f"There is no route {route!r}.", now=f"Routes are: {', '.join(ROUTES)}.")
        if route == "kernel":
            slot = self._served(bot)
            return route, self._serving.address_of(slot), slot.access_key
        key = find_api_key()
        if key is None:
            raise KeyMissing(
                f"Asking {bot} on Poe takes your API key, and POE_API_KEY is not set.",
                why="Find it at https://poe.com/api_key.",
                now='Type: import os, getpass; os.environ["POE_API_KEY"] = getpass.getpass("API key: ")',
            )
        return route, bot_url(bot), key

    def _served(self, bot: str) -> Slot:
        try:
            return self._serving.slots.named(bot)
        except BotNotFound as error:
            if find_api_key() is None:
                error.now += "\nA bot on Poe can be asked once POE_API_KEY is set."
            raise
