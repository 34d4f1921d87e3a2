"""Exchanges as an HTTP archive, HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), for tools that read those.

The body of an answer is the event stream as text; the times of its events stand beside it, under ``_events``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from poe_notebook.tracing.exchange import Exchange, Tap

__all__ = ["har_of"]


def har_of(exchanges: Iterable[Exchange]) -> dict[str, Any]:
    """Give exchanges as the value of a HAR file. Times in it are milliseconds."""
    creator = {"name": "poe_notebook", "version": _version()}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(exchange) for exchange in exchanges]}}


def _entry(exchange: Exchange) -> dict[str, Any]:
    tap = exchange.seen or Tap()
    times_s = [at_s for at_s, _ in tap.chunks] or tap.events.times_s
    end_s = exchange.duration_s if exchange.duration_s is not None else max(times_s, default=0.0)
    wait_s = min(times_s, default=end_s)
    return {
        "startedDateTime": _moment(exchange.started_at),
        "time": _milliseconds(end_s),
        "request": _request(exchange),
        "response": _response(exchange, tap),
        "cache": {},
        "timings": {"send": 0, "wait": _milliseconds(wait_s), "receive": _milliseconds(max(end_s - wait_s, 0.0))},
        "comment": f"{exchange.bot}: {exchange.kind}, {exchange.outcome}",
        "_exchange": exchange.number,
    }


def _request(exchange: Exchange) -> dict[str, Any]:
    body, url = json.dumps(exchange.request, default=str), exchange.url or _address(exchange)
    query = [{"name": name, "value": value} for name, value in parse_qsl(urlsplit(url).query)]
    return {
        "method": "POST",
        "url": url,
        **_head(exchange.request_headers, len(body)),
        "queryString": query,
        "postData": {"mimeType": "application/json", "text": body},
    }


def _response(exchange: Exchange, tap: Tap) -> dict[str, Any]:
    status = tap.status or 0
    content: dict[str, Any] = {"mimeType": tap.headers.get("content-type", "text/event-stream")}
    if exchange.response is not None:
        text = json.dumps(exchange.response, default=str)
        content["mimeType"] = tap.headers.get("content-type", "application/json")
    else:
        text = b"".join(event.raw for event in tap.events).decode("utf-8", "replace")
    size = sum(size for _, size in tap.chunks) or len(text.encode("utf-8", "replace"))
    return {
        "status": status,
        "statusText": HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "",
        **_head(tap.headers, size),
        "content": {**content, "size": size, "text": text},
        "redirectURL": "",
        "_events": [{"time": _milliseconds(event.at_s), "type": event.type} for event in tap.events],
    }


def _head(headers: Mapping[str, str], body_bytes: int) -> dict[str, Any]:
    fields = [{"name": name, "value": value} for name, value in headers.items()]
    return {"httpVersion": "HTTP/1.1", "cookies": [], "headers": fields, "headersSize": -1, "bodySize": body_bytes}


def _address(exchange: Exchange) -> str:
    host = next((value for name, value in exchange.request_headers.items() if name.lower() == "host"), "bot.invalid")
    return f"http://{host}/{exchange.bot}"


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _milliseconds(value_s: float) -> float:
    return round(value_s * 1000, 3)


def _version() -> str:
    try:
        return version("poe-notebook")
    except PackageNotFoundError:
        return "unknown"
