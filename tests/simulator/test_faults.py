"""Faults on demand: what they do to an answer's bytes, how they are typed, and that nothing else changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from apps import serving
from endpoints import events_in
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from poe_notebook.errors import InvalidParameterError
from poe_notebook.protocol.events import encode, encode_text
from poe_notebook.server.stream import AnswerResponse
from poe_notebook.simulator.fault_names import FAULT_NAMES, format_faults, parse_faults
from poe_notebook.simulator.faults import NO_FAULTS, ConnectionCut, Faults

EVENTS = [b": ping\n\n", encode("meta", {}), encode_text("a"), encode_text("b"), encode_text("c"), encode("done", {})]
ANSWER = b"".join(EVENTS)


class Source:
    """Gives chunks, and knows whether it was closed."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks, self.is_closed, self.given = chunks, False, 0

    async def __call__(self) -> AsyncGenerator[bytes, None]:
        try:
            for chunk in self.chunks:
                self.given += 1
                yield chunk
        finally:
            self.is_closed = True


class Faulty:
    """What is left of an answer, and how long it took."""

    def __init__(self, faults: Faults | str, *chunks: bytes) -> None:
        self.pieces: list[bytes] = []
        self.waits: list[float] = []
        self.is_cut = False
        self.source = Source(*(chunks or (ANSWER,)))
        asyncio.run(self._run(parse_faults(faults) if isinstance(faults, str) else faults))

    async def _run(self, faults: Faults) -> None:
        try:
            async for piece in faults.apply(self.source(), sleep=self._sleep):
                self.pieces.append(piece)
        except ConnectionCut:
            self.is_cut = True

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    @property
    def bytes(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def types(self) -> list[str]:
        return [event.type for event in events_in(self.bytes)]


def test_a_cut_comes_in_the_middle_of_its_event_and_ends_the_bot() -> None:
    faulty = Faulty("cut@3")
    assert faulty.is_cut
    whole, half = faulty.bytes[: len(b"".join(EVENTS[:3]))], faulty.bytes[len(b"".join(EVENTS[:3])) :]
    assert whole == b"".join(EVENTS[:3])
    assert EVENTS[3].startswith(half)
    assert 0 < len(half) < len(EVENTS[3])
    assert faulty.source.is_closed


def test_a_cut_at_an_event_that_never_comes_does_not_happen() -> None:
    assert (Faulty("cut@9").bytes, Faulty("cut@9").is_cut) == (ANSWER, False)


def test_an_early_end_leaves_done_out_or_ends_before() -> None:
    assert Faulty("early-end").types == ["meta", "text", "text", "text"]
    assert Faulty("early-end@2").types == ["meta"]
    assert not Faulty("early-end@2").is_cut
    assert Faulty("early-end@2", *EVENTS).source.given < len(EVENTS)


def test_a_delay_comes_before_its_event_and_gaps_between_all() -> None:
    assert Faulty("delay=2.5").waits == [2.5]
    assert Faulty("gap=0.5").waits == [0.5] * 4
    assert Faulty("gap=0.5 delay=2@2").waits == [2.5, 0.5, 0.5, 0.5]
    assert Faulty("gap=0.5 delay=2@2").bytes == ANSWER


def test_bytes_are_split_at_any_size() -> None:
    assert Faulty("split").pieces == [ANSWER[n : n + 1] for n in range(len(ANSWER))]
    assert {len(piece) for piece in Faulty("split=7").pieces} <= set(range(1, 8))
    assert Faulty("split=7").bytes == ANSWER


@pytest.mark.parametrize(
    ("kind", "found"), [("json", b"no JSON"), ("list", b'["a list'), ("type", b"sparkle"), ("utf8", b"\xc3\x28")]
)
def test_garbage_comes_before_its_event(kind: str, found: bytes) -> None:
    before, _, after = Faulty(f"garbage={kind}@3").bytes.partition(found)
    assert before.startswith(b"".join(EVENTS[:3]))
    assert after.endswith(b"".join(EVENTS[3:]))


def test_a_slow_reader_rests_after_each_piece() -> None:
    faulty = Faulty("slow-reader=0.5")
    assert set(faulty.waits) == {0.5}
    assert faulty.bytes == ANSWER


def test_flags_are_for_whoever_sends_the_request() -> None:
    faults = parse_faults("duplicate status=503")
    assert (faults.copies, faults.status) == (2, 503)
    assert Faulty(faults).bytes == ANSWER


def test_several_faults_go_together() -> None:
    faulty = Faulty("garbage=type@1, split=3 cut@4")
    assert faulty.is_cut
    assert faulty.bytes.startswith(b": ping\n\nevent: sparkle")
    assert max(map(len, faulty.pieces)) == 3


def test_keep_alives_are_passed_on() -> None:
    assert Faulty(NO_FAULTS, EVENTS[2], b"", EVENTS[5]).pieces == [EVENTS[2], b"", EVENTS[5]]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_events_are_told_apart_whatever_ends_their_lines_and_wherever_they_are_cut(line_end: bytes) -> None:
    answer = ANSWER.replace(b"\n", line_end)
    for at in range(len(answer)):
        faulty = Faulty("early-end@3", answer[:at], answer[at:])
        assert faulty.bytes.rstrip(b"\r\n") == b"".join(EVENTS[:3]).replace(b"\n", line_end).rstrip(b"\r\n")


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=12))
def test_without_faults_any_bytes_stay_as_they_are(chunks: list[bytes]) -> None:
    faulty = Faulty(NO_FAULTS, *chunks, b"x")
    assert faulty.bytes == b"".join(chunks) + b"x"
    assert faulty.source.is_closed


