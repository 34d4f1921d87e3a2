"""The stream decoder: every vector at every cut, and against a second decoder written from the standard's own steps."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors.sse import VECTORS, Vector

from poe_notebook.client import decoding
from poe_notebook.client.decoding import Decoder
from poe_notebook.errors import BotError
from poe_notebook.protocol.events import encode, encode_text

Events = list[tuple[str, str]]
SMALL = 1000


def fed(*pieces: bytes) -> Events:
    decoder = Decoder()
    return [(event.type, event.data) for piece in pieces for event in decoder.feed(piece)]


def cuts(stream: bytes) -> list[int]:
    if len(stream) <= SMALL:
        return list(range(len(stream) + 1))
    edges = {*range(40), *range(len(stream) - 40, len(stream) + 1)}
    return sorted(edges | set(range(0, len(stream), len(stream) // 20)))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_a_stream_gives_its_events_wherever_it_is_cut(vector: Vector) -> None:
    for cut in cuts(vector.stream):
        assert fed(vector.stream[:cut], vector.stream[cut:]) == vector.events, f"cut at {cut}"


@pytest.mark.parametrize("vector", [v for v in VECTORS if len(v.stream) <= SMALL], ids=lambda vector: vector.name)
def test_a_stream_gives_its_events_byte_by_byte_with_empty_pieces_between(vector: Vector) -> None:
    pieces = [vector.stream[i : i + 1] for i in range(len(vector.stream))]
    assert fed(*(either for piece in pieces for either in (piece, b""))) == vector.events


def test_a_megabyte_that_comes_in_small_pieces_takes_no_longer_than_its_length() -> None:
    stream = next(v.stream for v in VECTORS if v.name == "a large line")
    pieces = [stream[i : i + 100] for i in range(0, len(stream), 100)]
    assert [len(data) for _, data in fed(*pieces)] == [1_000_000]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=repr)
def test_an_event_is_given_with_the_last_byte_that_it_needs(end: bytes) -> None:
    decoder = Decoder()
    event = b"data: 1" + end + end
    needed = event[:-1] if end == b"\r\n" else event  # the CR of the last CRLF already ends the line
    assert list(decoder.feed(needed[:-1])) == []
    assert [given.data for given in decoder.feed(needed[-1:])] == ["1"]
    rest = event[len(needed) :] + b"data: 2" + end + end
    assert [given.data for given in decoder.feed(rest)] == ["2"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=repr)
def test_the_raw_bytes_of_an_event_are_those_on_the_wire(end: bytes) -> None:
    events = [b": note" + end + b"event: a" + end + b"data: 1" + end + end, b"data:2" + end + b"id: 5" + end + end]
    assert [event.raw for event in Decoder().feed(b"".join(events))] == events


def test_an_event_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_MAX_EVENT_BYTES", 1000)
    for piece in (b"x" * 600, b"data: " + b"x" * 80 + b"\n"):
        with pytest.raises(BotError, match="without ending an event"):
            fed(*[piece] * 100)
    decoder = Decoder()
    for _ in range(100):
        assert len(list(decoder.feed(b"data: " + b"x" * 80 + b"\n\n"))) == 1


@given(text=st.text(), type=st.sampled_from(["text", "replace_response", "json"]))
@settings(max_examples=50)
def test_what_our_encoder_writes_is_read_back(text: str, type: str) -> None:
    stream = encode_text(text) + encode(type, {"text": text})
    assert [(t, json.loads(data)["text"]) for t, data in fed(stream)] == [("text", text), (type, text)]


def by_the_standard(stream: bytes) -> Events:
    """Decode a whole stream by the steps of 9.2.5 and 9.2.6, with no thought of speed."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
    events: Events = []
    type_ = data = ""
    for line in lines:
        if not line:
            if data or type_ in ("done", "error"):
                events.append((type_ or "message", data[:-1]))
            type_ = data = ""
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                data += value + "\n"
            elif name == "event":
                type_ = value
    return events


fields = st.sampled_from([b"data", b"event", b"id", b"retry", b"", b"other", b"\xef\xbb\xbfdata", b"data\x00"])
colons = st.sampled_from([b"", b":", b": ", b":  "])
values = st.sampled_from([b"", b"1", b"text", b"done", b" x", b"a:b", "é𝄞\u2028".encode(), b"\xff", b"\xe2\x82"])
ends = st.sampled_from([b"\n", b"\r", b"\r\n"])
lines = st.one_of(st.tuples(fields, colons, values, ends).map(b"".join), ends, ends)


@given(stream=st.lists(lines, max_size=12).map(b"".join), places=st.lists(st.integers(0, 200), max_size=6))
@settings(max_examples=200)
def test_any_stream_in_any_pieces_is_what_the_standard_makes_of_it(stream: bytes, places: list[int]) -> None:
    edges = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    assert fed(*(stream[a:b] for a, b in pairwise(edges))) == by_the_standard(stream)
