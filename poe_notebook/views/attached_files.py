"""The files of one exchange in a table, with what is at hand of each: its size, its first lines or its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from poe_notebook.tracing.exchange import Exchange
from poe_notebook.views.blocks import Block, Column, Drawing, Prose, Table
from poe_notebook.views.blocks_html import blocks_html
from poe_notebook.views.blocks_text import blocks_text
from poe_notebook.views.html import Bundle, bundle, framed
from poe_notebook.views.previews import preview_html, preview_text
from poe_notebook.views.wording import excerpt, in_trace, size

__all__ = ["AttachedFile", "attached_files_bundle"]

_MOST_FILES, _MOST_PICTURES = 50, 12
_PREVIEW_BYTES = 4_000_000
_NAME_CHARS = 80
_ADDRESS_CHARS = 120


@dataclass(frozen=True, slots=True, repr=False)
class AttachedFile:
    """A file that came with a message or an answer; ``content`` is none unless this kernel keeps it.

    ``source`` says where it was, ``message 3`` or ``answer, event 12``.
    """

    source: str
    name: str
    content_type: str
    url: str
    content: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, source: str, attachment: Mapping[str, Any], content: bytes | None) -> AttachedFile:
        """Make one of an attachment's fields, whatever kinds they are."""
        name, kind, url = (str(attachment.get(key) or "") for key in ("name", "content_type", "url"))
        return cls(source, name, kind, url, content)

    @property
    def size_bytes(self) -> int | None:
        """How large it is, if its content is at hand."""
        return None if self.content is None else len(self.content)

    def __repr__(self) -> str:
        length = size(len(self.content)) if self.content is not None else "content not at hand"
        return f"<AttachedFile {excerpt(self.name, _NAME_CHARS)!r}, {excerpt(self.content_type, 60)}, {length}>"


def attached_files_bundle(exchange: Exchange, files: Sequence[AttachedFile]) -> Bundle:
    """Show the files of an exchange."""
    if not files:
        blocks: list[Block] = [Prose(f"No file came with exchange {exchange.number:,}, and none was sent.")]
    else:
        columns = [Column("from", "label"), Column("name"), Column("type", "label"), Column("size", "number")]
        rows = [_row(file) for file in files[:_MOST_FILES]]
        table = Table("Files", [*columns, Column("preview"), Column("address", "code")], rows)
        blocks = [table, *_pictures(files)]
        if len(files) > _MOST_FILES:
            more = f"… and {len(files) - _MOST_FILES:,} more, in `{in_trace(exchange.number)}`"
            blocks.append(Prose(more, "muted"))
    return bundle(framed(blocks_html(blocks), label=f"Files of exchange {exchange.number}"), blocks_text(blocks))


def _row(file: AttachedFile) -> list[str]:
    content = file.content
    preview = preview_text(file.name, file.content_type, content) if content is not None else "not kept here"
    length = size(len(content)) if content is not None else "-"
    name, kind = excerpt(file.name, _NAME_CHARS), excerpt(file.content_type, _NAME_CHARS)
    return [file.source, name, kind, length, "" if preview == length else preview, excerpt(file.url, _ADDRESS_CHARS)]


def _pictures(files: Sequence[AttachedFile]) -> list[Drawing]:
    small = [file for file in files if file.content is not None and len(file.content) <= _PREVIEW_BYTES]
    drawn = (preview_html(file.name, file.content_type, file.content or b"") for file in small)
    return [Drawing(html, "") for html in drawn if html][:_MOST_PICTURES]
