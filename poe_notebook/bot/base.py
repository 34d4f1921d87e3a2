"""``PoeBot``, the class that authors extend, with the names and signatures of fastapi_poe 0.0.83.

It keeps no state of its own in instances, so that a subclass whose ``__init__`` never calls ours works all the same.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from poe_notebook.bot.methods import BotMethods
from poe_notebook.protocol.events import ServerSentEvent, encode
from poe_notebook.protocol.requests import (
    QueryRequest,
    ReportErrorRequest,
    ReportFeedbackRequest,
    ReportReactionRequest,
    SettingsRequest,
)
from poe_notebook.protocol.response_events import diagnosis
from poe_notebook.protocol.responses import DataResponse, PartialResponse
from poe_notebook.protocol.settings import SettingsResponse

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["Answer", "PoeBot", "RequestContext"]

Answer: TypeAlias = AsyncIterable[PartialResponse | DataResponse | ServerSentEvent | str]
"""What ``get_response`` gives: protocol objects, raw events, or plain strings, which count as text."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RequestContext:
    """What came with a request besides its body: the HTTP request itself."""

    http_request: Request = field(repr=False)


@dataclass
class PoeBot(BotMethods):
    """A bot: override ``get_response``, and ``get_settings`` if the defaults do not suit.

    ``path`` is its route, ``access_key`` the secret it shares with Poe (32 characters; never shown), ``bot_name`` its
    handle on Poe.
    """

    path: str = "/"
    access_key: str | None = field(default=None, repr=False)
    bot_name: str | None = None
    should_insert_attachment_messages: bool = True
    concat_attachments_to_message: bool = False

    async def get_response(self, request: QueryRequest) -> Answer:
        """Answer a query, piece by piece. Override this."""
        yield PartialResponse(text="hello")

    async def get_response_with_context(self, request: QueryRequest, context: RequestContext) -> Answer:
        """Answer a query, with the HTTP request at hand. Override this instead if you need it."""
        async for item in self.get_response(request):
            yield item

    async def get_settings(self, setting: SettingsRequest) -> SettingsResponse:
        """Give the bot's settings."""
        return SettingsResponse()

    async def get_settings_with_context(self, setting: SettingsRequest, context: RequestContext) -> SettingsResponse:
        """Give the bot's settings, with the HTTP request at hand."""
        return await self.get_settings(setting)

    async def on_feedback(self, feedback_request: ReportFeedbackRequest) -> None:
        """Hear that a user liked or disliked an answer."""

    async def on_feedback_with_context(self, feedback_request: ReportFeedbackRequest, context: RequestContext) -> None:
        """Hear of feedback, with the HTTP request at hand."""
        await self.on_feedback(feedback_request)

    async def on_reaction_with_context(self, reaction_request: ReportReactionRequest, context: RequestContext) -> None:
        """Hear that a user reacted to an answer."""

    async def on_error(self, error_request: ReportErrorRequest) -> None:
        """Hear from Poe that this bot broke the protocol; logged as a warning unless overridden."""
        _logger.warning("Poe reports an error of this bot: %s %s", error_request.message, error_request.metadata)

    async def on_error_with_context(self, error_request: ReportErrorRequest, context: RequestContext) -> None:
        """Hear of an error, with the HTTP request at hand."""
        await self.on_error(error_request)

    @staticmethod
    def text_event(text: str) -> ServerSentEvent:
        """Make a raw ``text`` event."""
        return _event("text", text=text)

    @staticmethod
    def replace_response_event(text: str) -> ServerSentEvent:
        """Make a raw ``replace_response`` event."""
        return _event("replace_response", text=text)

    @staticmethod
    def suggested_reply_event(text: str) -> ServerSentEvent:
        """Make a raw ``suggested_reply`` event."""
        return _event("suggested_reply", text=text)

    @staticmethod
    def file_event(url: str, content_type: str, name: str, inline_ref: str | None = None) -> ServerSentEvent:
        """Make a raw ``file`` event."""
        return _event("file", url=url, content_type=content_type, name=name, inline_ref=inline_ref)

    @staticmethod
    def data_event(metadata: str) -> ServerSentEvent:
        """Make a raw ``data`` event."""
        return _event("data", metadata=metadata)

    @staticmethod
    def meta_event(
        *,
        content_type: str = "text/markdown",
        refetch_settings: bool = False,
        linkify: bool = True,
        suggested_replies: bool = False,
    ) -> ServerSentEvent:
        """Make a raw ``meta`` event; it counts only as the first of an answer."""
        return _event(
            "meta",
            content_type=content_type,
            refetch_settings=refetch_settings,
            linkify=linkify,
            suggested_replies=suggested_replies,
        )

    @staticmethod
    def error_event(
        text: str | None = None,
        *,
        raw_response: object = None,
        allow_retry: bool = True,
        error_type: str | None = None,
    ) -> ServerSentEvent:
        """Make a raw ``error`` event."""
        raw = None if raw_response is None else diagnosis(raw_response)
        given = {"text": text, "raw_response": raw, "error_type": error_type}
        return _event("error", allow_retry=allow_retry, **{k: v for k, v in given.items() if v is not None})

    @staticmethod
    def done_event() -> ServerSentEvent:
        """Make a raw ``done`` event."""
        return _event("done")


def _event(type: str, **data: Any) -> ServerSentEvent:
    body = encode(type, data).decode("ascii").partition("data: ")[2].rstrip("\n")
    return ServerSentEvent(event=type, data=body)
