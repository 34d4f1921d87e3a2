"""The stand-ins by name, what they share, and what they are named after."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import pytest
from asking_stand_ins import ask, events_of, label, query_of, said
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.bot.base import PoeBot
from poe_notebook.protocol.limits import EVENTS_PER_RESPONSE, LIMITS_2025, LIMITS_2026
from poe_notebook.protocol.requests import SettingsRequest
from poe_notebook.simulator.stand_ins import HUMAN_PACE, NO_PACE, Pace, StandIn, stand_in, stand_in_names
from poe_notebook.simulator.standing_in import cut_at_stop, pieces

SETTINGS = SettingsRequest(version="1.2", type="settings")
GUIDES = ["GPT-3.5-Turbo", "Claude-Instant", "Claude-instant", "GPT-4o", "GPT-4o-Mini", "Claude-3.5-Sonnet",
          "StableDiffusionXL", "DALL-E-3", "Gemini-2.5-Pro", "Llama-3.3-70B", "FLUX-dev", "GPT-5.4", "o3"]  # fmt: skip


def made(name: str, **options: Any) -> StandIn:
    bot = stand_in(name, **options)
    assert bot is not None
    return bot


@pytest.mark.parametrize("name", [*GUIDES, *stand_in_names()])
def test_every_name_of_the_guides_has_a_stand_in_whatever_its_case(name: str) -> None:
    for written in (name, name.upper(), name.lower()):
        bot = made(written)
        assert isinstance(bot, PoeBot)
        assert bot.is_stand_in
        assert (bot.bot_name or "").lower() == name.lower()
    assert made("claude-instant").bot_name == "Claude-Instant"


@pytest.mark.parametrize("name", ["", "GPT", "Shout", "Ech", "Claude", "a/b", "GPT-4o/../x", "GPT-4o\n", " Echo"])
def test_other_names_have_none(name: str) -> None:
    assert stand_in(name) is None


@pytest.mark.parametrize("name", stand_in_names())
def test_each_says_in_its_introduction_and_its_answer_that_it_is_one(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    bot = made(name, pace=NO_PACE)
    settings = asyncio.run(bot.get_settings(SETTINGS))
    assert f"**{name}** is a stand-in" in (settings.introduction_message or "")
    caplog.set_level(logging.CRITICAL, logger="poe_notebook.bot")  # Broken fails on purpose
    events = events_of(bot, query_of("0 s: Hello world"))
    assert events[-1].type == "done"
    assert f"Stand-in for {name}" in said(events)


@pytest.mark.parametrize("name", [name for name in stand_in_names() if name not in ("Overlong", "Broken")])
def test_the_same_question_has_the_same_answer(name: str) -> None:
    question = "0 s: What of the sea at night?"
    assert ask(name, question) == ask(name, question)


def test_words_come_one_by_one_at_a_human_pace() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    events = events_of(made("Echo", pace=Pace(sleep=sleep)), query_of("one two three"))
    assert [event.data["text"] for event in events[:3]] == ["one ", "two ", "three\n\n"]
    assert waits == [1 / 40] * (len(events) - 1)
    assert HUMAN_PACE.gap_s == 1 / 40


@settings(deadline=None)
@given(st.text())
def test_pieces_put_together_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


def test_a_stop_sequence_cuts_what_is_said_and_never_the_label() -> None:
    assert said(ask("Echo", "one STOP two", stop_sequences=["STOP", "two", ""])) == f"one\n\n{label('Echo')}"
    assert said(ask("Echo", "x", stop_sequences=["Stand-in"])).endswith(label("Echo"))
    assert cut_at_stop("abc", ["c", "b"]) == "a"


def test_attachments_lists_what_came_and_what_was_read() -> None:
    files = [
        {"url": "u", "content_type": "text/plain", "name": "a`b.txt", "parsed_content": "Hello"},
        {"url": "u", "content_type": "audio/mpeg", "name": "b.mp3"},
    ]
    before = [{"role": "user", "content": "", "attachments": files}, {"role": "bot", "content": "ok"}]
    text = said(ask("Attachments", message={"attachments": files}, before=before))
    assert "Two files came with it:" in text
    assert "- `a'b.txt` (`text/plain`), of which Poe read five signs: “Hello”" in text
    assert "- `b.mp3` (`audio/mpeg`)\n" in text
    assert "The messages before it have two files." in text
    assert said(ask("Attachments")).startswith("No file came")


def test_parallel_gives_as_many_answers_as_are_asked_for_side_by_side() -> None:
    events = ask("Parallel", "b a c, 2 please")
    indexes = [event.data["index"] for event in events if event.type == "text"]
    assert indexes[:4] == [0, 1, 0, 1]
    assert set(indexes) == {0, 1}
    texts = ["".join(event.data["text"] for event in events[:-1] if event.data["index"] == n) for n in (0, 1)]
    assert "b a c, 2 please" in texts[0]
    assert "2 a b c, please" in texts[1]
    assert all(text.endswith(label("Parallel")) for text in texts)
    assert {event.data.get("index") for event in ask("Parallel", "x")} == {0, 1, 2, None}


@pytest.mark.parametrize(
    ("message", "parameters", "seconds"),
    [("x", {}, 6.0), ("wait 2.5 s", {}, 2.5), ("wait 2 s", {"seconds": 1}, 1.0), ("x", {"seconds": "soon"}, 6.0),
     ("x", {"seconds": -3}, 0.0), ("9999999", {}, 3600.0)],
)  # fmt: skip
def test_slow_keeps_silent_as_long_as_it_is_told(message: str, parameters: dict[str, Any], seconds: float) -> None:
    waits: list[float] = []

    async def sleep(given_s: float) -> None:
        waits.append(given_s)

    events = events_of(made("Slow", pace=Pace(0, sleep)), query_of(message, message={"parameters": parameters}))
    assert waits == [seconds]
    assert f"{seconds:g} s" in said(events)


@pytest.mark.parametrize(
    ("message", "least_chars", "least_events"),
    [
        ("go", LIMITS_2025.response_chars + 1, 100),
        ("as of 2026", LIMITS_2026.response_chars + 1, 100),
        ("12000 signs", 12_000, 10),
        ("events", 0, EVENTS_PER_RESPONSE + 1),
        ("20 events", 0, 20),
    ],
)
def test_overlong_goes_over_the_limit(message: str, least_chars: int, least_events: int) -> None:
    begun = time.perf_counter()
    events = ask("Overlong", message)
    assert len(said(events)) >= least_chars
    assert len(events) >= least_events
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    ("how", "types"),
    [
        ("raise", ["text", "error", "done"]),
        ("whatever", ["text", "error", "done"]),
        ("error", ["text", "error", "done"]),
        ("retry", ["text", "error", "done"]),
        ("empty", ["done"]),
        ("early", ["text", "done"]),
        ("unknown", ["text", "sparkle", "done"]),
        ("garbage", ["text", "done"]),
        ("object", ["text", "done"]),
    ],
)
def test_broken_fails_in_the_way_that_is_named(how: str, types: list[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="poe_notebook.bot")
    events = ask("Broken", f"{how}, please")
    assert list(dict.fromkeys(event.type for event in events)) == types
    errors = [event.data["allow_retry"] for event in events if event.type == "error"]
    assert errors == ([how == "retry"] if "error" in types else [])
    assert any("unreadable" in event.data for event in events) == (how in ("garbage", "object"))


def test_broken_that_ends_early_ends_in_the_middle_of_a_word() -> None:
    assert said(ask("Broken", "early")).endswith("And in the middle of a sen")


@settings(deadline=None)
@given(st.sampled_from(["GPT-4o", "Echo", "Prose", "Parallel", "Attachments"]), st.text())
def test_any_message_is_answered(name: str, message: str) -> None:
    events = ask(name, message)
    assert events[-1].type == "done"
    assert "error" not in {event.type for event in events}
