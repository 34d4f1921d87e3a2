"""What a handler yields, and what the client gives of another bot's answer.

Strict, because these are written by bot authors: a misspelt field is an error that names the right one.
Names and defaults as in fastapi_poe 0.0.83, except where a comment says why not.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, SupportsIndex, TypeAlias, get_args

from pydantic import ConfigDict, Field, field_validator

from poe_notebook.protocol.events import Event
from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.models import AuthorModel, WireModel
from poe_notebook.protocol.tools import ToolCallDefinitionDelta

__all__ = [
    "AttachmentUploadResponse",
    "ContentType",
    "CostItem",
    "DataResponse",
    "ErrorResponse",
    "ErrorType",
    "MetaResponse",
    "PartialResponse",
    "ReceivedData",
    "remember_origin",
]

ContentType: TypeAlias = Literal["text/markdown", "text/plain"]
ErrorType: TypeAlias = Literal[
    "user_message_too_long", "insufficient_fund", "user_caused_error", "privacy_authorization_error"
]


class PartialResponse(AuthorModel):
    """A piece of an answer: text to append, unless a flag says that it replaces or suggests.

    ``attachment`` is sent as a ``file`` event ahead of the text, ``data`` as a ``json`` event, ``tool_calls`` as one in
    the form of a chat-completion chunk. ``index`` says which of several parallel answers is meant. ``raw_response``,
    ``full_prompt`` and ``request_id`` are for debugging; of them only an error's ``raw_response`` is sent. On what
    the client gives, the first two are the event and the query as text, made when somebody reads them.
    """

    text: str
    data: dict[str, Any] | None = None
    raw_response: object = None
    full_prompt: str | None = None
    request_id: str | None = None
    is_suggested_reply: bool = False
    is_replace_response: bool = False
    attachment: Attachment | None = None
    tool_calls: list[ToolCallDefinitionDelta] = Field(default_factory=list)
    index: int | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Self:
        """Make one from the data of a ``text`` event; only the text is taken."""
        return cls(text=_as_text(data.get("text")))

    if not TYPE_CHECKING:  # so that a misspelt name stays an error for a type checker

        def __getattr__(self, name: str) -> Any:
            if name not in _OF_ORIGIN or _ORIGIN not in vars(self):
                return super().__getattr__(name)
            _fill_in(self)
            return vars(self)[name]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PartialResponse) or not (_ORIGIN in vars(self) or _ORIGIN in vars(other)):
            return super().__eq__(other)
        return type(self) is type(other) and _without_origin(self) == _without_origin(other)

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """Give every field in a dictionary."""
        _fill_in(self)
        return super().model_dump(**options)

    def model_dump_json(self, **options: Any) -> str:
        """Give every field in JSON."""
        _fill_in(self)
        return super().model_dump_json(**options)


_ORIGIN = "_origin"
_OF_ORIGIN = frozenset({"raw_response", "full_prompt"})


def remember_origin(response: PartialResponse, query: object, event: Event) -> None:
    """Let a response have its ``raw_response`` and ``full_prompt`` made from these when somebody reads them.

    The library writes the whole query into each piece of the answer, which costs more than all the rest and grows with
    the conversation.
    """
    fields = vars(response)
    del fields["raw_response"], fields["full_prompt"]
    fields[_ORIGIN] = query, event


def _fill_in(response: PartialResponse) -> None:
    fields = vars(response)
    if _ORIGIN in fields:
        query, event = fields.pop(_ORIGIN)
        raw = event.data if event.type == "meta" else {"type": event.type, "text": json.dumps(event.data)}
        fields.update(raw_response=raw, full_prompt=repr(query))


def _without_origin(response: PartialResponse) -> dict[str, Any]:
    return {name: value for name, value in vars(response).items() if name != _ORIGIN and name not in _OF_ORIGIN}


class ErrorResponse(PartialResponse):
    """The end of an answer in failure. Poe shows ``text`` to the user and may retry unless ``allow_retry`` is false."""

    allow_retry: bool = True
    error_type: ErrorType | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Self:
        """Make one from the data of an ``error`` event; an unknown ``error_type`` is dropped."""
        kind = data.get("error_type")
        return cls.model_validate(
            {
                "text": _as_text(data.get("text")),
                "allow_retry": bool(data.get("allow_retry", True)),
                "error_type": kind if kind in get_args(ErrorType) else None,
            }
        )


class MetaResponse(PartialResponse):
    """How to show the answer; counts only as the first thing yielded. ``linkify`` is no longer documented."""

    text: str = ""  # theirs wants a text here that nobody reads
    linkify: bool = True
    suggested_replies: bool = False  # the protocol's default and their docstring's; their class says True
    content_type: ContentType = "text/markdown"
    refetch_settings: bool = False


class DataResponse(AuthorModel):
    """A string that Poe stores with the answer and gives back to this bot as the message's ``metadata``; last wins."""

    metadata: str


class ReceivedData(DataResponse, PartialResponse):
    """Another bot's ``data`` event, as the client gives it; yielded again, it is a ``data`` event again.

    Its text is empty and it has all that a ``PartialResponse`` has, so that a loop that reads these of everything,
    written for the library's client, which drops such events, meets nothing odd.
    """

    text: str = ""


class AttachmentUploadResponse(WireModel):
    """A file that was uploaded to Poe, or came with a ``file`` event (only then it has a ``name``)."""

    attachment_url: str | None
    mime_type: str | None
    name: str | None = None
    inline_ref: str | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Self:
        """Make one from the data of a ``file`` event, whose keys have other names."""
        return cls.model_validate(
            {
                "attachment_url": data.get("url"),
                "mime_type": data.get("content_type"),
                "name": data.get("name"),
                "inline_ref": data.get("inline_ref"),
            }
        )


class CostItem(AuthorModel):
    """One amount to authorise or capture, in thousandths of a US cent. A float is rounded up."""

    model_config = ConfigDict(extra="ignore")

    amount_usd_milli_cents: int
    description: str | None = None

    @field_validator("amount_usd_milli_cents", mode="before")
    @classmethod
    def _whole_amount(cls, value: object) -> int:
        amount = _ceiling(value)
        if amount is None:
            raise ValueError(f"an amount is a whole number of thousandths of a cent, not {value!r}.")
        if amount < 0:
            raise ValueError(f"an amount cannot be negative, and {value!r} is; the protocol knows no refunds.")
        return amount


def _ceiling(value: object) -> int | None:
    if isinstance(value, float):
        return math.ceil(value) if math.isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        return None
    return operator.index(value)  # an int, or one of numpy's


def _as_text(value: object) -> str:
    return "" if value is None else str(value)
