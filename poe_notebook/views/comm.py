"""What a custom message of a comm can carry: JSON. Files in it are written as base64 text, which the page reads again.

A widget's state needs no such thing, since ipywidgets takes the bytes in it out by itself.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

__all__ = ["as_json"]


def as_json(value: Any) -> Any:
    """Give a message with all ``bytes`` in it as base64 text."""
    if isinstance(value, bytes | bytearray | memoryview):
        return b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {name: as_json(each) for name, each in value.items()}
    return [as_json(each) for each in value] if isinstance(value, list | tuple) else value
