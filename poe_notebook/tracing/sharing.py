"""What requests of one conversation have in common, kept once: each query holds all that was said before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["shared"]


def shared(request: dict[str, Any], earlier: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Give a request with the messages of an earlier one in place of equal ones of its own, and which those are.

    Messages are found by their id and compared whole, so that one which has changed since stays as it is.
    """
    messages, known = request.get("query"), _by_id(earlier.get("query"))
    if not known or not isinstance(messages, list):
        return request, []
    merged, same = [], []
    for message in messages:
        old = known.get(_id_of(message))
        if old is not None and old == message:
            same.append(old)
            message = old
        merged.append(message)
    return {**request, "query": merged}, same


def _by_id(messages: object) -> dict[str, Any]:
    if not isinstance(messages, list):
        return {}
    return {id_: message for message in messages if (id_ := _id_of(message))}


def _id_of(message: object) -> str:
    id_ = message.get("message_id") if isinstance(message, Mapping) else None
    return id_ if isinstance(id_, str) else ""
