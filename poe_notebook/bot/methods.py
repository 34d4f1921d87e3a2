"""What ``PoeBot`` offers to its subclasses besides the handlers: attachments, costs, and answering without a server.

Each method is a few words to the module that does the work, imported when it is called. Names and signatures as in
fastapi_poe 0.0.83; it too lets a subclass replace ``_upload_file``.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from poe_notebook.protocol.events import ServerSentEvent
from poe_notebook.protocol.messages import Attachment, ProtocolMessage
from poe_notebook.protocol.requests import (
    MISSING_KEY,
    QueryRequest,
    ReportErrorRequest,
    ReportFeedbackRequest,
    ReportReactionRequest,
    SettingsRequest,
)
from poe_notebook.protocol.responses import AttachmentUploadResponse, CostItem

if TYPE_CHECKING:
    from starlette.responses import JSONResponse

    from poe_notebook.bot.base import RequestContext

__all__ = ["BotMethods"]


class BotMethods:
    """Base of ``PoeBot``; it has no state."""

    access_key: str | None

    async def post_message_attachment(
        self,
        access_key: str | None = None,
        message_id: str | None = None,
        *,
        download_url: str | None = None,
        download_filename: str | None = None,
        file_data: Any = None,
        filename: str | None = None,
        content_type: str | None = None,
        is_inline: bool = False,
        base_url: str | None = None,
    ) -> AttachmentUploadResponse:
        """Attach a file to the answer that is being given, 20 files at most and 50 MB each.

        Pass ``message_id=request.message_id`` and either ``download_url``, which Poe fetches, or ``file_data`` (bytes,
        a text, a path, an opened file) with a ``filename``. With ``is_inline``, the Markdown of the answer places it:
        ``![title][inline_ref]``. The key is the bot's own unless ``access_key`` gives another, which is deprecated.
        """
        from poe_notebook.bot.posting import post_file

        return await post_file(
            self,
            message_id,
            access_key=access_key,
            download_url=download_url,
            download_filename=download_filename,
            file_data=file_data,
            filename=filename,
            content_type=content_type,
            is_inline=is_inline,
            base_url=base_url,
        )

    async def _upload_file(
        self, *, file: Any, file_url: str | None, file_name: str | None, api_key: str, base_url: str | None
    ) -> Attachment:
        """Upload a file for ``post_message_attachment``. Override this to store files elsewhere."""
        from poe_notebook.client.uploads import upload_file

        return await upload_file(file=file, file_url=file_url, file_name=file_name, api_key=api_key, base_url=base_url)

    def insert_attachment_messages(self, query_request: QueryRequest) -> QueryRequest:
        """Put what Poe read of the last message's files ahead of it, as messages. Override this for other wording."""
        from poe_notebook.bot.attachments import insert_attachment_messages

        return insert_attachment_messages(query_request)

    def concat_attachment_content_to_message_body(self, query_request: QueryRequest) -> QueryRequest:
        """Write what Poe read of the last message's files below its text. Deprecated."""
        from poe_notebook.bot.attachments import concat_attachment_content_to_message_body

        warnings.warn(
            "concat_attachment_content_to_message_body is deprecated; insert_attachment_messages takes its place.",
            DeprecationWarning,
            stacklevel=2,
        )
        return concat_attachment_content_to_message_body(query_request)

    def make_prompt_author_role_alternated(
        self, protocol_messages: Sequence[ProtocolMessage]
    ) -> Sequence[ProtocolMessage]:
        """Merge neighbouring messages of the same role, for models that want the roles to alternate."""
        from poe_notebook.bot.attachments import make_prompt_author_role_alternated

        return make_prompt_author_role_alternated(protocol_messages)

    async def authorize_cost(
        self, request: QueryRequest, amounts: CostItem | Iterable[CostItem], base_url: str | None = None
    ) -> None:
        """Have Poe reserve a cost before the work. Raises ``InsufficientFundError`` if the user cannot pay it."""
        from poe_notebook.client.costs import authorize_cost

        await authorize_cost(request, amounts, access_key=self._charging_key(request), base_url=base_url)

    async def capture_cost(
        self, request: QueryRequest, amounts: CostItem | Iterable[CostItem], base_url: str | None = None
    ) -> None:
        """Have Poe charge a cost after the work. Raises ``InsufficientFundError`` if the user cannot pay it."""
        from poe_notebook.client.costs import capture_cost

        await capture_cost(request, amounts, access_key=self._charging_key(request), base_url=base_url)

    def _charging_key(self, request: QueryRequest) -> str | None:
        return self.access_key or (request.access_key if request.access_key != MISSING_KEY else None)

    # For tests of bots, which call these without a server.

    async def handle_query(self, request: QueryRequest, context: RequestContext) -> AsyncIterable[ServerSentEvent]:
        """Answer a query and give the answer's raw events, ``done`` included."""
        from poe_notebook.bot.direct import handle_query

        async for event in handle_query(self, request, context=context):
            yield event

    async def handle_settings(self, settings_request: SettingsRequest, context: RequestContext) -> JSONResponse:
        """Give the bot's settings as a response."""
        from poe_notebook.bot.direct import handle_settings

        return await handle_settings(self, settings_request, context=context)

    async def handle_report_feedback(
        self, feedback_request: ReportFeedbackRequest, context: RequestContext
    ) -> JSONResponse:
        """Hear of feedback, and give the response to it."""
        from poe_notebook.bot.direct import handle_report

        return await handle_report(self, "on_feedback", request=feedback_request, context=context)

    async def handle_report_reaction(
        self, reaction_request: ReportReactionRequest, context: RequestContext
    ) -> JSONResponse:
        """Hear of a reaction, and give the response to it."""
        from poe_notebook.bot.direct import handle_report

        return await handle_report(self, "on_reaction", request=reaction_request, context=context)

    async def handle_report_error(self, error_request: ReportErrorRequest, context: RequestContext) -> JSONResponse:
        """Hear of an error that Poe met, and give the response to it."""
        from poe_notebook.bot.direct import handle_report

        return await handle_report(self, "on_error", request=error_request, context=context)
