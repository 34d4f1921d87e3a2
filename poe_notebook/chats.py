"""The chats of a kernel: the next turn of a conversation, and what else is said between the user and the bots in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from poe_notebook.attaching import File
from poe_notebook.client.settings import sync_bot_settings_async
from poe_notebook.conversation import Conversation, Reply
from poe_notebook.errors import BotError, CommandError
from poe_notebook.outside import Outside
from poe_notebook.protocol.messages import REACTION_SIGNS, Attachment
from poe_notebook.protocol.requests import QueryRequest, without_keys
from poe_notebook.replaying.again import query_again, query_of, reply_to
from poe_notebook.replaying.playback import events_in_time
from poe_notebook.routes import ROUTES, Routes, Way
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.serving import Serving, learn_keys
from poe_notebook.simulator.fault_names import parse_faults
from poe_notebook.simulator.faults import NO_FAULTS, Faults
from poe_notebook.simulator.memory import Kept
from poe_notebook.simulator.settings import Understood
from poe_notebook.simulator.simulator import Simulator
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.recorder import Trace
from poe_notebook.turn import Turn

__all__ = ["Chats", "Reacted"]

_MENTION = re.compile(r"\s*@([A-Za-z0-9_](?:[\w.-]*\w)?)(?=\W|$)", re.ASCII)
_BY_EMOJI = {emoji: name for name, emoji in REACTION_SIGNS.items()} | {"❤": "heart", "😆": "laughing"}
_KEPT_TURNS = 10_000
"""So many of the latest turns can be reacted to."""


class Reacted(NamedTuple):
    """What became of a reaction: its name, its sign, whether the bot was told; the exchange in which that failed."""

    name: str
    emoji: str
    was_told: bool
    failed_in: int | None = None


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
        self._routes = Routes(serving, simulator=simulator, outside=outside)
        self._conversations: dict[tuple[str, str], Conversation] = {}
        self._asked: Kept[Conversation] = Kept(_KEPT_TURNS)

    def turn(self, bot: str, message: str, *, via: str | None = None, new: bool = False, **options: Any) -> Turn:
        """Begin the next turn of the conversation with a bot; ``options`` as for ``next_turn``.

        A message that begins with ``@Name`` calls that bot into the conversation.
        """
        _check_message(message)
        route = self.route(bot, via)
        key = (self._routes.name(bot, route), route)
        conversation = self.conversation(key[0], route=route)
        if not new:
            conversation = self._conversations.setdefault(key, conversation)
        called = self.mentioned(message)
        if called is not None:
            turn = self.next_turn(conversation, message, route=self.route(called), bot=called, **options)
        else:
            turn = self.next_turn(conversation, message, route=route, **options)
        if new:
            self._conversations[key] = conversation
        return turn

    def route(self, bot: str, via: str | None = None) -> str:
        """Tell who answers for a bot's name. Raises ``BotNotFound``, ``KeyMissing``, ``CommandError``."""
        return self._routes.of(bot, via)

    def mentioned(self, message: object) -> str | None:
        """Give the bot that a message is meant for by an ``@`` ahead of it, if it is one that can be asked here."""
        match = _MENTION.match(message) if isinstance(message, str) else None
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
        attachments: Sequence[Attachment] = (),
        system: str | None = None,
        user: str | None = None,
        timeout_s: float | None = None,
        faults: str | Sequence[str] = (),
    ) -> Turn:
        """Begin the next turn of a conversation, with another bot if one is named.

        ``attach`` are files, ``attachments`` those of an earlier turn, ``system`` a system message for this and later
        turns, ``user`` the name of who speaks in a chat of several, ``faults`` what the simulator lets go wrong on the
        way. What cannot be begun leaves the conversation as it was.
        """
        learn_keys(self._trace.redactor)
        called = self._routes.name(bot or conversation.bot, route)
        _check_message(message)
        _check_parameters(parameters)
        way = self._routes.way_to(called, route, faults=[faults] if isinstance(faults, str) else faults)
        files = [*attachments, *(self._thread.run(self._routes.upload(called, route, attach)) if attach else ())]
        if system is not None:
            conversation.system = system
        request, reply = conversation.ask(
            message, route=route, parameters=parameters, attachments=files, bot=called, user=user
        )
        self._asked.put(request.message_id, conversation)
        return self._begin(request, reply, way, timeout_s=timeout_s)

    def replay(self, exchange: Exchange, *, bot: str | None = None, timeout_s: float | None = None) -> Turn:
        """Send the query of a recorded exchange again, to what its bot is now or to another bot.

        It takes the road it took before, and is no turn of any conversation here. Raises ``BotNotFound``,
        ``CommandError`` if it was no query.
        """
        learn_keys(self._trace.redactor)
        request = query_again(exchange)
        same_road = exchange.route if bot is None and exchange.route in ROUTES else None
        route = self.route(bot or exchange.bot, same_road)
        called = self._routes.name(bot or exchange.bot, route)
        way = self._routes.way_to(called, route, faults=())
        return self._begin(request, reply_to(request, bot=called, route=route), way, timeout_s=timeout_s)

    def play_back(self, exchange: Exchange, *, timeout_s: float | None = None) -> Turn:
        """Give a recorded answer again, at the pace at which it came. Nobody is asked and nothing is recorded."""
        request = query_of(exchange)
        reply = reply_to(request, bot=exchange.bot, route="recording")
        apart = Trace(self._trace.redactor)
        recording = apart.begin_client(
            bot=exchange.bot, kind="query", message_id=request.message_id, route="recording", request=exchange.request
        )
        played = recording.exchange
        played.number, played.raised, played.generation = exchange.number, exchange.raised, exchange.generation
        turn = Turn(reply, events_in_time(exchange), recording, thread=self._thread, timeout_s=timeout_s)
        reply.exchange = exchange
        return turn

    def react(self, exchange: Exchange, reaction: str) -> Reacted:
        """Tell a bot of the user's reaction to its answer, by name or sign; later queries of the chat carry it.

        Poe takes no reactions from outside, and a bot may be gone: then it is not told. Raises ``CommandError``.
        """
        name = _BY_EMOJI.get(reaction, str(reaction).lower())
        if name not in REACTION_SIGNS:
            raise CommandError(
                f"{reaction!r} is no reaction of Poe's.", now=f"Type one of: {', '.join(REACTION_SIGNS)}"
            )
        conversation = self._asked.get(exchange.message_id)
        if conversation is None:
            raise CommandError(
                f"Exchange {exchange.number} is no turn of a chat of this notebook, or an old one.",
                now="React to one: %poe react BOT 👍",
            )
        conversation.react(exchange.message_id, name)
        bot = self._simulator().directory.find(exchange.bot) if exchange.route != "poe" else None
        if bot is None:
            return Reacted(name, REACTION_SIGNS[name], was_told=False)
        before = next((latest.number for latest in self._trace.latest()), 0)
        report = self._simulator().poe.report_reaction(
            bot, user_id=conversation.user_id, message_id=exchange.message_id, reaction=name
        )
        was_told = self._thread.run(report)
        reports = takewhile(lambda since: since.number > before, self._trace.latest())
        failed = [since.number for since in reports if since.bot == bot.name and since.raised is not None]
        return Reacted(name, REACTION_SIGNS[name], was_told=was_told, failed_in=failed[0] if failed else None)

    def let_fail(self, bot: str, faults: str | None) -> Faults:
        """Let things go wrong with every answer of a bot, as ``cut@3``, or with none any more."""
        parsed = parse_faults(faults) if faults else NO_FAULTS
        self._simulator().poe.faults[self._routes.found(bot).name] = parsed
        return parsed

    def faults_of(self, bot: str) -> Faults:
        """Give what goes wrong with every answer of a bot."""
        return self._simulator().poe.faults.get(self._routes.found(bot).name, NO_FAULTS)

    def settings(self, bot: str) -> Understood:
        """Ask a bot for its settings now. Raises ``BotError``, ``BotNotFound``."""
        found = self._routes.found(bot)
        try:
            return self._thread.run(self._simulator().poe.settings.refetch(found))
        except BotError as error:
            asked = next((e for e in self._trace.latest() if (e.kind, e.bot) == ("settings", found.name)), None)
            if asked is not None and asked.raised is not None:
                error.now = f"What it raised: %poe inspect {asked.number}"
            raise

    def sync(self, bot: str, *, name: str | None = None) -> tuple[str, str]:
        """Push a served bot's settings to the Poe in use; gives which that is, and what it answered."""
        slot, simulator = self._serving.slots.named(bot), self._simulator()
        given = self.settings(bot).given
        is_real = self._outside.uses == "poe" and not slot.access_key.is_made
        base_url = self._outside.address("/bot") if is_real else simulator.address + "/bot/"
        called = (name or bot) if is_real else bot
        pushing = sync_bot_settings_async(called, slot.access_key.reveal(), settings=given, base_url=base_url)
        return ("poe.com" if is_real else "The simulator"), self._thread.run(pushing)

    def names(self) -> dict[str, str]:
        """Give the names that can be asked here without an account, and in a few words who answers."""
        directory = self._simulator().directory
        served = {
            bot.name: "this kernel" if bot.name in self._serving.slots else "registered" for bot in directory.served
        }
        return {**dict.fromkeys(directory.stand_in_names, "stand-in"), **served}

    def points_of(self, reply: Reply) -> int | None:
        """Tell what the simulator has charged for an answer; none if it charged nothing, or Poe itself was asked."""
        if reply.exchange is None or reply.route == "poe":
            return None
        query_id = reply.exchange.request.get("bot_query_id")
        entries = list(self._simulator().points.entries)
        charged = [entry.points for entry in entries if entry.kind == "capture" and entry.query_id == query_id]
        return sum(charged) if charged else None

    def is_stand_in(self, bot: str, route: str) -> bool:
        """Whether it is a stand-in of the simulator that answers for a name."""
        return route != "poe" and self._routes.known(bot, route).stand_in is not None

    def _begin(self, request: QueryRequest, reply: Reply, way: Way, *, timeout_s: float | None) -> Turn:
        recording = self._trace.begin_client(
            bot=reply.bot,
            kind="query",
            message_id=request.message_id,
            route=reply.route,
            request=without_keys(request),
        )
        return Turn(
            reply,
            way(request, recording),
            recording,
            thread=self._thread,
            timeout_s=timeout_s,
            calls_of=self._trace.calls_of,
        )


def _check_message(message: object) -> None:
    if not isinstance(message, str):
        raise CommandError(f"The message is {message!r:.80} ({type(message).__name__}).", why="A message is a str.")


def _check_parameters(parameters: object) -> None:
    """Raise ``CommandError`` for what cannot be sent: every later query of the chat would hold it."""
    if not isinstance(parameters, dict | None):
        raise CommandError(
            f"The parameters are {parameters!r:.80} ({type(parameters).__name__}).",
            why="Parameters have names.",
            now="For example: parameters={'size': 3}",
        )
    try:
        json.dumps(parameters, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise CommandError(
            f"The parameters cannot be sent: {error}.",
            why="They go to the bot as JSON.",
            now="Use only dict, list, str, int, float, bool and None in them.",
        ) from None
