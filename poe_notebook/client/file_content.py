"""A file that is to be uploaded: its name, and its content, read once and in full.

Whatever the caller opened stays open, and is read from where it stands. The size limit is that of Poe's guides.
"""

from __future__ import annotations

import os
from typing import IO, TypeAlias

from poe_notebook.errors import InvalidParameterError, PoeNotebookError
from poe_notebook.protocol.limits import ATTACHMENT_BYTES

__all__ = ["AttachmentUploadError", "File", "content_of", "name_of"]

File: TypeAlias = bytes | bytearray | memoryview | str | os.PathLike[str] | IO[bytes] | IO[str]
"""What can be uploaded: bytes; a text, which is sent as UTF-8; a path; an opened file."""

_PIECE_BYTES = 1024 * 1024


class AttachmentUploadError(PoeNotebookError):
    """A file could not be uploaded; ``allow_retry``: whether trying again may help."""

    def __init__(self, what: str = "", *, why: str = "", now: str = "", allow_retry: bool = False) -> None:
        super().__init__(what, why=why, now=now)
        self.allow_retry = allow_retry


def name_of(file: File, *, given: str | None) -> str:
    """Give the name to send a file under: the one given, else its own. Raises ``InvalidParameterError``."""
    if isinstance(file, bytes | bytearray | memoryview | str):
        own = ""
    elif isinstance(file, os.PathLike):
        own = os.fsdecode(file)
    elif hasattr(file, "read"):
        own = _decoded(getattr(file, "name", ""))
    else:
        raise InvalidParameterError(
            f"file is {type(file).__name__}, which is no file.",
            why="A file is bytes, a text, a pathlib.Path, or an opened file.",
        )
    name = given or os.path.basename(own)
    if not name:
        hint = " For the file of that path pass pathlib.Path(...) as the file." if isinstance(file, str) else ""
        raise InvalidParameterError("The file has no name.", now=f"Pass file_name, say 'answer.txt'.{hint}")
    return name.encode("utf-8", "replace").decode("utf-8")  # of a name that is no Unicode, what can be sent


def _decoded(name: object) -> str:
    return os.fsdecode(name) if isinstance(name, str | bytes) else ""  # of a file opened by its number it is an int


def content_of(file: File, *, name: str) -> bytes:
    """Read a file. Blocks. Raises ``AttachmentUploadError`` if it cannot be read or is too large."""
    if isinstance(file, bytes | bytearray | memoryview):
        return _within_limit(bytes(file), name)
    try:
        if isinstance(file, str):
            return _within_limit(file.encode("utf-8"), name)
        if isinstance(file, os.PathLike):
            with open(file, "rb") as opened:
                return _read(opened, name)
        return _read(file, name)
    except (OSError, TypeError, ValueError) as error:  # the latter: closed, no text, or read() gives something else
        raise AttachmentUploadError(f"{name} cannot be read: {error}") from error


def _read(opened: IO[bytes] | IO[str], name: str) -> bytes:
    content = bytearray()
    while piece := opened.read(_PIECE_BYTES):
        content += piece.encode("utf-8") if isinstance(piece, str) else piece
        if len(content) > ATTACHMENT_BYTES:
            break
    return _within_limit(bytes(content), name)


def _within_limit(content: bytes, name: str) -> bytes:
    if len(content) > ATTACHMENT_BYTES:
        raise AttachmentUploadError(
            f"{name} is too large to be uploaded: it has more than {ATTACHMENT_BYTES // 1_000_000} MB.",
            why="That is the most that Poe takes as one file.",
            now="Upload it in parts, or give a link to it.",
        )
    return content
