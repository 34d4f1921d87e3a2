"""Define, serve, chat with and inspect Poe server bots from one Jupyter notebook.

``%load_ext poe_notebook`` gives the magics; ``import poe_notebook as fp`` the names of fastapi_poe and the notebook
functions. Everything is imported at its first use, so importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from poe_notebook import base as base
    from poe_notebook import client as client
    from poe_notebook import sync_utils as sync_utils
    from poe_notebook import templates as templates
    from poe_notebook import types as types
    from poe_notebook.bot.base import PoeBot as PoeBot
    from poe_notebook.notebook import aask as aask
    from poe_notebook.notebook import ask as ask
    from poe_notebook.notebook import chat as chat
    from poe_notebook.notebook import compare as compare
    from poe_notebook.notebook import serve as serve

__version__ = "0.1.0"

_HOMES = {
    "bot.base": ("PoeBot", "RequestContext"),
    "client.answers": ("get_bot_response", "get_bot_response_sync", "get_final_response", "stream_request"),
    "client.settings": ("sync_bot_settings",),
    "client.uploads": ("upload_file", "upload_file_sync"),
    "errors": ("BotError", "BotErrorNoRetry", "CostRequestError", "InsufficientFundError", "PoeNotebookError"),
    "notebook": (
        "aask",
        "ask",
        "bots",
        "chat",
        "compare",
        "findings",
        "inspect",
        "load",
        "pin",
        "react",
        "register",
        "replay",
        "rollback",
        "save",
        "serve",
        "serve_recording",
        "settings",
        "stop",
        "sync",
        "use",
    ),
    "protocol.controls": (
        "AspectRatio",
        "AspectRatioOption",
        "BaseControl",
        "ComparatorCondition",
        "ConditionallyRenderControls",
        "Divider",
        "DropDown",
        "FullControls",
        "LiteralValue",
        "Number",
        "ParameterControls",
        "ParameterValue",
        "Section",
        "Slider",
        "Tab",
        "TextArea",
        "TextField",
        "ToggleSwitch",
        "ValueNamePair",
    ),
    "protocol.events": ("ServerSentEvent",),
    "protocol.messages": ("Attachment", "MessageFeedback", "MessageReaction", "ProtocolMessage", "Sender", "User"),
    "protocol.requests": (
        "QueryRequest",
        "ReportErrorRequest",
        "ReportFeedbackRequest",
        "ReportReactionRequest",
        "SettingsRequest",
    ),
    "protocol.responses": (
        "AttachmentUploadResponse",
        "CostItem",
        "DataResponse",
        "ErrorResponse",
        "MetaResponse",
        "PartialResponse",
    ),
    "protocol.settings": ("SettingsResponse",),
    "protocol.tools": ("ToolCallDefinition", "ToolDefinition", "ToolResultDefinition"),
    "server.run": ("make_app", "run"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

_LIBRARY_MODULES = frozenset({"base", "client", "sync_utils", "templates", "types"})
"""Modules that have the names of fastapi_poe's modules, for ``fp.types`` and the like."""

__all__ = [*sorted(_HOME_OF), "load_ipython_extension", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    __tracebackhide__ = True
    if name == "trace":
        from poe_notebook.notebook import trace

        return trace()
    if name in _LIBRARY_MODULES:
        return import_module(f"poe_notebook.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'poe_notebook' has no attribute {name!r}")
    value = getattr(import_module(f"poe_notebook.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_LIBRARY_MODULES, "trace"})


def load_ipython_extension(shell: Any) -> None:
    """Register the magics, their completions and the display of replies."""
    from poe_notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take everything back: bots, port, threads, tunnel, hooks."""
    from poe_notebook.extension import unload

    unload(shell)
