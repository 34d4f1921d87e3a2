"""The names of ``fastapi_poe.types``, for code that imports them from there: each is at home where it comes from."""

from __future__ import annotations

from typing import Literal, TypeAlias

from poe_notebook.bot.base import (
    RequestContext,
)
from poe_notebook.protocol.controls import (
    AspectRatio,
    AspectRatioOption,
    BaseControl,
    ComparatorCondition,
    ConditionallyRenderControls,
    Divider,
    DropDown,
    FullControls,
    LiteralValue,
    Number,
    ParameterControls,
    ParameterValue,
    Section,
    Slider,
    Tab,
    TextArea,
    TextField,
    ToggleSwitch,
    ValueNamePair,
)
from poe_notebook.protocol.identifiers import (
    Identifier,
)
from poe_notebook.protocol.messages import (
    Attachment,
    MessageFeedback,
    MessageReaction,
    ProtocolMessage,
    Sender,
    User,
)
from poe_notebook.protocol.requests import (
    BaseRequest,
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
    ErrorType,
    MetaResponse,
    PartialResponse,
)
from poe_notebook.protocol.settings import (
    SettingsResponse,
)
from poe_notebook.protocol.tools import (
    CustomCallDefinition,
    CustomToolDefinition,
    FunctionCallDefinition,
    FunctionCallDefinitionDelta,
    FunctionDefinition,
    ParametersDefinition,
    ToolCallDefinition,
    ToolCallDefinitionDelta,
    ToolDefinition,
    ToolResultDefinition,
)

__all__ = [
    "AspectRatio",
    "AspectRatioOption",
    "Attachment",
    "AttachmentUploadResponse",
    "BaseControl",
    "BaseRequest",
    "ComparatorCondition",
    "ConditionallyRenderControls",
    "ContentType",
    "CostItem",
    "CustomCallDefinition",
    "CustomToolDefinition",
    "DataResponse",
    "Divider",
    "DropDown",
    "ErrorResponse",
    "ErrorType",
    "FeedbackType",
    "FullControls",
    "FunctionCallDefinition",
    "FunctionCallDefinitionDelta",
    "FunctionDefinition",
    "Identifier",
    "LiteralValue",
    "MessageFeedback",
    "MessageReaction",
    "MessageType",
    "MetaResponse",
    "Number",
    "ParameterControls",
    "ParameterValue",
    "ParametersDefinition",
    "PartialResponse",
    "ProtocolMessage",
    "QueryRequest",
    "ReportErrorRequest",
    "ReportFeedbackRequest",
    "ReportReactionRequest",
    "RequestContext",
    "Section",
    "Sender",
    "SettingsRequest",
    "SettingsResponse",
    "Slider",
    "Tab",
    "TextArea",
    "TextField",
    "ToggleSwitch",
    "ToolCallDefinition",
    "ToolCallDefinitionDelta",
    "ToolDefinition",
    "ToolResultDefinition",
    "User",
    "ValueNamePair",
]

FeedbackType: TypeAlias = Literal["like", "dislike"]
MessageType: TypeAlias = Literal["function_call"]
