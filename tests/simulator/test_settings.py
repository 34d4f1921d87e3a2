"""Bots' settings: fetched, pushed, dropped in part, and what a bot that cannot give them leaves in force."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from endpoints import raw_server, response, until
from offline import Offline, Recorder, offline

import poe_notebook as fp
from poe_notebook.errors import BotError
from poe_notebook.simulator.settings import understand

CONTROL = {"control": "text_field", "label": "Title", "parameter_name": "title"}
CONTROLS = {"api_version": "2", "sections": [{"name": "a", "controls": [CONTROL]}]}


@pytest.fixture(scope="module")
def poe() -> Iterator[Offline]:
    with offline() as running:
        yield running


def introduction(poe: Offline, name: str) -> str | None:
    """What is in force, without asking the bot."""
    bot = poe.simulator.directory.find(name)
    assert bot is not None
    found: str | None = poe.session.thread.run(poe.simulator.poe.settings.of(bot)).settings.introduction_message
    return found


class Introducing(Recorder):
    """Gives its settings after a while, each time others, or fails to."""

    def __init__(self, *, wait_s: float = 0.0, fails: bool = False) -> None:
        super().__init__()
        self.wait_s, self.fails, self.asked = wait_s, fails, 0

    async def get_settings(self, setting: fp.SettingsRequest) -> fp.SettingsResponse:
        self.asked += 1
        await asyncio.sleep(self.wait_s)
        if self.fails:
            raise ValueError("no")
        return fp.SettingsResponse(introduction_message=f"number {self.asked}")


def test_settings_that_change_each_time_are_asked_for_once_until_somebody_asks(poe: Offline) -> None:
    bot = poe.serve(Introducing(), "Changing")
    for _ in range(3):
        poe.ask("Changing")
    assert (bot.asked, introduction(poe, "Changing")) == (1, "number 1")
    assert poe.session.chats.settings("Changing").settings.introduction_message == "number 2"
    assert introduction(poe, "Changing") == "number 2"


def test_a_bot_that_was_stopped_defined_anew_or_rolled_back_is_asked_anew(poe: Offline) -> None:
    poe.serve(Recorder(introduction_message="one"), "Back")
    assert introduction(poe, "Back") == "one"
    poe.session.serving.stop("Back")
    poe.serve(Recorder(introduction_message="two"), "Back")
    assert introduction(poe, "Back") == "two"
    poe.serve(Recorder(introduction_message="three"), "Back")
    assert introduction(poe, "Back") == "three"
    poe.session.serving.rollback("Back")
    assert introduction(poe, "Back") == "two"


def test_many_first_turns_at_once_ask_for_the_settings_once(poe: Offline) -> None:
    bot = poe.serve(Introducing(wait_s=0.1), "Crowded")
    threads = [threading.Thread(target=poe.ask, args=("Crowded",), kwargs={"new": True}) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (bot.asked, len(bot.requests)) == (1, 20)


def test_settings_pushed_while_the_bot_is_still_being_asked_stay_in_force(poe: Offline) -> None:
    bot = poe.serve(Introducing(wait_s=0.3), "Pushed")
    assert until(lambda: bot.asked)
    key = poe.access_key("Pushed")
    pushed = poe.post(f"/bot/update_settings/Pushed/{key}/1.2", {"introduction_message": "pushed"})
    assert pushed.status == 200
    time.sleep(0.4)
    assert introduction(poe, "Pushed") == "pushed"


def test_settings_pushed_during_an_answer_count_for_what_it_asks_next(poe: Offline) -> None:
    inner = poe.serve(Recorder(), "Inner")
    pushed = threading.Event()

    class Outer(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            yield "first "
            await asyncio.to_thread(pushed.wait, 5)
            yield await fp.get_final_response(request, "Inner", request.access_key)

    poe.serve(Outer(), "Outer")
    turn = poe.session.chats.turn("Outer", "hello")
    for reply in turn:
        if reply.text and not pushed.is_set():
            body = {"server_bot_dependencies": {"Inner": 1}}
            assert poe.post(f"/bot/update_settings/Outer/{poe.access_key('Outer')}/1.2", body).status == 200
            pushed.set()
    assert (turn.reply.text, len(inner.requests)) == ("first heard", 1)


def test_a_bot_that_cannot_give_its_settings_still_answers_by_those_of_version_0(poe: Offline) -> None:
    poe.serve(Introducing(fails=True), "Failing")
    assert poe.ask("Failing").text == "heard"
    assert introduction(poe, "Failing") is None
    with pytest.raises(BotError, match="get_settings of this bot failed: ValueError"):
        poe.session.chats.settings("Failing")


def test_a_bot_that_keeps_its_settings_back_is_waited_for_no_longer_than_poe_waits(
    poe: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    from poe_notebook.simulator import reaching

    monkeypatch.setattr(reaching, "FIRST_RESPONSE_S", 0.2)
    poe.serve(Introducing(wait_s=30), "Silent")
    began = time.monotonic()
    assert [poe.ask("Silent").text for _ in range(2)] == ["heard"] * 2
    assert time.monotonic() - began < 1


DEEP = b'{"rate_card":' + b"[" * 50_000 + b"]" * 50_000 + b"}"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>no", "answered 200 to the settings request: <html>no"),
        (b"[]", "answered 200 to the settings request"),
        (DEEP, "answered 200 to the settings request"),
        (b'{"rate_card": 3}', "rate_card is a number; it must be a string"),
        (b'{"server_bot_dependencies": {"a": Infinity}}', "finite number"),
        (b'{"rate_card": "' + b"x" * 5_000_000 + b'"}', "more than 4 MB"),
    ],
    ids=lambda value: value[:12].decode() if isinstance(value, bytes) else "",
)
def test_settings_of_a_server_elsewhere_that_are_none_are_said_in_a_sentence(
    poe: Offline, body: bytes, said: str
) -> None:
    with raw_server([response(body, content_type="application/json")]) as server:
        poe.session.register("Odd", f"http://127.0.0.1:{server.port}/")
        with pytest.raises(BotError) as caught:
            poe.session.chats.settings("Odd")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 1_000


def test_a_server_that_gives_its_settings_byte_by_byte_is_given_up(
    poe: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    from poe_notebook.simulator import reaching

    monkeypatch.setattr(reaching, "FIRST_RESPONSE_S", 0.3)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    with raw_server([head, *[piece for _ in range(20) for piece in (b" ", 0.05)]]) as server:
        poe.session.register("Dripping", f"http://127.0.0.1:{server.port}/")
        time.sleep(1.2)  # the first asking, which the registration began, is over
        began = time.monotonic()
        with pytest.raises(BotError, match=r"did not answer within 0\.3 s"):
            poe.session.chats.settings("Dripping")
        assert time.monotonic() - began < 0.8


# What Poe understands.


@pytest.mark.parametrize(
    ("version", "files", "prompting"), [(None, False, False), (0, False, False), (1, True, True), (2, True, True)]
)
def test_defaults_go_by_the_response_version(version: int | None, files: bool, prompting: bool) -> None:
    settings = understand({} if version is None else {"response_version": version}).settings
    assert (settings.allow_attachments, settings.enable_multi_entity_prompting) == (files, prompting)
    assert (settings.expand_text_attachments, settings.enable_image_comprehension) == (True, False)
    assert settings.enforce_author_role_alternation is False


@pytest.mark.parametrize("version", [7, True, "2", -1, None, 2.0])
def test_an_odd_response_version_is_taken_as_it_can_be(version: Any) -> None:
    expected = version == 7
    assert understand({"response_version": version}).settings.allow_attachments == expected


@pytest.mark.parametrize(
    ("controls", "version", "said"),
    [
        (CONTROLS, 1, "response_version 2"),
        (CONTROLS, None, "response_version 2"),
        ({**CONTROLS, "api_version": "1"}, 2, "api_version"),
        ({"sections": []}, 2, "api_version '2' is missing"),
        ([], 2, "api_version '2' is missing"),
        ("x", 2, "api_version '2' is missing"),
        ({"api_version": "2", "sections": [{"controls": [{"control": "dropdown"}]}]}, 2, "'control' has to be one of"),
        ({"api_version": "2", "sections": [{"controls": [{**CONTROL, "odd": 1}]}]}, 2, "odd"),
        ({"api_version": "2", "sections": [{"controls": [{**CONTROL, "parameter_name": "poe_x"}]}]}, 2, "poe_"),
    ],
)
def test_controls_that_poe_drops_without_a_word_are_dropped_with_the_reason(
    controls: Any, version: int | None, said: str
) -> None:
    given = {"introduction_message": "hello", "parameter_controls": controls}
    understood = understand(given if version is None else {**given, "response_version": version})
    assert understood.settings.parameter_controls is None
    assert understood.settings.introduction_message == "hello"
    assert said in understood.dropped[0]
    assert "errors.pydantic.dev" not in understood.dropped[0]
    assert understood.dropped[0] in understood.echo()


def test_controls_in_tabs_and_under_conditions_begin_with_their_values_too(poe: Offline) -> None:
    condition = {"comparator": "ne", "left": {"parameter_name": "front"}, "right": {"literal": "blank"}}
    slider = {"control": "slider", "label": "D", "parameter_name": "detail", "min_value": 1, "max_value": 5, "step": 1}
    front = {"control": "drop_down", "label": "F", "parameter_name": "front", "options": [{"value": "a", "name": "A"}]}
    shape = {"control": "aspect_ratio", "label": "S", "parameter_name": "shape", "options": [{"width": 3, "height": 2}]}
    conditional = {"control": "condition", "condition": condition, "controls": [slider, shape]}
    controls = {
        "api_version": "2",
        "sections": [
            {
                "name": "P",
                "tabs": [{"name": "L", "controls": [front, conditional]}, {"name": "T", "controls": [CONTROL]}],
            }
        ],
    }
    given = {"response_version": 2, "parameter_controls": controls}
    bot = poe.serve(Recorder(), "Postcard")
    key = poe.access_key("Postcard")
    assert poe.post(f"/bot/update_settings/Postcard/{key}/1.2", given).status == 200
    poe.ask("Postcard", parameters={"detail": 4})
    assert bot.last.query[-1].parameters == {"front": "a", "detail": 4, "shape": "3:2", "title": ""}


def test_what_poe_says_of_settings_quotes_no_other_key_of_the_kernel(poe: Offline) -> None:
    """Settings calls carry the access key in their path, and their answers are printed into cells."""
    bot = poe.serve(Recorder(introduction_message="hello"), "Quiet")
    key = poe.access_key("Quiet")
    for path in (f"/bot/fetch_settings/Quiet/{key}", f"/bot/fetch_settings/Quiet/{key}/1.2"):
        answer = poe.post(path, b"")
        assert (answer.status, b"hello" in answer.body, key in answer.body.decode()) == (200, True, False)
    wrong = poe.post(f"/bot/fetch_settings/Quiet/{poe.access_key('Quiet')[::-1]}", b"")
    assert (wrong.status, key[::-1] in wrong.body.decode()) == (403, False)
    assert bot.errors == []
    written = json.dumps([exchange.request for exchange in poe.session.trace])
    assert key not in written
