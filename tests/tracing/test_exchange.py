"""Exchanges as values: their events in columns, and the times and texts that are read off them."""

from __future__ import annotations

import gc
import sys
import threading
from array import array
from datetime import UTC, datetime
from typing import Any

import pytest

from poe_notebook.errors import MissingPackage
from poe_notebook.protocol.events import encode, encode_text
from poe_notebook.tracing.exchange import Events, Exchange, Recorded, Tap

THREE = [Recorded(0.1, "meta", b"event: meta\n\n"), Recorded(0.2, "text", b"b"), Recorded(0.5, "done", b"c")]


def an_exchange(**fields: Any) -> Exchange:
    return Exchange(1, "Bot", "query", datetime.now(UTC), **fields)


def answering(*events: tuple[str, dict[str, Any]]) -> Exchange:
    """An exchange whose answer has these events, a tenth of a second apart."""
    recorded = [Recorded((at + 1) / 10, type_, encode(type_, data)) for at, (type_, data) in enumerate(events)]
    return an_exchange(server=Tap(200, events=recorded, ended_s=1.0), outcome="done")


def test_events_are_a_sequence_of_what_was_recorded() -> None:
    events = Events(THREE)
    assert list(events) == THREE
    assert list(reversed(events)) == THREE[::-1]
    assert len(events) == 3
    for index in (0, 2, -1, -3):
        assert events[index] == THREE[index]
    for part in (slice(None), slice(1, None), slice(None, None, -1), slice(5, 9), slice(-2, 2)):
        assert events[part] == THREE[part]
    for index in (3, -4):
        with pytest.raises(IndexError):
            events[index]
    assert THREE[1] in events
    assert events.types == ["meta", "text", "done"]
    assert events.times_s == [0.1, 0.2, 0.5]
    assert repr(events) == repr(THREE)
    assert not Events()


def test_events_may_be_read_while_more_come() -> None:
    events = Events(THREE)
    seen = []
    for event in events:
        seen.append(event)
        assert len(events.types) == len(events)
        if len(events) < 6:
            events.add(1.0, "late", b"")
    assert len(seen) == 6


def test_events_that_come_together_are_as_if_they_had_come_alone() -> None:
    raws = [encode_text(f"word {n}") for n in range(5)] + [b"data: x\r\n\r\n", b": comment\nevent: odd\n\n", b""]
    together, alone = Events(start_s=10.0), Events(start_s=10.0)
    together.extend(array("d", [10.0 + n / 8 for n in range(8)]), b"".join(raws), map(len, raws))
    for n, raw in enumerate(raws):
        alone.add(10.0 + n / 8, [*["text"] * 5, "message", "odd", "message"][n], raw)
    assert list(together) == list(alone)
    assert [event.raw for event in together] == raws
    assert together.types == [event.type for event in together] == alone.types


def test_many_events_are_few_objects_and_little_more_than_their_bytes() -> None:
    gc.collect()
    before = len(gc.get_objects())
    events = Events()
    for n in range(10_000):
        events.add(float(n), "text", b"event: text\n%d" % n)
    gc.collect()
    assert len(gc.get_objects()) - before < 100
    assert events[9_999].raw == b"event: text\n9999"
    assert sum(map(sys.getsizeof, (events._raw, events._times_s, events._sizes))) < 10_000 * (16 + 20)


def test_events_are_read_whole_while_another_thread_writes() -> None:
    events, raw = Events(), encode_text("word ")
    is_done = threading.Event()

    def write() -> None:
        for n in range(2_000):
            events.extend([float(n)] * 20, raw * 20, [len(raw)] * 20)
            events.add(float(n), "text", raw)
        is_done.set()

    thread = threading.Thread(target=write)
    thread.start()
    while not is_done.is_set():
        latest = events[-50:]
        assert all(event.raw == raw and event.type == "text" for event in latest)
        assert set(events.types) <= {"text"}
        assert len(events.times_s) <= len(events)
    thread.join()
    assert len(events) == len(events.types) == 42_000


def test_times_are_read_off_the_events_and_the_ends() -> None:
    exchange = an_exchange()
    assert (list(exchange.events), exchange.first_text_s, exchange.duration_s) == ([], None, None)
    exchange.client = Tap(200, events=THREE, ended_s=0.7)
    assert exchange.first_text_s == 0.2
    assert exchange.duration_s == 0.7
    assert exchange.gaps_s == pytest.approx([0.1, 0.1, 0.3])
    exchange.server = Tap(200, events=[Recorded(0.05, "replace_response", b"")], ended_s=0.6)
    assert exchange.first_text_s == 0.05
    assert exchange.duration_s == 0.7


def test_an_end_that_saw_nothing_leaves_the_word_to_the_other() -> None:
    exchange = an_exchange(server=Tap(status=200), client=Tap(200, events=THREE))
    assert exchange.seen is exchange.client
    exchange.client = None
    assert exchange.seen is exchange.server
    assert not exchange.events


def test_the_text_is_what_a_reader_sees_at_the_end() -> None:
    exchange = answering(
        ("text", {"text": "Hello"}),
        ("replace_response", {"text": "Hi "}),
        ("suggested_reply", {"text": "More"}),
        ("text", {"text": "☕ \ud83d"}),
        ("text", {"text": 3}),
        ("done", {}),
    )
    assert exchange.text == "Hi ☕ \ud83d"
    exchange.server = Tap(200, events=[Recorded(0.1, "text", b'event: text\ndata: {"text":"broken}\n\n')])
    assert exchange.text == ""


@pytest.mark.parametrize(
    ("raw", "data"),
    [
        (encode_text("a"), {"text": "a"}),
        (b'event: text\r\ndata: {"text":\r\ndata: "two lines"}\r\n\r\n', {"text": "two lines"}),
        (b"event: text\ndata: no json\n\n", "no json"),
        (b"event: done\n\n", ""),
        (b"data: " + b"[" * 100_000 + b"\n\n", "[" * 100_000),
        (b'event: text\ndata: {"text":"a"b"}\n\n', '{"text":"a"b"}'),
    ],
)
def test_an_events_data_is_read_as_far_as_it_can_be(raw: bytes, data: Any) -> None:
    assert Recorded(0.1, "text", raw).data == data


def test_an_exchange_shows_itself_in_a_line() -> None:
    exchange = answering(("text", {"text": "x" * 10_000}), ("done", {}))
    assert repr(exchange) == "<Exchange 1 with Bot: done, 2 events, 1 s>"
    exchange.server = None
    assert repr(exchange) == "<Exchange 1 with Bot: done, 0 events>"


def test_events_are_a_table_when_pandas_is_there() -> None:
    import pandas

    exchange = answering(("meta", {}), ("text", {"text": "a"}), ("done", {}))
    table = exchange.to_dataframe()
    assert isinstance(table, pandas.DataFrame)
    assert list(table["type"]) == ["meta", "text", "done"]
    assert list(table["data"]) == [{}, {"text": "a"}, {}]
    assert list(table.index) == [1, 2, 3]
    assert table["gap_s"].sum() == pytest.approx(0.3)


def test_without_pandas_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingPackage, match="%pip install pandas"):
        answering(("done", {})).to_dataframe()
