"""Server-sent events of the Poe protocol: values to bytes, and decoded fields back to values.

Strict on the way out: an event name without line breaks, data that is one JSON document in ASCII (so that no
reader's idea of a line break, U+0085 or U+2028 say, can cut it in two). Lenient on the way in.
Source: WHATWG HTML §9.2 "Server-sent events"; Poe protocol specification, "Response" (read 2025-03).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple

from poe_notebook.errors import BotProtocolError

__all__ = ["KNOWN_TYPES", "Event", "ServerSentEvent", "decode", "encode", "encode_text", "raw_bytes"]

KNOWN_TYPES = frozenset(
    {"meta", "text", "replace_response", "suggested_reply", "file", "data", "json", "error", "done", "ping"}
)

_encode_json = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


class Event(NamedTuple):
    """One event of an answer: its type, its JSON object, and when it came (seconds from the exchange's start)."""

    type: str
    data: dict[str, Any]
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """A raw event that a handler may yield; ``data`` is sent as it is, so it has to be JSON.

    The shape of ``sse_starlette.ServerSentEvent``, which fastapi_poe hands to bot authors.
    """

    data: str | None = None
    event: str | None = None
    id: str | None = None
    retry: int | None = None
    comment: str | None = None

    def encode(self) -> bytes:
        """Give the event's bytes, blank line included."""
        lines = [f": {line}" for line in (self.comment or "").splitlines()]
        for name, value in (("id", self.id), ("event", self.event), ("retry", self.retry)):
            if value is not None:
                lines.append(f"{name}: {_one_line(name, str(value))}")
        if self.data is not None:
            lines += [f"data: {line}" for line in _lines(str(self.data))]
        return ("\n".join(lines) + "\n\n").encode("utf-8", "backslashreplace")


def raw_bytes(event: Any) -> bytes:
    """Give the bytes of a raw event, ours or of sse_starlette, which may give a text."""
    raw = event.encode()
    return raw if isinstance(raw, bytes) else str(raw).encode()


def encode_text(text: str) -> bytes:
    """Encode a ``text`` event; the hot path, so the JSON is written by hand around one escaped string."""
    return b'event: text\ndata: {"text":%b}\n\n' % encode_basestring_ascii(text).encode("ascii")


def encode(type: str, data: Mapping[str, Any]) -> bytes:
    """Encode one event. Raises ``BotProtocolError`` for data that JSON cannot hold (NaN, bytes, an object)."""
    try:
        body = _encode_json(data)
    except (TypeError, ValueError, RecursionError) as error:
        raise BotProtocolError(
            f"The data of a {type!r} event is no JSON: {error}.",
            why="Poe reads the data of every event as one JSON object.",
            now="Use only dict, list, str, int, float, bool and None in it.",
        ) from error
    return f"event: {_one_line('event', type)}\ndata: {body}\n\n".encode("utf-8", "backslashreplace")


def decode(type: str, data: str, at_s: float = 0.0) -> Event:
    """Turn an event's fields into an ``Event``.

    An empty ``data`` counts as ``{}``. Raises ``BotProtocolError`` if a known event's data is not a JSON object;
    data of an unknown type that is none is kept under the key ``"raw"``, since unknown events are to be ignored.
    """
    if not data:
        return Event(type, {}, at_s)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        return _unreadable(type, data, at_s, f"is no JSON ({error})")
    if not isinstance(value, dict):
        return _unreadable(type, data, at_s, "is JSON but no object")
    return Event(type, value, at_s)


def _unreadable(type: str, data: str, at_s: float, fault: str) -> Event:
    if type not in KNOWN_TYPES or type in ("ping", "done"):
        return Event(type, {"raw": data}, at_s)
    raise BotProtocolError(
        f"The data of a {type!r} event {fault}: {data[:200]!r}.",
        why="The Poe protocol wants one JSON object as the data of each event.",
    )


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _one_line(name: str, value: str) -> str:
    if not value:
        raise BotProtocolError(f"The {name!r} field of an event is empty.")
    if "\n" in value or "\r" in value:
        raise BotProtocolError(f"The {name!r} field of an event has a line break in it: {value!r}.")
    return value
