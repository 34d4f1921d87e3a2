"""An exchange as lines of JSON: what ``files`` writes. ``parsing`` reads the same lines."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

from poe_notebook.errors import BotProtocolError
from poe_notebook.protocol.events import encode, encode_text
from poe_notebook.tracing.exchange import Exchange, Raised, Recorded, Tap

__all__ = ["FORMAT", "PLAIN", "event_fields", "exchange_lines", "json_line"]

FORMAT = "1.1"
"""Changes before the point when older readers cannot read it, behind it when they merely miss something."""

PLAIN = rb"[ !#-\[\]-~]*"
"""Text that stands in JSON as it is: most pieces of an answer. They are written and read three times faster for it."""

_PLAIN_EVENT = re.compile((b"(%b)" % PLAIN).join(map(re.escape, encode_text("|").split(b"|"))))
_HEAD = ("bot", "kind", "outcome", "route", "generation", "message_id", "url", "parent", "children", "note")


def exchange_lines(exchange: Exchange, *, clean: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """Give the lines of an exchange, each with its end; ``clean`` takes keys out of an event's bytes."""
    yield json_line(_head(exchange))
    for line in list(exchange.logs):
        fields = {"log": line.source, "at_s": _seconds(line.at_s), "text": line.text}
        yield json_line({**fields, "level": line.level} if line.level else fields)
    for report in list(exchange.reports):
        fields = {"report": report.source, "at_s": _seconds(report.at_s), "text": report.text, "values": report.values}
        yield json_line(fields)
    for blocked in list(exchange.blocked):
        times = {"blocked": str(blocked.at), "at_s": _seconds(blocked.at_s), "length_s": _seconds(blocked.length_s)}
        yield json_line({**times, "at": list(blocked.at), "inside": blocked.inside})
    for name, tap in (("server", exchange.server), ("client", exchange.client)):
        if tap is not None:
            yield json_line(_end(name, tap))
            for event in tap.events:
                yield _event_line(event, clean)


def event_fields(event: Recorded, *, clean: Callable[[bytes], bytes] = bytes) -> dict[str, Any]:
    """Give an event as values of JSON: its data if its bytes can be made from that again, else the bytes themselves."""
    raw = clean(event.raw)
    fields = {"at_s": _seconds(event.at_s), "type": event.type}
    data = Recorded(event.at_s, event.type, raw).data
    if isinstance(data, dict) and _encoded(event.type, data) == raw:
        return {**fields, "data": data}
    try:
        return {**fields, "raw": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {**fields, "base64": b64encode(raw).decode("ascii")}


def _event_line(event: Recorded, clean: Callable[[bytes], bytes]) -> bytes:
    plain = _PLAIN_EVENT.fullmatch(clean(event.raw)) if event.type == "text" else None
    if plain is None:
        return json_line(event_fields(event, clean=clean))
    return b'{"at_s":%a,"type":"text","data":{"text":"%b"}}\n' % (_seconds(event.at_s), plain[1])


def json_line(value: Any) -> bytes:
    """Write a value as one line: in plain letters if all of them can be seen, else in ASCII."""
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    if not line.isprintable():
        line = json.dumps(value, separators=(",", ":"), default=str)
    return line.encode("utf-8") + b"\n"


def _head(exchange: Exchange) -> dict[str, Any]:
    fields: dict[str, Any] = {"exchange": exchange.number}
    fields |= {name: getattr(exchange, name) for name in _HEAD if getattr(exchange, name) not in (None, "", [])}
    fields["started_at"] = exchange.started_at.isoformat()
    if exchange.raised is not None:
        fields["raised"] = _raised(exchange.raised)
    if exchange.response is not None:
        fields["response"] = exchange.response
    if exchange.asked is not None:
        fields["asked"] = exchange.asked
    return {**fields, "request_headers": exchange.request_headers, "request": exchange.request}


def _raised(raised: Raised) -> dict[str, Any]:
    fields = {"at_s": _seconds(raised.at_s), "type": raised.type, "message": raised.message, "lines": raised.lines}
    return {**fields, "at": list(raised.at) if raised.at is not None else None, "variables": raised.variables}


def _end(name: str, tap: Tap) -> dict[str, Any]:
    ended_s = _seconds(tap.ended_s) if tap.ended_s is not None else None
    chunks = [[_seconds(at_s), size] for at_s, size in list(tap.chunks)]
    fields = {"end": name, "status": tap.status, "ended_s": ended_s, "omitted": tap.omitted}
    return {**fields, "headers": tap.headers, "chunks": chunks}


def _seconds(value_s: float) -> float:
    return round(value_s, 6)


def _encoded(type: str, data: dict[str, Any]) -> bytes:
    try:
        return encode(type, data)
    except BotProtocolError:
        return b""
