"""What is said of a file in words, on pages and in terminals alike."""

from __future__ import annotations

from collections.abc import Container, Sequence

from poe_notebook.views.media.files import File
from poe_notebook.views.wording import excerpt, size

__all__ = ["LISTED", "facts", "files_text", "name_of"]

LISTED = 50
_NAME_CHARS = 200
_URL_CHARS = 500


def name_of(file: File) -> str:
    """Give a file's name on one line."""
    return excerpt(file.attachment.name, _NAME_CHARS)


def facts(file: File, in_text: Container[int] = ()) -> str:
    """Say a file's type, an image's pixels, its size if it is known, and whether it is one of those in the text."""
    pixels = f"{file.look.width:,} × {file.look.height:,} pixels" if file.look.width > 0 else ""
    length = size(len(file.data)) if file.data is not None else ""
    reference = excerpt(file.attachment.inline_ref or "", 80)
    place = f"{'shown in the text as' if file.number in in_text else 'inline_ref'} {reference}" if reference else ""
    return ", ".join(filter(None, [excerpt(file.attachment.content_type, _NAME_CHARS), pixels, length, place]))


def files_text(files: Sequence[File], *, in_text: Container[int] = (), note: str = "") -> list[str]:
    """List files with their types and addresses, a line each; ``note`` comes last."""
    if not files:
        return []
    more = [f"… and {len(files) - LISTED:,} more"] if len(files) > LISTED else []
    listed = [f"- {name_of(file)} ({facts(file, in_text)}){_address(file)}" for file in files[:LISTED]]
    return ["Attachments:", *listed, *more, *([note] if note else [])]


def _address(file: File) -> str:
    url = file.attachment.url
    return "" if url[:5].lower() == "data:" else f" {excerpt(url, _URL_CHARS)}"
