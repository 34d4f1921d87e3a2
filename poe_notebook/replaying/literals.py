"""Values as Python source that a person likes to read and edit: one item a line, long texts in several strings.

What does not print, such as what turns the reading direction, is spelled out, so that nobody is misled by a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

__all__ = ["literal", "text_literal"]

_WIDTH = 100
_STEP = "    "
_PIECE = re.compile(r"[^\n]*\n|[^\n]+")


def literal(value: Any, *, indent: str = "") -> str:
    """Write a JSON value; lines after the first begin with ``indent``."""
    inner = indent + _STEP
    match value:
        case str():
            return text_literal(value, indent=indent)
        case dict() if value:
            items = (f"{inner}{text_literal(str(k))}: {literal(v, indent=inner)},\n" for k, v in value.items())
            return _short(value, indent) or "{\n" + "".join(items) + indent + "}"
        case list() | tuple() if value:
            items = (f"{inner}{literal(item, indent=inner)},\n" for item in value)
            return _short(value, indent) or "[\n" + "".join(items) + indent + "]"
        case _:
            return repr(value)


def text_literal(text: str, *, indent: str = "") -> str:
    """Write a text: one string, or several within brackets, cut at line ends and between words."""
    whole = _quoted(text)
    if len(whole) + len(indent) <= _WIDTH:
        return whole
    pieces = "".join(f"{indent}{_STEP}{_quoted(piece)}\n" for piece in _pieces(text, _WIDTH - len(indent) - 8))
    return f"(\n{pieces}{indent})"


def _short(value: Any, indent: str) -> str:
    """Write a small value of plain items on one line; nothing if it is neither."""
    items = list(value.values()) if isinstance(value, dict) else list(value)
    if any(isinstance(item, dict | list | tuple) and item for item in items):
        return ""
    if isinstance(value, dict):
        line = "{" + ", ".join(f"{_quoted(str(k))}: {_plain(v)}" for k, v in value.items()) + "}"
    else:
        line = "[" + ", ".join(map(_plain, value)) + "]"
    return line if len(line) + len(indent) <= _WIDTH - 20 else ""


def _plain(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    """Write a string in double quotes, unless that takes more backslashes."""
    shown = repr("'" + text)
    return f'"{shown[2:]}' if shown.startswith('"') else repr(text)


def _pieces(text: str, width: int) -> Iterator[str]:
    for line in _PIECE.findall(text):
        while len(line) > width:
            cut = line.rfind(" ", 1, width) + 1 or width
            yield line[:cut]
            line = line[cut:]
        if line:
            yield line
