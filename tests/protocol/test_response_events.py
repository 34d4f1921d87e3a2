"""Responses and events: each becomes the other, and is the same after the trip."""

from __future__ import annotations

from typing import Any

import fastapi_poe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poe_notebook.errors import BotProtocolError
from poe_notebook.protocol import responses
from poe_notebook.protocol.events import Event, decode, encode
from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.response_events import event_to_response, response_to_event
from poe_notebook.protocol.responses import DataResponse, ErrorResponse, MetaResponse, PartialResponse, ReceivedData

FILE = Attachment(url="https://x/y.png", content_type="image/png", name="y.png", inline_ref="r1")
FILE_DATA = {"url": "https://x/y.png", "content_type": "image/png", "name": "y.png", "inline_ref": "r1"}


@pytest.mark.parametrize(
    ("response", "events"),
    [
        (PartialResponse(text="a"), [("text", {"text": "a"})]),
        (PartialResponse(text=""), [("text", {"text": ""})]),
        (PartialResponse(text="a", index=0), [("text", {"text": "a", "index": 0})]),
        (PartialResponse(text="a", is_replace_response=True), [("replace_response", {"text": "a"})]),
        (PartialResponse(text="a", is_suggested_reply=True, index=2), [("suggested_reply", {"text": "a", "index": 2})]),
        (PartialResponse(text="a", attachment=FILE), [("file", FILE_DATA), ("text", {"text": "a"})]),
        (PartialResponse(text="", attachment=FILE), [("file", FILE_DATA), ("text", {"text": ""})]),
        (PartialResponse(text="", data={"a": 1}), [("json", {"a": 1})]),
        (PartialResponse(text="", data={}), [("json", {})]),
        (
            PartialResponse(text="a", data={"a": 1}, index=1),
            [("json", {"a": 1, "index": 1}), ("text", {"text": "a", "index": 1})],
        ),
        (DataResponse(metadata="m"), [("data", {"metadata": "m"})]),
        (ReceivedData(metadata="m"), [("data", {"metadata": "m"})]),
        (ErrorResponse(text="bad"), [("error", {"allow_retry": True, "text": "bad"})]),
        (
            MetaResponse(suggested_replies=True, content_type="text/plain"),
            [
                (
                    "meta",
                    {
                        "content_type": "text/plain",
                        "refetch_settings": False,
                        "linkify": True,
                        "suggested_replies": True,
                    },
                )
            ],
        ),
    ],
)
def test_a_response_becomes_its_events(response: Any, events: list[tuple[str, dict[str, Any]]]) -> None:
    assert response_to_event(response) == events


