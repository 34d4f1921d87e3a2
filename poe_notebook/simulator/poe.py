"""Poe, offline, towards bots: queries prepared by their settings, delivered over HTTP, answers read as Poe reads them.

Everything runs on the toolkit's loop. A kernel's bot is asked on its own address as Poe would ask it; a stand-in
answers in here. Where Poe is undocumented, the rule is the simulator's own and stands in a function of its own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.requests import Request

from poe_notebook.bot.base import RequestContext
from poe_notebook.client.decoding import Decoder
from poe_notebook.client.pool import client_for_this_loop
from poe_notebook.client.query import stream_events
from poe_notebook.errors import BotError, BotErrorNoRetry, BotProtocolError, PoeNotebookError
from poe_notebook.keys import Secret
from poe_notebook.protocol.events import Event, decode
from poe_notebook.protocol.limits import PROFILES, PROTOCOL_VERSION, Limits
from poe_notebook.protocol.requests import QueryRequest, SettingsRequest
from poe_notebook.server.endpoint import InlineEndpoint
from poe_notebook.simulator.asking import Asking
from poe_notebook.simulator.calls import CallBook
from poe_notebook.simulator.directory import Asker, Directory, KnownBot
from poe_notebook.simulator.faults import NO_FAULTS, ConnectionCut, Faults
from poe_notebook.simulator.memory import Kept, MetadataBook
from poe_notebook.simulator.preparing import Read, prepare
from poe_notebook.simulator.settings import SettingsBook
from poe_notebook.simulator.suggesting import suggestions
from poe_notebook.simulator.watching import Watch

__all__ = ["Poe", "Query"]

_TRIES = 2
_KEPT_QUERIES = 20_000
_SETTINGS_S = 5.0
"""A bot's first response to any request; specification 2023-05 to 2025-12."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query that is or was being answered: by which bot, and who pays for it."""

    bot: str
    user_id: str


