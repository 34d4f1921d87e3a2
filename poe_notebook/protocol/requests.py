"""The requests that Poe sends to a bot, and reading one from a decoded JSON body.

Lenient as ``messages``; what cannot be read is refused with the HTTP status and the sentence that it deserves. Names
and defaults as in fastapi_poe 0.0.83; source: Poe protocol specification, "Requests" (read 2025-03).
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, ValidationError

from poe_notebook.errors import PoeProtocolError
from poe_notebook.protocol.faults import kind_of, sentences
from poe_notebook.protocol.identifiers import Identifier
from poe_notebook.protocol.messages import ProtocolMessage, User
from poe_notebook.protocol.models import Flag, Listed, Mapped, NullAs, Text, WireModel
from poe_notebook.protocol.tools import ToolCallDefinition, ToolDefinition, ToolResultDefinition

__all__ = [
    "MISSING_KEY",
    "BaseRequest",
    "MalformedRequest",
    "QueryRequest",
    "ReportErrorRequest",
    "ReportFeedbackRequest",
    "ReportReactionRequest",
    "SettingsRequest",
    "parse_request",
    "without_keys",
]

MISSING_KEY = "<missing>"
_FAULTS_SAID = 3


class MalformedRequest(PoeProtocolError):
    """A request that no bot can answer. ``status`` is what to answer: 400 no JSON object, 422 invalid, 501 unknown."""

    def __init__(self, what: str, *, status: int, why: str = "", now: str = "") -> None:
        super().__init__(what, why=why, now=now)
        self.status = status


class BaseRequest(WireModel):
    """What every request has; any version is taken."""

    version: str
    type: str


class QueryRequest(BaseRequest):
    """A user waits for an answer to the last message of ``query``.

    ``message_id`` is the answer to be written; ``metadata`` and ``bot_query_id`` are Poe's and go back to it as they
    are. ``access_key`` and ``api_key`` are never sent by Poe: the server that took the request puts the bot's key
    there, so that the bot can query others. They are left out of ``repr``, but ``model_dump`` has them.
    """

    query: list[ProtocolMessage]
    user_id: Identifier
    conversation_id: Identifier
    message_id: Identifier
    metadata: Text = ""
    api_key: Annotated[str, NullAs(lambda: MISSING_KEY)] = Field(default=MISSING_KEY, repr=False)
    access_key: Annotated[str, NullAs(lambda: MISSING_KEY)] = Field(default=MISSING_KEY, repr=False)
    temperature: float | None = None
    skip_system_prompt: Flag = False
    logit_bias: Mapped[float] = Field(default_factory=dict)
    stop_sequences: Listed[str] = Field(default_factory=list)
    language_code: Annotated[str, NullAs(lambda: "en")] = "en"
    adopt_current_bot_name: bool | None = None
    bot_query_id: Text = ""
    users: Listed[User] = Field(default_factory=list)
    tools: list[ToolDefinition] | None = None
    tool_calls: list[ToolCallDefinition] | None = None
    tool_results: list[ToolResultDefinition] | None = None
    query_creation_time: int | None = None
    extra_params: dict[str, Any] | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Make a query from a dictionary, which stays as it is."""
        return cls.model_validate(data)


class SettingsRequest(BaseRequest):
    """Poe asks for the bot's settings."""


class ReportFeedbackRequest(BaseRequest):
    """A user liked or disliked an answer; Poe now sends reactions instead."""

    message_id: Identifier
    user_id: Identifier
    conversation_id: Identifier
    feedback_type: str


class ReportReactionRequest(BaseRequest):
    """A user reacted to an answer: ``like``, ``dislike``, ``heart``, ``laughing``, ``surprised``, ``sad`` or other."""

    message_id: Identifier
    user_id: Identifier
    conversation_id: Identifier
    reaction: str


class ReportErrorRequest(BaseRequest):
    """Poe tells the bot that it broke the protocol; ``metadata`` says where."""

    message: str
    metadata: Mapped[Any] = Field(default_factory=dict)


_REQUESTS: dict[str, type[BaseRequest]] = {
    "query": QueryRequest,
    "settings": SettingsRequest,
    "report_feedback": ReportFeedbackRequest,
    "report_reaction": ReportReactionRequest,
    "report_error": ReportErrorRequest,
}


def without_keys(request: QueryRequest, **options: Any) -> dict[str, Any]:
    """Give what may be written down or sent of a query; ``options`` as for pydantic's ``model_dump``."""
    return request.model_dump(exclude={"access_key", "api_key"}, **options)


def parse_request(body: object) -> BaseRequest:
    """Read a decoded JSON body. Raises ``MalformedRequest``.

    ``access_key`` and ``api_key`` in the body are dropped: only the server knows them, and a caller must not set them.
    """
    if not isinstance(body, dict):
        raise MalformedRequest(
            f"The body of the request is {kind_of(body)}.", status=400, why="A Poe request is one JSON object."
        )
    model = _model_for(body)
    try:
        return model.model_validate({key: value for key, value in body.items() if key not in _KEYS})
    except ValidationError as error:
        raise _invalid(body["type"], sentences(error)) from None


_KEYS = frozenset({"access_key", "api_key"})


def _model_for(body: dict[str, Any]) -> type[BaseRequest]:
    if "type" not in body:
        raise MalformedRequest("The request has no type.", status=422, why=f"A type is one of {', '.join(_REQUESTS)}.")
    kind = body["type"]
    if not isinstance(kind, str):
        raise MalformedRequest(f"The request's type is {kind_of(kind)}; it must be a string.", status=422)
    if kind not in _REQUESTS:
        raise MalformedRequest(
            f"Requests of type {kind[:100]!r} are not known here.", status=501, why=f"Known: {', '.join(_REQUESTS)}."
        )
    return _REQUESTS[kind]


def _invalid(kind: str, faults: list[str]) -> MalformedRequest:
    said = " ".join(faults[:_FAULTS_SAID])
    more = f" And {len(faults) - _FAULTS_SAID} more." if len(faults) > _FAULTS_SAID else ""
    return MalformedRequest(
        f"The {kind} request cannot be read: {said}{more}", status=422, why="The Poe protocol fixes each field's kind."
    )
