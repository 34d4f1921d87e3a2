"""Messages take what Poe sends now and what it may send next."""

from __future__ import annotations

from types import SimpleNamespace

import fastapi_poe
import pytest
from pydantic import ValidationError

from poe_notebook.protocol.messages import Attachment, MessageFeedback, ProtocolMessage, Sender


def test_a_message_needs_only_role_and_content() -> None:
    message = ProtocolMessage(role="user", content="hi")
    assert (message.content_type, message.timestamp, message.message_id) == ("text/markdown", 0, "")
    assert (message.parameters, message.feedback, message.attachments, message.reactions) == ({}, [], [], [])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role", "narrator"),
        ("content_type", "text/html"),
        ("message_type", "function_result"),
        ("feedback", [MessageFeedback(type="meh")]),
        ("message_id", "any string"),
        ("parameters", {"temperature": [1, {"deep": None}]}),
    ],
)
def test_values_unknown_today_are_kept(field: str, value: object) -> None:
    message = ProtocolMessage.model_validate({"role": "user", "content": "hi", field: value})
    assert getattr(message, field) == value


def test_unknown_keys_are_ignored() -> None:
    message = ProtocolMessage.model_validate({"role": "user", "content": "hi", "mood": "good", "model_extra": 1})
    assert message == ProtocolMessage(role="user", content="hi")


@pytest.mark.parametrize(
    "field", ["parameters", "content_type", "timestamp", "message_id", "feedback", "attachments", "reactions"]
)
def test_null_counts_as_the_default(field: str) -> None:
    message = ProtocolMessage.model_validate({"role": "user", "content": "hi", field: None})
    assert message.model_dump() == ProtocolMessage(role="user", content="hi").model_dump()


def test_two_messages_do_not_share_the_list_that_null_stands_for() -> None:
    body = {"role": "user", "content": "hi", "attachments": None}
    first, second = ProtocolMessage.model_validate(body), ProtocolMessage.model_validate(body)
    first.attachments.append(Attachment(url="u", content_type="c", name="n"))
    assert second.attachments == []


def test_feedback_without_a_reason_is_taken() -> None:
    assert MessageFeedback.model_validate({"type": "like"}).reason is None


@pytest.mark.parametrize("body", [{"role": "user"}, {"content": "x"}, {"role": "user", "content": None}, {}, 3, None])
def test_a_message_without_role_or_content_is_refused(body: object) -> None:
    with pytest.raises(ValidationError):
        ProtocolMessage.model_validate(body)


def test_an_error_does_not_show_the_text_of_the_message() -> None:
    with pytest.raises(ValidationError) as caught:
        ProtocolMessage.model_validate({"content": "a private remark"})
    assert "private" not in str(caught.value)


def test_a_quoted_message_is_a_message() -> None:
    message = ProtocolMessage.model_validate(
        {"role": "user", "content": "b", "referenced_message": {"role": "bot", "content": "a", "feedback": None}}
    )
    assert message.referenced_message == ProtocolMessage(role="bot", content="a")


def test_half_a_surrogate_pair_passes() -> None:
    assert ProtocolMessage(role="user", content="\ud83d").content == "\ud83d"


def test_objects_of_the_official_package_are_taken_by_shape() -> None:
    theirs = fastapi_poe.Attachment(url="u", content_type="text/plain", name="n", parsed_content="p")
    body = {"role": "user", "content": "x", "attachments": [theirs], "sender": SimpleNamespace(id="u-1", name="A")}
    message = ProtocolMessage.model_validate(body)
    assert message.attachments == [Attachment(url="u", content_type="text/plain", name="n", parsed_content="p")]
    assert message.sender == Sender(id="u-1", name="A")
