"""What a bot gave that did not come through, and what it said itself: known at its own end, if that is in this kernel.

Poe takes no more than its limits allow, and says so in an error of its own; a reply holds what came through.
"""

from __future__ import annotations

from poe_notebook.protocol.limits import ATTACHMENTS_PER_RESPONSE
from poe_notebook.reply import Reply
from poe_notebook.tracing.exchange import Events
from poe_notebook.views.wording import count

__all__ = ["lost_files", "lost_text", "no_retry"]

_TEXTS = frozenset({"text", "replace_response"})
_TAKEN = f"Poe takes {ATTACHMENTS_PER_RESPONSE} files with an answer."
_REPORT = f"More than {ATTACHMENTS_PER_RESPONSE} files"
_NO_RETRY = "{} says that asking the same again would not help."


def lost_files(reply: Reply) -> str:
    """Say how many files came after those that Poe takes."""
    exchange = reply.exchange
    if exchange is None or not reply.is_finished or len(reply.attachments) < ATTACHMENTS_PER_RESPONSE:
        return ""
    events = _events(reply)
    more = 0 if events is None else events.types.count("file") - len(reply.attachments)
    if more > 0:
        return f"… and {count(more, 'more file')}, which did not arrive. {_TAKEN}"
    is_reported = any(report.text == _REPORT for report in list(exchange.reports))
    return f"… and more files, which did not arrive. {_TAKEN}" if events is None and is_reported else ""


def lost_text(reply: Reply) -> str:
    """Say what became of the text of an answer that failed before any of it came."""
    events = _events(reply)
    if events is None:
        return "No text has arrived."
    if _TEXTS.isdisjoint(events.types):
        return "The bot sent no text."
    chars = len(reply.exchange.text) if reply.exchange is not None else 0
    if not chars:
        return "The bot sent no text that can be read."
    return f"The bot sent a text of {count(chars, 'character')}, none of which was taken."


def no_retry(reply: Reply) -> str:
    """Say who says that asking again would not help: the bot, only if its own error does."""
    if reply.failure is None or reply.failure.allow_retry:
        return ""
    events = _events(reply)
    if events is None:
        return _NO_RETRY.format("The error")
    errors = (events[at].data for at, type_ in enumerate(events.types) if type_ == "error")
    is_said = any(isinstance(data, dict) and data.get("allow_retry") is False for data in errors)
    return _NO_RETRY.format("The bot") if is_said else ""


def _events(reply: Reply) -> Events | None:
    """Give all events that the bot's end recorded; none if it is elsewhere, or the trace had no room for them."""
    tap = reply.exchange.server if reply.exchange is not None else None
    return tap.events if tap is not None and tap.events and not tap.omitted else None
