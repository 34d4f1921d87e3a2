"""The names of ``fastapi_poe.base``, for code that imports them from there: each is at home where it comes from."""

from __future__ import annotations

from poe_notebook.bot.base import (
    PoeBot,
    RequestContext,
)
from poe_notebook.bot.posting import (
    generate_inline_ref,
    get_filename_from_url,
)
from poe_notebook.bot.templates import (
    IMAGE_VISION_ATTACHMENT_TEMPLATE,
    TEXT_ATTACHMENT_TEMPLATE,
    URL_ATTACHMENT_TEMPLATE,
)
from poe_notebook.client.settings import (
    sync_bot_settings,
)
from poe_notebook.client.uploads import (
    upload_file,
)
from poe_notebook.errors import (
    CostRequestError,
    InsufficientFundError,
    InvalidParameterError,
)
from poe_notebook.protocol.events import (
    ServerSentEvent,
)
from poe_notebook.protocol.identifiers import (
    Identifier,
)
from poe_notebook.protocol.limits import (
    PROTOCOL_VERSION,
)
from poe_notebook.protocol.messages import (
    Attachment,
    ProtocolMessage,
    Sender,
)
from poe_notebook.protocol.requests import (
    QueryRequest,
    ReportErrorRequest,
    ReportFeedbackRequest,
    ReportReactionRequest,
    SettingsRequest,
)
from poe_notebook.protocol.responses import (
    AttachmentUploadResponse,
    ContentType,
    CostItem,
    DataResponse,
    ErrorResponse,
    MetaResponse,
    PartialResponse,
)
from poe_notebook.protocol.settings import (
    SettingsResponse,
)
from poe_notebook.server.run import (
    make_app,
    run,
)

__all__ = [
    "IMAGE_VISION_ATTACHMENT_TEMPLATE",
    "PROTOCOL_VERSION",
    "TEXT_ATTACHMENT_TEMPLATE",
    "URL_ATTACHMENT_TEMPLATE",
    "Attachment",
    "AttachmentUploadResponse",
    "ContentType",
    "CostItem",
    "CostRequestError",
    "DataResponse",
    "ErrorResponse",
    "Identifier",
    "InsufficientFundError",
    "InvalidParameterError",
    "MetaResponse",
    "PartialResponse",
    "PoeBot",
    "ProtocolMessage",
    "QueryRequest",
    "ReportErrorRequest",
    "ReportFeedbackRequest",
    "ReportReactionRequest",
    "RequestContext",
    "Sender",
    "ServerSentEvent",
    "SettingsRequest",
    "SettingsResponse",
    "generate_inline_ref",
    "get_filename_from_url",
    "make_app",
    "run",
    "sync_bot_settings",
    "upload_file",
]
