"""Events to bytes and back, read by the decoder that the client uses."""

from __future__ import annotations

import json

import httpx
import pytest
from httpx_sse import EventSource
from hypothesis import given
from hypothesis import strategies as st

from poe_notebook.errors import BotProtocolError
from poe_notebook.protocol.events import KNOWN_TYPES, Event, ServerSentEvent, decode, encode, encode_text

anything = (
    st.characters() | st.characters(categories=["Cs"]) | st.sampled_from("\r\n\x85\u2028\u2029\x00\ufeff\x0b\x1c")
)
texts = st.text(anything)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=4)


def read(stream: bytes) -> list[tuple[str, str]]:
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
    return [(sse.event, sse.data) for sse in EventSource(response).iter_sse()]


@given(text=texts)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    [(kind, data)] = read(encode_text(text))
    assert decode(kind, data) == Event("text", {"text": text})


@given(kind=st.sampled_from(sorted(KNOWN_TYPES)), data=objects)
def test_any_json_object_comes_back_as_it_was(kind: str, data: dict[str, object]) -> None:
    [(name, body)] = read(encode(kind, data))
    assert decode(name, body, at_s=1.5) == Event(kind, data, 1.5)


@given(texts_=st.lists(texts, max_size=5))
def test_events_in_one_stream_stay_apart(texts_: list[str]) -> None:
    stream = b"".join(map(encode_text, texts_)) + encode("done", {})
    assert [decode(*event).data.get("text") for event in read(stream)] == [*texts_, None]


@given(text=texts)
def test_the_hand_written_text_event_is_the_same_as_the_general_one(text: str) -> None:
    assert encode_text(text) == encode("text", {"text": text})


@given(data=objects)
def test_an_encoded_event_is_ascii_on_two_lines(data: dict[str, object]) -> None:
    assert encode("json", data).isascii()
    assert encode("json", data).count(b"\n") == 3


@pytest.mark.parametrize("data", [{"x": float("nan")}, {"x": float("inf")}, {"x": b"bytes"}, {"x": object()}])
def test_data_that_is_no_json_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(BotProtocolError, match="'data' event is no JSON"):
        encode("data", data)


@pytest.mark.parametrize("kind", ["a\nb", "a\rb"])
def test_an_event_type_cannot_smuggle_a_line(kind: str) -> None:
    with pytest.raises(BotProtocolError, match="line break"):
        encode(kind, {})


@pytest.mark.parametrize("data", ["{", "[1]", '"text"', "3", "null"])
def test_a_known_event_whose_data_is_no_object_breaks_the_protocol(data: str) -> None:
    with pytest.raises(BotProtocolError, match="'text' event"):
        decode("text", data)


@pytest.mark.parametrize("kind", ["ping", "done", "message", "tomorrow"])
def test_data_of_an_event_to_ignore_is_kept_raw(kind: str) -> None:
    assert decode(kind, "no json") == Event(kind, {"raw": "no json"})


def test_empty_data_is_an_empty_object() -> None:
    assert decode("done", "") == Event("done", {})


@given(data=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_raw_event_keeps_its_data_but_for_the_kind_of_line_break(data: str) -> None:
    [(kind, read_data)] = read(ServerSentEvent(event="text", data=data).encode())
    assert (kind, read_data) == ("text", data.replace("\r\n", "\n").replace("\r", "\n"))


def test_a_raw_event_with_half_a_surrogate_pair_can_still_be_sent() -> None:
    [(_, data)] = read(ServerSentEvent(event="text", data='{"text": "\ud800"}').encode())
    assert json.loads(data) == {"text": "\ud800"}


def test_a_comment_is_no_event() -> None:
    assert ServerSentEvent(comment="still\nhere").encode() == b": still\n: here\n\n"
    assert read(ServerSentEvent(comment="still here").encode()) == []


def test_a_raw_event_sends_all_its_fields() -> None:
    assert ServerSentEvent("{}", "done", id="7", retry=250).encode() == b"id: 7\nevent: done\nretry: 250\ndata: {}\n\n"


@pytest.mark.parametrize("event", [ServerSentEvent(event="a\ndata: {}"), ServerSentEvent(id="a\rdata: {}")])
def test_a_field_of_a_raw_event_cannot_smuggle_a_line(event: ServerSentEvent) -> None:
    with pytest.raises(BotProtocolError, match="line break"):
        event.encode()
