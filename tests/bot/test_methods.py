"""``PoeBot``'s methods besides the handlers: answering without a server as the library does, and costs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import fastapi_poe
import pytest
from posting_bots import request_as
from recording_poe import KEY, poe, sse

import poe_notebook
from poe_notebook.bot.base import PoeBot
from poe_notebook.client.sync import run
from poe_notebook.errors import CostRequestError, InsufficientFundError, InvalidParameterError
from poe_notebook.protocol.requests import (
    QueryRequest,
    ReportErrorRequest,
    ReportFeedbackRequest,
    ReportReactionRequest,
    SettingsRequest,
)
from poe_notebook.protocol.responses import CostItem
from poe_notebook.protocol.settings import SettingsResponse

CONTEXT: Any = object()
IDS = {"version": "1.2", "message_id": "m", "user_id": "u", "conversation_id": "c"}


def events_of(bot: Any, request: Any) -> list[tuple[str, Any]]:
    async def collect() -> list[tuple[str, Any]]:
        return [(event.event, json.loads(event.data)) async for event in bot.handle_query(request, CONTEXT)]

    return run(collect())


def test_a_query_is_answered_without_a_server_with_the_librarys_events() -> None:
    def bot_of(package: Any) -> Any:
        class Bot(package.PoeBot):  # type: ignore[misc]
            async def get_response(self, request: Any) -> AsyncIterator[Any]:
                yield package.MetaResponse(text="", content_type="text/plain", suggested_replies=True)
                yield package.PartialResponse(text="hello\n")
                yield self.replace_response_event("again")
                yield package.PartialResponse(text="more?", is_suggested_reply=True)
                yield package.DataResponse(metadata="{}")

        return Bot()

    official = fastapi_poe.QueryRequest.model_validate(request_as().model_dump())
    assert events_of(bot_of(poe_notebook), request_as()) == events_of(bot_of(fastapi_poe), official)


def test_a_failing_handler_is_logged_and_its_answer_ended(caplog: pytest.LogCaptureFixture) -> None:
    class Bot(PoeBot):
        async def get_response(self, request: Any) -> AsyncIterator[str]:
            raise ValueError("no such thing")
            yield ""

    assert [type_ for type_, _ in events_of(Bot(), request_as())] == ["error", "done"]
    assert "ValueError: no such thing" in caplog.text


def test_a_plain_handler_is_answered_from_too() -> None:
    class Bot(PoeBot):
        def get_response(self, request: Any) -> Iterator[str]:  # type: ignore[override]
            yield "one"
            yield "two"

    assert events_of(Bot(), request_as()) == [("text", {"text": "one"}), ("text", {"text": "two"}), ("done", {})]


def test_the_other_requests_reach_the_handlers_and_get_a_response() -> None:
    heard: list[Any] = []

    class Bot(PoeBot):
        async def get_settings(self, setting: Any) -> SettingsResponse:
            return SettingsResponse(introduction_message="Hello")

        async def on_feedback(self, feedback_request: Any) -> None:
            heard.append(feedback_request.feedback_type)

        async def on_reaction_with_context(self, reaction_request: Any, context: Any) -> None:
            heard.append((reaction_request.reaction, context))

        async def on_error(self, error_request: Any) -> None:
            heard.append(error_request.message)

    async def called(bot: Bot) -> list[Any]:
        return [
            await bot.handle_settings(SettingsRequest(version="1.2", type="settings"), CONTEXT),
            await bot.handle_report_feedback(
                ReportFeedbackRequest(type="report_feedback", feedback_type="like", **IDS), CONTEXT
            ),
            await bot.handle_report_reaction(
                ReportReactionRequest(type="report_reaction", reaction="heart", **IDS), CONTEXT
            ),
            await bot.handle_report_error(
                ReportErrorRequest(version="1.2", type="report_error", message="broken", metadata={}), CONTEXT
            ),
        ]

    given, *reports = (json.loads(response.body) for response in run(called(Bot())))
    assert given["introduction_message"] == "Hello"
    assert reports == [{}, {}, {}]
    assert heard == ["like", ("heart", CONTEXT), "broken"]


# Costs.


def charged(action: str, bot: PoeBot, request: QueryRequest, *, base_url: str | None = None) -> None:
    given = {} if base_url is None else {"base_url": base_url}
    run(getattr(bot, f"{action}_cost")(request, CostItem(amount_usd_milli_cents=7), **given))


@pytest.mark.parametrize("action", ["authorize", "capture"])
@pytest.mark.parametrize("own", [True, False])
def test_a_cost_goes_to_poe_with_the_bots_key(action: str, own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    request = request_as(access_key=KEY).model_copy(update={"bot_query_id": "b-1"})
    bot = PoeBot(access_key=KEY if own else None)
    with poe(sse(("result", {"status": "success"}))) as server:
        monkeypatch.setenv("POE_BASE_URL", server.url)
        charged(action, bot, request)
        monkeypatch.delenv("POE_BASE_URL")
        charged(action, bot, request, base_url=f"{server.url}/")
    assert [seen.path for seen in server.seen] == [f"/bot/cost/b-1/{action}"] * 2
    amount = {"amount_usd_milli_cents": 7, "description": None}
    assert server.seen[0].json == {"amounts": [amount], "access_key": KEY}


@pytest.mark.parametrize("action", ["authorize", "capture"])
def test_a_cost_that_cannot_be_charged_is_an_error(action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    request = request_as().model_copy(update={"bot_query_id": "b-1"})
    with poe(sse(("result", {"status": "insufficient funds"}))) as server:
        monkeypatch.setenv("POE_BASE_URL", server.url)
        with pytest.raises(InsufficientFundError):
            charged(action, PoeBot(access_key=KEY), request)
        with pytest.raises(CostRequestError, match="access key"):
            charged(action, PoeBot(), request)
        with pytest.raises(InvalidParameterError, match="bot_query_id"):
            charged(action, PoeBot(access_key=KEY), request_as())
    assert len(server.seen) == 1


def test_a_handler_that_lets_an_empty_purse_escape_says_so_to_poe() -> None:
    class Bot(PoeBot):
        async def get_response(self, request: Any) -> AsyncIterator[str]:
            yield "thinking"
            raise InsufficientFundError("no points")

    assert events_of(Bot(), request_as())[1][1]["error_type"] == "insufficient_fund"
