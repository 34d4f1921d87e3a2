"""The turns of one chat, and the next query that they make. Blind to routes: nothing here sends anything."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from poe_notebook.protocol.identifiers import new_identifier
from poe_notebook.protocol.limits import PROTOCOL_VERSION
from poe_notebook.protocol.messages import ProtocolMessage, Sender
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.reply import Failure, Reply, State

__all__ = ["Conversation", "Failure", "Reply", "State"]


class Conversation:
    """The turns with one bot. ``ask`` makes the next query; the reply to it is then kept as the turn's answer."""

    def __init__(self, bot: str) -> None:
        self.bot = bot
        self.conversation_id = new_identifier("c")
        self.user_id = new_identifier("u")
        self.turns: list[Reply] = []

    def ask(self, content: str, *, route: str, parameters: dict[str, Any] | None = None) -> tuple[QueryRequest, Reply]:
        """Make the query for the next user message, and the empty reply to fill. The turn counts from now on."""
        message = ProtocolMessage(
            role="user",
            content=content,
            content_type="text/markdown",
            message_id=new_identifier("m"),
            timestamp=time.time_ns() // 1000,
            parameters=parameters or {},
            sender=Sender(id=self.user_id),
        )
        message_id = new_identifier("m")
        request = QueryRequest(
            version=PROTOCOL_VERSION,
            type="query",
            query=[*self._history(), message],
            user_id=self.user_id,
            conversation_id=self.conversation_id,
            message_id=message_id,
            metadata=new_identifier("d"),
            bot_query_id=new_identifier("b"),
        )
        reply = Reply(bot=self.bot, route=route, message=message, message_id=message_id)
        self.turns.append(reply)
        return request, reply

    def _history(self) -> Iterable[ProtocolMessage]:
        for turn in self.turns:
            yield turn.message
            if turn.text or turn.attachments:
                yield ProtocolMessage(
                    role="bot",
                    content=turn.text,
                    content_type=turn.content_type,
                    message_id=turn.message_id,
                    attachments=turn.attachments,
                    metadata=turn.metadata,
                )
