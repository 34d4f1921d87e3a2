"""Costs over real sockets: what is sent, and what each answer of Poe's means."""

from __future__ import annotations

import asyncio
from typing import Any

import fastapi_poe
import pytest
from endpoints import query
from recording_poe import DONE, KEY, Reply, Script, holds_key, in_json, plain, poe, shown, sse, text

from poe_notebook.client.costs import authorize_cost, capture_cost
from poe_notebook.errors import CostRequestError, InsufficientFundError, InvalidParameterError
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import CostItem

QUERY_ID = "b-" + "4" * 32
REQUEST = QueryRequest.model_validate(query(bot_query_id=QUERY_ID))
SUCCESS = sse(("result", {"status": "success"}))
ITEM = CostItem(amount_usd_milli_cents=1200, description="one card")


@pytest.fixture(autouse=True)
def no_poe_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POE_BASE_URL", raising=False)


def error_of(*script: Script) -> Exception:
    with poe(*script) as server, pytest.raises((CostRequestError, InsufficientFundError)) as caught:
        asyncio.run(capture_cost(REQUEST, ITEM, access_key=KEY, base_url=server.url))
    assert len(server.seen) == 1  # never tried again: the cost may have been captured
    return caught.value


@pytest.mark.parametrize(
    "amounts",
    [
        [{"amount_usd_milli_cents": 5}],
        [{"amount_usd_milli_cents": 5, "description": "é"}, {"amount_usd_milli_cents": 1.2}],
        [],
    ],
)
def test_the_library_sends_the_same(amounts: list[dict[str, Any]]) -> None:
    bot = fastapi_poe.PoeBot(access_key=KEY)
    their_request = fastapi_poe.QueryRequest(**query(bot_query_id=QUERY_ID))
    their_items = [fastapi_poe.CostItem(**amount) for amount in amounts]

    async def both(url: str) -> None:
        await authorize_cost(REQUEST, [CostItem(**each) for each in amounts], access_key=KEY, base_url=url)
        await bot.authorize_cost(their_request, their_items, url)
        await capture_cost(REQUEST, their_items, access_key=KEY, base_url=url)
        await bot.capture_cost(their_request, their_items, url)

    with poe(SUCCESS) as server:
        asyncio.run(both(f"{server.url}/"))
    assert [seen.path for seen in server.seen] == [
        f"/bot/cost/{QUERY_ID}/{action}" for action in ("authorize", "authorize", "capture", "capture")
    ]
    for mine, official in (server.seen[:2], server.seen[2:]):
        assert mine.json == official.json
        assert mine.wire[1] == official.wire[1]


def test_one_amount_needs_no_list() -> None:
    with poe(SUCCESS) as server:
        asyncio.run(authorize_cost(REQUEST, ITEM, access_key=KEY, base_url=server.url))
    assert server.seen[0].json == {
        "amounts": [{"amount_usd_milli_cents": 1200, "description": "one card"}],
        "access_key": KEY,
    }


def test_the_result_counts_and_nothing_around_it() -> None:
    with poe(sse(("ping", {}), text("x"), ("result", {"status": "success"}), ("result", {"status": "no"}))) as server:
        asyncio.run(capture_cost(REQUEST, ITEM, access_key=KEY, base_url=server.url))


def test_the_result_is_enough_even_if_the_stream_goes_on() -> None:
    with poe(Reply([*SUCCESS.pieces, 5.0])) as server:
        asyncio.run(asyncio.wait_for(capture_cost(REQUEST, ITEM, access_key=KEY, base_url=server.url), 1))


def test_a_refusal_that_never_ends_is_not_read_to_its_end() -> None:
    many = sse(*[("error", {"message": "no"})] * 200, status=403)
    assert "403 Forbidden: no no" in str(error_of(Reply([*many.pieces, 5.0], status=403)))


