"""Transcripts of a chat to keep elsewhere: Markdown for people, JSON for programs. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from poe_notebook.protocol.messages import Attachment
from poe_notebook.reply import Reply
from poe_notebook.views.transcript import heading_text
from poe_notebook.views.turn_after import footer

__all__ = ["transcript_json", "transcript_markdown"]

Part = tuple[str, Sequence[Reply]]
"""Turns that stand together, and why they were set aside; no words for those that count."""


def transcript_markdown(bot: str, parts: Iterable[Part]) -> str:
    """Write the chat as Markdown; what was set aside is said to be."""
    lines = [f"# Chat with {bot}"]
    for words, replies in parts:
        if words and replies:
            lines.append(f"*{words}:*")
        for reply in replies:
            lines += _turn(reply)
        if words and replies:
            lines.append("*(End of what was set aside.)*")
    return "\n\n".join(lines) + "\n"


def transcript_json(bot: str, parts: Iterable[Part]) -> str:
    """Write the chat as JSON: ``{"bot", "turns": [{"message", "answer", …}]}``, times in seconds."""
    turns = [_record(reply, words) for words, replies in parts for reply in replies]
    return json.dumps({"bot": bot, "turns": turns}, ensure_ascii=False, indent=2) + "\n"


def _turn(reply: Reply) -> Iterator[str]:
    yield "## You"
    yield reply.message.content or "*(no text)*"
    yield from _files(reply.message.attachments)
    if reply.message.parameters:
        yield f"Parameters: `{json.dumps(reply.message.parameters, ensure_ascii=False)}`"
    yield f"## {heading_text(reply)}"
    if reply.text:
        yield reply.text if reply.content_type == "text/markdown" else f"```text\n{reply.text}\n```"
    yield from _files(reply.attachments)
    if reply.failure is not None:
        yield f"> **Error:** {reply.failure.text or 'no text'}".replace("\n", "\n> ")
    if reply.state == "stopped":
        yield f"*Stopped. {reply.note}*"
    yield f"*{footer(reply)}*"


def _files(attachments: Sequence[Attachment]) -> Iterator[str]:
    if attachments:
        yield "\n".join(f"- [{each.name}]({each.url}) ({each.content_type})" for each in attachments)


def _record(reply: Reply, words: str) -> dict[str, Any]:
    failure = reply.failure
    return {
        "message": reply.message.model_dump(mode="json", include={"content", "attachments", "parameters", "timestamp"}),
        "answer": {
            "bot": reply.bot,
            "route": reply.route,
            "generation": reply.generation,
            "state": reply.state,
            "content_type": reply.content_type,
            "text": reply.text,
            "attachments": [each.model_dump(mode="json") for each in reply.attachments],
            "suggested_replies": list(reply.suggested_replies),
            "failure": {"text": failure.text, "error_type": failure.error_type} if failure is not None else None,
            "note": reply.note,
        },
        "message_id": reply.message_id,
        "events": len(reply.events),
        "first_text_s": reply.first_text_s,
        "duration_s": reply.duration_s,
        "set_aside": words or None,
    }