faults = st.builds(
    Faults,
    cut_at=st.none() | st.integers(1, 5),
    end_at=st.none() | st.integers(0, 5),
    delay_s=st.sampled_from([0.0, 2.5]),
    gap_s=st.sampled_from([0.0, 0.25]),
    split_bytes=st.none() | st.integers(1, 9),
    garbage=st.none() | st.sampled_from(["json", "list", "type", "utf8"]),
    garbage_at=st.integers(1, 5),
    read_gap_s=st.sampled_from([0.0, 0.5]),
    status=st.none() | st.integers(400, 599),
    copies=st.integers(1, 3),
)


@settings(deadline=None)
@given(faults, st.lists(st.binary(max_size=40), max_size=12))
def test_any_faults_of_any_bytes_end_and_close_the_bot(given_faults: Faults, chunks: list[bytes]) -> None:
    assert Faulty(given_faults, ANSWER, *chunks).source.is_closed


@settings(deadline=None)
@given(faults)
def test_what_is_typed_and_what_is_meant_are_the_same(given_faults: Faults) -> None:
    typed = format_faults(given_faults)
    meant = parse_faults(typed)
    assert format_faults(meant) == typed
    assert meant.describe() == given_faults.describe()
    assert given_faults.describe().endswith(".")


def test_a_description_is_a_sentence() -> None:
    assert parse_faults("delay=2.5 cut@3 split=1").describe() == (
        "2.5 s pass before event 1, the connection is cut in the middle of event 3, the bytes come 1 at a time."
    )
    assert NO_FAULTS.describe() == "Nothing goes wrong."


def test_every_name_in_the_help_can_be_typed() -> None:
    assert all(parse_faults(form) != NO_FAULTS for form in FAULT_NAMES)
    assert parse_faults("") == parse_faults(" , ") == NO_FAULTS


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("cutt@3", "Did you mean cut@3?"),
        ("earlyend", "Did you mean early-end@3?"),
        ("nonsense", "Faults are cut, early-end"),
        ("@3", "There is no fault"),
        ("cut=3", "cut takes no =; the number of an event stands behind @"),
        ("cut@0", "cut takes the number of an event from 1"),
        ("cut@x", "Type for instance: cut@3"),
        ("delay", "delay takes seconds from 0.001 to 3,600"),
        ("delay=nan", "delay takes seconds"),
        ("delay=-1", "delay takes seconds"),
        ("split=0", "split takes bytes from 1"),
        ("split=1@3", "split takes no @"),
        ("garbage=rubbish", "garbage takes json, list, type or utf8."),
        ("status=200", "status takes an HTTP status from 400"),
        ("duplicate=99", "duplicate takes times from 2 to 10"),
    ],
)
def test_what_is_no_fault_is_refused_with_what_to_type(typed: str, sentence: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        parse_faults(typed)
    assert sentence in str(caught.value)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_read_or_refused(typed: str) -> None:
    with suppress(InvalidParameterError):
        parse_faults(typed)


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    async def endpoint(request: Request) -> Response:
        return AnswerResponse(parse_faults(request.query_params["faults"]).apply(Source(*EVENTS)()))

    with serving(Starlette(routes=[Route("/", endpoint)])) as port:
        yield f"http://127.0.0.1:{port}/?faults="


def read(url: str) -> tuple[list[bytes], Any]:
    pieces: list[bytes] = []
    with httpx.stream("GET", url) as response:
        try:
            pieces.extend(response.iter_raw())
        except httpx.RemoteProtocolError as error:
            return pieces, error
    return pieces, None


def test_on_a_real_socket_a_cut_is_a_cut_connection_and_an_early_end_is_none(served: str) -> None:
    pieces, error = read(served + "cut@3")
    assert "incomplete" in str(error)
    assert b"".join(pieces).startswith(b"".join(EVENTS[:3]))
    pieces, error = read(served + "early-end")
    assert error is None
    assert b"".join(pieces) == b"".join(EVENTS[:5])


def test_on_a_real_socket_split_bytes_come_in_pieces(served: str) -> None:
    pieces, error = read(served + "split=2")
    assert error is None
    assert b"".join(pieces) == ANSWER
    assert len(pieces) > 10
