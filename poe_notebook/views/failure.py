"""What went wrong in one exchange, and what to type now: an exception, an ``error`` event, a refusal, a broken line.

Each case says what happened with its values, which rule it met, and the next command. Statuses follow RFC 9110.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from poe_notebook.tracing.exchange import Exchange, Raised, Recorded
from poe_notebook.views.blocks import Block, Facts, Listing, Prose, Section
from poe_notebook.views.events_table import data_of
from poe_notebook.views.wording import count, excerpt, in_trace, seconds

__all__ = ["error_event", "failure_sections"]

_MESSAGE_CHARS = 2_000
_LINES_CHARS = 6_000
_ERROR_BYTES = 64_000

_SAME_KEY = "Give both ends the same access key: `%%poebot NAME --access-key-env VAR` sets the bot's."
_REASONS: dict[int, tuple[str, str]] = {
    400: ("The body has to be one JSON object with a `type` that the protocol knows.", ""),
    401: ("The request has to carry the bot's access key.", _SAME_KEY),
    403: ("The access key in the request is not the bot's.", _SAME_KEY),
    404: ("No bot stands behind that address.", "`%poe bots` lists the bots served here, with their addresses."),
    413: ("The body is larger than the server takes.", "Send less, or attach files by their address."),
    422: ("A field of the body has a value that the protocol does not know.", ""),
    429: ("Too many requests in a short time.", "Wait a moment, then ask again."),
}


def failure_sections(exchange: Exchange) -> Iterator[Section]:
    """Say what went wrong, if anything did; at most one section."""
    if exchange.raised is not None:
        yield Section("What went wrong", _raised(exchange, exchange.raised), tone="bad")
    elif exchange.outcome == "refused":
        yield Section("What went wrong", [Facts(list(_refused(exchange)))], tone="bad")
    elif exchange.outcome == "failed" or error_event(exchange) is not None:
        yield Section("What went wrong", [Facts(list(_failed(exchange)))], tone="bad")
    elif exchange.outcome == "stopped":
        yield Section("Stopped", [Facts(list(_stopped(exchange)))], tone="warn")


def error_event(exchange: Exchange) -> Recorded | None:
    """Find the ``error`` event of an answer: the last one, if there are several."""
    return next((event for event in reversed(exchange.events) if event.type == "error"), None)


def _raised(exchange: Exchange, raised: Raised) -> list[Block]:
    error = raised.error
    facts: list[tuple[str, str | Prose]] = [
        ("what", f"The handler raised {excerpt(raised.type, 100)} {_when(exchange, raised.at_s)}."),
        ("message", excerpt(raised.message, _MESSAGE_CHARS, lines=True)),
        ("why", excerpt(str(getattr(error, "why", "")), _MESSAGE_CHARS)),
        ("Poe shows", _error_text(exchange)),
    ]
    now = [excerpt(str(getattr(error, "now", "")), _MESSAGE_CHARS), f"Mend the cell, run it, and {_again(exchange)}"]
    if error is not None:
        now.append(f"`{in_trace(exchange.number)}.raised.error` is the exception, with its frames.")
    lines = "\n".join(line.rstrip("\n") for line in raised.lines)
    listing: list[Block] = [Listing(_tail(lines))] if lines else []
    return [Facts(facts), *listing, Facts([("now", Prose(" ".join(filter(None, now))))])]


def _refused(exchange: Exchange) -> Iterator[tuple[str, str | Prose]]:
    status = next((t.status for t in (exchange.server, exchange.client) if t is not None and t.status), None)
    why, now = _REASONS.get(status or 0, ("", ""))
    words = f" with {status}{_phrase(status)}" if status else ""
    yield "what", f"The request was refused{words} before it reached a handler."
    yield "why", Prose(why)
    yield "now", Prose(now)


def _failed(exchange: Exchange) -> Iterator[tuple[str, str | Prose]]:
    event, now = error_event(exchange), _again(exchange)
    if event is None:
        yield "what", f"The answer broke off {_when(exchange, exchange.duration_s)}."
        yield "why", "An answer has to end with a done event, after an error event if it failed."
    else:
        data = _data(event)
        yield "what", f"The answer ended with an error event {_when(exchange, event.at_s)}."
        yield "Poe shows", _error_text(exchange)
        yield "error_type", _text(data.get("error_type"))
        if data.get("allow_retry") is False:
            now = "Change something first: the bot says that asking the same again would not help."
    yield "now", Prose(now[0].upper() + now[1:])


def _stopped(exchange: Exchange) -> Iterator[tuple[str, str | Prose]]:
    yield "what", f"The reader left, or pressed Stop, {_when(exchange, exchange.duration_s)}."


def _again(exchange: Exchange) -> str:
    return f"ask again: `%poe chat {shlex.quote(excerpt(exchange.bot, 100))} MESSAGE`."


def _when(exchange: Exchange, at_s: float | None) -> str:
    sent = count(len(exchange.events), "event")
    return f"after {seconds(at_s)}, with {sent} in the answer" if at_s is not None else f"after {sent}"


def _error_text(exchange: Exchange) -> str:
    event = error_event(exchange)
    return _text(_data(event).get("text")) if event is not None else ""


def _data(event: Recorded) -> dict[str, Any]:
    try:
        data = json.loads(data_of(event.raw[:_ERROR_BYTES]))
    except (ValueError, RecursionError):
        return {"text": excerpt(data_of(event.raw[:_ERROR_BYTES]), _MESSAGE_CHARS)}
    return data if isinstance(data, dict) else {"text": str(data)}


def _text(value: object) -> str:
    return "" if value is None else excerpt(str(value), _MESSAGE_CHARS, lines=True)


def _tail(lines: str) -> str:
    return lines if len(lines) <= _LINES_CHARS else f"…\n{lines[-_LINES_CHARS:]}"


def _phrase(status: int) -> str:
    return f" {HTTPStatus(status).phrase}" if status in HTTPStatus._value2member_map_ else ""
