"""The chats of a kernel: who answers a bot's name (the route), and the next turn of the conversation with it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from poe_notebook.attaching import File, upload_to_poe
from poe_notebook.client.query import bot_url, stream_events
from poe_notebook.client.settings import sync_bot_settings_async
from poe_notebook.conversation import Conversation, Reply
from poe_notebook.errors import BotNotFound, CommandError, KeyMissing
from poe_notebook.keys import Secret
from poe_notebook.outside import Outside
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.limits import IMAGES_PER_MESSAGE
from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.replaying.again import query_again, query_of, reply_to
from poe_notebook.replaying.playback import events_in_time
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.serving import Serving, learn_keys
from poe_notebook.simulator.asking import Asking
from poe_notebook.simulator.directory import Asker, KnownBot
from poe_notebook.simulator.fault_names import parse_faults
from poe_notebook.simulator.faults import NO_FAULTS, Faults
from poe_notebook.simulator.settings import Understood
from poe_notebook.simulator.simulator import Simulator
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.recorder import Recording, Trace
from poe_notebook.turn import Turn

__all__ = ["ROUTES", "Chats"]

ROUTES = ("kernel", "poe", "simulator")
_MENTION = re.compile(r"\s*@([A-Za-z0-9_](?:[\w.-]*\w)?)(?=\W|$)", re.ASCII)


class Chats:
    """The conversations, one for each bot and route. ``simulator`` gives the simulated Poe, started if need be."""

    def __init__(
        self,
        serving: Serving,
        trace: Trace,
        *,
        thread: LoopThread,
        simulator: Callable[[], Simulator],
        outside: Outside,
    ) -> None:
        self._serving, self._trace, self._thread = serving, trace, thread
        self._simulator, self._outside = simulator, outside
        self._conversations: dict[tuple[str, str], Conversation] = {}

    def turn(self, bot: str, message: str, *, via: str | None = None, new: bool = False, **options: Any) -> Turn:
        """Begin the next turn of the conversation with a bot; ``options`` as for ``next_turn``.

        A message that begins with ``@Name`` calls that bot into the conversation.
        """
        learn_keys(self._trace.redactor)
        route = self.route(bot, via)
        if new or (bot, route) not in self._conversations:
            self._conversations[bot, route] = self.conversation(bot, route=route)
        conversation, called = self._conversations[bot, route], self.mentioned(message)
        if called is not None:
            return self.next_turn(conversation, message, route=self.route(called), bot=called, **options)
        return self.next_turn(conversation, message, route=route, **options)

    def mentioned(self, message: str) -> str | None:
        """Give the bot that a message is meant for by an ``@`` ahead of it, if it is one that can be asked here."""
        match = _MENTION.match(message)
        if match is None:
            return None
        found = self._simulator().directory.find(match[1])
        return found.name if found is not None else None

    def conversation(self, bot: str, *, route: str) -> Conversation:
        """Begin a conversation with a bot, for ``next_turn``."""
        return Conversation(bot, user_id=None if route == "poe" else self._simulator().user_id)

    def next_turn(
        self,
        conversation: Conversation,
        message: str,
        *,
        route: str,
        bot: str | None = None,
        parameters: dict[str, Any] | None = None,
        attach: Sequence[File] = (),
        system: str | None = None,
        user: str | None = None,
        timeout_s: float | None = None,
        faults: Sequence[str] = (),
    ) -> Turn:
        """Begin the next turn of a conversation, with another bot if one is named.

        ``attach`` are files, ``system`` a system message for this and later turns, ``user`` the name of who speaks in a
        chat of several, ``faults`` what the simulator lets go wrong on the way.
        """
        called = bot or conversation.bot
        if system is not None:
            conversation.system = system
        files = self._uploaded(called, route, attach)
        request, reply = conversation.ask(
            message, route=route, parameters=parameters, attachments=files, bot=called, user=user
        )
        return self._begin(request, reply, timeout_s=timeout_s, faults=faults)

    def replay(self, exchange: Exchange, *, bot: str | None = None, timeout_s: float | None = None) -> Turn:
        """Send the query of a recorded exchange again, to what its bot is now or to another bot.

        It takes the road it took before, and is no turn of any conversation here. Raises ``BotNotFound``,
        ``CommandError`` if it was no query.
        """
        learn_keys(self._trace.redactor)
        called = bot or exchange.bot
        same_road = exchange.route if bot is None and exchange.route in ROUTES else None
        route, request = self.route(called, same_road), query_again(exchange)
        return self._begin(request, reply_to(request, bot=called, route=route), timeout_s=timeout_s)

    def play_back(self, exchange: Exchange) -> Turn:
        """Give a recorded answer again, at the pace at which it came. Nobody is asked and nothing is recorded."""
        request = query_of(exchange)
        reply = reply_to(request, bot=exchange.bot, route="recording")
        apart = Trace(self._trace.redactor)
        recording = apart.begin_client(
            bot=exchange.bot, kind="query", message_id=request.message_id, route="recording", request=exchange.request
        )
        played = recording.exchange
        played.number, played.raised, played.generation = exchange.number, exchange.raised, exchange.generation
        turn = Turn(reply, events_in_time(exchange), recording, thread=self._thread)
        reply.exchange = exchange
        return turn

    def react(self, exchange: Exchange, reaction: str) -> None:
        """Tell a bot of the user's reaction to its answer; later queries of the conversation carry it."""
        conversation = self._conversation_of(exchange)
        conversation.react(exchange.message_id, reaction)
        bot = self._simulator().directory.find(exchange.bot)
        if bot is not None and exchange.route != "poe":
            poe = self._simulator().poe
            self._thread.run(
                poe.report_reaction(
                    bot, user_id=conversation.user_id, message_id=exchange.message_id, reaction=reaction
                )
            )

    def let_fail(self, bot: str, faults: str | None) -> Faults:
        """Let things go wrong with every answer of a bot, as ``cut@3``, or with none any more."""
        parsed = parse_faults(faults) if faults else NO_FAULTS
        self._simulator().poe.faults[self._stand_in(bot).name] = parsed
        return parsed

    def faults_of(self, bot: str) -> Faults:
        """Give what goes wrong with every answer of a bot."""
        return self._simulator().poe.faults.get(self._stand_in(bot).name, NO_FAULTS)

    def settings(self, bot: str) -> Understood:
        """Ask a bot for its settings now. Raises ``BotError``, ``BotNotFound``."""
        return self._thread.run(self._simulator().poe.settings.refetch(self._stand_in(bot)))

    def sync(self, bot: str, *, name: str | None = None) -> tuple[str, str]:
        """Push a served bot's settings to the Poe in use; gives which that is, and what it answered."""
        slot, simulator = self._serving.slots.named(bot), self._simulator()
        given = self._thread.run(simulator.poe.settings.refetch(self._stand_in(bot))).given
        is_real = self._outside.uses == "poe" and not slot.access_key.is_made
        base_url = self._outside.base_url() if is_real else simulator.address + "/bot/"
        called = (name or bot) if is_real else bot
        pushing = sync_bot_settings_async(called, slot.access_key.reveal(), settings=given, base_url=base_url)
        return ("poe.com" if is_real else "The simulator"), self._thread.run(pushing)

    def route(self, bot: str, via: str | None = None) -> str:
        """Tell who answers for a bot's name. Raises ``BotNotFound``, ``KeyMissing``, ``CommandError``."""
        is_served, key = bot in self._serving.slots, self._outside.api_key()
        is_live = key is not None and self._outside.uses == "poe"
        route = via or ("kernel" if is_served else "poe" if is_live else "simulator")
        if route not in ROUTES:
            raise CommandError(f"There is no route {route!r}.", now=f"Routes are: {', '.join(ROUTES)}.")
        if route == "kernel":
            self._serving.slots.named(bot)
        elif route == "poe":
            self._api_key(bot)
        else:
            self._stand_in(bot)
        return route

    def _stand_in(self, bot: str) -> KnownBot:
        found = self._simulator().directory.find(bot)
        if found is None:
            error: BotNotFound = self._serving.slots.not_found(bot)
            error.now += (
                "\nOffline, the simulator answers under names such as GPT-3.5-Turbo and Claude-Instant; "
                "a bot on Poe can be asked once POE_API_KEY is set."
            )
            raise error
        return found

    def _begin(
        self, request: QueryRequest, reply: Reply, *, timeout_s: float | None, faults: Sequence[str] = ()
    ) -> Turn:
        bot, route = reply.bot, reply.route
        recording = self._trace.begin_client(
            bot=bot,
            kind="query",
            message_id=request.message_id,
            route=route,
            request=request.model_dump(exclude={"access_key", "api_key"}),
        )
        events = self._events(request, bot, route, recording=recording, faults=faults)
        return Turn(reply, events, recording, thread=self._thread, timeout_s=timeout_s)

    def _events(
        self, request: QueryRequest, bot: str, route: str, *, recording: Recording, faults: Sequence[str]
    ) -> AsyncGenerator[Event, None]:
        if route != "poe":
            known, asking = (
                self._stand_in(bot),
                Asking(recording, faults=parse_faults(" ".join(faults)) if faults else None),
            )
            return _by_simulator(self._simulator(), known, request, asking)
        if faults:
            raise CommandError("Faults are the simulator's.", why=f"{bot} is asked on Poe.", now="Leave --fault away.")
        url = bot_url(bot, base_url=self._outside.base_url())
        return stream_events(request, url, key=self._api_key(bot), recording=recording)

    def _uploaded(self, bot: str, route: str, attach: Sequence[File]) -> list[Attachment]:
        if attach and route != "poe":
            self._check_files(bot, attach)
        return [self._thread.run(self._upload(bot, route, file)) for file in attach]

    def _check_files(self, bot: str, attach: Sequence[File]) -> None:
        settings = self._thread.run(self._simulator().poe.settings.of(self._stand_in(bot))).settings
        if not settings.allow_attachments:
            raise CommandError(
                f"{bot} takes no files: its setting allow_attachments is off.",
                why="Poe then shows no button to attach one.",
                now="Let the bot allow them: settings = fp.SettingsResponse(allow_attachments=True)",
            )
        images = [file for file in attach if file.is_image]
        if settings.enable_image_comprehension and len(images) > IMAGES_PER_MESSAGE:
            raise CommandError(
                f"{len(images)} images are attached, and {bot} has enable_image_comprehension on.",
                why="Poe then lets users send one image with a message.",
                now="Send the images one by one.",
            )

    async def _upload(self, bot: str, route: str, file: File) -> Attachment:
        if route == "poe":
            return await upload_to_poe(file, api_key=self._api_key(bot).reveal())
        return await self._simulator().upload(file.content, file.name, file.content_type)

    def _api_key(self, bot: str) -> Secret:
        key = self._outside.api_key()
        if key is None:
            raise KeyMissing(
                f"Asking {bot} on Poe takes your API key, and POE_API_KEY is not set.",
                why="Find it at https://poe.com/api_key.",
                now='Type: import os, getpass; os.environ["POE_API_KEY"] = getpass.getpass("API key: ")',
            )
        return key

    def _conversation_of(self, exchange: Exchange) -> Conversation:
        for conversation in self._conversations.values():
            if any(turn.message_id == exchange.message_id for turn in conversation.turns):
                return conversation
        raise CommandError(
            f"Exchange {exchange.number} is no turn of a chat of this notebook.", now="React to one: %poe react BOT 👍"
        )


async def _by_simulator(
    simulator: Simulator, bot: KnownBot, request: QueryRequest, asking: Asking
) -> AsyncGenerator[Event, None]:
    """Have the simulated Poe ask a bot for the user, with the values of its parameter controls."""
    last = request.query[-1]
    last.parameters = {**(await simulator.poe.settings.of(bot)).parameters, **last.parameters}
    asker = Asker(request.user_id, is_in_chat=True)
    async with aclosing(simulator.poe.ask(bot, request, asker=asker, asking=asking)) as events:
        async for event in events:
            yield event
