"""The turns of one chat, and the next query that they make. Blind to routes: nothing here sends anything.

A ``Reply`` is filled event by event while an answer streams, and is what a chat returns at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from poe_notebook.errors import BotError, BotProtocolError
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.faults import kind_of
from poe_notebook.protocol.identifiers import new_identifier
from poe_notebook.protocol.limits import MESSAGES_IN_CONTEXT, PROTOCOL_VERSION
from poe_notebook.protocol.messages import Attachment, MessageFeedback, MessageReaction, ProtocolMessage, Sender, User
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.tracing.exchange import Exchange

__all__ = ["Conversation", "Failure", "Reply", "State"]

State = Literal["waiting", "answering", "done", "failed", "stopped"]
"""``waiting``: nothing has come yet; ``failed``: ended by an ``error`` event or a broken connection;
``stopped``: the user ended it, and what is shown is what goes into the history."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an answer failed: what Poe would show (``text``), Poe's error type, and what the author can do (``hint``).

    ``traceback`` holds the handler's own lines, known only for a bot served in this kernel.
    """

    text: str
    error_type: str | None = None
    allow_retry: bool = True
    hint: str = ""
    traceback: str = ""


@dataclass(slots=True, eq=False)
class Reply:
    """One turn's answer. Grows while it streams; ``text`` is the whole answer so far."""

    bot: str
    route: str
    message: ProtocolMessage
    message_id: str
    generation: int | None = None
    state: State = "waiting"
    content_type: str = "text/markdown"
    attachments: list[Attachment] = field(default_factory=list)
    suggested_replies: list[str] = field(default_factory=list)
    metadata: str | None = None
    failure: Failure | None = None
    events: list[Event] = field(default_factory=list)
    exchange: Exchange | None = None
    first_text_s: float | None = None
    duration_s: float | None = None
    note: str = ""
    _parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The answer's text so far (what a ``replace_response`` dropped is not in it)."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "failed", "stopped")

    def add(self, event: Event) -> None:
        """Take in one event of the answer. Unknown types are kept in ``events`` and change nothing else."""
        self.events.append(event)
        if self.state == "waiting" and event.type not in ("meta", "ping"):
            self.state = "answering"
        take = _TAKE.get(event.type)
        if take is not None:
            take(self, event)

    def raise_for_failure(self) -> Reply:
        """Raise ``BotError`` if the answer failed, else give the reply back, so that calls can be chained."""
        if self.failure is not None:
            what = f"{self.bot} answered with an error: {self.failure.text or 'no text'}"
            raise BotError(what, now=self.failure.hint)
        return self

    def __repr__(self) -> str:
        text = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        return f"<Reply from {self.bot} ({self.state}): {text!r}>"


def _take_text(reply: Reply, event: Event) -> None:
    if reply.first_text_s is None:
        reply.first_text_s = event.at_s
    reply._parts.append(_string(event, "text"))


def _take_replacement(reply: Reply, event: Event) -> None:
    reply._parts.clear()
    _take_text(reply, event)


def _take_suggestion(reply: Reply, event: Event) -> None:
    reply.suggested_replies.append(_string(event, "text"))


def _take_file(reply: Reply, event: Event) -> None:
    reference = event.data.get("inline_ref")
    reply.attachments.append(
        Attachment(
            url=_string(event, "url"),
            content_type=_string(event, "content_type"),
            name=_string(event, "name"),
            inline_ref=reference if isinstance(reference, str) else None,
        )
    )


def _take_metadata(reply: Reply, event: Event) -> None:
    reply.metadata = _string(event, "metadata")


def _take_meta(reply: Reply, event: Event) -> None:
    is_first = all(earlier.type == "ping" for earlier in reply.events[:-1])
    if is_first and "content_type" in event.data and _string(event, "content_type") != "text/markdown":
        reply.content_type = "text/plain"  # the specification: unknown types are shown as plain


def _take_error(reply: Reply, event: Event) -> None:
    if reply.failure is None:
        text, kind = event.data.get("text"), event.data.get("error_type")
        reply.failure = Failure(
            text=text if isinstance(text, str) else "",
            error_type=kind if isinstance(kind, str) else None,
            allow_retry=bool(event.data.get("allow_retry", True)),
        )
    reply.state = "failed"


def _take_done(reply: Reply, event: Event) -> None:
    if reply.state != "failed":
        reply.state = "done"


_TAKE: dict[str, Callable[[Reply, Event], None]] = {
    "text": _take_text,
    "replace_response": _take_replacement,
    "suggested_reply": _take_suggestion,
    "file": _take_file,
    "data": _take_metadata,
    "meta": _take_meta,
    "error": _take_error,
    "done": _take_done,
}


def _string(event: Event, key: str) -> str:
    value = event.data.get(key)
    if not isinstance(value, str):
        found = f"has {kind_of(value)} as" if key in event.data else "comes without"
        raise BotProtocolError(f"A {event.type!r} event {found} {key!r}.", why="The Poe protocol wants a string there.")
    return value


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
