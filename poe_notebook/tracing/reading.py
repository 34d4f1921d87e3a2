"""Reading recorded bytes back: an event's type, its data, the text of a whole answer. Pure and lenient.

By the rules of WHATWG HTML §9.2: what a bot sent can be read even where it breaks the Poe protocol.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

__all__ = ["answer_text", "data_of", "type_of", "value_of"]

_NAME = b"event: "
_TEXT, _TEXT_END = b'event: text\ndata: {"text":', b"}\n\n"
"""How our own server writes a ``text`` event; nearly all there are, so they are read without splitting lines."""


def type_of(raw: bytes) -> str:
    """Read the type out of an event's bytes; ``message`` if it names none."""
    if raw.startswith(_NAME):
        end = raw.find(b"\n", 7)
        return raw[7 : end if end >= 0 else None].rstrip(b"\r").decode("utf-8", "replace") or "message"
    return next((value for name, value in reversed(_fields(raw)) if name == "event"), "") or "message"


def data_of(raw: bytes) -> str:
    """Read the data out of an event's bytes: its ``data`` lines, joined."""
    return "\n".join(value for name, value in _fields(raw) if name == "data")


def value_of(raw: bytes) -> Any:
    """Read the data out of an event's bytes as JSON; as the text that it is, if it is none."""
    if raw.startswith(_TEXT) and raw.endswith(_TEXT_END):
        try:
            return json.loads(raw[18:])
        except (ValueError, RecursionError):
            pass  # it only looked like one
    data = data_of(raw)
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data


def answer_text(events: Iterable[tuple[str, bytes]]) -> str:
    """Put the text of an answer together from its events' types and bytes, as a reader sees it at the end.

    Where a bot spread a key over several events, it is whole here: whoever shows this takes keys out of it.
    """
    parts: list[str] = []
    for type_, raw in events:
        if type_ not in ("text", "replace_response"):
            continue
        value = value_of(raw)
        text = value.get("text") if isinstance(value, dict) else None
        if type_ == "replace_response":
            parts.clear()
        if isinstance(text, str):
            parts.append(text)
    return "".join(parts)


def _fields(raw: bytes) -> list[tuple[str, str]]:
    lines = raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    fields = [line.partition(":")[::2] for line in lines if line and not line.startswith(":")]
    return [(name, value.removeprefix(" ")) for name, value in fields]
