"""The time axis: what stands on it, how much of it, and that both drawings of it say the same."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.tracing.exchange import Exchange, LogLine, Outcome, Raised, Recorded, Tap
from poe_notebook.views.ribbon import KINDS, MAX_GAPS, MAX_TICKS, Ribbon, ribbon_of
from poe_notebook.views.ribbon_svg import COLOURS, axis_times, ribbon_svg
from poe_notebook.views.ribbon_text import ribbon_text


def an_exchange(*times: tuple[str, float], outcome: Outcome = "done", ended_s: float | None = None) -> Exchange:
    events = [Recorded(at_s, type, b"") for type, at_s in times]
    tap = Tap(status=200, events=events, ended_s=ended_s)
    return Exchange(1, "Shout", "query", datetime.now(UTC), server=tap, outcome=outcome)


def drawing(ribbon: Ribbon) -> ElementTree.Element:
    html = ribbon_svg(ribbon, plain="")
    return ElementTree.fromstring(html[: html.index("<pre")])


def ticks_drawn(ribbon: Ribbon) -> list[ElementTree.Element]:
    return drawing(ribbon).findall("./svg/g/rect")


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_each_event_has_a_tick_at_its_time_with_its_kind() -> None:
    ribbon = ribbon_of(an_exchange(("text", 0.1), ("text", 0.2), ("done", 0.4)))
    titles = sorted(tick.findtext("title") or "" for tick in ticks_drawn(ribbon))
    assert titles == ["1 · text · 100 ms", "2 · text · 200 ms", "3 · done · 400 ms"]
    places = sorted(tick.get("x") or "" for tick in ticks_drawn(ribbon))
    assert places == ["100.00%", "25.00%", "50.00%"]


def test_an_unknown_type_is_drawn_as_other_and_its_name_reaches_no_page() -> None:
    ribbon = ribbon_of(an_exchange(('"><script>', 0.1)))
    assert ribbon.counts == {"other": 1}
    assert "script" not in ribbon_svg(ribbon, plain="")


def test_the_axis_ends_with_the_answer_or_its_last_event() -> None:
    assert ribbon_of(an_exchange(("text", 0.1), ended_s=2.0)).end_s == 2.0
    assert ribbon_of(an_exchange(("text", 0.1), outcome="open")).end_s == 0.1


def test_silences_are_those_over_a_quarter_of_a_second_before_between_and_after() -> None:
    ribbon = ribbon_of(an_exchange(("text", 0.3), ("text", 0.5), ("done", 1.5), ended_s=1.6))
    assert [(gap.from_s, gap.to_s) for gap in ribbon.gaps] == [(0.0, 0.3), (0.5, 1.5)]
    assert "2 silences of more than 250 ms, the longest 1 s, from 500 ms on." in ribbon.sentence
    assert "silent 1 s" in ribbon_svg(ribbon, plain="")


def test_of_many_silences_the_longest_are_drawn_and_all_are_counted() -> None:
    times = [0.0]
    for at in range(200):
        times.append(times[-1] + 0.3 + at / 1000)
    ribbon = ribbon_of(an_exchange(*(("text", at_s) for at_s in times)))
    assert (len(ribbon.gaps), ribbon.gap_count) == (MAX_GAPS, 200)
    assert min(gap.length_s for gap in ribbon.gaps) > 0.44
    assert ribbon.gaps == sorted(ribbon.gaps, key=lambda gap: gap.from_s)


def test_a_hundred_thousand_events_share_ticks_and_none_is_lost() -> None:
    events = [("ping" if at % 100 == 0 else "text", at / 1000) for at in range(100_000)]
    ribbon = ribbon_of(an_exchange(*events))
    assert len(ticks_drawn(ribbon)) <= MAX_TICKS
    assert sum(tick.count for lane in ribbon.lanes for tick in lane.ticks) == 100_000
    first = min(ribbon.lanes[0].ticks, key=lambda tick: tick.from_s)
    assert first.number == 1
    assert first.from_s == 0.0
    assert first.to_s < 1.0


def test_two_ends_have_two_lanes_and_the_handler_its_marks() -> None:
    exchange = an_exchange(("text", 0.1), ("done", 0.2))
    exchange.client = Tap(events=[Recorded(0.11, "text", b"")])
    exchange.logs = [LogLine(0.05, "stdout", "x")]
    exchange.raised = Raised(0.15, "ValueError", "no", [])
    ribbon = ribbon_of(exchange)
    assert [lane.name for lane in ribbon.lanes] == ["server", "client"]
    assert [tick.kind for tick in ribbon.marks] == ["log", "raised"]
    words = [text.text for text in drawing(ribbon).iter("text")]
    assert {"server", "client", "handler", "first text 100 ms"} <= set(words)


def test_the_drawing_has_a_role_and_says_in_words_what_it_shows() -> None:
    ribbon = ribbon_of(an_exchange(("text", 0.1), ("suggested_reply", 0.15), ("done", 0.2)))
    svg = drawing(ribbon).find("./svg")
    assert svg is not None
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == ribbon.sentence
    assert ribbon.sentence == "3 events in 200 ms: 1 text, 1 suggested_reply, 1 done. First text after 100 ms."


def test_an_answer_that_goes_on_is_said_to_go_on() -> None:
    assert "in 100 ms so far" in ribbon_of(an_exchange(("text", 0.1), outcome="open")).sentence


def test_the_drawing_in_characters_has_a_row_for_each_kind_and_stays_narrow() -> None:
    exchange = an_exchange(("text", 0.1), ("text", 0.1), ("text", 0.9), ("done", 1.0))
    exchange.logs = [LogLine(0.5, "stdout", "x")]
    text = ribbon_text(ribbon_of(exchange))
    rows = {line.split()[0]: line.split(maxsplit=1)[-1] for line in text.splitlines() if line.split()}
    assert {"text", "done", "log"} <= set(rows)
    assert (rows["text"].count("#"), rows["text"].count("|"), rows["done"].count("|")) == (1, 1, 1)
    assert "~" in rows["text"]
    assert "v first text" in text
    assert all(len(line) <= 118 for line in text.splitlines())


@pytest.mark.parametrize("at_s", [math.nan, math.inf, -math.inf, -5.0, 1e300])
def test_times_that_cannot_be_are_drawn_at_the_start(at_s: float) -> None:
    ribbon = ribbon_of(an_exchange(("text", at_s), ("done", 0.5)))
    assert ribbon.end_s == 0.5
    assert [tick.from_s for tick in ribbon.lanes[0].ticks] == [0.0, 0.5]
    assert "nan" not in ribbon_svg(ribbon, plain=ribbon_text(ribbon)).lower()


@given(st.lists(st.tuples(st.sampled_from([*KINDS, "new"]), st.floats()), max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_recorded_times_give_a_well_formed_drawing(events: list[tuple[str, float]]) -> None:
    ribbon = ribbon_of(an_exchange(*events))
    places = re.findall(r'\bx[12]?="([^"]+)%"', ribbon_svg(ribbon, plain=""))
    shares = [float(place) for place in places]
    assert all(0 <= share <= 100 for share in shares)
    assert len(ticks_drawn(ribbon)) == len(events)
    assert ribbon_text(ribbon)


@given(st.floats(min_value=0.001, max_value=1e9))
def test_the_scale_has_a_few_round_times_within_the_axis(end_s: float) -> None:
    times = axis_times(end_s)
    assert 3 <= len(times) <= 11
    assert times[0] == 0
    assert all(low < high for low, high in pairwise(times))
    assert times[-1] <= end_s * 1.00001


@pytest.mark.parametrize("ground", ["#ffffff", "#111111", "#1e1e1e"])
@pytest.mark.parametrize("colour", sorted(set(COLOURS.values())))
def test_colours_stand_out_on_light_and_on_dark_pages(colour: str, ground: str) -> None:
    low, high = sorted((luminance(colour), luminance(ground)))
    assert (high + 0.05) / (low + 0.05) >= 3
