"""The attachments of one exchange: those that came with the request's messages, and those that the answer sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.reading import data_of, value_of
from poe_notebook.views.blocks import Block, Cell, Column, Drawing, Prose, Section, Table
from poe_notebook.views.previews import Previews, bytes_at, preview_html, preview_text
from poe_notebook.views.request import messages_of
from poe_notebook.views.wording import count, excerpt, in_trace

__all__ = ["attachment_sections", "attachments_of"]

_MAX_ATTACHMENTS, _MAX_PICTURES = 50, 12
_ADDRESS_CHARS = 120
_PARSED_CHARS = 2_000
_EVENT_BYTES = 64_000


def attachment_sections(exchange: Exchange, previews: Previews) -> Iterator[Section]:
    """Build the section about attachments; none if there were none."""
    found = attachments_of(exchange)
    if not found:
        return
    short = [Column(title, "label") for title in ("type", "inline_ref", "parsed text")]
    columns = [Column("from", "label"), Column("name"), *short, Column("preview"), Column("address", "code")]
    rows = [_row(source, attachment, previews) for source, attachment in found[:_MAX_ATTACHMENTS]]
    blocks: list[Block] = [Table("Attachments", columns, rows), *_pictures(found, previews)]
    more = len(found) - len(rows)
    if more:
        blocks.append(Prose(f"… and {more:,} more, in `{in_trace(exchange.number)}`", "muted"))
    yield Section("Attachments", blocks, aside=f"{len(found):,}")


def attachments_of(exchange: Exchange) -> list[tuple[str, Mapping[str, Any]]]:
    """Give the attachments, as far as they are any, each with where it came from."""
    return [*_asked(exchange), *_answered(exchange)]


def _asked(exchange: Exchange) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, message in enumerate(messages_of(exchange), 1):
        attachments = message.get("attachments")
        for attachment in attachments if isinstance(attachments, list) else []:
            if isinstance(attachment, dict):
                yield f"message {number:,}", attachment


def _answered(exchange: Exchange) -> Iterator[tuple[str, Mapping[str, Any]]]:
    events, types = exchange.events, exchange.events.types
    for at, type_ in enumerate(types if "file" in types else ()):
        if type_ == "file":
            yield f"answer, event {at + 1:,}", _file(events[at].raw[:_EVENT_BYTES])


def _file(raw: bytes) -> Mapping[str, Any]:
    data = value_of(raw)
    return data if isinstance(data, dict) else {"url": data_of(raw)}


def _row(source: str, attachment: Mapping[str, Any], previews: Previews) -> list[str | Cell]:
    name, kind, ref = (excerpt(_text(attachment, key), 80) for key in ("name", "content_type", "inline_ref"))
    parsed, url = _text(attachment, "parsed_content"), _text(attachment, "url")
    shown = Cell(count(len(parsed), "character"), excerpt(parsed, _PARSED_CHARS, lines=True)) if parsed else ""
    raw = bytes_at(url, previews)
    preview = preview_text(name, kind, raw) if raw is not None else ""
    return [source, name, kind, ref, shown, preview, excerpt(url, _ADDRESS_CHARS)]


def _pictures(found: list[tuple[str, Mapping[str, Any]]], previews: Previews) -> Iterator[Block]:
    shown = 0
    for _, attachment in found:
        raw = bytes_at(_text(attachment, "url"), previews)
        html = preview_html(_text(attachment, "name"), "", raw) if raw is not None else ""
        if html and shown < _MAX_PICTURES:
            shown += 1
            yield Drawing(html, "")


def _text(attachment: Mapping[str, Any], key: str) -> str:
    value = attachment.get(key)
    return "" if value is None else str(value)
