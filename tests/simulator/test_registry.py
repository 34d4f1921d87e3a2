"""Bot servers elsewhere: what can be registered, what they are sent, and what comes first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from endpoints import raw_server, response
from offline import Offline, Recorder, offline

from poe_notebook.client import query as asking
from poe_notebook.errors import CommandError
from poe_notebook.simulator import reaching

ANSWER = response(b'event: text\ndata: {"text": "from afar"}\n\nevent: done\ndata: {}\n\n')
SETTINGS = response(b"{}", content_type="application/json")


@pytest.fixture(scope="module")
def poe() -> Iterator[Offline]:
    with offline() as running:
        yield running


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://a", "http://", "https://", "http://h:99999/", "http://me:key@h/", "http://\ud800", "http://[::1"],
)
def test_what_is_no_address_of_a_server_is_said_without_a_key_in_it(poe: Offline, url: str) -> None:
    with pytest.raises(CommandError, match="no address of a bot server") as caught:
        poe.session.register("Afar", url)
    assert "me:key" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ü", "-a", "x" * 101, "a\n"])
def test_a_name_that_poe_would_not_take_is_refused(poe: Offline, name: str) -> None:
    with pytest.raises(CommandError, match="cannot be a bot's name"):
        poe.session.register(name, "http://127.0.0.1:1/")


def test_a_bot_of_this_kernel_comes_before_a_server_of_its_name_and_gives_way_when_it_is_stopped(poe: Offline) -> None:
    poe.serve(Recorder(), "Both")
    with raw_server([SETTINGS], [ANSWER]) as server:
        poe.session.register("both", f"http://127.0.0.1:{server.port}/")
        assert (poe.ask("Both").text, poe.ask("both").route) == ("heard", "kernel")
        poe.session.serving.stop("Both")
        reply = poe.ask("Both")
        assert (reply.text, reply.route, reply.bot) == ("from afar", "simulator", "both")
        poe.serve(Recorder(), "Both")
        assert poe.ask("Both").text == "heard"
    poe.session.registry.remove("both")
    with pytest.raises(CommandError, match="No server is registered as 'both'"):
        poe.session.registry.remove("both")


def test_a_server_that_wants_no_key_gets_a_made_one(poe: Offline) -> None:
    with raw_server([SETTINGS], [ANSWER]) as server:
        poe.session.register("Keyless", f"http://127.0.0.1:{server.port}/")
        assert poe.ask("Keyless").text == "from afar"
    for request in server.requests:
        head = request.partition(b"\r\n\r\n")[0].decode().lower()
        key = head.partition("authorization: bearer ")[2].partition("\r\n")[0]
        assert len(key) == 32
    answered = poe.session.trace.last("Keyless")
    assert answered is not None
    assert (answered.route, answered.server) == ("simulator", None)


def test_a_server_that_refuses_the_key_is_said_and_the_key_is_not(
    poe: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POE_ACCESS_KEY", "k" * 32)
    refused = response(
        b'{"detail": "Invalid access key: ' + b"k" * 32 + b'"}', status="401 No", content_type="application/json"
    )
    with raw_server([refused]) as server:
        poe.session.register("Refusing", f"http://127.0.0.1:{server.port}/")
        reply = poe.ask("Refusing")
    assert reply.failure is not None
    assert "401" in reply.failure.text
    assert "kkkk" not in reply.failure.text


@pytest.mark.parametrize(("url", "is_local"), [("https://bot.example", False), ("http://127.0.0.1:9/", True)])
def test_a_server_on_the_internet_is_reached_by_a_client_that_checks_who_it_is(
    poe: Offline, monkeypatch: pytest.MonkeyPatch, url: str, is_local: bool
) -> None:
    """The client for this machine checks no certificate and heeds no proxy, and a key goes along."""
    asked: list[bool] = []

    def client(*, is_local: bool) -> Any:
        asked.append(is_local)
        raise httpx.ConnectError("no network")

    poe.session.register("Web", url)
    monkeypatch.setattr(reaching, "client_for_this_loop", client)
    monkeypatch.setattr(asking, "client_for_this_loop", client)
    with pytest.raises(Exception, match="no network"):
        poe.session.chats.settings("Web")
    with pytest.raises(Exception, match="no network"):
        poe.ask("Web")
    assert set(asked) == {is_local}
