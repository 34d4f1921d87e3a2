"""Having Poe take over settings, over real sockets: what is sent, and a key in an address that nobody gets to see."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import fastapi_poe
import httpx
import pytest
from places import Place, everywhere
from recording_poe import KEY, Reply, Script, holds_key, plain, poe, shown

from poe_notebook.client import settings as client_settings
from poe_notebook.client.settings import sync_bot_settings, sync_bot_settings_async
from poe_notebook.errors import BotError, BotErrorNoRetry
from poe_notebook.protocol.settings import SettingsResponse

ROOT = Path(__file__).resolve().parents[2]
PLAIN_KEY = "k" * 32
TAKEN = plain("Settings updated: allow_attachments=True", status=200)


@pytest.fixture(autouse=True)
def no_poe_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POE_BASE_URL", raising=False)


def error_of(*script: Script, **options: Any) -> BotError:
    with poe(*script) as server, pytest.raises(BotError) as caught:
        sync_bot_settings("Bot", KEY, base_url=f"{server.url}/bot/", **options)
    return caught.value


@pytest.mark.parametrize("settings", [None, {"allow_attachments": True, "introduction_message": "é"}, {}])
def test_the_library_sends_the_same(settings: dict[str, Any] | None) -> None:
    with poe(TAKEN) as server:
        sync_bot_settings("Bot", PLAIN_KEY, settings=settings, base_url=f"{server.url}/bot/")
        fastapi_poe.sync_bot_settings("Bot", PLAIN_KEY, settings=settings, base_url=f"{server.url}/bot/")
    mine, theirs = server.seen
    assert mine.wire[:2] == theirs.wire[:2]
    action = "fetch_settings" if settings is None else "update_settings"
    assert mine.path == f"/bot/{action}/Bot/{PLAIN_KEY}/1.2"
    assert (mine.body and mine.json) == (theirs.body and theirs.json)


@pytest.mark.parametrize("response", [SettingsResponse(rate_card="r"), fastapi_poe.SettingsResponse(rate_card="r")])
def test_a_settings_object_is_sent_with_all_its_fields(response: Any) -> None:
    with poe(TAKEN) as server:
        sync_bot_settings("Bot", KEY, settings=response, base_url=server.url)
    assert server.seen[0].json == response.model_dump()


@pytest.mark.parametrize("name", ["My Bot", "a/b?c#d", "é", "..", ".", "100%25"])
def test_name_and_key_each_stay_one_part_of_the_path(name: str) -> None:
    with poe(TAKEN) as server:
        sync_bot_settings(name, KEY, base_url=f"{server.url}/bot/")
    parts = server.seen[0].path.split("/")
    assert [unquote(part) for part in parts] == ["", "bot", "fetch_settings", name, KEY, "1.2"]


def test_the_asynchronous_form_gives_what_poe_said_of_them() -> None:
    with poe(plain(f"allow_attachments=True, key={KEY}", status=200)) as server:
        said = asyncio.run(sync_bot_settings_async("Bot", KEY, base_url=server.url))
    assert said == "allow_attachments=True, key=[key hidden]"


def test_nothing_is_printed_and_nothing_given(capfd: pytest.CaptureFixture[str]) -> None:
    with poe(TAKEN) as server:
        assert sync_bot_settings("Bot", KEY, base_url=server.url) is None
    assert capfd.readouterr() == ("", "")


def test_the_environment_may_name_another_poe(monkeypatch: pytest.MonkeyPatch) -> None:
    with poe(TAKEN) as server:
        monkeypatch.setenv("POE_BASE_URL", server.url)
        sync_bot_settings("Bot", PLAIN_KEY)
    assert server.seen[0].path == f"/bot/fetch_settings/Bot/{PLAIN_KEY}/1.2"


@pytest.mark.parametrize(
    ("status", "said"), [(400, "bad dependency"), (401, "not accepted"), (404, "not accepted"), (500, "500 Internal")]
)
def test_a_refusal_is_said(status: int, said: str) -> None:
    error = error_of(plain("bad dependency", status=status))
    assert said in str(error)
    assert "bad dependency" in str(error)


def test_a_bot_that_poe_cannot_reach_is_hinted_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_settings, "_TIMEOUT", httpx.Timeout(0.1))
    assert "the server runs" in error_of(Reply([0.5])).now
    assert error_of(Reply([0.5]), settings={}).now == ""


def test_nobody_listening_is_said() -> None:
    with pytest.raises(BotError, match="nothing answers there") as caught:
        sync_bot_settings("Bot", KEY, base_url="http://127.0.0.1:1/")
    assert not holds_key(shown(caught.value))


@pytest.mark.parametrize("base_url", ["http://[::1/", "ftp://h/", "not a url"])
def test_an_address_that_is_none_is_said_without_the_key(base_url: str) -> None:
    with pytest.raises(BotErrorNoRetry, match="malformed") as caught:
        sync_bot_settings("Bot", KEY, base_url=base_url)
    assert not holds_key(shown(caught.value))


@pytest.mark.parametrize("key", ["", "<missing>", f"{KEY}\nx"])
def test_it_needs_a_key(key: str) -> None:
    with pytest.raises(BotErrorNoRetry, match="access key") as caught:
        sync_bot_settings("Bot", key, base_url="http://127.0.0.1:1/")
    assert not holds_key(shown(caught.value))


def test_it_needs_a_name() -> None:
    with pytest.raises(BotErrorNoRetry, match="no name"):
        sync_bot_settings("", KEY, base_url="http://127.0.0.1:1/")


@pytest.mark.parametrize("settings", [{"x": float("nan")}, {"x": object()}])
def test_settings_that_are_no_json_are_not_sent(settings: dict[str, Any]) -> None:
    with poe(TAKEN) as server, pytest.raises(BotErrorNoRetry, match="no JSON"):
        sync_bot_settings("Bot", KEY, settings=settings, base_url=server.url)
    assert server.seen == []


@pytest.mark.parametrize(
    "reply",
    [
        plain(f"no such path: /bot/fetch_settings/Bot/{KEY}", status=404),
        plain(f"{'x' * 490}{KEY}", status=500),
        plain(f"{'x' * 480}kE9yOfThe%2BTests%2F7x2m4n6b8v0c1z3q", status=500),
        Reply([KEY.encode()], is_cut=True),
    ],
)
def test_a_key_that_poe_sends_back_is_in_no_error(reply: Reply) -> None:
    assert not holds_key(shown(error_of(reply)))


def test_no_log_holds_the_key(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), poe(TAKEN, plain("no", status=500)) as server:
        sync_bot_settings("Bot", KEY, base_url=server.url)
        with pytest.raises(BotError):
            sync_bot_settings("Bot", KEY, base_url=server.url)
    assert "HTTP Request" in caplog.text
    assert "/fetch_settings/Bot/[key hidden]/1.2" in caplog.text
    assert not holds_key(caplog.text)


# From synchronous code.


@everywhere
def test_the_synchronous_form_works_anywhere(place: Place) -> None:
    with poe(TAKEN) as server, warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        place(lambda: sync_bot_settings("Bot", KEY, base_url=server.url))
    assert len(server.seen) == 1


def test_it_works_in_a_script() -> None:
    code = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from poe_notebook.client.settings import sync_bot_settings
sync_bot_settings("Bot", "k" * 32, settings={{"cost_label": "5+"}}, base_url=sys.argv[1])
"""
    with poe(TAKEN) as server:
        done = subprocess.run([sys.executable, "-c", code, server.url], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads(server.seen[0].body) == {"cost_label": "5+"}
