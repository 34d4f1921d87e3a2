"""A reply without secrets: a copy with every text that a view shows passed through ``redact``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from poe_notebook.protocol.call_pieces import CallPieces, GrowingCall
from poe_notebook.protocol.messages import Attachment
from poe_notebook.reply import Failure, NestedCall, Reply, Response

__all__ = ["Redact", "redacted", "redacted_file"]

Redact = Callable[[str], str]
"""Gives a text back without its secrets."""


def redacted(reply: Reply, redact: Redact | None, *, with_answer: bool = True) -> Reply:
    """Copy a reply with ``redact`` applied to every text in it that a view shows; itself if there is none.

    ``with_answer=False`` leaves the answer's own text, which grows, to a view that shows only what stands around it.
    """
    if redact is None:
        return reply
    message = reply.message.model_copy(
        update={
            "content": redact(reply.message.content),
            "attachments": [redacted_file(a, redact) for a in reply.message.attachments],
        }
    )
    responses = reply.responses
    if with_answer:
        responses = {index: _response(response, redact) for index, response in responses.items()}
    return replace(
        reply,
        bot=redact(reply.bot),
        message=message,
        responses=responses,
        attachments=[redacted_file(a, redact) for a in reply.attachments],
        suggested_replies=[redact(s) for s in reply.suggested_replies],
        nested=[_nested(call, redact) for call in reply.nested],
        metadata=redact(reply.metadata) if reply.metadata else reply.metadata,
        failure=_failure(reply.failure, redact),
        note=redact(reply.note),
        _calls=_calls(reply, redact),
    )


def redacted_file(attachment: Attachment, redact: Redact) -> Attachment:
    """Copy an attachment with ``redact`` applied to what a view says of it."""
    names = ["name", "content_type", "inline_ref"]
    if attachment.url[:5].lower() != "data:":  # which is not shown, and may be long
        names.append("url")
    return attachment.model_copy(update={n: redact(v) for n in names if (v := getattr(attachment, n))})


def _response(response: Response, redact: Redact) -> Response:
    files = [redacted_file(a, redact) for a in response.attachments]
    return replace(response, attachments=files, _parts=[redact(response.text)])


def _calls(reply: Reply, redact: Redact) -> CallPieces:
    pieces = CallPieces()
    pieces.calls = [_call(call, redact) for call in reply.tool_calls]
    return pieces


def _call(call: GrowingCall, redact: Redact) -> GrowingCall:
    result = None if call.result is None else redact(call.result)
    return GrowingCall(
        name=redact(call.name) if call.name else None, result=result, _arguments=[redact(call.arguments)]
    )


def _nested(call: NestedCall, redact: Redact) -> NestedCall:
    return replace(
        call,
        bot=redact(call.bot),
        text=redact(call.text),
        tool_calls=[_call(tool, redact) for tool in call.tool_calls],
        calls=[_nested(inner, redact) for inner in call.calls],
    )


def _failure(failure: Failure | None, redact: Redact) -> Failure | None:
    if failure is None:
        return None
    return replace(
        failure,
        text=redact(failure.text),
        error_type=redact(failure.error_type) if failure.error_type else None,
        hint=redact(failure.hint),
        traceback=redact(failure.traceback),
    )
