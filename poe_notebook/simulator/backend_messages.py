"""A Poe query as the messages of a chat-completions request, for a server that knows nothing of Poe."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from poe_notebook.protocol.messages import Attachment, ProtocolMessage
from poe_notebook.protocol.requests import QueryRequest

__all__ = ["ReadFile", "completion_body"]

ReadFile: TypeAlias = Callable[[str], Awaitable[bytes | None]]
"""Gives the content at an attachment's address; none if it is not to be had."""

_MOST_IMAGE_BYTES = 5_000_000
"""As a data URL in JSON that is 7 MB; servers refuse bodies soon after that."""
_ROLES = {"system": "system", "user": "user", "bot": "assistant"}


async def completion_body(request: QueryRequest, *, model: str, read_file: ReadFile | None) -> dict[str, Any]:
    """Give the request's JSON. Without ``read_file`` no image is sent, only what Poe has read of it."""
    messages: list[dict[str, Any]] = []
    for message in request.query:
        messages += await _messages(message, read_file)
    if request.tool_calls:
        messages.append(_calls([call.model_dump() for call in request.tool_calls]))
        messages += [_result(result.model_dump()) for result in request.tool_results or ()]
    extra = request.extra_params or {}
    given = {
        "temperature": request.temperature,
        "stop": request.stop_sequences or None,
        "tools": [tool.model_dump() for tool in request.tools] if request.tools else None,
        "tool_choice": extra.get("tool_choice") if request.tools else None,
        "parallel_tool_calls": extra.get("parallel_tool_calls") if request.tools else None,
    }
    hints = {name: value for name, value in given.items() if value is not None}
    return {"model": model, "messages": messages, "stream": True, **hints}


async def _messages(message: ProtocolMessage, read_file: ReadFile | None) -> list[dict[str, Any]]:
    """Convert a message; those of roles that are not known, and of results that cannot be read, are left out."""
    if message.message_type == "function_call":
        calls = _objects(message.content)
        return [_calls(calls)] if calls else []
    if message.role == "tool":
        return [_result(result) for result in _objects(message.content)]
    role = _ROLES.get(message.role)
    return [{"role": role, "content": await _content(message, read_file)}] if role else []


def _calls(calls: list[dict[str, Any]]) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": calls}


def _result(result: dict[str, Any]) -> dict[str, Any]:
    content = result.get("content")
    text = content if isinstance(content, str) else json.dumps(content)
    return {"role": "tool", "tool_call_id": result.get("tool_call_id"), "content": text}


def _objects(content: str) -> list[dict[str, Any]]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return []
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


async def _content(message: ProtocolMessage, read_file: ReadFile | None) -> str | list[dict[str, Any]]:
    """Give a message's text with its files, as parts only if there is an image among them."""
    texts, images = [message.content], []
    for file in message.attachments:
        address = await _image_address(file, read_file) if message.role == "user" else None
        if address is not None:
            images.append({"type": "image_url", "image_url": {"url": address}})
        else:
            texts.append(_file_text(file))
    text = "\n\n".join(each for each in texts if each)
    return [{"type": "text", "text": text}, *images] if images else text


async def _image_address(file: Attachment, read_file: ReadFile | None) -> str | None:
    if read_file is None or not file.content_type.startswith("image/"):
        return None
    if file.url.startswith("data:image/"):
        return file.url if len(file.url) <= 2 * _MOST_IMAGE_BYTES else None
    content = await read_file(file.url)
    if content is None or len(content) > _MOST_IMAGE_BYTES:
        return None
    return f"data:{file.content_type};base64,{base64.b64encode(content).decode()}"


def _file_text(file: Attachment) -> str:
    read = file.parsed_content
    return f"[Attached file {file.name} ({file.content_type})]" + (f"\n{read}" if read else "")
