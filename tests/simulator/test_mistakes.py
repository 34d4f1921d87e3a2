"""Bots that break the protocol: what users see of it, what Poe reports, and that every stream has an end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from endpoints import query, raw_server, response, until
from offline import Offline, Recorder, offline

import poe_notebook as fp


@pytest.fixture(scope="module")
def poe() -> Iterator[Offline]:
    with offline() as running:
        yield running


def event(type_: str, data: Any) -> fp.ServerSentEvent:
    return fp.ServerSentEvent(event=type_, data=data if isinstance(data, str) else json.dumps(data))


A_FILE = event("file", {"url": "http://127.0.0.1/f", "content_type": "text/plain", "name": "f"})
NO_TEXT = "Bot returned no text in response"
FATAL = {
    "no JSON": event("text", "{oops"),
    "no object": event("text", ["a"]),
    "a text that is a number": event("text", {"text": 3}),
    "a text without a text": event("text", {}),
    "a replacement without one": event("replace_response", {}),
    "a file without an address": event("file", {"name": "f", "content_type": "text/plain"}),
    "a file whose address is a list": event("file", {"url": [], "name": "f", "content_type": "text/plain"}),
    "a suggestion that is null": event("suggested_reply", {"text": None}),
    "metadata that is an object": event("data", {"metadata": {}}),
    "a chunk that is a list": event("json", []),
    "an error that is no JSON": event("error", "oops"),
}
SKIPPED = {
    "an unknown event": ([event("wobble", "{}"), "a"], "Unknown event type: wobble"),
    "an unknown event that is no JSON": ([event("wobble", "now"), "a"], "Unknown event type: wobble"),
    "linkify that is a text": ([event("meta", {"linkify": "yes"}), "a"], "Invalid linkify value"),
    "a content type that is a number": ([event("meta", {"content_type": 3}), "a"], "Invalid content_type value"),
    "suggested replies that are null": ([event("meta", {"suggested_replies": None}), "a"], "Invalid suggested_replies"),
    "too many files": (["a", *[A_FILE] * 21], "More than 20 files"),
}
HARMLESS = {
    "a late meta": ["a", event("meta", {"content_type": "text/plain"})],
    "a ping that is no JSON": [event("ping", "now"), "a"],
    "a done without data": ["a", event("done", "")],
    "an empty first text": ["", "a"],
    "signs that UTF-8 lacks": ["a", "\ud800"],
}


@pytest.mark.parametrize("wrong", FATAL.values(), ids=FATAL)
@pytest.mark.parametrize("earlier", [[], ["a"]], ids=["at first", "later"])
def test_an_event_that_cannot_be_read_ends_the_answer_and_is_reported(
    poe: Offline, wrong: Any, earlier: list[str]
) -> None:
    bot = poe.serve(Recorder(lambda r: [*earlier, wrong, "never read"]), "Mistaken")
    reply = poe.ask("Mistaken", new=True)
    assert reply.failure is not None
    assert (reply.state, reply.text) == ("failed", "".join(earlier))
    assert "cannot be read" in reply.failure.text
    assert until(lambda: bot.errors)
    assert bot.errors[0].message == "Invalid event in response"
    assert bot.errors[0].metadata["message_id"] == reply.message_id
    assert len(bot.requests) == 1
    answer = poe.post("/bot/Mistaken", query())
    assert [e.type for e in answer.events] == [*["text"] * len(earlier), "error", "done"]


@pytest.mark.parametrize(("answer", "said"), SKIPPED.values(), ids=SKIPPED)
def test_a_mistake_that_can_be_passed_over_is_and_is_reported(poe: Offline, answer: list[Any], said: str) -> None:
    bot = poe.serve(Recorder(lambda r: answer), "Mistaken")
    reply = poe.ask("Mistaken", new=True)
    assert (reply.state, reply.text, reply.content_type) == ("done", "a", "text/markdown")
    assert until(lambda: bot.errors)
    assert said in bot.errors[0].message
    assert len(reply.attachments) <= 20


@pytest.mark.parametrize("answer", HARMLESS.values(), ids=HARMLESS)
def test_what_the_protocol_allows_is_no_mistake(poe: Offline, answer: list[Any]) -> None:
    bot = poe.serve(Recorder(lambda r: answer), "Fine")
    reply = poe.ask("Fine", new=True)
    assert (reply.state, reply.content_type) == ("done", "text/markdown")
    assert poe.ask("Fine").state == "done"  # and can be told again
    assert bot.errors == []


@pytest.mark.parametrize("answer", [[], [fp.DataResponse(metadata="x")], [event("done", "{}"), "late"]])
def test_an_answer_that_shows_nothing_is_reported(poe: Offline, answer: list[Any]) -> None:
    bot = poe.serve(Recorder(lambda r: answer), "Mistaken")
    assert poe.ask("Mistaken", new=True).state == "failed"
    assert until(lambda: bot.errors)
    assert bot.errors[0].message == NO_TEXT


def test_an_answer_that_breaks_off_is_an_error_and_is_reported(poe: Offline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POE_ACCESS_KEY", "k" * 32)
    settings = response(b"{}", content_type="application/json")
    broken, taken = response(b'event: text\ndata: {"text": "a"}\n\n'), response(b"{}", content_type="application/json")
    with raw_server([settings], [broken], [taken]) as server:
        poe.session.register("Broken-Off", f"http://127.0.0.1:{server.port}/")
        reply = poe.ask("Broken-Off")
        assert reply.failure is not None
        assert (reply.text, reply.failure.text) == ("a", "The bot's answer broke off without a done event.")
        assert until(lambda: len(server.requests) == 3)
    assert b'"report_error"' in server.requests[-1]
    assert b"without a done event" in server.requests[-1]


@pytest.mark.parametrize("kind", [fp.ErrorResponse(text="no", allow_retry=True), None], ids=["an error", "the end"])
def test_nothing_that_was_shown_is_shown_again_by_another_try(poe: Offline, kind: Any) -> None:
    given = [fp.MetaResponse(content_type="text/plain"), fp.PartialResponse(text="try", is_suggested_reply=True)]
    bot = poe.serve(Recorder(lambda r: [*given, *([kind] if kind else [])]), "Suggesting")
    reply = poe.ask("Suggesting", new=True)
    assert (reply.state, reply.suggested_replies, len(bot.requests)) == ("failed", ["try"], 1)


def test_a_meta_event_counts_once_though_the_bot_was_asked_twice(poe: Offline) -> None:
    meta, failed = fp.MetaResponse(content_type="text/plain"), fp.ErrorResponse(text="no", allow_retry=True)
    bot = poe.serve(Recorder(lambda r: [meta, failed if len(bot.requests) == 1 else "well"]), "Again")
    answer = poe.post("/bot/Again", query())
    assert [e.type for e in answer.events] == ["meta", "text", "done"]


def test_poes_own_suggestions_are_for_chats_and_not_for_who_asks_by_a_program(poe: Offline) -> None:
    poe.serve(Recorder(lambda r: [fp.MetaResponse(suggested_replies=True), "a"]), "Wants")
    assert poe.ask("Wants", "tell me of herons").suggested_replies
    assert [e.type for e in poe.post("/bot/Wants", query()).events] == ["meta", "text", "done"]


def test_a_fault_of_the_simulator_itself_is_poes_catch_all_and_the_exchange_says_which(
    poe: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: Any) -> Any:
        raise ZeroDivisionError("in the middle")

    poe.serve(Recorder(), "Heard")
    monkeypatch.setattr(poe.simulator.poe, "_read", breaks)
    file = {"url": "http://127.0.0.1/f", "content_type": "text/plain", "name": "f"}
    body = query()
    body["query"][0]["attachments"] = [file]
    answer = poe.post("/bot/Heard", body)
    assert [e.type for e in answer.events] == ["error", "done"]
    assert answer.events[0].data == {"allow_retry": True, "text": "Internal server error"}
    exchange = poe.session.trace.last("Heard")
    assert exchange is not None
    assert (exchange.outcome, "ZeroDivisionError" in exchange.note) == ("failed", True)


def test_the_openai_package_gets_an_error_where_a_bot_breaks_the_protocol(poe: Offline) -> None:
    poe.serve(Recorder(lambda r: ["a", event("text", "{oops")]), "Mistaken")
    ask: Any = [{"role": "user", "content": "hello"}]
    with openai.OpenAI(base_url=f"{poe.address}/v1", api_key=poe.api_key, max_retries=0) as client:
        with pytest.raises(openai.APIError, match="cannot be read"):
            list(client.chat.completions.create(model="Mistaken", messages=ask, stream=True))
        with pytest.raises(openai.InternalServerError, match="cannot be read"):
            client.chat.completions.create(model="Mistaken", messages=ask)
