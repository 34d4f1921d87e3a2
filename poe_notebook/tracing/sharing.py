"""What requests of one conversation have in common, kept once: each query holds all that was said before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Clean", "shared"]

Clean = Callable[[Any], Any]
"""Copies a JSON value, without keys."""


def shared(request: Mapping[str, Any], earlier: Mapping[str, Any], *, clean: Clean) -> tuple[dict[str, Any], list[Any]]:
    """Copy a request with the messages of an earlier one in place of equal ones of its own; gives those, too.

    Messages are found by their id and compared whole, so that one which has changed since stays as it is. Only what is
    new is cleaned: a long chat makes no turn slower.
    """
    known, same = _by_id(earlier.get("query")), list[Any]()
    if not known or not isinstance(request.get("query"), list):
        return clean(request), same

    def kept(message: Any) -> Any:
        old = known.get(_id_of(message))
        if old is None or old != message:
            return clean(message)
        same.append(old)
        return old

    messages = [kept(message) for message in request["query"]]
    return clean({**request, "query": []}) | {"query": messages}, same


def _by_id(messages: object) -> dict[str, Any]:
    if not isinstance(messages, list):
        return {}
    return {id_: message for message in messages if (id_ := _id_of(message))}


def _id_of(message: object) -> str:
    id_ = message.get("message_id") if isinstance(message, Mapping) else None
    return id_ if isinstance(id_, str) else ""
