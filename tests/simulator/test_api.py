"""api.poe.com, offline, towards scripts and bots: who may ask what, and what they hear if they may not."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any

import apps
import endpoints
import fastapi_poe as theirs
import httpx
import pytest
from endpoints import http_request, query
from offline import Endless, Offline, Recorder, offline
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

import poe_notebook as fp
from poe_notebook.simulator.backend import Backend

WRONG = "wrongwrongwrongwrongwrongwrong00"


@pytest.fixture(scope="module")
def poe() -> Iterator[Offline]:
    with offline() as running:
        yield running


def base_url(poe: Offline) -> str:
    return f"{poe.address}/bot/"


def their_request(content: str = "hello", **fields: Any) -> theirs.QueryRequest:
    return theirs.QueryRequest.model_validate(query(content, **fields))


async def all_of(answer: Any) -> list[Any]:
    return [part async for part in answer]


# Queries.


def test_the_library_asks_a_bot_of_this_kernel_with_an_api_key(poe: Offline) -> None:
    bot = poe.serve(Recorder(lambda r: ["hea", "rd"]), "Heard")
    message = theirs.ProtocolMessage(role="user", content="hello")
    answer = theirs.get_bot_response([message], "Heard", poe.api_key, base_url=base_url(poe))
    assert "".join(part.text for part in asyncio.run(all_of(answer))) == "heard"
    assert bot.last.user_id == poe.simulator.user_id
    assert bot.last.conversation_id.startswith("c-")
    exchange = poe.session.trace.last("Heard")
    assert exchange is not None
    assert exchange.client is not None
    assert exchange.server is not None
    assert exchange.outcome == "done"


def test_the_users_own_api_key_will_do(poe: Offline, monkeypatch: pytest.MonkeyPatch) -> None:
    poe.serve(Recorder(), "Heard")
    monkeypatch.setenv("POE_API_KEY", "a-key-of-the-user")
    assert poe.post("/bot/Heard", query(), key="a-key-of-the-user").text == "heard"
    monkeypatch.delenv("POE_API_KEY")
    assert poe.post("/bot/Heard", query(), key="a-key-of-the-user").events[0].data["text"] == "Access denied"


@pytest.mark.parametrize("key", [WRONG, ""])
def test_a_wrong_key_is_denied_on_a_stream_as_poe_does(poe: Offline, key: str) -> None:
    poe.serve(Recorder(), "Heard")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = http_request(poe.port, "/bot/Heard", body=query(), key=None, headers=headers)
    assert answer.status == 200
    assert [event.type for event in answer.events] == ["error", "done"]
    assert answer.events[0].data == {"allow_retry": False, "text": "Access denied"}
    with pytest.raises(theirs.BotError, match="Access denied"):
        asyncio.run(theirs.get_final_response(their_request(), "Heard", key or "x", base_url=base_url(poe)))


def test_a_bot_that_does_not_exist_is_said(poe: Offline) -> None:
    assert "does not exist" in poe.post("/bot/Nobody-at-all", query()).events[0].data["text"]


def test_names_are_found_whatever_their_case_and_however_they_are_quoted(poe: Offline) -> None:
    poe.serve(Recorder(), "Some.Name-1")
    assert poe.post("/bot/some%2Ename-1", query()).text == "heard"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), ({"type": "query"}, 422), ({"type": "odd", "version": "1"}, 501), (b"\xff", 400)],
)
def test_a_malformed_request_is_refused_with_a_sentence(poe: Offline, body: Any, status: int) -> None:
    answer = poe.post("/bot/Heard", body)
    assert answer.status == status
    assert len(answer.json["detail"]) > 10


def test_five_hundred_and_one_requests_in_a_minute_are_one_too_many() -> None:
    with offline() as poe:
        poe.serve(Recorder(), "Heard")
        for _ in range(500):
            assert not poe.simulator.accounts.wait_s()
        error = poe.post("/bot/Heard", query()).events[0]
        assert error.data["allow_retry"]
        assert "rate limit" in error.data["text"].lower()


def test_nothing_else_is_there(poe: Offline) -> None:
    assert poe.post("/bot/a/b/c/d/e", query()).status == 404
    assert http_request(poe.port, "/bot/Heard", method="GET").status == 405


# Bots that ask bots.


class Relay(Recorder):
    """Asks another bot, as often as it is told, and passes on what it says."""

    def __init__(self, callee: str, *, times: int = 1, **settings: Any) -> None:
        super().__init__(**settings)
        self.callee, self.times = callee, times

    async def get_response(self, request: fp.QueryRequest) -> Any:
        self.requests.append(request)
        for _ in range(self.times):
            async for part in fp.stream_request(request, self.callee, request.access_key, num_tries=1):
                yield part


def test_a_bot_asks_another_through_the_poe_that_asked_it(poe: Offline) -> None:
    inner = poe.serve(Recorder(), "Inner")
    outer = poe.serve(Relay("Inner", server_bot_dependencies={"Inner": 1}), "Outer")
    reply = poe.ask("Outer", "pass it on")
    assert reply.text == "heard"
    assert inner.last.query[-1].content == "pass it on"
    assert inner.last.user_id == outer.last.user_id == poe.simulator.user_id
    assert inner.last.message_id != outer.last.message_id
    exchange = poe.session.trace.last("Inner")
    assert exchange is not None
    assert reply.exchange is not None
    assert exchange.parent == reply.exchange.number
    assert exchange.client is not None
    assert exchange.server is not None


def test_calls_at_once_are_each_recorded_with_their_own_answer(poe: Offline) -> None:
    poe.serve(Recorder(lambda r: [r.query[-1].content.upper()]), "Inner")

    class Both(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            asked = [
                request.model_copy(update={"query": [fp.ProtocolMessage(role="user", content=word)]})
                for word in ("one", "two", "three")
            ]
            answers = (fp.get_final_response(each, "Inner", request.access_key) for each in asked)
            yield " ".join(await asyncio.gather(*answers))

    poe.serve(Both(server_bot_dependencies={"Inner": 3}), "Both")
    reply = poe.ask("Both")
    assert reply.text == "ONE TWO THREE"
    assert reply.exchange is not None
    nested = [e for e in poe.session.trace if e.parent == reply.exchange.number]
    assert len(nested) == 3
    for exchange in nested:
        said = exchange.request["query"][-1]["content"].upper().encode()
        for tap in (exchange.client, exchange.server):
            assert tap is not None
            assert said in tap.events[0].raw


@pytest.mark.parametrize(
    ("declared", "times", "said"),
    [
        ({}, 1, "0 or undefined call count"),
        ({"Inner": 0}, 1, "0 or undefined"),
        ({"inner": 2}, 3, "more often than the 2"),
    ],
    ids=["undeclared", "declared with none", "once too often"],
)
def test_a_call_that_the_settings_do_not_allow_fails_with_poes_sentence(
    poe: Offline, declared: dict[str, int], times: int, said: str
) -> None:
    inner = poe.serve(Recorder(), "Inner")
    poe.serve(Relay("Inner", times=times, server_bot_dependencies=declared), "Outer")
    reply = poe.ask("Outer")
    assert reply.failure is not None
    assert said in reply.failure.traceback
    assert len(inner.requests) == sum(n for n in declared.values())


def test_calls_are_counted_anew_for_each_message(poe: Offline) -> None:
    poe.serve(Recorder(), "Inner")
    poe.serve(Relay("Inner", server_bot_dependencies={"Inner": 1}), "Outer")
    assert [poe.ask("Outer").text for _ in range(3)] == ["heard"] * 3


def test_an_access_key_cannot_ask_for_a_bot_that_is_not_declared(poe: Offline) -> None:
    poe.serve(Recorder(), "Inner")
    poe.serve(Recorder(), "Loner")
    answer = poe.post("/bot/Inner", query(), key=poe.access_key("Loner"))
    assert "0 or undefined call count" in answer.events[0].data["text"]


# Settings.


def test_settings_are_fetched_by_curl_and_by_the_library(poe: Offline) -> None:
    bot = poe.serve(Recorder(introduction_message="first"), "Set")
    key = poe.access_key("Set")
    bot.settings = {"introduction_message": "second"}
    answer = poe.post(f"/bot/fetch_settings/Set/{key}", b"")
    assert answer.status == 200
    assert b"second" in answer.body
    bot.settings = {"introduction_message": "third"}
    theirs.sync_bot_settings("Set", key, base_url=base_url(poe))
    assert poe.session.chats.settings("Set").settings.introduction_message == "third"


def test_pushed_settings_count_until_the_bot_is_defined_anew(poe: Offline) -> None:
    poe.serve(Recorder(), "Inner")
    poe.serve(Relay("Inner"), "Pushed")
    key = poe.access_key("Pushed")
    assert poe.ask("Pushed").state == "failed"
    theirs.sync_bot_settings("Pushed", key, settings={"server_bot_dependencies": {"Inner": 1}}, base_url=base_url(poe))
    assert poe.ask("Pushed").text == "heard"
    poe.serve(Relay("Inner"), "Pushed")
    assert poe.ask("Pushed").state == "failed"


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"/bot/fetch_settings/Set/{WRONG}", 403), (f"/bot/fetch_settings/None-such/{WRONG}", 404)],
)
def test_settings_need_the_bots_own_key(poe: Offline, path: str, status: int) -> None:
    poe.serve(Recorder(), "Set")
    answer = poe.post(path, b"")
    assert answer.status == status
    assert WRONG not in answer.body.decode()


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", json.dumps({"server_bot_dependencies": 3}).encode()])
def test_settings_that_cannot_be_read_leave_those_in_force(poe: Offline, body: bytes) -> None:
    poe.serve(Recorder(introduction_message="kept"), "Kept")
    answer = poe.post(f"/bot/update_settings/Kept/{poe.access_key('Kept')}/1.2", body)
    assert answer.status == 400
    assert poe.session.chats.settings("Kept").settings.introduction_message == "kept"


# Files.


def test_the_library_uploads_bytes_and_the_file_is_served(poe: Offline) -> None:
    base = f"{poe.address}/poe_api/"
    file = theirs.upload_file_sync(b"blue", file_name="b.txt", api_key=poe.api_key, base_url=base)
    assert file.content_type == "text/plain"
    assert httpx.get(file.url).content == b"blue"


def test_a_file_is_uploaded_by_its_address(poe: Offline) -> None:
    async def picture(request: Any) -> Response:
        return Response(b"\x89PNG\r\n\x1a\n....", media_type="image/png")

    with apps.serving(Starlette(routes=[Route("/a/heron.png", picture)])) as port:
        url = f"http://127.0.0.1:{port}/a/heron.png"
        file = theirs.upload_file_sync(file_url=url, api_key=poe.api_key, base_url=f"{poe.address}/poe_api/")
    assert file.content_type == "image/png"
    assert httpx.get(file.url).content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({}, 400, "no file"),
        ({"download_url": "file:///etc/passwd"}, 400, "no address of the web"),
        ({"download_url": "http://127.0.0.1:9/x"}, 400, "cannot be fetched"),
    ],
)
def test_an_upload_that_cannot_be_is_said(poe: Offline, fields: dict[str, str], status: int, said: str) -> None:
    url = f"{poe.address}/poe_api/file_upload_3RD_PARTY_POST"
    answer = httpx.post(url, data=fields, headers={"Authorization": poe.api_key})
    assert answer.status_code == status
    assert said in answer.json()["detail"]


def test_an_upload_needs_a_key(poe: Offline) -> None:
    url = f"{poe.address}/poe_api/file_upload_3RD_PARTY_POST"
    answer = httpx.post(url, files={"file": ("a", b"a")}, headers={"Authorization": WRONG})
    assert answer.status_code == 401


# Bots elsewhere.


def test_a_bot_of_the_library_on_its_own_server_stands_behind_the_simulator(
    poe: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Theirs(theirs.PoeBot):
        async def get_response(self, request: Any) -> Any:
            await self.post_message_attachment(
                message_id=request.message_id,
                file_data=b"from afar",
                filename="afar.txt",
                base_url=f"{poe.address}/poe_api/",
            )
            async for part in theirs.stream_request(request, "Inner", request.access_key, base_url=base_url(poe)):
                yield part

        async def get_settings(self, setting: Any) -> theirs.SettingsResponse:
            return theirs.SettingsResponse(server_bot_dependencies={"Inner": 1}, introduction_message="from afar")

    inner = poe.serve(Recorder(), "Inner")
    app = theirs.make_app(Theirs(), access_key=endpoints.KEY)
    monkeypatch.setenv("POE_ACCESS_KEY", endpoints.KEY)
    with apps.serving(app) as port:
        poe.session.register("Afar", f"http://127.0.0.1:{port}/")
        reply = poe.ask("Afar", "hello there")
        assert (reply.text, reply.route) == ("heard", "simulator")
        assert [file.name for file in reply.attachments] == ["afar.txt"]
        assert poe.session.chats.settings("Afar").settings.introduction_message == "from afar"
    assert inner.last.query[-1].content == "hello there"


# Costs.


class Charging(Recorder):
    """Authorizes a cost, answers, and captures it, as the guide for creators says."""

    async def get_response(self, request: fp.QueryRequest) -> Any:
        self.requests.append(request)
        await self.authorize_cost(request, fp.CostItem(amount_usd_milli_cents=3_000, description="work"))
        yield "worked"
        await self.capture_cost(request, fp.CostItem(amount_usd_milli_cents=1_500, description="work"))


def test_a_cost_is_reserved_charged_and_the_rest_given_back(poe: Offline) -> None:
    poe.serve(Charging(), "Charging")
    ledger, user = poe.simulator.points, poe.simulator.user_id
    ledger.grant(user, 10_000)
    assert poe.ask("Charging").text == "worked"
    assert [entry.kind for entry in ledger.entries_of(user)][-3:] == ["authorize", "capture", "release"]
    exchange = poe.session.trace.last("Charging")
    assert exchange is not None
    assert [report.text for report in exchange.reports] == [
        "authorize 3,000 thousandths of a US cent: success",
        "capture 1,500 thousandths of a US cent: success",
    ]
    assert ledger.balance(user) == ledger.available(user) < 10_000


def test_a_user_who_cannot_pay_is_told_so_by_the_error_type(poe: Offline) -> None:
    poe.serve(Charging(), "Charging")
    poe.simulator.points.grant(poe.simulator.user_id, 0)
    try:
        reply = poe.ask("Charging")
    finally:
        poe.simulator.points.grant(poe.simulator.user_id, 10_000)
    assert reply.text == ""
    assert reply.exchange is not None
    assert [event.type for event in reply.exchange.events][:1] == ["error"]  # at which Poe stops reading
    assert b"insufficient_fund" in reply.exchange.events[0].raw


def test_the_library_charges_through_the_simulator(poe: Offline, monkeypatch: pytest.MonkeyPatch) -> None:
    class Theirs(theirs.PoeBot):
        async def get_response(self, request: Any) -> Any:
            item = theirs.CostItem(amount_usd_milli_cents=2_000)
            await self.authorize_cost(request, item, base_url=f"{poe.address}/")
            yield theirs.PartialResponse(text="worked")
            await self.capture_cost(request, item, base_url=f"{poe.address}/")

    app = theirs.make_app(Theirs(), access_key=endpoints.KEY)
    monkeypatch.setenv("POE_ACCESS_KEY", endpoints.KEY)
    with apps.serving(app) as port:
        poe.session.register("TheirCost", f"http://127.0.0.1:{port}/")
        assert poe.ask("TheirCost").text == "worked"
        poe.simulator.points.grant(poe.simulator.user_id, 0)
        reply = poe.ask("TheirCost")
        poe.simulator.points.grant(poe.simulator.user_id, 10_000)
    assert reply.failure is not None
    assert reply.failure.error_type == "insufficient_fund"


@pytest.mark.parametrize("action", ["authorize", "capture"])
def test_a_cost_of_nobodys_query_or_with_a_wrong_key_is_refused(poe: Offline, action: str) -> None:
    poe.serve(Recorder(), "Heard")
    body = {"amounts": [{"amount_usd_milli_cents": 1}], "access_key": poe.access_key("Heard")}
    assert poe.post(f"/bot/cost/b-unknown/{action}", body).status == 404
    assert poe.post(f"/bot/cost/b-unknown/{action}", {**body, "access_key": WRONG}).status == 401
    assert poe.post(f"/bot/cost/b-unknown/{action}", b"[]").status == 401
    assert poe.post("/bot/cost/b-unknown/refund", body).status == 404


# Faults.


@pytest.mark.parametrize(
    ("fault", "text", "said"),
    [
        ("cut@2", "one ", "cut"),
        ("early-end", "one two three ", "without a done event"),
        ("garbage=json@2", "one ", "cannot be read"),
        ("garbage=type@2", "one two three ", ""),
        ("split=1", "one two three ", ""),
        ("delay=0.2", "one two three ", ""),
        ("status=503", "", "503"),
    ],
)
def test_a_fault_meets_one_answer_of_a_bot(poe: Offline, fault: str, text: str, said: str) -> None:
    poe.serve(Recorder(lambda r: ["one ", "two ", "three "]), "Three")
    reply = poe.ask("Three", faults=[fault])
    assert reply.text == text
    assert (said in reply.failure.text) if reply.failure is not None else not said
    assert poe.ask("Three").text == "one two three "


def test_a_cut_connection_cancels_the_handler(poe: Offline) -> None:
    bot = poe.serve(Endless(), "Endless")
    assert poe.ask("Endless", faults=["cut@3"]).state == "failed"
    assert endpoints.until(lambda: bot.ended_at)


def test_a_request_that_is_sent_twice_is_answered_twice_and_shown_once(poe: Offline) -> None:
    bot = poe.serve(Recorder(), "Twice")
    assert poe.ask("Twice", faults=["duplicate"]).text == "heard"
    assert endpoints.until(lambda: len(bot.requests) == 2)
    assert bot.requests[0].message_id == bot.requests[1].message_id


def test_faults_of_a_bot_meet_who_asks_it_until_they_are_taken_away(poe: Offline) -> None:
    poe.serve(Relay("Echo", server_bot_dependencies={"Echo": 1}), "Outer")
    assert "cut" in poe.session.chats.let_fail("Echo", "cut@1").describe()
    assert "cut" in poe.session.chats.faults_of("Echo").describe()
    reply = poe.ask("Outer", "hello there")
    assert reply.state == "failed"
    poe.session.chats.let_fail("Echo", None)
    assert "hello there" in poe.ask("Outer", "hello there").text


# A server of one's own.


def test_a_server_of_ones_own_answers_for_the_models_that_guides_ask(poe: Offline) -> None:
    """The server is the simulator's own endpoint, where a bot of this kernel plays the model."""
    model = poe.serve(Recorder(lambda r: ["a model ", "said so"]), "Model")
    poe.serve(Relay("GPT-3.5-Turbo", server_bot_dependencies={"GPT-3.5-Turbo": 1}), "Outer")
    os.environ["MY_MODEL_KEY"] = poe.api_key
    poe.simulator.hand_stand_ins_to(Backend.at(f"{poe.address}/v1", model="Model", key_variable="MY_MODEL_KEY"))
    try:
        assert poe.ask("Outer", "hello there").text == "a model said so"
        assert poe.ask("Claude-Instant", "hello there").text == "a model said so"
        assert poe.ask("Echo", "hello there").text != "a model said so"
    finally:
        poe.simulator.hand_stand_ins_to(None)
        del os.environ["MY_MODEL_KEY"]
    assert model.last.query[-1].content == "hello there"
    assert "Stand-in for GPT-3.5-Turbo" in poe.ask("Outer", "hello there").text