@pytest.mark.parametrize("status", ["insufficient funds", "INSUFFICIENT_FUNDS", "insufficient_fund"])
def test_a_user_who_cannot_pay_is_said(status: str) -> None:
    error = error_of(sse(("result", {"status": status})))
    assert type(error) is InsufficientFundError
    assert status in str(error)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (sse(("result", {"status": "not eligible"})), "not eligible"),
        (sse(("result", {})), "no status"),
        (sse(("result", {"status": None})), "no status"),
        (sse(DONE), "no result"),
        (sse(("error", {"message": "try later"}), DONE), "try later"),
        (
            sse(("error", {"message": "bad key"}), ("error", {"message": " indeed"}), status=403),
            "403 Forbidden: bad key",
        ),
        (plain("<h1>Gone</h1>", status=404), "404 Not Found: <h1>Gone</h1>"),
        (in_json({"error": {"message": "too many"}}, status=429), "429 Too Many Requests: too many"),
        (in_json({"message": "broken"}, status=500), "500 Internal Server Error: broken"),
        (in_json({"status": "success"}), '200 OK: {"status": "success"}'),
        (plain("", status=500), "no text"),
        (Reply([b"event: result\ndata: no json\n\n"]), "no json"),
        (Reply([b"event: result\n"], is_cut=True), "failed"),
        (Reply([b"x"], status=500, content_type="text/plain", is_cut=True), "failed"),
    ],
)
def test_what_is_no_success_is_an_error_with_poes_words(reply: Reply, said: str) -> None:
    error = error_of(reply)
    assert type(error) is CostRequestError
    assert said in str(error)


def test_nobody_listening_is_said() -> None:
    with pytest.raises(CostRequestError, match="nothing answers there"):
        asyncio.run(capture_cost(REQUEST, ITEM, access_key=KEY, base_url="http://127.0.0.1:1/"))


@pytest.mark.parametrize("base_url", ["http://[::1/", "ftp://h/", "not a url"])
def test_an_address_that_is_none_is_said(base_url: str) -> None:
    with pytest.raises(CostRequestError, match="malformed"):
        asyncio.run(capture_cost(REQUEST, ITEM, access_key=KEY, base_url=base_url))


@pytest.mark.parametrize("key", ["", " ", None, "<missing>", f"{KEY}\nx"])
def test_a_cost_needs_a_key(key: str | None) -> None:
    with pytest.raises(CostRequestError, match="access key") as caught:
        asyncio.run(authorize_cost(REQUEST, ITEM, access_key=key, base_url="http://127.0.0.1:1/"))
    assert not holds_key(shown(caught.value))


def test_a_cost_needs_the_id_of_its_query() -> None:
    request = QueryRequest.model_validate(query())
    with pytest.raises(InvalidParameterError, match="bot_query_id"):
        asyncio.run(authorize_cost(request, ITEM, access_key=KEY, base_url="http://127.0.0.1:1/"))


def test_the_id_of_a_query_stays_one_part_of_the_path() -> None:
    request = QueryRequest.model_validate(query(bot_query_id="../x?y"))
    with poe(SUCCESS) as server:
        asyncio.run(authorize_cost(request, ITEM, access_key=KEY, base_url=server.url))
    assert server.seen[0].path == "/bot/cost/..%2Fx%3Fy/authorize"


@pytest.mark.parametrize("variable", ["{}", "{}/", "{}/bot", "{}/bot/"])
def test_the_environment_may_name_another_poe(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with poe(SUCCESS) as server:
        monkeypatch.setenv("POE_BASE_URL", variable.format(server.url))
        asyncio.run(authorize_cost(REQUEST, ITEM, access_key=KEY))
    assert server.seen[0].path == f"/bot/cost/{QUERY_ID}/authorize"


@pytest.mark.parametrize(
    "reply",
    [
        plain(f"wrong key {KEY}", status=401),
        sse(("error", {"message": f"{'x' * 490}{KEY}"}), status=401),
        sse(("result", {"status": f"bad {KEY}"})),
        sse(("result", {"key": KEY})),
        sse(("result", {"status": f"insufficient {KEY}"})),
        sse(text(KEY), is_cut=True),
        sse(text(KEY)),
    ],
)
def test_a_key_that_poe_sends_back_is_in_no_error(reply: Reply) -> None:
    assert not holds_key(shown(error_of(reply)))
