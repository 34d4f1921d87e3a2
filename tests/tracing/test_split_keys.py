"""Keys that come in pieces: found when an answer has ended, and taken out of each event that holds a piece."""

from __future__ import annotations

from typing import Any

import pytest

from poe_notebook.keys import Redactor, Secret
from poe_notebook.protocol.events import encode, encode_text
from poe_notebook.tracing.recorder import Trace

KEY = 'AKse"ret0123456789abcdefghijkLMN'


def a_trace() -> Trace:
    redactor = Redactor()
    redactor.add(Secret(KEY))
    return Trace(redactor)


def recorded(raws: list[bytes], *, by: str = "batch") -> Any:
    pen = a_trace().begin_server(bot="Bot", kind="query", message_id="m", request={}, headers={})
    for raw in raws:
        if by == "batch":
            pen.batch([raw], raw, [pen.start_s + 1])
        else:
            pen.event("text", raw)
    pen.end("done")
    return pen.exchange


@pytest.mark.parametrize("size", [1, 2, 7, 16, 31])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("by", ["batch", "event"])
def test_a_key_in_pieces_of_any_size_is_in_no_event_and_not_in_the_text(size: int, end: str, by: str) -> None:
    text = f"Your key is {KEY}, and again: {KEY}."
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    raws = [encode_text(piece).replace(b"\n", end.encode()) for piece in pieces]
    exchange = recorded([*raws, encode("done", {})], by=by)
    assert exchange.text == "Your key is [key hidden], and again: [key hidden]."
    assert len(exchange.events) == len(raws) + 1
    assert all(event.at_s > 0 for event in exchange.events)


def test_events_without_a_key_stay_byte_for_byte() -> None:
    raws = [encode_text("one "), b'event: text\r\ndata: {"text":"two"}\r\n\r\n', encode("done", {})]
    assert [event.raw for event in recorded(raws).events] == raws


def test_a_key_is_taken_out_of_pieces_between_which_something_else_stands_once_another_shows_it() -> None:
    reply = encode("suggested_reply", {"text": "more"})
    raws = [encode_text(KEY[:9]), encode_text(KEY[9:]), reply, encode_text(KEY[:9]), reply, encode_text(KEY[9:])]
    exchange = recorded(raws)
    assert exchange.text == "[key hidden][key hidden]"
    assert [event.type for event in exchange.events].count("suggested_reply") == 2
