"""A bot's settings on their way to Poe, from ``make_app`` with and without a running loop, over a real socket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from apps import serving
from endpoints import http_request, query
from recording_poe import RecordingPoe, plain, poe

from poe_notebook.bot import settings
from poe_notebook.bot.base import PoeBot
from poe_notebook.client.sync import run
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.server.run import make_app

KEY, OTHER_KEY = "k" * 32, "o" * 32


class Shout(PoeBot):
    async def get_settings(self, setting: Any) -> SettingsResponse:
        return SettingsResponse(introduction_message="Say something.", server_bot_dependencies={"Other": 1})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingPoe]:
    """A stand-in for Poe that takes settings."""
    with poe(plain("taken", status=200)) as running:
        monkeypatch.setenv("POE_BASE_URL", running.url)
        yield running


PUSHED = f"/bot/update_settings/Shout/{KEY}/1.2"


def test_the_settings_are_with_poe_when_the_application_has_been_made(
    server: RecordingPoe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    make_app(Shout(), access_key=KEY, bot_name="Shout")
    [seen] = server.seen
    assert seen.path == PUSHED
    assert seen.json["introduction_message"] == "Say something."
    assert seen.json["server_bot_dependencies"] == {"Other": 1}
    assert "The settings of Shout were sent to Poe." in caplog.messages
    assert KEY not in caplog.text


def test_each_of_several_bots_sends_its_own(server: RecordingPoe) -> None:
    make_app(
        [
            Shout(path="/a", access_key=KEY, bot_name="Shout"),
            PoeBot(path="/b", access_key=OTHER_KEY, bot_name="Plain"),
            PoeBot(path="/c", access_key=KEY),
        ]
    )
    assert [seen.path for seen in server.seen] == [PUSHED, f"/bot/update_settings/Plain/{OTHER_KEY}/1.2"]


def test_where_a_loop_runs_they_are_sent_on_it_and_nothing_waits(
    server: RecordingPoe, caplog: pytest.LogCaptureFixture
) -> None:
    asked_on: list[Any] = []

    class Bot(Shout):
        async def get_settings(self, setting: Any) -> SettingsResponse:
            asked_on.append(asyncio.get_running_loop())
            return await super().get_settings(setting)

    async def as_in_a_cell() -> bool:
        make_app(Bot(), access_key=KEY, bot_name="Shout")
        assert not server.seen
        async with asyncio.timeout(5):
            while not server.seen:
                await asyncio.sleep(0.01)
        return asked_on == [asyncio.get_running_loop()]

    assert run(as_in_a_cell())
    assert [seen.path for seen in server.seen] == [PUSHED]


class Slow(PoeBot):
    async def get_settings(self, setting: Any) -> SettingsResponse:
        await asyncio.sleep(60)
        return SettingsResponse()


def test_a_loop_that_ends_first_says_that_they_were_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    async def ends_at_once() -> None:
        make_app(Slow(), access_key=KEY, bot_name="Slow")
        await asyncio.sleep(0.01)

    asyncio.run(ends_at_once())
    assert "The settings of Slow were not sent to Poe: the loop ended before they were." in caplog.text


class Raises(PoeBot):
    async def get_settings(self, setting: Any) -> SettingsResponse:
        raise ZeroDivisionError(f"with {KEY}")


class NoSettings(PoeBot):
    async def get_settings(self, setting: Any) -> Any:
        return {"introduction_message": "Hello"}


@pytest.mark.parametrize(
    ("bot", "status", "said"),
    [
        (Shout(), 403, "403"),
        (Raises(), 200, "ZeroDivisionError: with [key hidden]"),
        (NoSettings(), 200, "A bot's settings are a SettingsResponse."),
    ],
)
def test_settings_that_were_not_sent_are_logged_and_the_bot_is_served(
    bot: PoeBot, status: int, said: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with poe(plain(f"refused {KEY}", status=status)) as refusing:
        monkeypatch.setenv("POE_BASE_URL", refusing.url)
        app = make_app(bot, access_key=KEY, bot_name="Shout")
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage().startswith("The settings of Shout were not sent to Poe: ")
    assert said in record.getMessage()
    assert "fp.sync_bot_settings(bot_name, access_key)" in record.getMessage()
    assert KEY not in caplog.text
    with serving(app) as port:
        assert http_request(port, "/", body=query(), key=KEY).status == 200


def test_a_poe_that_does_not_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings, "_TIMEOUT_S", 0.2)

    make_app(Slow(), access_key=KEY, bot_name="Slow")
    assert "it took longer than 0.2 s" in caplog.text


def test_a_bot_that_overrides_only_the_method_with_a_context_sends_what_that_gives(server: RecordingPoe) -> None:
    class Bot(PoeBot):
        async def get_settings_with_context(self, setting: Any, context: Any) -> SettingsResponse:
            return SettingsResponse(introduction_message=f"at {context.http_request.url.path}")

    make_app(Bot(path="/here"), access_key=KEY, bot_name="Shout")
    assert server.seen[0].json["introduction_message"] == "at /here"


def test_a_bot_whose_name_is_unknown_says_that_nothing_was_sent(
    server: RecordingPoe, caplog: pytest.LogCaptureFixture
) -> None:
    make_app(Shout(), access_key=KEY)
    assert not server.seen
    assert "The settings of Shout are not sent to Poe: it has no bot_name." in caplog.text
