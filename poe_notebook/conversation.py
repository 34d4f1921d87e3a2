"""The turns of one chat, and the queries that they make. Blind to routes: nothing here sends anything."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from poe_notebook.protocol.identifiers import new_identifier
from poe_notebook.protocol.limits import MESSAGES_IN_CONTEXT, PROTOCOL_VERSION
from poe_notebook.protocol.messages import Attachment, MessageFeedback, MessageReaction, ProtocolMessage, Sender, User
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.reply import Failure, Reply, State

__all__ = ["Conversation", "Failure", "Reply", "State"]


class Conversation:
    """The turns of one chat, and the queries that they make.

    One bot is called unless a turn names another (@-mention); several users may speak, each by name. ``ask`` makes the
    next query; the reply to it is then kept as the turn's answer.
    """

    def __init__(self, bot: str, *, user_id: str | None = None) -> None:
        self.bot = bot
        self.conversation_id = new_identifier("c")
        self.user_id = user_id or new_identifier("u")
        self.system = ""
        self.turns: list[Reply] = []
        self._users: dict[str, str] = {}
        self._reactions: dict[str, dict[str, str]] = {}

    def ask(
        self,
        content: str,
        *,
        route: str,
        parameters: dict[str, Any] | None = None,
        attachments: Sequence[Attachment] = (),
        bot: str | None = None,
        user: str | None = None,
    ) -> tuple[QueryRequest, Reply]:
        """Make the query for the next user message, and the empty reply to fill. The turn counts from now on."""
        user_id = self._user_id(user)
        message = ProtocolMessage(
            role="user",
            content=content,
            content_type="text/markdown",
            message_id=new_identifier("m"),
            timestamp=time.time_ns() // 1000,
            parameters=parameters or {},
            attachments=list(attachments),
            sender=Sender(id=user_id, name=user),
        )
        message_id = new_identifier("m")
        request = QueryRequest(
            version=PROTOCOL_VERSION,
            type="query",
            query=[*self._history(), message],
            user_id=user_id,
            conversation_id=self.conversation_id,
            message_id=message_id,
            metadata=new_identifier("d"),
            bot_query_id=new_identifier("b"),
            users=self._present(user_id, user),
        )
        reply = Reply(bot=bot or self.bot, route=route, message=message, message_id=message_id)
        self.turns.append(reply)
        return request, reply

    def take_back(self, reply: Reply) -> list[Reply]:
        """Take a turn, and all that came after it, out of the history; give them, oldest first."""
        start = self.turns.index(reply)
        taken = self.turns[start:]
        del self.turns[start:]
        return taken

    def react(self, message_id: str, reaction: str, *, user: str | None = None) -> None:
        """Keep a user's reaction to an answer; a later one takes its place."""
        self._reactions.setdefault(message_id, {})[self._user_id(user)] = reaction

    def _user_id(self, name: str | None) -> str:
        return self.user_id if name is None else self._users.setdefault(name, new_identifier("u"))

    def _present(self, user_id: str, name: str | None) -> list[User]:
        # Names of users are told only where there are several of them (fastapi_poe 0.0.83, types.User).
        named = [User(id=id_, name=called) for called, id_ in self._users.items()]
        return named if len(named) > 1 else [User(id=user_id, name=name)]

    def _history(self) -> list[ProtocolMessage]:
        """Give what was said so far, as much of it as Poe keeps: a long chat makes no turn slower."""
        newest: list[ProtocolMessage] = []
        for turn in reversed(self.turns):
            if len(newest) >= MESSAGES_IN_CONTEXT:
                break
            if turn.text or turn.attachments:
                newest.append(self._answer_of(turn))
            newest.append(turn.message)
        system = [ProtocolMessage(role="system", content=self.system)] if self.system else []
        return [*system, *reversed(newest)]

    def _answer_of(self, turn: Reply) -> ProtocolMessage:
        reactions = self._reactions.get(turn.message_id, {})
        return ProtocolMessage(
            role="bot",
            content=turn.text,
            content_type=turn.content_type,
            message_id=turn.message_id,
            sender=Sender(name=turn.bot),
            attachments=turn.attachments,
            metadata=turn.metadata,
            reactions=[MessageReaction(user_id=who, reaction=what) for who, what in reactions.items()],
            feedback=[MessageFeedback(type=what) for what in reactions.values() if what in ("like", "dislike")],
        )
