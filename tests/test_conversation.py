"""Replies that grow event by event, and the queries that a conversation makes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from poe_notebook.conversation import Conversation, Failure, Reply
from poe_notebook.errors import BotError, BotProtocolError
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.messages import ProtocolMessage


def grown(*events: tuple[str, dict[str, Any]]) -> Reply:
    reply = Reply(bot="Bot", route="kernel", message=ProtocolMessage(role="user", content="hi"), message_id="m-1")
    for n, (type_, data) in enumerate(events):
        reply.add(Event(type_, data, n / 10))
    return reply


def text(value: str) -> tuple[str, dict[str, Any]]:
    return "text", {"text": value}


DONE: tuple[str, dict[str, Any]] = ("done", {})
FILE = {"url": "u", "content_type": "image/png", "name": "n"}


def test_text_is_appended_and_replaced() -> None:
    reply = grown(text("a"), text("b"))
    assert reply.text == "ab"
    reply = grown(text("a"), ("replace_response", {"text": "c"}), text("d"), DONE)
    assert reply.text == "cd"


def test_the_first_text_is_timed_once() -> None:
    assert grown(("meta", {}), text("a"), text("b")).first_text_s == 0.1
    assert grown(("replace_response", {"text": "a"}), text("b")).first_text_s == 0.0
    assert grown(DONE).first_text_s is None


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "waiting"),
        ([("meta", {}), ("ping", {})], "waiting"),
        ([text("")], "answering"),
        ([("file", FILE)], "answering"),
        ([text("a"), DONE], "done"),
        ([DONE], "done"),
        ([text("a"), ("error", {})], "failed"),
        ([("error", {}), DONE], "failed"),
    ],
)
def test_a_reply_has_a_state(events: list[tuple[str, dict[str, Any]]], state: str) -> None:
    reply = grown(*events)
    assert reply.state == state
    assert reply.is_finished is (state in ("done", "failed"))


def test_what_is_no_text_is_kept_apart() -> None:
    reply = grown(
        ("suggested_reply", {"text": "more"}),
        ("suggested_reply", {"text": "less"}),
        ("file", {**FILE, "inline_ref": "r", "extra": 1}),
        ("file", {**FILE, "inline_ref": 5}),
        ("data", {"metadata": "first"}),
        ("data", {"metadata": "last"}),
        ("json", {"choices": []}),
        ("unheard_of", {"a": 1}),
        DONE,
    )
    assert reply.suggested_replies == ["more", "less"]
    assert [(file.url, file.inline_ref) for file in reply.attachments] == [("u", "r"), ("u", None)]
    assert reply.metadata == "last"
    assert reply.text == ""
    assert len(reply.events) == 9


@pytest.mark.parametrize(
    ("events", "content_type"),
    [
        ([("meta", {"content_type": "text/plain"})], "text/plain"),
        ([("meta", {"content_type": "text/markdown"})], "text/markdown"),
        ([("meta", {})], "text/markdown"),
        ([("meta", {"content_type": "text/html"})], "text/plain"),
        ([("ping", {}), ("meta", {"content_type": "text/plain"})], "text/plain"),
        ([text("a"), ("meta", {"content_type": "text/plain"})], "text/markdown"),
        ([("meta", {}), ("meta", {"content_type": "text/plain"})], "text/markdown"),
    ],
)
def test_only_the_first_event_says_how_the_answer_is_shown(
    events: list[tuple[str, dict[str, Any]]], content_type: str
) -> None:
    assert grown(*events).content_type == content_type


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        ({}, Failure(text="")),
        ({"text": "no", "error_type": "user_caused_error"}, Failure(text="no", error_type="user_caused_error")),
        ({"text": 5, "error_type": ["x"], "allow_retry": False}, Failure(text="", allow_retry=False)),
    ],
)
def test_an_error_becomes_the_failure(data: dict[str, Any], failure: Failure) -> None:
    reply = grown(text("a"), ("error", data), ("error", {"text": "second"}))
    assert reply.failure == failure
    assert reply.text == "a"


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("text", {}),
        ("text", {"text": None}),
        ("replace_response", {"text": 1}),
        ("suggested_reply", {"text": []}),
        ("file", {}),
        ("file", {**FILE, "url": None}),
        ("file", {**FILE, "name": 3}),
        ("data", {"metadata": {}}),
        ("meta", {"content_type": 1}),
    ],
)
def test_an_event_without_what_it_needs_is_a_fault_of_the_bot(type_: str, data: dict[str, Any]) -> None:
    with pytest.raises(BotProtocolError, match=repr(type_)):
        grown((type_, data))


def test_a_failed_reply_may_be_raised() -> None:
    reply = grown(text("a"), DONE)
    assert reply.raise_for_failure() is reply
    with pytest.raises(BotError, match="Bot answered with an error: too long"):
        grown(("error", {"text": "too long"})).raise_for_failure()


def test_a_reply_shows_its_start() -> None:
    assert repr(grown(text("hi"), DONE)) == "<Reply from Bot (done): 'hi'>"
    assert len(repr(grown(text("x" * 1000)))) < 100


def test_a_long_answer_grows_in_time_proportional_to_its_length() -> None:
    reply = grown()
    for n in range(20_000):
        reply.add(Event("text", {"text": "word "}, 0.0))
        if n % 100 == 0:
            assert reply.text.endswith("word ")
    assert len(reply.text) == 100_000


# The conversation.


def answered(conversation: Conversation, content: str, *events: tuple[str, dict[str, Any]], **options: Any) -> Any:
    request, reply = conversation.ask(content, route="kernel", **options)
    for event in events:
        reply.add(Event(*event, 0.0))
    return request


def test_a_query_has_identifiers_of_poes_form() -> None:
    request = answered(Conversation("Bot"), "hi")
    for name, letter in [("user_id", "u"), ("conversation_id", "c"), ("message_id", "m"), ("bot_query_id", "b")]:
        assert re.fullmatch(rf"{letter}-[a-z0-9]{{32}}", getattr(request, name))
    (message,) = request.query
    assert (message.role, message.content, message.sender.id) == ("user", "hi", request.user_id)
    assert message.timestamp > 1_600_000_000_000_000
    assert message.message_id != request.message_id


def test_each_query_holds_the_turns_before_it() -> None:
    conversation = Conversation("Bot")
    first = answered(conversation, "one", text("a"), ("data", {"metadata": "state"}), DONE)
    second = answered(conversation, "two", ("file", FILE), DONE)
    third = answered(conversation, "three")
    assert [(m.role, m.content) for m in second.query] == [("user", "one"), ("bot", "a"), ("user", "two")]
    assert second.query[1].metadata == "state"
    assert second.query[1].message_id == first.message_id
    assert second.query[0] == first.query[0]
    assert third.query[3].attachments[0].url == "u"
    assert len({r.message_id for r in (first, second, third)}) == 3
    assert len({r.conversation_id for r in (first, second, third)}) == 1
    assert Conversation("Bot").conversation_id != first.conversation_id


def test_a_stopped_turn_goes_into_the_history_with_the_text_it_had_and_an_empty_one_without() -> None:
    conversation = Conversation("Bot")
    answered(conversation, "one", text("half"))
    conversation.turns[-1].state = "stopped"
    answered(conversation, "two", ("error", {}))
    request = answered(conversation, "three")
    assert [m.content for m in request.query] == ["one", "half", "two", "three"]


def test_parameters_go_with_their_message() -> None:
    conversation = Conversation("Bot")
    answered(conversation, "one", text("a"), DONE, parameters={"size": 3})
    request = answered(conversation, "two")
    assert [m.parameters for m in request.query] == [{"size": 3}, {}, {}]
