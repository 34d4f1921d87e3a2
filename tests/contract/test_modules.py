"""The modules of fastapi_poe, from which names are imported too: ours of the same name has what theirs has.

``import poe_notebook as fp; fp.types.ProtocolMessage`` and ``from poe_notebook.client import ...`` are what a page
becomes in which only the import line was changed.
"""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Iterator
from typing import Any

import pytest

import poe_notebook
from poe_notebook.drop_in import MODULES

NOT_OURS = {
    "base": {"LoggingMiddleware", "Message", "POE_API_WEBSERVER_BASE_URL", "http_exception_handler"},
    "client": {"IDENTIFIER_LENGTH", "InvalidBotSettings", "MAX_EVENT_COUNT", "MESSAGE_LENGTH_LIMIT", "run_sync"},
    "types": {"AttachmentHttpResponse"},
}
"""Parts of how theirs is built, or numbers that nothing there uses."""


def names_of(module: Any) -> Iterator[str]:
    """What a module defines itself or has from another of its package, by name."""
    for name, value in vars(module).items():
        home = getattr(value, "__module__", module.__name__)
        is_theirs = home.partition(".")[0] == "fastapi_poe"
        is_alias = typing.get_origin(value) is not None or name in ("Identifier", "ServerSentEvent")
        is_typing = home == "typing" and getattr(typing, name, None) is value
        if not name.startswith("_") and not inspect.ismodule(value) and (is_theirs or is_alias) and not is_typing:
            yield name


@pytest.mark.parametrize("module", MODULES)
def test_a_name_that_is_imported_from_one_of_their_modules_is_in_ours(module: str) -> None:
    theirs, ours = (importlib.import_module(f"{package}.{module}") for package in ("fastapi_poe", "poe_notebook"))
    names = set(names_of(theirs))
    assert names >= NOT_OURS.get(module, set())
    assert {name for name in names if not hasattr(ours, name)} == NOT_OURS.get(module, set())
    assert getattr(poe_notebook, module) is ours
    assert module in dir(poe_notebook)


def test_the_tables_know_the_kinds_of_names_that_matter() -> None:
    found = {module: set(names_of(importlib.import_module(f"fastapi_poe.{module}"))) for module in MODULES}
    assert {"QueryRequest", "ContentType", "Number", "Identifier", "ToolCallDefinitionDelta"} <= found["types"]
    assert {"MetaMessage", "stream_request_base", "PROTOCOL_VERSION", "ErrorHandler"} <= found["client"]
    assert {"PoeBot", "make_app", "ServerSentEvent", "InvalidParameterError"} <= found["base"]
    assert len(found["templates"]) == 3
    assert "run_sync" in found["sync_utils"]


def test_a_name_is_the_same_thing_wherever_it_is_imported_from() -> None:
    from poe_notebook.base import PoeBot
    from poe_notebook.client import BotMessage, MetaMessage, stream_request
    from poe_notebook.types import PartialResponse

    assert PoeBot is poe_notebook.PoeBot
    assert BotMessage is PartialResponse is poe_notebook.PartialResponse
    assert MetaMessage is poe_notebook.MetaResponse
    assert stream_request is poe_notebook.stream_request
    assert "sync_bot_settings" in dir(poe_notebook.client)


def test_a_name_that_is_not_there_is_the_error_that_python_users_know() -> None:
    with pytest.raises(ImportError, match="cannot import name 'no_such'"):
        exec("from poe_notebook.client import no_such")
    with pytest.raises(AttributeError, match=r"module 'poe_notebook.types' has no attribute 'no_such'"):
        _ = poe_notebook.types.no_such  # type: ignore[attr-defined]
