"""A recorded answer, given again at its own pace: to whoever watches, or as a bot that needs no model.

Each event waits for its own time since the beginning, not for the gap after the one before, so that delays do not add
up. Files that an answer sent stay where they were: their addresses are given again, not their contents.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any

from poe_notebook.bot.base import PoeBot
from poe_notebook.errors import BotProtocolError, CommandError
from poe_notebook.protocol.event_fields import attachment_in, string_in
from poe_notebook.protocol.events import Event, ServerSentEvent, decode
from poe_notebook.protocol.requests import QueryRequest, SettingsRequest
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.tracing.exchange import Exchange, Recorded
from poe_notebook.tracing.reading import data_of

__all__ = ["RecordedBot", "events_in_time", "recorded_in_time"]


async def recorded_in_time(recorded: Iterable[Recorded]) -> AsyncGenerator[Recorded, None]:
    """Give recorded events, each when it is due."""
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    for event in recorded:
        wait_s = start_s + event.at_s - loop.time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        yield event


async def events_in_time(exchange: Exchange) -> AsyncGenerator[Event, None]:
    """Give an exchange's answer as its asker got it, each event at its time, up to ``done``.

    What cannot be read ends it with an ``error`` event, as it does in a chat, and so does the end of the recording if
    the answer had none.
    """
    loop = asyncio.get_running_loop()
    start_s, has_failed = loop.time(), False
    async for recorded in recorded_in_time(exchange.events):
        at_s = loop.time() - start_s
        try:
            event = decode(recorded.type, data_of(recorded.raw), at_s)
            _check(event)
        except BotProtocolError as error:
            yield _error(f"The bot's answer cannot be read: {error.what}", at_s)
            return
        if event.type != "meta" or isinstance(event.data.get("content_type", ""), str):
            yield event  # Poe passes over a meta event that it cannot read
        if event.type == "done":
            return
        has_failed = has_failed or event.type == "error"
    if not has_failed:
        yield _error(_BROKEN_OFF.get(exchange.outcome, "The recorded answer broke off here."), loop.time() - start_s)


_BROKEN_OFF: dict[str, str] = {
    "stopped": "The recorded answer was stopped here.",
    "open": "The recorded answer has not gone on from here yet.",
}
_TEXTS = {"text": "text", "replace_response": "text", "suggested_reply": "text", "data": "metadata"}


def _check(event: Event) -> None:
    """Raise ``BotProtocolError`` for an event that lacks what a reader needs of it."""
    if event.type in _TEXTS:
        string_in(event, _TEXTS[event.type])
    elif event.type == "file":
        attachment_in(event)


def _error(text: str, at_s: float) -> Event:
    return Event("error", {"text": text, "allow_retry": False}, at_s)


class RecordedBot(PoeBot):
    """A bot that gives recorded answers again, with the timing they had.

    A query gets the answer that was recorded for the same last message; where several were, one after the other. A
    message that was never asked gets the next answer in the order of the recording, which begins anew at its end.
    Settings are the recorded ones, if any were.
    """

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        super().__init__(should_insert_attachment_messages=False)
        self._answers = [exchange for exchange in exchanges if _is_answer(exchange)]
        if not self._answers:
            raise CommandError("There is no answer in the recording to give again.")
        self._by_message: dict[str, list[Exchange]] = defaultdict(list)
        for exchange in self._answers:
            self._by_message[_last_message(exchange.request)].append(exchange)
        self._given: dict[str | None, int] = defaultdict(int)
        self._settings = _settings_in(exchanges)

    @classmethod
    def out_of(cls, exchanges: Sequence[Exchange], bot: str | None = None, *, file: str) -> RecordedBot:
        """Make the bot of a recording that is asked for, or its only one. Raises ``CommandError``."""
        found = _the_bot_in(exchanges, bot, file=file)
        recorded = cls([exchange for exchange in exchanges if exchange.bot == found])
        recorded.bot_name = found
        return recorded

    async def get_response(self, request: QueryRequest) -> Any:
        """Give the recorded answer to the last message."""
        exchange = self._next(request.query[-1].content.strip() if request.query else "")
        async for event in recorded_in_time(exchange.events):
            yield ServerSentEvent(data_of(event.raw), event.type)

    async def get_settings(self, setting: SettingsRequest) -> SettingsResponse:
        """Give the recorded settings; without any, those that let every message through."""
        return self._settings

    def _next(self, message: str) -> Exchange:
        answers: list[Exchange] = self._answers
        name: str | None = None
        if message in self._by_message:
            answers, name = self._by_message[message], message
        at, self._given[name] = self._given[name], self._given[name] + 1
        return answers[at % len(answers)]


def _the_bot_in(exchanges: Iterable[Exchange], bot: str | None, *, file: str) -> str:
    bots = list(dict.fromkeys(exchange.bot for exchange in exchanges if _is_answer(exchange)))
    if not bots:
        raise CommandError(f"{file} holds no answer of a bot.", now="Save some: %poe save FILE")
    if bot is None and len(bots) == 1:
        return bots[0]
    if bot not in bots:
        what = f"{file} holds {len(bots)} bots." if bot is None else f"{file} holds no answer of {bot!r}."
        raise CommandError(what, why=f"There: {', '.join(bots)}.", now=f"Type: %poe serve-recording {file} {bots[0]}")
    return bot


def _is_answer(exchange: Exchange) -> bool:
    return exchange.kind == "query" and len(exchange.events) > 0


def _last_message(request: dict[str, Any]) -> str:
    query = request.get("query")
    last = query[-1] if isinstance(query, list) and query else None
    content = last.get("content") if isinstance(last, dict) else None
    return content.strip() if isinstance(content, str) else ""


def _settings_in(exchanges: Sequence[Exchange]) -> SettingsResponse:
    given = [e.response for e in exchanges if e.kind == "settings" and isinstance(e.response, dict)]
    known = {name: value for name, value in (given or [{}])[-1].items() if name in SettingsResponse.model_fields}
    try:
        return SettingsResponse(**known)
    except ValueError:
        return SettingsResponse()  # a bot that had them wrong is given Poe's own