def test_tool_calls_become_a_chunk_of_a_chat_completion() -> None:
    delta = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{"}}
    response = PartialResponse.model_validate({"text": "", "tool_calls": [delta]})
    chunk = {"choices": [{"index": 0, "delta": {"tool_calls": [delta]}, "finish_reason": None}]}
    assert response_to_event(response) == [("json", chunk)]


def test_an_error_keeps_its_type_and_its_diagnosis_but_no_exception_text() -> None:
    error = ErrorResponse(text="", allow_retry=False, error_type="insufficient_fund", raw_response="status 402")
    [(_, data)] = response_to_event(error)
    assert data == {"allow_retry": False, "text": "", "error_type": "insufficient_fund", "raw_response": "status 402"}
    [(_, data)] = response_to_event(ErrorResponse(text="", raw_response=OSError("/home/me/key.txt")))
    assert data["raw_response"] == "OSError"


def test_what_is_for_debugging_is_not_sent() -> None:
    response = PartialResponse(text="a", raw_response="r", full_prompt="p", request_id="i")
    assert response_to_event(response) == [("text", {"text": "a"})]


@pytest.mark.parametrize("thing", ["text", 3, None, {"text": "a"}, FILE, PartialResponse])
def test_anything_else_is_no_response(thing: object) -> None:
    with pytest.raises(TypeError, match="no response"):
        response_to_event(thing)


THEIRS = fastapi_poe.Attachment(**FILE_DATA)


@pytest.mark.parametrize(
    "response",
    [
        fastapi_poe.PartialResponse(text="a", attachment=THEIRS, index=1),
        fastapi_poe.PartialResponse(text="a", is_suggested_reply=True),
        fastapi_poe.ErrorResponse(text="bad", error_type="user_caused_error"),
        fastapi_poe.MetaResponse(text="", suggested_replies=False),
        fastapi_poe.DataResponse(metadata="m"),
    ],
)
def test_a_response_of_the_official_package_gives_the_same_events(response: Any) -> None:
    ours = getattr(responses, type(response).__name__).model_validate(response.model_dump())
    assert response_to_event(response) == response_to_event(ours)


def test_a_subclass_of_a_response_is_one() -> None:
    class Loud(PartialResponse):
        volume: int = 3

    assert response_to_event(Loud(text="A")) == [("text", {"text": "A"})]


def test_a_subclass_with_metadata_of_its_own_is_a_text_all_the_same() -> None:
    class Noted(PartialResponse):
        metadata: str = "mine"

    assert response_to_event(Noted(text="A")) == [("text", {"text": "A"})]


indexes = st.none() | st.integers(min_value=0, max_value=9)
files = st.builds(Attachment, url=st.text(), content_type=st.text(), name=st.text(), inline_ref=st.none() | st.text())
pieces = st.one_of(
    st.builds(PartialResponse, text=st.text(), index=indexes),
    st.builds(PartialResponse, text=st.text(), index=indexes, is_replace_response=st.just(True)),
    st.builds(PartialResponse, text=st.text(), index=indexes, is_suggested_reply=st.just(True)),
    st.builds(PartialResponse, text=st.just(""), data=st.dictionaries(st.text(min_size=6), st.integers())),
    st.builds(ReceivedData, metadata=st.text()),
    st.builds(
        ErrorResponse,
        text=st.text(),
        allow_retry=st.booleans(),
        error_type=st.sampled_from([None, "insufficient_fund"]),
    ),
    st.builds(MetaResponse, linkify=st.booleans(), suggested_replies=st.booleans(), refetch_settings=st.booleans()),
)


@given(response=pieces)
def test_a_response_survives_the_wire(response: PartialResponse) -> None:
    [(kind, data)] = response_to_event(response)
    body = encode(kind, data).decode().split("data: ", 1)[1].rstrip("\n")
    assert event_to_response(decode(kind, body)) == response


@given(file=files, index=indexes)
def test_a_file_survives_the_wire(file: Attachment, index: int | None) -> None:
    (kind, data), _ = response_to_event(PartialResponse(text="t", attachment=file, index=index))
    assert event_to_response(Event(kind, data)) == PartialResponse(text="", attachment=file, index=index)


@pytest.mark.parametrize("kind", ["done", "ping", "message", "tomorrow"])
def test_events_that_say_nothing_give_nothing(kind: str) -> None:
    assert event_to_response(Event(kind, {"text": "x"})) is None


def test_an_absent_meta_field_is_false_and_an_unknown_content_type_is_plain() -> None:
    expected = MetaResponse(linkify=False, suggested_replies=False, content_type="text/plain")
    assert event_to_response(Event("meta", {"content_type": "text/html", "new": 1})) == expected
    assert event_to_response(Event("meta", {})) == MetaResponse(linkify=False)


def test_an_empty_error_is_an_error_that_may_be_retried() -> None:
    assert event_to_response(Event("error", {})) == ErrorResponse(text="", allow_retry=True)


def test_an_error_from_elsewhere_is_taken_as_far_as_it_goes() -> None:
    event = Event("error", {"text": None, "allow_retry": None, "error_type": "brand_new", "raw_response": {"a": 1}})
    assert event_to_response(event) == ErrorResponse(text="", allow_retry=False, raw_response={"a": 1})


@pytest.mark.parametrize("index", [True, "1", 1.0, None])
def test_an_index_of_another_kind_is_no_index(index: object) -> None:
    response = event_to_response(Event("text", {"text": "a", "index": index}))
    assert response == PartialResponse(text="a", index=None)


@pytest.mark.parametrize(
    ("kind", "data", "says"),
    [
        ("text", {}, "'text' event comes without 'text'"),
        ("text", {"text": 3}, "'text' event has a number as 'text'"),
        ("text", {"text": None, "index": 1}, "has null as 'text'"),
        ("replace_response", {"text": []}, "a list"),
        ("suggested_reply", {}, "without 'text'"),
        ("file", {"url": "u", "content_type": "c"}, "without 'name'"),
        ("data", {"metadata": {}}, "has an object as 'metadata'"),
        ("meta", {"linkify": 1}, "has a number as 'linkify'"),
        ("meta", {"content_type": None}, "has null as 'content_type'"),
    ],
)
def test_a_known_event_without_its_field_breaks_the_protocol(kind: str, data: dict[str, Any], says: str) -> None:
    with pytest.raises(BotProtocolError, match=says):
        event_to_response(Event(kind, data))
