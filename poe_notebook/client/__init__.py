"""Asking bots on Poe, or any bot server; and, under this name too, what ``fastapi_poe.client`` has."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "client.answers": (
        "get_bot_response",
        "get_bot_response_sync",
        "get_final_response",
        "stream_request",
        "stream_request_base",
    ),
    "client.retries": ("OnError",),
    "client.settings": ("sync_bot_settings",),
    "client.uploads": ("AttachmentUploadError", "upload_file", "upload_file_sync"),
    "errors": ("BotError", "BotErrorNoRetry"),
    "protocol.identifiers": ("Identifier",),
    "protocol.limits": ("PROTOCOL_VERSION",),
    "protocol.messages": ("Attachment", "ProtocolMessage"),
    "protocol.requests": ("QueryRequest",),
    "protocol.responses": ("ContentType", "MetaResponse", "PartialResponse"),
    "protocol.settings": ("SettingsResponse",),
    "protocol.tools": (
        "FunctionCallDefinition",
        "ToolCallDefinition",
        "ToolCallDefinitionDelta",
        "ToolDefinition",
        "ToolResultDefinition",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_CALLED = {"BotMessage": "PartialResponse", "ErrorHandler": "OnError", "MetaMessage": "MetaResponse"}
"""What the library calls otherwise in this module."""


def __getattr__(name: str) -> Any:
    __tracebackhide__ = True
    at_home = _CALLED.get(name, name)
    if at_home not in _HOME_OF:
        raise AttributeError(f"module 'poe_notebook.client' has no attribute {name!r}")
    return getattr(import_module(f"poe_notebook.{_HOME_OF[at_home]}"), at_home)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF, *_CALLED})
