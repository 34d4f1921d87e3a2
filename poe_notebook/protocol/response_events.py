"""The way between the events of an answer and the objects that stand for them, in both directions.

Goes by the fields of an object's class, so the objects of the fastapi_poe package will do. Source: Poe protocol
specification, "Response" (read 2025-03).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from poe_notebook.errors import HandlerMistake
from poe_notebook.protocol.event_fields import attachment_in, flag_in, index_in, string_in
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.responses import ErrorResponse, MetaResponse, PartialResponse, ReceivedData

__all__ = ["diagnosis", "event_to_response", "response_to_event"]


def response_to_event(response: object) -> list[tuple[str, dict[str, Any]]]:
    """Give the events, as type and data, that a yielded object stands for.

    Goes by the fields of its class, so the objects of the fastapi_poe package will do. Raises
    ``HandlerMistake`` (a ``TypeError``) for anything else.
    """
    kind: Any = type(response)
    events = _events_of(kind)
    if events is None:
        raise HandlerMistake(
            f"A {kind.__name__} is no response of the Poe protocol.",
            now="Yield a PartialResponse, ErrorResponse, MetaResponse or DataResponse.",
        )
    return events(response)


@lru_cache(maxsize=64)
def _events_of(kind: type[Any]) -> Callable[[Any], list[tuple[str, dict[str, Any]]]] | None:
    fields = getattr(kind, "model_fields", {})
    if "allow_retry" in fields:
        return lambda error: [*_file_events(error), ("error", _error_data(error))]
    if "metadata" in fields and any(base.__name__ == "DataResponse" for base in kind.__mro__):
        return lambda response: [("data", {"metadata": response.metadata})]
    if "linkify" in fields:
        return lambda meta: [("meta", {name: getattr(meta, name) for name in _META}), *_file_events(meta)]
    if "is_suggested_reply" in fields:
        return _partial_events
    return None


_META = ("content_type", "refetch_settings", "linkify", "suggested_replies")


def _partial_events(response: Any) -> list[tuple[str, dict[str, Any]]]:
    events = _file_events(response)
    if response.data is not None:
        events.append(("json", _indexed(response, response.data)))
    if response.tool_calls:
        events.append(("json", _indexed(response, _tool_call_chunk(response.tool_calls))))
    kind = _text_type(response)
    # A file goes with a text even if that is empty: the specification calls an answer without any text an error.
    if response.text or kind != "text" or (response.data is None and not response.tool_calls):
        events.append((kind, _indexed(response, {"text": response.text})))
    return events


def _text_type(response: Any) -> str:
    if response.is_suggested_reply:
        return "suggested_reply"
    return "replace_response" if response.is_replace_response else "text"


def _file_events(response: Any) -> list[tuple[str, dict[str, Any]]]:
    file = response.attachment
    if not file:
        return []
    data = {"url": file.url, "content_type": file.content_type, "name": file.name, "inline_ref": file.inline_ref}
    return [("file", _indexed(response, data))]


def _indexed(response: Any, data: dict[str, Any]) -> dict[str, Any]:
    return data if response.index is None else {**data, "index": response.index}


def _tool_call_chunk(calls: list[Any]) -> dict[str, Any]:
    delta = {"tool_calls": [call.model_dump() for call in calls]}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def _error_data(response: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"allow_retry": response.allow_retry, "text": response.text}
    if response.raw_response is not None:
        data["raw_response"] = diagnosis(response.raw_response)
    if response.error_type is not None:
        data["error_type"] = response.error_type
    return data


def diagnosis(raw: object) -> str:
    """Give what an ``error`` event says of a cause: texts as they are, of an exception no more than its kind."""
    if isinstance(raw, BaseException):
        return type(raw).__name__  # its message may hold a path or a key, and leaves this machine
    return raw if isinstance(raw, str) else repr(raw)


def event_to_response(event: Event) -> PartialResponse | None:
    """Give the object that an event of an answer stands for; none for ``done``, ``ping`` and unknown types.

    Raises ``BotProtocolError`` if a known event lacks a field or has it in the wrong kind.
    """
    make = _MAKE.get(event.type)
    return None if make is None else make(event)


def _from_text(event: Event) -> PartialResponse:
    text = event.data.get("text")
    if type(text) is str and "index" not in event.data:
        return PartialResponse(text=text)
    return PartialResponse(text=string_in(event, "text"), index=index_in(event))


def _from_replacement(event: Event) -> PartialResponse:
    return PartialResponse(text=string_in(event, "text"), is_replace_response=True, index=index_in(event))


def _from_suggestion(event: Event) -> PartialResponse:
    return PartialResponse(text=string_in(event, "text"), is_suggested_reply=True, index=index_in(event))


def _from_json(event: Event) -> PartialResponse:
    return PartialResponse(text="", data=event.data, index=index_in(event))


def _from_file(event: Event) -> PartialResponse:
    return PartialResponse(text="", attachment=attachment_in(event), index=index_in(event))


def _from_data(event: Event) -> ReceivedData:
    return ReceivedData(metadata=string_in(event, "metadata"))


def _from_meta(event: Event) -> MetaResponse:
    data = event.data
    plain = "content_type" in data and string_in(event, "content_type") != "text/markdown"
    return MetaResponse(
        content_type="text/plain" if plain else "text/markdown",  # the specification: unknown types are shown as plain
        suggested_replies=flag_in(event, "suggested_replies"),
        linkify=flag_in(event, "linkify"),
        refetch_settings=flag_in(event, "refetch_settings"),
    )


def _from_error(event: Event) -> ErrorResponse:
    response = ErrorResponse.from_dict(event.data)
    response.raw_response = event.data.get("raw_response")
    return response


_MAKE: dict[str, Callable[[Event], PartialResponse]] = {
    "text": _from_text,
    "replace_response": _from_replacement,
    "suggested_reply": _from_suggestion,
    "json": _from_json,
    "file": _from_file,
    "data": _from_data,
    "meta": _from_meta,
    "error": _from_error,
}
