"""The attachments of one exchange: those that came with the request's messages, and those that the answer sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from poe_notebook.tracing.exchange import Exchange
from poe_notebook.views.blocks import Cell, Column, Prose, Section, Table
from poe_notebook.views.events_table import data_of
from poe_notebook.views.request import messages_of
from poe_notebook.views.wording import count, excerpt, in_trace

__all__ = ["attachment_sections"]

_MAX_ATTACHMENTS = 50
_ADDRESS_CHARS = 120
_PARSED_CHARS = 2_000
_EVENT_BYTES = 64_000


def attachment_sections(exchange: Exchange) -> Iterator[Section]:
    """Build the section about attachments; none if there were none."""
    found = [*_asked(exchange), *_answered(exchange)]
    if not found:
        return
    short = [Column(title, "label") for title in ("type", "inline_ref", "parsed text")]
    columns = [Column("from", "label"), Column("name"), *short, Column("address", "code")]
    rows = [_row(source, attachment) for source, attachment in found[:_MAX_ATTACHMENTS]]
    more = len(found) - len(rows)
    rest = [Prose(f"… and {more:,} more, in `{in_trace(exchange.number)}`", "muted")] if more else []
    yield Section("Attachments", [Table("Attachments", columns, rows), *rest], aside=f"{len(found):,}")


def _asked(exchange: Exchange) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, message in enumerate(messages_of(exchange), 1):
        attachments = message.get("attachments")
        for attachment in attachments if isinstance(attachments, list) else []:
            if isinstance(attachment, dict):
                yield f"message {number:,}", attachment


def _answered(exchange: Exchange) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, event in enumerate(exchange.events, 1):
        if event.type == "file":
            yield f"answer, event {number:,}", _file(event.raw[:_EVENT_BYTES])


def _file(raw: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(data_of(raw))
    except (ValueError, RecursionError):
        return {"url": data_of(raw)}
    return data if isinstance(data, dict) else {"url": str(data)}


def _row(source: str, attachment: Mapping[str, Any]) -> list[str | Cell]:
    name, kind, ref = (excerpt(_text(attachment, key), 80) for key in ("name", "content_type", "inline_ref"))
    parsed = _text(attachment, "parsed_content")
    shown = Cell(count(len(parsed), "character"), excerpt(parsed, _PARSED_CHARS, lines=True)) if parsed else ""
    return [source, name, kind, ref, shown, excerpt(_text(attachment, "url"), _ADDRESS_CHARS)]


def _text(attachment: Mapping[str, Any], key: str) -> str:
    value = attachment.get(key)
    return "" if value is None else str(value)
