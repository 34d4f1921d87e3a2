"""The answers that the simulated Poe has asked for: whose they are, for whom, and which message of a user began them.

A bot asks others on behalf of an answer of its own, and of the user who waits for that: what a query says of its
``user_id`` and ``message_id`` is the asking bot's word, and is believed only where it fits what is known here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.simulator.directory import KnownBot
from poe_notebook.simulator.memory import Kept

__all__ = ["AnswerBook", "Answering", "Asker"]

_KEPT_ANSWERS = 20_000


@dataclass(slots=True, eq=False)
class Answering:
    """A bot's answer, under way or over: for whom, and by what it is known.

    ``began_by`` is the ``message_id`` of the answer that the user waits for: this one, or the one that it is a part of.
    """

    bot: str
    user_id: str
    message_id: str
    conversation_id: str
    began_by: str
    exchange: int
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Asker:
    """Who queries a bot: a user in a chat, a user's script, or a bot, for an answer of its own if one is known."""

    user_id: str
    is_in_chat: bool = False
    bot: KnownBot | None = None
    answering: Answering | None = None


class AnswerBook:
    """The latest answers, by their ``message_id`` and by their ``bot_query_id``."""

    def __init__(self) -> None:
        self._by_message: Kept[Answering] = Kept(_KEPT_ANSWERS)
        self._by_query: Kept[Answering] = Kept(_KEPT_ANSWERS)
        self._open: dict[int, Answering] = {}

    def begin(self, request: QueryRequest, *, bot: str, asker: Asker, exchange: int) -> Answering:
        """Note that a bot begins to answer a query."""
        answering = Answering(
            bot=bot,
            user_id=asker.user_id,
            message_id=request.message_id,
            conversation_id=request.conversation_id,
            began_by=asker.answering.began_by if asker.answering is not None else request.message_id,
            exchange=exchange,
        )
        self._by_message.put(request.message_id, answering)
        self._by_query.put(request.bot_query_id, answering)
        self._open[id(answering)] = answering
        return answering

    def end(self, answering: Answering) -> None:
        """Note that an answer is over."""
        answering.is_over = True
        self._open.pop(id(answering), None)

    def of_message(self, message_id: str) -> Answering | None:
        """Give the answer that is, or was, written under this ``message_id``."""
        return self._by_message.get(message_id)

    def of_query(self, query_id: str) -> Answering | None:
        """Give the answer to the query of this ``bot_query_id``."""
        return self._by_query.get(query_id)

    def asked_for(self, bots: Collection[str], *message_ids: str) -> Answering | None:
        """Give the answer for which one of some bots asks another: by the ids that speak for it, else its latest one.

        Many bots ask with a query of their own making, whose ids are empty. What Poe makes of that is documented
        nowhere.
        """
        for message_id in message_ids:
            named = self._by_message.get(message_id)
            if named is not None and named.bot in bots:
                return named
        return next((each for each in reversed(self._open.values()) if each.bot in bots), None)
