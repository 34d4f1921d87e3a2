"""The messages of a chat-completions request as those of a Poe query.

Roles: system and developer are system, assistant is bot. Calls and results after the last user message are the query's
own ``tool_calls`` and ``tool_results``; earlier ones stand among the messages, in the form that a guide of Poe's gives
them there. Files are attachments, still at the address that they came with.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from poe_notebook.simulator.openai_errors import invalid

__all__ = ["QueryMessages", "query_messages"]

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "bot", "tool": "tool"}


@dataclass(slots=True)
class QueryMessages:
    """What goes into a query, as its JSON has it."""

    query: list[dict[str, Any]] = field(default_factory=list)
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    tool_results: list[dict[str, Any]] = field(default_factory=list)


def query_messages(messages: object) -> QueryMessages:
    """Convert the messages. Raises ``ApiError`` for the first that cannot be read."""
    if not isinstance(messages, list) or not messages:
        raise invalid(
            "The request has no messages.", why="messages is a list of one message at least.", is_missing=True
        )
    roles = [_role(place, message) for place, message in enumerate(messages)]
    last_user = max((place for place, role in enumerate(roles) if role == "user"), default=-1)
    converted, names = QueryMessages(), dict[str, str]()
    for place, (message, role) in enumerate(zip(messages, roles, strict=True)):
        is_of_this_turn = place > last_user
        if role == "tool":
            _add_results(converted, [_result(place, message, names)], is_of_this_turn)
            continue
        content, files = _content(place, message)
        calls = _calls(place, message) if role == "bot" else []
        names.update({call["id"]: call["function"]["name"] for call in calls})
        if content or files or not calls:
            converted.query.append(_message(message, role, content, files))
        _add_calls(converted, calls, is_of_this_turn)
    return converted


def _role(place: int, message: object) -> str:
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(role, str) or role not in _ROLES:
        raise invalid(f"messages[{place}] has no role that is known.", why=f"Roles are {', '.join(_ROLES)}.")
    return _ROLES[role]


def _message(message: Mapping[str, Any], role: str, content: str, files: list[dict[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {"role": role, "content": content, "attachments": files}
    if isinstance(message.get("name"), str):
        made["sender"] = {"name": message["name"]}
    return made


def _content(place: int, message: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Give a message's text, its parts one below the other, and its files."""
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or "", []
    if not isinstance(content, list):
        raise invalid(f"The content of messages[{place}] is neither a text nor a list of parts.")
    texts: list[str] = []
    files: list[dict[str, Any]] = []
    for number, part in enumerate(content):
        where = f"messages[{place}].content[{number}]"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in ("text", "refusal") and isinstance(part.get(kind), str):
            texts.append(part[kind])
        elif kind in _FILES and isinstance(part.get(kind), dict | str):
            files.append(_FILES[kind](where, part[kind], len(files) + 1))
        else:
            raise invalid(f"{where} cannot be read.", why="A part is a text, an image_url, a file or an input_audio.")
    return "\n\n".join(texts), files


def _image(where: str, image: Any, number: int) -> dict[str, Any]:
    url = image if isinstance(image, str) else image.get("url")
    if isinstance(url, str) and url.startswith("data:"):
        kind = url[5:].partition(",")[0].partition(";")[0] or "image/png"
        return _attachment(url, kind, f"image_{number}{mimetypes.guess_extension(kind) or ''}")
    if isinstance(url, str) and url.startswith(("https://", "http://")):
        try:
            name = unquote(urlsplit(url).path.rpartition("/")[2])
        except ValueError:
            raise invalid(f"The address in {where} is malformed.") from None
        guessed = mimetypes.guess_type(name)[0] or ""
        return _attachment(url, guessed if guessed.startswith("image/") else "image/*", name or f"image_{number}")
    raise invalid(f"The address in {where} cannot be used.", why="It is a data URL in base64, or a public http(s) one.")


def _file(where: str, file: Any, number: int) -> dict[str, Any]:
    data = file.get("file_data") if isinstance(file, dict) else None
    if not isinstance(data, str):
        raise invalid(
            f"{where} has no file_data.", why="Poe takes files as base64 data URLs; it keeps none by file_id."
        )
    name = file.get("filename") if isinstance(file.get("filename"), str) else ""
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if data.startswith("data:"):
        kind = data[5:].partition(",")[0].partition(";")[0] or kind
    else:
        data = f"data:{kind};base64,{data}"
    return _attachment(data, kind, name or f"file_{number}{mimetypes.guess_extension(kind) or ''}")


def _audio(where: str, audio: Any, number: int) -> dict[str, Any]:
    data, form = (audio.get("data"), audio.get("format")) if isinstance(audio, dict) else (None, None)
    if not isinstance(data, str) or form not in ("wav", "mp3"):
        raise invalid(f"{where} cannot be read.", why="Audio is base64 data with the format wav or mp3.")
    kind = "audio/mpeg" if form == "mp3" else "audio/wav"
    return _attachment(f"data:{kind};base64,{data}", kind, f"audio_{number}.{form}")


_FILES = {"image_url": _image, "file": _file, "input_audio": _audio}


def _attachment(url: str, content_type: str, name: str) -> dict[str, Any]:
    return {"url": url, "content_type": content_type, "name": name}


def _calls(place: int, message: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = message.get("tool_calls") or []
    if not isinstance(given, list):
        raise invalid(f"The tool_calls of messages[{place}] are no list.")
    return [_call(f"messages[{place}].tool_calls[{number}]", call) for number, call in enumerate(given)]


def _call(where: str, call: object) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    if isinstance(call, dict) and isinstance(function, dict):
        identifier, name, arguments = call.get("id"), function.get("name"), function.get("arguments", "")
        if isinstance(identifier, str) and isinstance(name, str) and isinstance(arguments, str):
            return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}
    raise invalid(f"{where} cannot be read.", why="A call has an id, and a function with a name and arguments in JSON.")


def _result(place: int, message: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    identifier = message.get("tool_call_id")
    if not isinstance(identifier, str) or identifier not in names:
        raise invalid(
            f"messages[{place}] answers no call.",
            why="A message of the role tool has the tool_call_id of a call in an assistant message before it.",
        )
    content = _content(place, message)[0]
    return {"role": "tool", "name": names[identifier], "tool_call_id": identifier, "content": content}


def _add_calls(converted: QueryMessages, calls: list[dict[str, Any]], is_of_this_turn: bool) -> None:
    if calls and is_of_this_turn:
        converted.tool_calls += calls
    elif calls:
        message = {"role": "bot", "message_type": "function_call", "content": json.dumps(calls)}
        converted.query.append(message)


def _add_results(converted: QueryMessages, results: list[dict[str, Any]], is_of_this_turn: bool) -> None:
    if is_of_this_turn:
        converted.tool_results += results
    else:
        converted.query.append({"role": "tool", "content": json.dumps(results)})
