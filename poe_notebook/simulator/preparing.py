"""A query made ready for one bot, as its settings want it: what it may see of the conversation, in which shape.

Pure but for ``read``, which gives what Poe has read of a file. Rules where Poe's own are undocumented are the
simulator's, each in a function of its own. Sources: Poe protocol specification, "query" and "settings" (read 2025-03);
functional guides, "Enabling file upload" and "Multi bot support".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import groupby

from poe_notebook.bot.attachments import make_prompt_author_role_alternated
from poe_notebook.protocol.limits import Limits
from poe_notebook.protocol.messages import Attachment, ProtocolMessage, Sender
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.settings import SettingsResponse

__all__ = ["Read", "prepare"]

_READING_NOTHING = SettingsResponse(expand_text_attachments=False, enable_image_comprehension=False)

Read = Callable[[Attachment, SettingsResponse], Awaitable[Attachment]]
"""Gives an attachment with a fresh address, and with ``parsed_content`` as far as the settings ask for it."""


async def prepare(
    request: QueryRequest,
    settings: SettingsResponse,
    *,
    bot: str,
    is_chat: bool,
    metadata: Callable[[ProtocolMessage], str | None],
    read: Read,
    limits: Limits,
) -> QueryRequest:
    """Give the query as this bot gets it. ``metadata`` gives what this bot stored with a message.

    Scripts and other bots write the conversation as they like; Poe's prompting for several participants is for chats.
    """
    messages = cut_at_the_old_end(request.query, limits.messages_in_context)
    messages = [message.model_copy(update={"metadata": metadata(message)}) for message in messages]
    messages = [await _with_files(message, settings, read) for message in messages]
    if is_chat and settings.enable_multi_entity_prompting:
        messages = told_as_one(messages, bot=bot)
    if settings.enforce_author_role_alternation:
        messages = alternated(messages)
    return request.model_copy(update={"query": list(messages)})


def cut_at_the_old_end(messages: Sequence[ProtocolMessage], most_earlier: int) -> list[ProtocolMessage]:
    """Give a conversation without what is too old for Poe; system messages ahead of it are no part of its age."""
    said = next((place for place, message in enumerate(messages) if message.role != "system"), len(messages))
    return [*messages[:said], *messages[said:][-(most_earlier + 1) :]]


def alternated(messages: Sequence[ProtocolMessage]) -> list[ProtocolMessage]:
    """Merge neighbours of the same role. All but their texts and files is the latest one's: it is what is answered."""
    merged = make_prompt_author_role_alternated(messages)
    latest = [list(run)[-1] for _, run in groupby(messages, key=lambda message: message.role)]
    return [
        last.model_copy(update={"content": whole.content, "attachments": whole.attachments})
        for whole, last in zip(merged, latest, strict=True)
    ]


async def _with_files(message: ProtocolMessage, settings: SettingsResponse, read: Read) -> ProtocolMessage:
    if not message.attachments:
        return message
    if message.role == "user" and not settings.allow_attachments:
        return message.model_copy(update={"attachments": []})
    wanted = settings if message.role == "user" else _READING_NOTHING
    files = await asyncio.gather(*(read(file, wanted) for file in message.attachments))
    return message.model_copy(update={"attachments": files})


def told_as_one(messages: Sequence[ProtocolMessage], *, bot: str) -> list[ProtocolMessage]:
    """Tell a bot what others have said before it was called, if anybody but it and one user has said something.

    Poe combines the earlier messages and adds prompting; how is documented nowhere, so the wording is ours: one user
    message with the conversation so far, then the one to answer.
    """
    *earlier, last = messages
    if not earlier or not _has_others(messages, bot):
        return list(messages)
    system = [message for message in earlier if message.role == "system"]
    said = [message for message in earlier if message.role != "system"]
    if not said:
        return list(messages)
    lines = [f"{_speaker(message)}: {message.content}" for message in said]
    content = (
        f"This chat has several participants, and you are {bot}. What was said so far, oldest first:\n\n"
        + "\n\n".join(lines)
        + f"\n\nThe next message is from {_speaker(last)} to you."
    )
    files = [file for message in said for file in message.attachments]
    story = ProtocolMessage(
        role="user", content=content, attachments=files, timestamp=said[-1].timestamp, sender=Sender()
    )
    return [*system, *_own_with_metadata(said), story, last]


def _own_with_metadata(said: Iterable[ProtocolMessage]) -> list[ProtocolMessage]:
    """Keep the bot's own messages that carry what it stored: only there can it find it again."""
    return [message for message in said if message.metadata is not None]


def _has_others(messages: Iterable[ProtocolMessage], bot: str) -> bool:
    bots = {_speaker(message) for message in messages if message.role == "bot"}
    users = {_speaker(message) for message in messages if message.role == "user"}
    return bool(bots - {bot, "a bot"}) or len(users) > 1


def _speaker(message: ProtocolMessage) -> str:
    name = message.sender.name if message.sender is not None else None
    return name or ("a bot" if message.role == "bot" else "the user")
