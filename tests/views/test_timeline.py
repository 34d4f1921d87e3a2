"""The rows of an exchange: in the order of time, page by page, narrowed, and the same however they are cut."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.protocol.events import encode, encode_text
from poe_notebook.tracing.exchange import Blocked, Exchange, LogLine, Place, Raised, Recorded, Report, Tap
from poe_notebook.views.timeline import Entry, Timeline

START = datetime(2026, 3, 4, tzinfo=UTC)


def exchange(**fields: Any) -> Exchange:
    return Exchange(1, "Bot", "query", START, **fields)


def tap(*events: tuple[float, str, dict[str, Any]]) -> Tap:
    return Tap(200, events=[Recorded(at_s, type_, encode(type_, data)) for at_s, type_, data in events])


def kinds(entries: Any) -> list[str]:
    return [entry.kind for entry in entries]


def test_everything_that_happened_is_in_the_order_of_time() -> None:
    at = Place("Cell In[3]", 4, "get_response", "time.sleep(1)")
    line = exchange(
        server=tap((0.1, "text", {"text": "a"}), (0.5, "text", {"text": "b"}), (0.9, "done", {})),
        logs=[LogLine(0.05, "stdout", "begun\n"), LogLine(0.3, "log", "slow\n", "WARNING")],
        blocked=[Blocked(0.2, 0.25, at, "x.y")],
        reports=[Report(0.6, "cost", "12 points")],
        raised=Raised(0.8, "ValueError", "no", [], at=at),
    )
    call = Exchange(2, "Poet", "query", START + timedelta(seconds=0.4), outcome="done")
    timeline = Timeline(line, [call])
    page = timeline.page()
    assert kinds(page.entries) == ["stdout", "text", "blocked", "log", "call", "text", "cost", "raised", "done"]
    assert [entry.number for entry in page.entries] == [None, 1, None, None, None, 2, None, None, 3]
    texts = [entry.text for entry in page.entries if entry.number is None]
    assert texts == [
        "begun",
        "for 250 ms in x.y, at Cell In[3], line 4: time.sleep(1)",
        "WARNING slow",
        "asked Poet: done (exchange 2)",
        "12 points",
        "ValueError: no, at Cell In[3], line 4: time.sleep(1)",
    ]
    assert (page.first, page.total, timeline.event_count) == (0, 9, 3)
    assert timeline.counts["text"] == 2
    assert timeline.counts["log"] == 1


def test_both_ends_of_an_event_are_one_row() -> None:
    server = tap((0.1, "text", {}), (0.2, "file", {}), (0.3, "done", {}))
    client = tap((0.15, "text", {}), (0.35, "done", {}), (0.4, "late", {}))
    timeline = Timeline(exchange(server=server, client=client))
    rows = [(entry.number, entry.kind, entry.other_s) for entry in timeline.page().entries]
    assert rows == [(1, "text", 0.15), (2, "file", None), (3, "done", 0.35), (4, "late", 0.4)]
    assert [timeline.is_of_other_end(entry) for entry in timeline.page().entries] == [False, False, False, True]
    assert timeline.event_count == 4


def test_an_exchange_without_anything_has_no_rows() -> None:
    page = Timeline(exchange()).page()
    assert (list(page.entries), page.first, page.total) == ([], 0, 0)


def a_mixture() -> Timeline:
    types = ["text", "ping", "text", "file", "text", "done"]
    server = tap(*((at / 10, type_, {"text": f"Word {at}"}) for at, type_ in enumerate(types)))
    return Timeline(
        exchange(server=server, logs=[LogLine(0.25, "stdout", "a word printed"), LogLine(0.35, "log", "x")])
    )


@pytest.mark.parametrize(
    ("only", "words", "found"),
    [
        ({"text"}, "", ["text", "text", "text"]),
        ({"text", "log"}, "", ["text", "text", "log", "text"]),
        (set(), "word", ["text", "ping", "text", "stdout", "file", "text", "done"]),
        (set(), "WORD 4", ["text"]),
        ({"ping"}, "Word 1", ["ping"]),
        ({"ping"}, "Word 2", []),
        ({"none"}, "", []),
    ],
)
def test_rows_are_narrowed_to_kinds_and_words(only: set[str], words: str, found: list[str]) -> None:
    page = a_mixture().page(kinds=frozenset(only), words=words)
    assert kinds(page.entries) == found
    assert page.total == len(found)


@pytest.mark.parametrize("words", ['say "hi"', "über", "☕", "back\\slash", "𝔘"])
def test_words_are_found_as_they_read_not_as_json_writes_them(words: str) -> None:
    ours, theirs = encode_text(f"x {words} y"), f'event: text\ndata: {{"text": "{words}"}}\n\n'.encode()
    timeline = Timeline(exchange(server=Tap(200, events=[Recorded(0.1, "text", ours), Recorded(0.2, "text", b"no")])))
    assert timeline.page(words=words).total == 1
    timeline = Timeline(exchange(server=Tap(200, events=[Recorded(0.1, "text", theirs)])))
    assert timeline.page(words=words).total == 1


def test_words_of_the_other_end_alone_are_found_too() -> None:
    server, client = tap((0.1, "text", {"text": "a"})), tap((0.1, "text", {"text": "a"}), (0.2, "odd", {"text": "b"}))
    timeline = Timeline(exchange(server=server, client=client))
    assert kinds(timeline.page(words='"b"').entries) == ["odd"]
    assert kinds(timeline.page(kinds=frozenset({"odd"})).entries) == ["odd"]


@pytest.mark.parametrize(("first", "place"), [(-5, 0), (0, 0), (3, 3), (7, 7), (99, 7)])
def test_a_page_beyond_the_rows_is_the_last_row(first: int, place: int) -> None:
    page = a_mixture().page(first, 2)
    assert page.first == place
    assert len(page.entries) == min(2, 8 - place)


times = st.floats(0, 5, allow_nan=False)


@settings(max_examples=80, deadline=None)
@given(
    events=st.lists(st.tuples(times, st.sampled_from(["text", "ping", "odd"])), max_size=30),
    lines=st.lists(times, max_size=12),
    size=st.integers(1, 7),
    only=st.sampled_from([(), ("text",), ("log", "odd")]),
    in_order=st.booleans(),
)
def test_pages_together_are_all_rows_each_once(
    events: list[tuple[float, str]], lines: list[float], size: int, only: tuple[str, ...], in_order: bool
) -> None:
    recorded = [Recorded(at_s, type_, encode(type_, {})) for at_s, type_ in (sorted(events) if in_order else events)]
    logs = [LogLine(at_s, "log", f"line {at}") for at, at_s in enumerate(lines)]
    timeline = Timeline(exchange(server=Tap(200, events=recorded), logs=logs))
    chosen = frozenset(only)
    whole = timeline.page(0, 1000, kinds=chosen)
    cut: list[Entry] = []
    for first in range(0, whole.total, size):
        cut += timeline.page(first, size, kinds=chosen).entries
    assert cut == list(whole.entries)
    assert len(cut) == whole.total == sum(n for kind, n in timeline.counts.items() if not only or kind in only)
    if in_order:
        assert all(low.at_s <= high.at_s for low, high in pairwise(cut))


def test_a_page_of_a_large_answer_and_a_search_in_it_are_quick() -> None:
    raws = [encode_text(f"word {at} ") for at in range(200_000)]
    server = Tap(200)
    server.events.extend([at / 1000 for at in range(len(raws))], b"".join(raws), map(len, raws))
    logs = [LogLine(at / 10, "stdout", f"line {at}") for at in range(2_000)]
    began = time.perf_counter()
    timeline = Timeline(exchange(server=server, logs=logs))
    assert len(timeline.page(150_000, 200).entries) == 200
    assert timeline.page(words="word 19999").total == 11
    assert time.perf_counter() - began < 1.5  # measured: 0.1 s on an idle core
