"""The messages of a query: who said what, with which attachments, reactions and parameters.

Lenient, because Poe adds roles, content types and reactions without warning and the specification wants unknown ones
ignored, not refused. Names and defaults as in fastapi_poe 0.0.83; source: Poe protocol specification, "query".
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from poe_notebook.protocol.identifiers import Identifier
from poe_notebook.protocol.models import Listed, Mapped, NullAs, Text, WireModel

__all__ = [
    "REACTION_SIGNS",
    "Attachment",
    "MessageFeedback",
    "MessageReaction",
    "ProtocolMessage",
    "Sender",
    "User",
]


class MessageFeedback(WireModel):
    """A user's thumb on a message: ``like``, ``dislike``, or what Poe adds later."""

    type: str
    reason: str | None = None


REACTION_SIGNS = {"like": "👍", "dislike": "👎", "heart": "❤️", "laughing": "😂", "surprised": "😮", "sad": "😢"}
"""The reactions that Poe offers, each with its sign."""


class MessageReaction(WireModel):
    """A user's emoji on a message: ``like``, ``dislike``, ``heart``, ``laughing``, ``surprised``, ``sad`` or other."""

    user_id: Identifier
    reaction: str


class Attachment(WireModel):
    """A file on a message. ``url`` works for ten minutes at least; ``parsed_content`` is Poe's reading of the file."""

    url: str
    content_type: str
    name: str
    inline_ref: str | None = None
    parsed_content: str | None = None


class Sender(WireModel):
    """Who wrote a message. Names appear only in chats of several users and may change."""

    id: Identifier | None = None
    name: str | None = None


class User(WireModel):
    """A person in the chat."""

    id: Identifier
    name: str | None = None


class ProtocolMessage(WireModel):
    """One message of a chat.

    ``role`` is ``system``, ``user``, ``bot`` or ``tool``; ignore messages of a role you do not know. ``content_type``
    is ``text/markdown`` or ``text/plain``. ``timestamp`` counts microseconds since 1970. ``metadata`` is the string
    that this bot stored with a ``data`` event. ``parameters`` are the values of the parameter controls; other bots
    and scripts may put anything there.
    """

    role: str
    message_type: str | None = None
    sender_id: str | None = None
    sender: Sender | None = None
    content: str
    parameters: Mapped[Any] = Field(default_factory=dict)
    content_type: Annotated[str, NullAs(lambda: "text/markdown")] = "text/markdown"
    timestamp: Annotated[int, NullAs(int)] = 0
    message_id: Text = ""
    feedback: Listed[MessageFeedback] = Field(default_factory=list)
    attachments: Listed[Attachment] = Field(default_factory=list)
    metadata: str | None = None
    referenced_message: ProtocolMessage | None = None
    reactions: Listed[MessageReaction] = Field(default_factory=list)
