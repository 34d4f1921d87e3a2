"""Poe, offline, towards bots: queries prepared by their settings, delivered over HTTP, answers read as Poe reads them.

Everything runs on the toolkit's loop. A kernel's bot is asked on its own address as Poe would ask it; a stand-in
answers in here. Where Poe is undocumented, the rule is the simulator's own and stands in a function of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, suppress
from typing import Any

from poe_notebook.errors import BotError, BotErrorNoRetry, PoeNotebookError
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.limits import PROFILES, Limits
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.simulator.answering import AnswerBook, Asker
from poe_notebook.simulator.asking import Asking
from poe_notebook.simulator.calls import CallBook
from poe_notebook.simulator.directory import Directory, KnownBot
from poe_notebook.simulator.faults import NO_FAULTS, Faults
from poe_notebook.simulator.memory import MetadataBook
from poe_notebook.simulator.preparing import Read, prepare
from poe_notebook.simulator.reaching import answer_of, send_report, settings_of
from poe_notebook.simulator.settings import SettingsBook
from poe_notebook.simulator.suggesting import suggestions
from poe_notebook.simulator.watching import Watch

__all__ = ["Poe"]

_TRIES = 2


class Poe:
    """The state of one simulated Poe: settings, metadata, answers, the calls made for them.

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
        self.settings = SettingsBook(settings_of)
        self.answers = AnswerBook()
        self._calls = CallBook()
        self.faults: dict[str, Faults] = {}
        self._metadata = MetadataBook()
        self._read, self._ended = read, ended
        self._background: set[asyncio.Task[object]] = set()

    async def ask(
        self, bot: KnownBot, request: QueryRequest, *, asker: Asker, asking: Asking
    ) -> AsyncGenerator[Event, None]:
        """Give the events of a bot's answer, as Poe passes them on; what goes wrong is an ``error`` event."""
        refusal = await self._refusal(bot, asker)
        if refusal:
            yield Event("error", {"allow_retry": True, "text": refusal})
            return
        settings = (await self.settings.of(bot)).settings
        number = asking.recording.exchange.number
        answering = self.answers.begin(request, bot=bot.name, asker=asker, exchange=number)
        try:
            prepared = await prepare(
                request,
                settings,
                bot=bot.name,
                is_chat=asker.is_in_chat,
                metadata=lambda message: self._metadata.of(message, bot=bot.name),
                read=self._read,
                limits=self.limits,
            )
            async with aclosing(self._tries(bot, prepared, asking, asker=asker)) as events:
                async for event in events:
                    if event.type == "data":
                        self._metadata.put(request.message_id, bot.name, event.data["metadata"])
                    yield event
        finally:
            self.answers.end(answering)
            self._ended(request.bot_query_id)

    async def _refusal(self, bot: KnownBot, asker: Asker) -> str:
        if asker.bot is None:
            return ""
        declared = (await self.settings.of(asker.bot)).settings
        return self._calls.refusal(asker, bot.name, settings=declared, limits=self.limits)

    async def _tries(
        self, bot: KnownBot, request: QueryRequest, asking: Asking, *, asker: Asker
    ) -> AsyncGenerator[Event, None]:
        """Ask, and once more if that failed before anything was shown and may be tried again.

        How often Poe itself tries is documented nowhere. Its own suggestions are for chats.
        """
        has_meta = False
        for tries_left in reversed(range(_TRIES)):
            watch = Watch(self.limits)
            is_answered = True
            async with aclosing(watch.over(self._answer(bot, request, asking))) as events:
                async for event in events:
                    if event.type == "error" and not watch.has_given:
                        if tries_left and event.data.get("allow_retry", True):
                            is_answered = False
                            break
                        self._calls.forgive(asker, bot.name)
                    if event.type == "meta":
                        if has_meta:
                            continue  # of a try before
                        has_meta = True
                    if event.type == "done" and asker.is_in_chat and watch.suggests and not watch.has_replies:
                        for text in suggestions(request):
                            yield Event("suggested_reply", {"text": text})
                    yield event
            self._report(bot, request, watch, asking)
            if is_answered:
                return

    async def _answer(self, bot: KnownBot, request: QueryRequest, asking: Asking) -> AsyncGenerator[Event, None]:
        faults = asking.faults or self.faults.get(bot.name, NO_FAULTS)
        if faults != NO_FAULTS:
            asking.recording.report("fault", faults.describe())
        if faults.status is not None:
            raise BotErrorNoRetry(f"The bot's server answered {faults.status}, as a fault asked for.")
        self._send_copies(bot, request, asking, faults)
        async with aclosing(answer_of(bot, request, asking, faults)) as events:
            async for event in events:
                yield event

    def _send_copies(self, bot: KnownBot, request: QueryRequest, asking: Asking, faults: Faults) -> None:
        """Send the same request again beside the first, as Poe may, and read its answers to nobody."""
        for _ in range(faults.copies - 1):
            copy = Asking(asking.recording, is_written_by_asker=True)
            self._in_background(_read_out(answer_of(bot, request, copy, NO_FAULTS)))

    def _in_background(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # What else Poe tells a bot, and asks of it.

    async def report(self, bot: KnownBot, kind: str, **fields: Any) -> bool:
        """Send a report to a bot, as ``report_error``, whose answer is ignored; gives whether there was one."""
        with suppress(BotError):
            await send_report(bot, kind, fields)
            return True
        return False

    async def report_reaction(self, bot: KnownBot, *, user_id: str, message_id: str, reaction: str) -> bool:
        """Tell a bot of a reaction; of a like or a dislike also as feedback, which older bots hear alone."""
        answering = self.answers.of_message(message_id)
        conversation_id = answering.conversation_id if answering is not None else ""
        ids = {"user_id": user_id, "message_id": message_id, "conversation_id": conversation_id}
        was_told = await self.report(bot, "report_reaction", reaction=reaction, **ids)
        if was_told and reaction in ("like", "dislike"):
            await self.report(bot, "report_feedback", feedback_type=reaction, **ids)
        return was_told

    def _report(self, bot: KnownBot, request: QueryRequest, watch: Watch, asking: Asking) -> None:
        ids = {"message_id": request.message_id, "conversation_id": request.conversation_id}
        for mistake, data in watch.mistakes:
            asking.recording.report("poe", mistake, **data)
            self._in_background(self.report(bot, "report_error", message=mistake, metadata={**ids, **data}))


async def _read_out(events: AsyncGenerator[Event, None]) -> None:
    with suppress(PoeNotebookError):
        async with aclosing(events):
            async for _ in events:
                pass
