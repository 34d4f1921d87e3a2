"""What was asked in one exchange: the conversation, its parameters, the other fields, the headers.

The body is a plain dict that may have come from anywhere: nothing here trusts a field to be there or of its type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from poe_notebook.tracing.exchange import Exchange
from poe_notebook.views.blocks import Block, Cell, Column, Facts, Folded, Prose, Section, Table
from poe_notebook.views.wording import count, excerpt, in_trace, json_excerpt

__all__ = ["header_facts", "messages_of", "request_section"]

_MAX_MESSAGES = 50
_MAX_FIELDS = 40
_CONTENT_CHARS = 2_000
_FIELD_CHARS = 300


def request_section(exchange: Exchange) -> Section:
    """Build the section about an exchange's request."""
    messages = messages_of(exchange)
    blocks: list[Block] = [*_conversation(exchange, messages), Facts(list(_fields(exchange.request, messages)))]
    headers = header_facts(exchange.request_headers)
    if headers:
        blocks.append(Folded(f"Headers ({len(headers)})", [Facts(headers)]))
    return Section("Request", blocks, aside=count(len(messages), "message") if messages else "")


def messages_of(exchange: Exchange) -> list[dict[str, Any]]:
    """Give the messages of a query, as far as they are messages."""
    query = exchange.request.get("query")
    return [message for message in query if isinstance(message, dict)] if isinstance(query, list) else []


def header_facts(headers: Mapping[str, str]) -> list[tuple[str, str | Prose]]:
    """Word headers as facts, cut to a bounded number and length."""
    return [(excerpt(name, 80), excerpt(value, _FIELD_CHARS)) for name, value in list(headers.items())[:_MAX_FIELDS]]


def _conversation(exchange: Exchange, messages: list[dict[str, Any]]) -> Iterator[Block]:
    earlier = len(messages) - _MAX_MESSAGES
    if earlier > 0:
        rest = f'{in_trace(exchange.number)}.request["query"][:{earlier}]'
        yield Prose(f"{count(earlier, 'earlier message')}: `{rest}`", "muted")
    if messages:
        labels = [Column("role", "label"), Column("attached", "label")]
        columns = [Column("#", "number"), *labels, Column("content", "code")]
        shown = messages[-_MAX_MESSAGES:]
        rows = [_row(at, message) for at, message in enumerate(shown, max(earlier, 0) + 1)]
        yield Table("Conversation", columns, rows)


def _row(number: int, message: Mapping[str, Any]) -> list[str | Cell]:
    attachments = message.get("attachments")
    attached = f"{len(attachments):,}" if isinstance(attachments, list) and attachments else ""
    content = _value(message.get("content"), _CONTENT_CHARS)
    return [f"{number:,}", _value(message.get("role"), 40), attached, content or Cell("(empty)", tone="muted")]


def _fields(request: Mapping[str, Any], messages: list[dict[str, Any]]) -> Iterator[tuple[str, str | Prose]]:
    if messages and messages[-1].get("parameters"):
        yield "parameters", _value(messages[-1]["parameters"], _FIELD_CHARS)
    for name, value in list(request.items())[:_MAX_FIELDS]:
        if name != "query" and value is not False and value not in (None, "", [], {}):
            yield excerpt(str(name), 80), _value(value, _FIELD_CHARS)


def _value(value: object, chars: int) -> str:
    if value is None or isinstance(value, str):
        return excerpt(value or "", chars, lines=True)
    if isinstance(value, dict | list):
        return excerpt(json_excerpt(value, chars, indent=None), chars)
    return excerpt(str(value), chars)
