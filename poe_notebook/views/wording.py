r"""How numbers, times, sizes and long texts are worded in every view: pure functions from a value to a short string.

Text that somebody else wrote passes ``visible`` here: what would steer a terminal or turn the reading direction is
spelled out, as ``\x1b``. HTML escaping is not done here; that is ``views/html.py``.
"""

from __future__ import annotations

import json
import math
from typing import Any

__all__ = [
    "count",
    "excerpt",
    "has_words",
    "in_trace",
    "is_longer",
    "json_excerpt",
    "milliseconds",
    "seconds",
    "size",
    "visible",
    "wire_excerpt",
]

_STEERING = [*range(0x20), 0x7F, *range(0x80, 0xA0), 0x061C, *range(0x200E, 0x2010), *range(0x202A, 0x202F)]
_VISIBLE = {c: f"\\x{c:02x}" if c < 0x100 else f"\\u{c:04x}" for c in [*_STEERING, *range(0x2066, 0x206A)]}
_VISIBLE_LINES = {c: v for c, v in _VISIBLE.items() if chr(c) not in "\n\t"}
_UNSEEN = dict.fromkeys([*range(0x200B, 0x200E), 0x2060, 0xFEFF])  # of no width, and no white space either
_WIRE = {**_VISIBLE, 9: "\\t", 10: "\\n\n", 13: "\\r"}


def in_trace(number: int) -> str:
    """Give the expression that finds an exchange again, for whoever wants the parts that a view leaves out."""
    return f"fp.inspect({number})"


def seconds(value_s: float | None) -> str:
    """Word a length of time: ``0.3 ms``, ``12 ms``, ``1.24 s``, ``2 min 5 s``."""
    if value_s is None or not math.isfinite(value_s):
        return "-"
    if abs(value_s) < 0.9995:
        return f"{value_s * 1000:.{0 < abs(value_s) < 0.00095:d}f} ms"
    if abs(value_s) < 99.95:
        return f"{value_s:.3g} s"
    return f"{round(value_s) // 60} min {round(value_s) % 60} s"


def milliseconds(value_s: float) -> str:
    """Give a time in milliseconds for a column of a table: ``0.3``, ``4,210.0``."""
    return f"{value_s * 1000:,.1f}" if math.isfinite(value_s) else "-"


def size(size_bytes: int) -> str:
    """Word a number of bytes, in decimal units as browsers and Poe's limits do."""
    if size_bytes < 1000:
        return count(size_bytes, "byte")
    for unit, factor in (("kB", 1e3), ("MB", 1e6)):
        if size_bytes < factor * 999.5:
            return f"{size_bytes / factor:.3g} {unit}"
    return f"{size_bytes / 1e9:,.3g} GB"


def count(number: int, noun: str) -> str:
    """Word a number of things: ``no events``, ``1 event``, ``1,200 events``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s" if number else f"no {noun}s"


def visible(text: str) -> str:
    """Spell out control and bidirectional characters and lone surrogates; tabs and ends of lines of any kind stay."""
    if text.isprintable():
        return text
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return joined.encode("utf-8", "backslashreplace").decode("utf-8").translate(_VISIBLE_LINES)


def has_words(text: str) -> bool:
    """Whether there is anything to be seen in a text."""
    return bool(text.strip()) and bool(text.translate(_UNSEEN).strip())


def excerpt(text: str, chars: int, *, lines: bool = False) -> str:
    """Cut text to a length, saying how much there was; on one line unless ``lines``."""
    rest = f"… ({len(text):,} characters in all)" if len(text) > chars else ""
    head = visible(text[:chars])
    return (head if lines else " ".join(head.splitlines())) + rest


def is_longer(value: Any, chars: int) -> bool:
    """Whether a value written as JSON is longer than so many characters; one that cannot be written counts so."""
    try:
        for part in json.JSONEncoder(default=repr).iterencode(value):
            chars -= len(part)
            if chars < 0:
                return True
    except (RecursionError, TypeError, ValueError):
        return True
    return False


def wire_excerpt(raw: bytes, size_bytes: int) -> str:
    """Show bytes as they crossed the wire: line ends spelled out, each with a real one after it."""
    rest = f"\n… ({size(len(raw))} in all)" if len(raw) > size_bytes else ""
    return raw[:size_bytes].decode("utf-8", "backslashreplace").translate(_WIRE).removesuffix("\n") + rest


def json_excerpt(value: Any, chars: int, *, indent: int | None = 2) -> str:
    """Write a value as JSON, and stop writing at a length."""
    parts: list[str] = []
    room = chars
    try:
        for part in json.JSONEncoder(indent=indent, ensure_ascii=False, default=repr).iterencode(value):
            parts.append(part[:room])
            room -= len(part)
            if room < 0:
                parts.append(f"\n… (cut at {chars:,} characters)")
                break
    except (RecursionError, TypeError, ValueError) as error:
        parts.append(f"\n… (cannot be written as JSON: {type(error).__name__})")
    return visible("".join(parts))
