"""A stand-in for Poe and its bots, as the guides' programs need them: answers, uploads, settings, a document."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PyPDF2 import PdfWriter
from recording_poe import DONE, RecordingPoe, Reply, Seen, in_json, plain, poe, sse, text

PAGES = 3


def document() -> bytes:
    """Make a PDF."""
    writer, raw = PdfWriter(), io.BytesIO()
    for _ in range(PAGES):
        writer.add_blank_page(width=100, height=100)
    writer.write(raw)
    return raw.getvalue()


def _answer(seen: Seen) -> Reply:
    if seen.path == "/document.pdf":
        return Reply([document()], content_type="application/pdf")
    if seen.path.startswith("/poe_api/"):
        return in_json({"attachment_url": "https://files.example/stored", "mime_type": "text/x-stored"})
    if seen.path.startswith(("/bot/fetch_settings/", "/bot/update_settings/")):
        return plain("settings taken over", status=200)
    if seen.path == "/bot/GPT-3.5-Turbo":
        return _bot(seen.json)
    return plain("nothing here", status=404)


def _bot(query: dict[str, Any]) -> Reply:
    if query["tools"] is None:
        return sse(text("You said: "), text(query["query"][-1]["content"]), DONE)
    if query["tool_results"] is None:
        name = query["tools"][0]["function"]["name"]
        call = {"index": 0, "id": "c1", "type": "function", "function": {"name": name, "arguments": ARGUMENTS}}
        return sse(_chunk({"tool_calls": [call]}), _chunk({}, "tool_calls"), DONE)
    return sse(_chunk({"content": f"It says {query['tool_results'][0]['content']}"}), _chunk({}, "stop"), DONE)


ARGUMENTS = '{"location": "San Francisco, CA"}'


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> tuple[str, dict[str, Any]]:
    return "json", {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}


@contextmanager
def guided_poe() -> Iterator[RecordingPoe]:
    """Run it."""
    with poe(_answer) as running:
        yield running
