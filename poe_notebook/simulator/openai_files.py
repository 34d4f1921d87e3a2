"""The files of a chat-completions request: out of their data URLs and into a file store."""

from __future__ import annotations

import asyncio
import base64
import binascii
from urllib.parse import unquote_to_bytes

from poe_notebook.protocol.limits import ATTACHMENT_BYTES
from poe_notebook.protocol.messages import Attachment, ProtocolMessage
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.simulator.files import FileError
from poe_notebook.simulator.image_stand_in import Upload
from poe_notebook.simulator.openai_errors import ApiError, invalid, too_large

__all__ = ["stored"]


async def stored(request: QueryRequest, upload: Upload) -> QueryRequest:
    """Give the query with each attachment that is a data URL handed to ``upload``. Raises ``ApiError``."""
    messages = [await _stored_message(message, upload) for message in request.query]
    return request.model_copy(update={"query": messages})


async def _stored_message(message: ProtocolMessage, upload: Upload) -> ProtocolMessage:
    if not any(file.url.startswith("data:") for file in message.attachments):
        return message
    files: list[Attachment] = []
    for file in message.attachments:
        if file.url.startswith("data:"):
            file = await _kept(file, upload)
        files.append(file)
    return message.model_copy(update={"attachments": files})


async def _kept(file: Attachment, upload: Upload) -> Attachment:
    content = await asyncio.to_thread(_content, file)
    try:
        return await upload(content, file.name, file.content_type)
    except FileError as error:
        raise too_large(error.what) if error.status == 413 else ApiError(error.what, status=500) from error


def _content(file: Attachment) -> bytes:
    head, comma, data = file.url[len("data:") :].partition(",")
    if not comma:
        raise invalid(f"The data URL of {file.name} has no data.")
    if len(data) > ATTACHMENT_BYTES * 4 // 3 + 4:
        raise too_large(f"{file.name} is larger than {ATTACHMENT_BYTES // 1_000_000} MB.")
    if not head.endswith(";base64"):
        return unquote_to_bytes(data)
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"The data of {file.name} is no base64: {error}.") from None
