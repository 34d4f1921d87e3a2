"""``PoeBot``: the names and the raw events of the official library's class."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Callable
from typing import Any

import fastapi_poe
import pytest

from poe_notebook.bot.base import PoeBot
from poe_notebook.protocol.requests import ReportErrorRequest

EVENTS: list[Callable[[Any], Any]] = [
    lambda bot: bot.text_event("é"),
    lambda bot: bot.replace_response_event("b"),
    lambda bot: bot.suggested_reply_event("c"),
    lambda bot: bot.file_event(url="u", content_type="t", name="n"),
    lambda bot: bot.file_event(url="u", content_type="t", name="n", inline_ref="r"),
    lambda bot: bot.data_event("m"),
    lambda bot: bot.meta_event(content_type="text/plain", refetch_settings=True, linkify=False, suggested_replies=True),
    lambda bot: bot.error_event(),
    lambda bot: bot.error_event("no", allow_retry=False, error_type="user_caused_error"),
    lambda bot: bot.done_event(),
]


@pytest.mark.parametrize("make", EVENTS, ids=range(len(EVENTS)))
def test_a_raw_event_says_what_the_librarys_says(make: Callable[[Any], Any]) -> None:
    ours, theirs = make(PoeBot), make(fastapi_poe.PoeBot)
    assert ours.event == theirs.event
    assert json.loads(ours.data) == json.loads(theirs.data)


@pytest.mark.parametrize(
    "name",
    [name for name, _ in inspect.getmembers(PoeBot, inspect.isfunction) if not name.startswith("_")],
)
def test_a_method_takes_what_the_librarys_takes(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(bot, name)).parameters for bot in (PoeBot, fastapi_poe.PoeBot))
    assert [(p.name, p.kind) for p in ours.values()] == [(p.name, p.kind) for p in theirs.values()]


def test_a_subclass_that_never_calls_our_init_works() -> None:
    class Bot(PoeBot):
        def __init__(self) -> None:
            self.mine = 1

    assert (Bot().path, Bot().access_key, Bot().bot_name) == ("/", None, None)


def test_the_key_is_not_shown() -> None:
    assert "hush" not in repr(PoeBot(access_key="hush"))


def test_an_error_that_poe_reports_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    request = ReportErrorRequest(version="1", type="report_error", message="too late", metadata={})
    with caplog.at_level(logging.WARNING):
        asyncio.run(PoeBot().on_error_with_context(request, context=None))  # type: ignore[arg-type]
    assert "too late" in caplog.text
