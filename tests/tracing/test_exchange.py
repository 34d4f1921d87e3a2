"""Exchanges as values: their events in columns, and the times that are read off them."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from typing import Any

import pytest

from poe_notebook.tracing.exchange import Events, Exchange, Recorded, Tap

THREE = [Recorded(0.1, "meta", b"a"), Recorded(0.2, "text", b"b"), Recorded(0.5, "done", b"c")]


def an_exchange(**fields: Any) -> Exchange:
    return Exchange(1, "Bot", "query", datetime.now(UTC), **fields)


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
    assert repr(events) == repr(THREE)
    assert not Events()


def test_events_may_be_read_while_more_come() -> None:
    events = Events(THREE)
    seen = []
    for event in events:
        seen.append(event)
        if len(events) < 6:
            events.add(1.0, "late", b"")
    assert len(seen) == 6


def test_many_events_are_few_objects() -> None:
    gc.collect()
    before = len(gc.get_objects())
    events = Events()
    for n in range(10_000):
        events.add(float(n), "text", b"%d" % n)
    gc.collect()
    assert len(gc.get_objects()) - before < 100
    assert events[9_999].raw == b"9999"


def test_times_are_read_off_the_events_and_the_ends() -> None:
    exchange = an_exchange()
    assert (list(exchange.events), exchange.first_text_s, exchange.duration_s) == ([], None, None)
    exchange.client = Tap(events=Events(THREE), ended_s=0.7)
    assert exchange.first_text_s == 0.2
    assert exchange.duration_s == 0.7
    exchange.server = Tap(events=[Recorded(0.05, "replace_response", b"")], ended_s=0.6)
    assert exchange.first_text_s == 0.05
    assert exchange.duration_s == 0.7
