"""Recorded answers given again: when each event comes, which answer a message gets, and as a bot like any other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from statistics import median, quantiles
from typing import Any

import offline
import pytest
from recorded import a_query, an_exchange, events_of

from poe_notebook.errors import CommandError
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.replaying.playback import RecordedBot, events_in_time
from poe_notebook.tracing.exchange import Exchange, Outcome, Recorded, Tap


async def lateness_s(exchange: Exchange) -> list[float]:
    """How late each event of a played answer came."""
    times_s = exchange.events.times_s
    return [event.at_s - due_s async for event, due_s in aenumerated(events_in_time(exchange), times_s)]


async def aenumerated(items: Any, values: list[float]) -> Any:
    at = 0
    async for item in items:
        yield item, values[at]
        at += 1


async def machines_lateness_s(count: int, step_s: float) -> list[float]:
    """How late this machine wakes a task that sleeps, right now."""
    loop = asyncio.get_running_loop()
    late: list[float] = []
    for _ in range(count):
        due_s = loop.time() + step_s
        await asyncio.sleep(step_s)
        late.append(loop.time() - due_s)
    return late


def test_each_event_comes_within_five_milliseconds_of_its_time_and_delays_do_not_add_up() -> None:
    timed = [(at * 0.004, "text", {"text": str(at)}) for at in range(1, 251)]
    exchange = an_exchange(server=Tap(200, events=events_of([*timed, (1.01, "done", {})])))

    async def measured() -> tuple[list[float], list[float]]:
        return await lateness_s(exchange), await machines_lateness_s(100, 0.004)

    late_s, own_s = asyncio.run(measured())
    assert min(late_s) > -0.001, "none comes early"
    assert median(late_s) < 0.005
    # What the machine itself is late under load is no fault of the playing: nine of ten within 5 ms of that.
    assert quantiles(late_s, n=10)[-1] < 0.005 + quantiles(own_s, n=10)[-1]
    assert median(late_s[-50:]) < 0.005 + max(own_s), "the last ones are no later than the first"


def test_events_that_came_together_are_given_together() -> None:
    timed = [(0.02, "text", {"text": str(at)}) for at in range(1_000)]
    exchange = an_exchange(server=Tap(200, events=events_of([*timed, (0.02, "done", {})])))
    late_s = asyncio.run(lateness_s(exchange))
    assert len(late_s) == 1_001
    assert max(late_s) < 0.5


def asked(bot: RecordedBot, *messages: str) -> list[str]:
    """What a recorded bot says to messages, one after the other."""

    async def all_of_them() -> list[str]:
        return [await said(message) for message in messages]

    async def said(message: str) -> str:
        request = QueryRequest.model_validate(a_query(message))
        return "".join([event.data async for event in bot.get_response(request) if event.event == "text"])

    return asyncio.run(all_of_them())


def test_a_message_gets_the_answer_that_was_recorded_for_it_and_else_the_next_in_order() -> None:
    bot = RecordedBot(
        [
            an_exchange("A", content="one"),
            an_exchange("B", content="two"),
            an_exchange("C", content=" one "),
            an_exchange(content="never answered", outcome="refused", server=None),
        ]
    )
    texts = [text[9:-2] for text in asked(bot, "one", "one", "one", "other", "two", "else", "more", "again")]
    assert texts == ["A", "C", "A", "A", "B", "B", "C", "A"]


def test_a_recording_without_answers_is_refused_in_words() -> None:
    with pytest.raises(CommandError, match="no answer"):
        RecordedBot.out_of([an_exchange(kind="settings")], file="a.jsonl")
    two = [an_exchange("A", bot="A"), an_exchange("B", bot="B")]
    with pytest.raises(CommandError, match=r"holds 2 bots[\s\S]*A, B[\s\S]*serve-recording a.jsonl A"):
        RecordedBot.out_of(two, file="a.jsonl")
    with pytest.raises(CommandError, match="no answer of 'C'"):
        RecordedBot.out_of(two, "C", file="a.jsonl")
    assert RecordedBot.out_of(two, "B", file="a.jsonl").bot_name == "B"


UNREADABLE = [
    Recorded(0.01, "text", b"event: text\ndata: not json\n\n"),
    Recorded(0.01, "text", b'event: text\ndata: {"text":5}\n\n'),
    Recorded(0.01, "text", b"event: text\n\n"),
    Recorded(0.01, "suggested_reply", b"event: suggested_reply\ndata: {}\n\n"),
    Recorded(0.01, "file", b'event: file\ndata: {"url":"x"}\n\n'),
    Recorded(0.01, "data", b"event: data\ndata: {}\n\n"),
]


async def played(exchange: Exchange) -> list[Event]:
    return [event async for event in events_in_time(exchange)]


@pytest.mark.parametrize("bad", UNREADABLE)
def test_an_event_that_cannot_be_read_ends_the_played_answer_as_it_does_a_chat(bad: Recorded) -> None:
    [text, end] = events_of([(0.001, "text", {"text": "so far"}), (0.02, "done", {})])
    events = asyncio.run(played(an_exchange(server=Tap(200, events=[text, bad, end]))))
    assert [event.type for event in events] == ["text", "error"]
    assert str(events[-1].data["text"]).startswith("The bot's answer cannot be read: ")


def test_what_a_chat_passes_over_is_passed_over_when_it_is_played() -> None:
    meta = Recorded(0.001, "meta", b'event: meta\ndata: {"content_type":5}\n\n')
    odd = Recorded(0.001, "odd", b"event: odd\ndata: no json\n\n")
    rest = events_of([(0.002, "text", {"text": "hi"}), (0.003, "done", {})])
    events = asyncio.run(played(an_exchange(server=Tap(200, events=[meta, odd, *rest]))))
    assert [event.type for event in events] == ["odd", "text", "done"]


@pytest.mark.parametrize(
    ("outcome", "said"), [("stopped", "was stopped here"), ("open", "not gone on"), ("failed", "broke off here")]
)
def test_a_recording_without_an_end_says_so_at_its_end(outcome: Outcome, said: str) -> None:
    tap = Tap(200, events=events_of([(0.001, "text", {"text": "so far"})]))
    events = asyncio.run(played(an_exchange(server=tap, outcome=outcome)))
    assert [event.type for event in events] == ["text", "error"]
    assert said in str(events[-1].data["text"])


@pytest.fixture(scope="module")
def poe() -> Iterator[offline.Offline]:
    with offline.offline() as running:
        yield running


def test_a_served_recording_answers_with_its_events_settings_and_timing(poe: offline.Offline) -> None:
    file = {"url": "https://example.org/a.png", "content_type": "image/png", "name": "a.png", "inline_ref": None}
    more = [(0.1, "suggested_reply", {"text": "why?"}), (0.3, "file", file)]
    settings = an_exchange(kind="settings", response={"introduction_message": "Welcome.", "x": 1}, server=None)
    recorded = RecordedBot.out_of([settings, an_exchange("so ", "it is", more=more)], file="a.jsonl")
    poe.serve(recorded, "Recorded")
    reply = poe.ask("Recorded", "hello there")
    assert (reply.text, reply.suggested_replies, reply.state) == ("so it is", ["why?"], "done")
    assert [file.url for file in reply.attachments] == ["https://example.org/a.png"]
    came_s = reply.events[-1].at_s
    assert 0.3 <= came_s < 1
    assert poe.session.chats.settings("Recorded").settings.introduction_message == "Welcome."


def test_a_recorded_failure_fails_again(poe: offline.Offline) -> None:
    poe.serve(RecordedBot([an_exchange("so far", outcome="failed")]), "Failed")
    reply = poe.ask("Failed", "hello there")
    assert (reply.text, reply.state) == ("so far", "failed")
    assert reply.failure is not None
    assert reply.failure.text == "It failed."
