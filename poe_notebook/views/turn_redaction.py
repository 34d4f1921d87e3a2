"""A reply without secrets: a copy with every text that a view shows passed through ``redact``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from poe_notebook.reply import Failure, Reply
from poe_notebook.protocol.messages import Attachment

__all__ = ["Redact", "redacted"]

Redact = Callable[[str], str]
"""Gives a text back without its secrets."""


def redacted(reply: Reply, redact: Redact) -> Reply:
    """Copy a reply with ``redact`` applied to every text in it that a view shows."""
    message = reply.message.model_copy(
        update={
            "content": redact(reply.message.content),
            "attachments": [_redacted_file(a, redact) for a in reply.message.attachments],
        }
    )
    return replace(
        reply,
        bot=redact(reply.bot),
        message=message,
        attachments=[_redacted_file(a, redact) for a in reply.attachments],
        suggested_replies=[redact(s) for s in reply.suggested_replies],
        failure=_redacted_failure(reply.failure, redact),
        note=redact(reply.note),
        responses={i: _redacted_response(r, redact) for i, r in reply.responses.items()},
    )


def _redacted_file(attachment: Attachment, redact: Redact) -> Attachment:
    names = ("name", "url", "content_type", "inline_ref")
    return attachment.model_copy(update={n: redact(v) for n in names if (v := getattr(attachment, n))})


def _redacted_failure(failure: Failure | None, redact: Redact) -> Failure | None:
    if failure is None:
        return None
    return replace(
        failure,
        text=redact(failure.text),
        error_type=redact(failure.error_type) if failure.error_type else None,
        hint=redact(failure.hint),
        traceback=redact(failure.traceback),
    )
