"""Attachments on their way in: what Poe read of a user's files becomes part of the conversation.

Pure functions behind ``PoeBot``'s methods of the same names; none of them changes the query that it is given. Rules as
in fastapi_poe 0.0.83, which takes the attachments of the last message alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeAlias, TypeVar

from poe_notebook.bot.templates import (
    IMAGE_VISION_ATTACHMENT_TEMPLATE,
    TEXT_ATTACHMENT_TEMPLATE,
    URL_ATTACHMENT_TEMPLATE,
)
from poe_notebook.protocol.messages import Attachment, ProtocolMessage, Sender
from poe_notebook.protocol.requests import QueryRequest

__all__ = [
    "concat_attachment_content_to_message_body",
    "insert_attachment_messages",
    "make_prompt_author_role_alternated",
]

Query = TypeVar("Query", bound=QueryRequest)
Wording: TypeAlias = Callable[[Attachment], str]

_IMAGE_SEPARATOR = "***"
"""Poe writes an image's description as ``<file name>***<description>``; a description alone occurs too."""


def insert_attachment_messages(request: Query) -> Query:
    """Give the query with a user message for each file that Poe has read, ahead of the last message, images last."""
    read = _read(request)
    if not read:
        return request
    read.sort(key=lambda pair: pair[1] is _image)
    messages = [ProtocolMessage(role="user", sender=Sender(), content=wording(file)) for file, wording in read]
    return _with_messages(request, [*request.query[:-1], *messages, request.query[-1]])


def concat_attachment_content_to_message_body(request: Query) -> Query:
    """Give the query with what Poe has read of the files written below the last message's own text. Deprecated."""
    read = _read(request)
    if not read:
        return request
    last = request.query[-1]
    content = "\n\n".join([last.content, *(wording(file) for file, wording in read)])
    return _with_messages(request, [*request.query[:-1], last.model_copy(update={"content": content})])


def make_prompt_author_role_alternated(messages: Sequence[ProtocolMessage]) -> list[ProtocolMessage]:
    """Merge neighbours of the same role, a blank line between them, so that the roles alternate.

    Attachments are kept, the latest message's first and each address once; all else is the earliest message's.
    """
    runs = (list(run) for _, run in groupby(messages, key=lambda message: message.role))
    return [run[0] if len(run) == 1 else _merged(run) for run in runs]


def _read(request: QueryRequest) -> list[tuple[Attachment, Wording]]:
    """Give the last message's files that Poe has read, each with what words it; audio, say, is no text for a model."""
    if not request.query:
        return []
    pairs = [(file, _wording(file)) for file in request.query[-1].attachments if file.parsed_content]
    return [(file, wording) for file, wording in pairs if wording is not None]


def _with_messages(request: Query, messages: list[ProtocolMessage]) -> Query:
    return request.model_copy(update={"query": messages})


def _wording(file: Attachment) -> Wording | None:
    kind = file.content_type.partition(";")[0].strip().lower()
    if kind == "text/html":
        return _page
    if kind.startswith("text/") or kind == "application/pdf":
        return _text
    return _image if "image" in kind else None


def _page(file: Attachment) -> str:
    return URL_ATTACHMENT_TEMPLATE.format(attachment_name=file.name, content=file.parsed_content)


def _text(file: Attachment) -> str:
    return TEXT_ATTACHMENT_TEMPLATE.format(attachment_name=file.name, attachment_parsed_content=file.parsed_content)


def _image(file: Attachment) -> str:
    name, separator, description = (file.parsed_content or "").partition(_IMAGE_SEPARATOR)
    if not separator:
        name, description = file.name, name
    return IMAGE_VISION_ATTACHMENT_TEMPLATE.format(filename=name, parsed_image_description=description)


def _merged(run: list[ProtocolMessage]) -> ProtocolMessage:
    by_url: dict[str, Attachment] = {}
    for message in reversed(run):
        for file in message.attachments:
            by_url.setdefault(file.url, file)
    content = "\n\n".join(message.content for message in run)
    return run[0].model_copy(update={"content": content, "attachments": list(by_url.values())})
