"""What the page of a panel may ask for, as checked values. Pure.

A page is untrusted in size and shape: what fits no form here is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from poe_notebook.protocol.messages import REACTION_SIGNS

__all__ = [
    "MESSAGE_CHARS",
    "PIECE_BYTES",
    "Attach",
    "Drop",
    "Edit",
    "Fetch",
    "FindNames",
    "New",
    "Piece",
    "React",
    "Retry",
    "Send",
    "Stop",
    "Sync",
    "ToTurn",
    "Wish",
    "read_wish",
]

MESSAGE_CHARS = 1_000_000  # of one message; a Jupyter server closes the connection at 10 MB (tornado's default)
PIECE_BYTES = 1_000_000  # of a file in one message, for the same reason
_ID_CHARS = 64
_NAME_CHARS = 1_000
_FILES = 100
_PARAMETERS = 500


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message. ``ask`` is the page's number for it, ``files`` are ids of attached files."""

    ask: int
    text: str
    files: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edit:
    """Send another text in place of an earlier message; it and all after it are set aside."""

    ask: int
    turn: str
    text: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Send the same request again."""

    ask: int
    turn: str


@dataclass(frozen=True, slots=True)
class Stop:
    """End the answer that is under way."""


@dataclass(frozen=True, slots=True)
class New:
    """Begin a new conversation."""


@dataclass(frozen=True, slots=True)
class React:
    """React to an answer."""

    turn: str
    reaction: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a file from the page, beginning at byte ``at`` of ``size_bytes``."""

    id: str
    name: str
    content_type: str
    size_bytes: int
    at: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attach:
    """Attach an object of the kernel, or a file it can read, by name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Take a file off the message."""

    id: str


@dataclass(frozen=True, slots=True)
class FindNames:
    """Find names in the kernel that could be attached."""

    ask: int
    start: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """Give a text: ``answer`` of a turn, or the transcript as ``markdown`` or ``json``."""

    ask: int
    what: str
    turn: str = ""


@dataclass(frozen=True, slots=True)
class Sync:
    """Give everything as it stands: the page has missed something."""


@dataclass(frozen=True, slots=True)
class ToTurn:
    """A message of the live view of one turn."""

    turn: str
    message: Mapping[str, Any]
    buffers: Sequence[Any] = ()


Wish = Send | Edit | Retry | Stop | New | React | Piece | Attach | Drop | FindNames | Fetch | Sync | ToTurn


def read_wish(content: object, buffers: Sequence[Any] = ()) -> Wish | None:
    """Read what the page sent; none if it is nothing that can be done."""
    if not isinstance(content, dict):
        return None
    make = _WISHES.get(content.get("kind") if isinstance(content.get("kind"), str) else None)
    try:
        return make(content, buffers) if make is not None else None
    except (KeyError, TypeError, ValueError):
        return None


def _send(given: dict[str, Any], buffers: Sequence[Any]) -> Wish:
    files = given.get("files", [])
    if not isinstance(files, list) or len(files) > _FILES:
        raise ValueError(files)
    return Send(
        _number(given["ask"]),
        _text(given["text"], MESSAGE_CHARS),
        files=tuple(_text(each, _ID_CHARS) for each in files),
        parameters=_parameters(given.get("parameters", {})),
    )


def _piece(given: dict[str, Any], buffers: Sequence[Any]) -> Wish:
    content = bytes(buffers[0]) if buffers else b""
    size_bytes, at = _number(given["size"]), _number(given["at"])
    if len(content) > PIECE_BYTES or at + len(content) > size_bytes:
        raise ValueError(at)
    return Piece(
        _text(given["id"], _ID_CHARS),
        _text(given["name"], _NAME_CHARS),
        _text(given["type"], _NAME_CHARS),
        size_bytes=size_bytes,
        at=at,
        content=content,
    )


def _react(given: dict[str, Any], buffers: Sequence[Any]) -> Wish:
    if given["reaction"] not in REACTION_SIGNS:
        raise ValueError(given["reaction"])
    return React(_id(given, "turn"), given["reaction"])


def _fetch(given: dict[str, Any], buffers: Sequence[Any]) -> Wish:
    if given["what"] not in ("answer", "markdown", "json"):
        raise ValueError(given["what"])
    return Fetch(_number(given["ask"]), given["what"], turn=_text(given.get("turn", ""), _ID_CHARS))


def _to_turn(given: dict[str, Any], buffers: Sequence[Any]) -> Wish:
    if not isinstance(given["message"], dict):
        raise TypeError(given["message"])
    return ToTurn(_id(given, "turn"), given["message"], buffers)


_WISHES: dict[str | None, Any] = {
    "send": _send,
    "edit": lambda given, _: Edit(_number(given["ask"]), _id(given, "turn"), _text(given["text"], MESSAGE_CHARS)),
    "retry": lambda given, _: Retry(_number(given["ask"]), _id(given, "turn")),
    "stop": lambda given, _: Stop(),
    "new": lambda given, _: New(),
    "react": _react,
    "file": _piece,
    "attach": lambda given, _: Attach(_id(given, "id"), _text(given["name"], _NAME_CHARS)),
    "drop": lambda given, _: Drop(_id(given, "id")),
    "names": lambda given, _: FindNames(_number(given["ask"]), _text(given["start"], _NAME_CHARS)),
    "fetch": _fetch,
    "sync": lambda given, _: Sync(),
    "turn": _to_turn,
}


def _id(given: dict[str, Any], name: str) -> str:
    return _text(given[name], _ID_CHARS)


def _text(value: object, chars: int) -> str:
    if not isinstance(value, str) or len(value) > chars:
        raise ValueError(type(value))
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise ValueError(value)
    return value


def _parameters(given: object) -> dict[str, Any]:
    if not isinstance(given, dict) or len(given) > _PARAMETERS:
        raise ValueError(type(given))
    return {_text(name, _ID_CHARS * 4): _scalar(value) for name, value in given.items()}


def _scalar(value: object) -> object:
    if isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= MESSAGE_CHARS):
        return value
    raise ValueError(type(value))
