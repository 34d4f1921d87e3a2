"""The bots of a kernel: by name and path, and the threads that come and go with them."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from endpoints import until

from poe_notebook.bot.handlers import function_bot, servable
from poe_notebook.errors import BotNotFound, CommandError
from poe_notebook.keys import Secret
from poe_notebook.runtime.slot import Slot
from poe_notebook.runtime.slots import Slots


@pytest.fixture
def slots() -> Iterator[Slots]:
    before = set(threading.enumerate())
    made = Slots(lambda slot: None)
    yield made
    made.close()
    assert until(lambda: not bot_threads(before))


def bot_threads(before: set[threading.Thread] | None = None) -> list[str]:
    return [each.name for each in set(threading.enumerate()) - (before or set()) if each.name.startswith("poe-bot-")]


async def get_response(request: Any) -> AsyncIterator[str]:
    yield "x"


def serve(slots: Slots, name: str = "Bot", **options: Any) -> Slot:
    bot = servable(function_bot({"get_response": get_response}, name=name), name=name)
    return slots.publish(bot, thread=slots.thread_for(name), **options)


def test_whoever_hears_of_a_new_bot_finds_it() -> None:
    found: list[bool] = []
    slots = Slots(lambda slot: found.append(slots.named(slot.name) is slot and slot.current is not None))
    serve(slots)
    serve(slots)
    slots.close()
    assert found == [True, True]


# Names and paths.


def test_bots_are_found_by_name_and_path_in_the_order_they_came(slots: Slots) -> None:
    first, second = serve(slots, "First"), serve(slots, "second.one-2_x")
    assert slots.names == ["First", "second.one-2_x"]
    assert list(slots) == [first, second]
    assert slots.named("First") is first
    assert "First" in slots
    assert "first" not in slots
    assert slots.at("/First") is first
    assert slots.at("/First/") is first
    assert slots.at("/first") is None
    assert slots.at("/") is None
    assert slots.at("") is None


@pytest.mark.parametrize("path", ["mine", "/mine", "/mine/", "mine/"])
def test_a_path_may_be_given_and_stays_until_another_is(slots: Slots, path: str) -> None:
    slot = serve(slots, path=path)
    assert slot.path == "/mine"
    assert serve(slots) is slot
    assert slot.path == "/mine"
    assert serve(slots, path="other").path == "/other"
    assert slots.at("/mine") is None


@pytest.mark.parametrize("path", [None, "", "/"])
def test_without_a_path_the_name_is_the_path(slots: Slots, path: str | None) -> None:
    assert serve(slots, path=path).path == "/Bot"


def test_two_bots_cannot_share_a_path(slots: Slots) -> None:
    serve(slots, "First")
    with pytest.raises(CommandError, match="The path /First is First's") as raised:
        serve(slots, "Second", path="/First")
    assert "--path First2" in raised.value.now
    assert "Second" not in slots


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "é", "-x", ".x", "x" * 101, "a\n", "a?b"])
def test_what_cannot_be_a_name_is_said(slots: Slots, name: str) -> None:
    with pytest.raises(CommandError, match="cannot be a bot's name"):
        serve(slots, name)
    assert slots.names == []


@pytest.mark.parametrize(
    ("name", "said"),
    [("shout", "Did you mean Shout?"), ("Shuot", "Did you mean Shout?"), ("Zebra", "%%poebot Zebra")],
)
def test_a_name_that_is_not_served_is_said_with_the_near_ones(slots: Slots, name: str, said: str) -> None:
    serve(slots, "Shout")
    serve(slots, "Whisper")
    with pytest.raises(BotNotFound, match=f"No bot named '{name}'") as raised:
        slots.named(name)
    assert "Shout, Whisper" in raised.value.why
    assert said in raised.value.now
    assert isinstance(raised.value, LookupError)


def test_without_any_bot_that_is_said(slots: Slots) -> None:
    with pytest.raises(BotNotFound, match="No bot is served here yet"):
        slots.named("x")


# Keys.


def test_a_key_is_made_once_for_a_name_and_kept(slots: Slots) -> None:
    made = serve(slots).access_key.reveal()
    assert len(made) == 32
    assert serve(slots).access_key.reveal() == made
    assert serve(slots, "Other").access_key.reveal() != made
    assert serve(slots, access_key=Secret("given")).access_key.reveal() == "given"
    assert serve(slots).access_key.reveal() == "given"
    slots.remove("Bot")
    assert serve(slots).access_key.reveal() == made


# Generations.


def test_generations_are_counted_and_go_back(slots: Slots) -> None:
    slot = serve(slots)
    for number in (2, 3):
        assert serve(slots).current.number == number
    assert slots.rollback("Bot").number == 2
    assert slot.current is not None
    assert slot.current.number == 2
    assert slots.rollback("Bot").number == 1
    with pytest.raises(CommandError, match="no earlier one is kept"):
        slots.rollback("Bot")
    assert serve(slots).current.number == 4
    with pytest.raises(BotNotFound):
        slots.rollback("Other")


# Threads.


def test_definitions_of_one_bot_share_a_loop_and_bots_do_not(slots: Slots) -> None:
    slot = serve(slots)
    thread = slot.current.thread
    for _ in range(20):
        assert serve(slots).current.thread is thread
    assert serve(slots, "Other").current.thread is not thread
    assert sorted(bot_threads()) == ["poe-bot-Bot", "poe-bot-Other"]


def test_a_blocked_loop_is_left_to_its_generation_and_ends_after_it(slots: Slots) -> None:
    slot = serve(slots)
    blocked = slot.current.thread
    blocked.call(time.sleep, 0.4)
    started = time.monotonic()
    assert serve(slots).current.thread is not blocked
    assert time.monotonic() - started < 0.3
    assert len(bot_threads()) == 2
    for _ in range(10):
        serve(slots)
    assert blocked not in [generation.thread for generation in slot.generations]
    assert until(lambda: len(bot_threads()) == 1)


def test_the_loop_of_a_bot_that_ended_ends_even_if_it_was_blocked(slots: Slots) -> None:
    serve(slots)
    serve(slots, "Blocked").current.thread.call(time.sleep, 0.3)
    started = time.monotonic()
    for name in ("Bot", "Blocked"):
        slots.remove(name)
    assert time.monotonic() - started < 0.2
    assert slots.names == []
    assert until(lambda: not bot_threads(), within_s=1)
    with pytest.raises(BotNotFound):
        slots.remove("Bot")


def test_a_loop_made_for_a_bot_that_never_came_is_given_back(slots: Slots) -> None:
    slots.release(slots.thread_for("Never"))
    assert until(lambda: not bot_threads())
    slot = serve(slots)
    slots.release(slots.thread_for("Bot"))
    assert slot.current.thread.is_responsive(1)


def test_defining_one_bot_while_another_is_being_defined_leaves_it_its_loop(slots: Slots) -> None:
    thread = slots.thread_for("Outer")
    serve(slots, "Inner")
    slots.remove("Inner")
    assert thread.is_responsive(1)
    bot = servable(function_bot({"get_response": get_response}, name="Outer"), name="Outer")
    assert slots.publish(bot, thread=thread).current.thread is thread


def test_a_bot_that_is_ended_while_it_is_being_defined_anew_keeps_its_loop(slots: Slots) -> None:
    serve(slots)
    thread = slots.thread_for("Bot")
    slots.remove("Bot")
    bot = servable(function_bot({"get_response": get_response}, name="Bot"), name="Bot")
    assert slots.publish(bot, thread=thread).current.thread.is_responsive(1)


def test_closing_ends_every_bot_and_thread(slots: Slots) -> None:
    for name in ("A", "B", "C"):
        serve(slots, name)
    slots.thread_for("Reserved")
    slots.close()
    assert slots.names == []
    assert until(lambda: not bot_threads())