class Poe:
    """The state of one simulated Poe: settings, metadata, calls, queries.

    ``read`` reads files for bots, ``ended`` hears of each query that is over, ``faults`` are those of all answers of a
    bot, by its name.
    """

    def __init__(
        self,
        directory: Directory,
        *,
        read: Read,
        ended: Callable[[str], object] = lambda query_id: None,
        profile: str = "2025",
    ) -> None:
        self.directory = directory
        self.limits: Limits = PROFILES[profile]
        self.settings = SettingsBook(self._fetch_settings)
        self.queries: Kept[Query] = Kept(_KEPT_QUERIES)
        self.answering: Kept[str] = Kept(_KEPT_QUERIES)
        self.calls = CallBook()
        self._conversations: Kept[str] = Kept(_KEPT_QUERIES)
        self._exchanges: Kept[int] = Kept(_KEPT_QUERIES)
        self.faults: dict[str, Faults] = {}
        self._metadata = MetadataBook()
        self._read, self._ended = read, ended
        self._background: set[asyncio.Task[None]] = set()

    async def ask(
        self, bot: KnownBot, request: QueryRequest, *, asker: Asker, asking: Asking
    ) -> AsyncGenerator[Event, None]:
        """Give the events of a bot's answer, as Poe passes them on; what goes wrong is an ``error`` event."""
        refusal = await self._refusal(bot, asker)
        if refusal:
            yield Event("error", {"allow_retry": True, "text": refusal})
            return
        settings = (await self.settings.of(bot)).settings
        self.queries.put(request.bot_query_id, Query(bot.name, asker.user_id))
        self.answering.put(request.message_id, bot.name)
        self._conversations.put(request.message_id, request.conversation_id)
        self._exchanges.put(request.message_id, asking.recording.exchange.number)
        prepared = await prepare(
            request,
            settings,
            bot=bot.name,
            is_chat=asker.is_in_chat,
            metadata=lambda message: self._metadata.of(message, bot=bot.name),
            read=self._read,
            limits=self.limits,
        )
        try:
            async with aclosing(self._tries(bot, prepared, asking)) as events:
                async for event in events:
                    if event.type == "data":
                        self._metadata.put(request.message_id, bot.name, event.data["metadata"])
                    yield event
        finally:
            self._ended(request.bot_query_id)

    async def _refusal(self, bot: KnownBot, asker: Asker) -> str:
        if asker.bot is None:
            return ""
        declared = (await self.settings.of(asker.bot)).settings
        return self.calls.refusal(asker, bot.name, settings=declared, limits=self.limits)

    async def _tries(self, bot: KnownBot, request: QueryRequest, asking: Asking) -> AsyncGenerator[Event, None]:
        """Ask, and once more if that failed before anything was shown and may be tried again.

        How often Poe itself tries is documented nowhere.
        """
        for left in range(_TRIES - 1, -1, -1):
            watch = Watch(self.limits)
            async with aclosing(watch.over(self._answer(bot, request, asking))) as events:
                async for event in events:
                    if event.type == "error" and left and not watch.has_shown and event.data.get("allow_retry", True):
                        break
                    if event.type == "done" and watch.suggests and not watch.has_replies:
                        for text in suggestions(request):
                            yield Event("suggested_reply", {"text": text})
                    yield event
                else:
                    left = 0
            self._report(bot, request, watch, asking)
            if not left:
                return

    async def _answer(self, bot: KnownBot, request: QueryRequest, asking: Asking) -> AsyncGenerator[Event, None]:
        faults = asking.faults or self.faults.get(bot.name, NO_FAULTS)
        if faults != NO_FAULTS:
            asking.recording.report("fault", faults.describe())
        try:
            if faults.status is not None:
                raise BotErrorNoRetry(f"The bot's server answered {faults.status}, as a fault asked for.")
            self._send_copies(bot, request, asking, faults)
            async with aclosing(_delivered(bot, request, asking, faults)) as events:
                async for event in events:
                    yield event
        except BotProtocolError as error:
            yield Event("error", {"allow_retry": False, "text": f"The bot's answer cannot be read: {error.what}"})
        except (BotError, ConnectionCut) as error:
            may_retry = not isinstance(error, BotErrorNoRetry | ConnectionCut)
            yield Event("error", {"allow_retry": may_retry, "text": error.what})

    def _send_copies(self, bot: KnownBot, request: QueryRequest, asking: Asking, faults: Faults) -> None:
        """Send the same request again beside the first, as Poe may, and read its answers to nobody."""
        for _ in range(faults.copies - 1):
            copy = Asking(asking.recording, is_written_by_asker=True)
            self._in_background(_read_out(_delivered(bot, request, copy, NO_FAULTS)))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # What else Poe tells a bot, and asks of it.

    async def report(self, bot: KnownBot, kind: str, **fields: Any) -> None:
        """Send a report to a bot: ``report_error``, ``report_reaction``, ``report_feedback``; its answer is ignored."""
        if bot.stand_in is None:
            with suppress(BotError):
                await _post(bot, {"version": PROTOCOL_VERSION, "type": kind, **fields})

    async def report_reaction(self, bot: KnownBot, *, user_id: str, message_id: str, reaction: str) -> None:
        """Tell a bot of a reaction; of a like or a dislike also as feedback, which older bots hear alone."""
        conversation_id = self._conversations.get(message_id) or ""
        ids = {"user_id": user_id, "message_id": message_id, "conversation_id": conversation_id}
        await self.report(bot, "report_reaction", reaction=reaction, **ids)
        if reaction in ("like", "dislike"):
            await self.report(bot, "report_feedback", feedback_type=reaction, **ids)

    def exchange_answering(self, bot: KnownBot, message_id: str) -> int | None:
        """Give the number of the exchange in which a bot answers that message, if it is one that Poe asked for."""
        return self._exchanges.get(message_id) if self.answering.get(message_id) == bot.name else None

    def _report(self, bot: KnownBot, request: QueryRequest, watch: Watch, asking: Asking) -> None:
        ids = {"message_id": request.message_id, "conversation_id": request.conversation_id}
        for mistake, data in watch.mistakes:
            asking.recording.report("poe", mistake, **data)
            self._in_background(self.report(bot, "report_error", message=mistake, metadata={**ids, **data}))

    async def _fetch_settings(self, bot: KnownBot) -> Mapping[str, Any]:
        if bot.stand_in is not None:
            request = SettingsRequest(version=PROTOCOL_VERSION, type="settings")
            given: dict[str, Any] = (await bot.stand_in.get_settings(request)).model_dump()
            return given
        response = await _post(bot, {"version": PROTOCOL_VERSION, "type": "settings"})
        try:
            value = json.loads(response.content)
        except ValueError:
            value = None
        if response.status_code != 200 or not isinstance(value, dict):
            raise BotError(
                f"{bot.name} answered {response.status_code} to the settings request.",
                why="Poe wants status 200 and a JSON object, and keeps the settings it had.",
            )
        return value


async def _post(bot: KnownBot, body: Mapping[str, Any]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {_key(bot).reveal()}"}
    try:
        http = client_for_this_loop(is_local=True)
        return await http.post(bot.url, json=body, headers=headers, timeout=_SETTINGS_S)
    except httpx.HTTPError as error:
        raise BotError(f"{bot.name} did not answer within {_SETTINGS_S:g} s: {type(error).__name__}.") from None


def _key(bot: KnownBot) -> Secret:
    return bot.access_key or Secret("")


def _delivered(bot: KnownBot, request: QueryRequest, asking: Asking, faults: Faults) -> AsyncGenerator[Event, None]:
    if bot.stand_in is not None:
        return _from_stand_in(bot, request, asking, faults)
    return stream_events(
        request,
        bot.url,
        key=_key(bot),
        is_local=True,
        recording=asking.own_recording,
        extra_headers=asking.headers,
        through=None if faults is NO_FAULTS else faults.apply,
    )


async def _from_stand_in(
    bot: KnownBot, request: QueryRequest, asking: Asking, faults: Faults
) -> AsyncGenerator[Event, None]:
    """Let a stand-in answer in here, by the machinery that answers for users' bots."""
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


async def _read_out(events: AsyncGenerator[Event, None]) -> None:
    with suppress(PoeNotebookError):
        async with aclosing(events):
            async for _ in events:
                pass
