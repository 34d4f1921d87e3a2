"""Who asks for whom: what a bot's query says of itself is believed only where it fits what Poe knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import apps
import endpoints
import fastapi_poe as theirs
import pytest
from endpoints import http_request, query
from offline import Offline, Recorder, offline

import poe_notebook as fp

POINTS = 10_000


@pytest.fixture(scope="module")
def poe() -> Iterator[Offline]:
    with offline() as running:
        yield running


def message(content: str = "hello") -> fp.ProtocolMessage:
    return fp.ProtocolMessage(role="user", content=content)


class Asking(Recorder):
    """Asks a bot with queries of its own making, one after the other, and gives the answers in a row."""

    def __init__(self, callee: str, *changes: dict[str, Any], **settings: Any) -> None:
        super().__init__(**settings)
        self.callee, self.changes = callee, changes or ({},)

    async def get_response(self, request: fp.QueryRequest) -> Any:
        self.requests.append(request)
        for change in self.changes:
            query = request.model_copy(update=change)
            yield await fp.get_final_response(query, self.callee, request.access_key, num_tries=1)


def test_a_query_without_ids_belongs_to_the_message_that_its_bot_is_answering(poe: Offline) -> None:
    """As ``get_bot_response`` makes it; each message has its own count of calls."""
    inner = poe.serve(Recorder(), "Inner")

    class Bare(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            async for part in fp.get_bot_response([message()], "Inner", request.access_key):
                yield part

    poe.serve(Bare(server_bot_dependencies={"Inner": 1}), "Bare")
    replies = [poe.ask("Bare") for _ in range(3)]
    assert [reply.text for reply in replies] == ["heard"] * 3
    assert inner.last.user_id == poe.simulator.user_id
    parent = replies[-1].exchange
    assert parent is not None
    nested = poe.session.trace.last("Inner")
    assert nested is not None
    assert nested.parent == parent.number


def test_invented_message_ids_do_not_get_around_the_count(poe: Offline) -> None:
    inner = poe.serve(Recorder(), "Inner")
    invented = [{"message_id": f"m-{n:032}"} for n in range(3)]
    poe.serve(Asking("Inner", *invented, server_bot_dependencies={"Inner": 2}), "Inventive")
    reply = poe.ask("Inventive")
    assert reply.state == "failed"
    assert len(inner.requests) == 2


def test_a_message_of_another_bot_does_not_lend_its_rights(poe: Offline) -> None:
    inner = poe.serve(Recorder(), "Inner")
    rich = poe.serve(Asking("Inner", server_bot_dependencies={"Inner": 5}), "Rich")
    poe.ask("Rich")
    poor = poe.serve(Asking("Inner", {"message_id": rich.last.message_id}), "Poor")
    reply = poe.ask("Poor")
    assert reply.failure is not None
    assert "Poor called Inner, a bot that has 0" in reply.failure.traceback
    assert poor.last.message_id in reply.failure.traceback
    assert len(inner.requests) == 1


def test_bots_that_share_an_access_key_are_told_apart_and_each_has_its_own_rights(
    poe: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POE_ACCESS_KEY", endpoints.KEY)
    poe.serve(Recorder(), "Inner")
    poe.serve(Asking("Inner"), "SharedPoor")
    poe.serve(Asking("Inner", {"message_id": ""}, server_bot_dependencies={"Inner": 1}), "SharedRich")
    assert poe.access_key("SharedPoor") == poe.access_key("SharedRich")
    assert poe.ask("SharedRich").text == "heard"
    reply = poe.ask("SharedPoor")
    assert reply.failure is not None
    assert "SharedPoor called Inner" in reply.failure.traceback


def test_the_user_who_chats_pays_whatever_user_the_bot_names(poe: Offline) -> None:
    class Charging(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            self.requests.append(request)
            await self.authorize_cost(request, fp.CostItem(amount_usd_milli_cents=300))
            yield "worked"
            await self.capture_cost(request, fp.CostItem(amount_usd_milli_cents=300))

    charging = poe.serve(Charging(), "Charging")
    other = "u-" + "7" * 32
    poe.serve(Asking("Charging", {"user_id": other}, server_bot_dependencies={"Charging": 1}), "Generous")
    ledger, user = poe.simulator.points, poe.simulator.user_id
    ledger.grant(user, POINTS)
    assert poe.ask("Generous").text == "worked"
    assert ledger.balance(user) == POINTS - 100
    assert charging.last.user_id == user
    assert ledger.entries_of(other) == []


def test_nothing_is_reserved_for_an_answer_that_is_over(poe: Offline) -> None:
    bot = poe.serve(Recorder(), "Late")
    poe.ask("Late")
    ledger, user = poe.simulator.points, poe.simulator.user_id
    ledger.grant(user, POINTS)
    body = {"access_key": poe.access_key("Late"), "amounts": [{"amount_usd_milli_cents": 300}]}
    refused = poe.post(f"/bot/cost/{bot.last.bot_query_id}/authorize", body)
    assert (refused.status, b"is over" in refused.body) == (400, True)
    assert poe.post(f"/bot/cost/{bot.last.bot_query_id}/capture", body).events[0].data == {"status": "success"}
    assert ledger.available(user) == ledger.balance(user) == POINTS - 100


@pytest.mark.parametrize("names", [("Self",), ("First", "Second")], ids=["one bot", "two bots"])
def test_bots_in_a_circle_are_stopped_by_the_count_of_the_message_that_began_it(
    poe: Offline, names: tuple[str, ...]
) -> None:
    bots = []
    for name, callee in zip(names, [*names[1:], names[0]], strict=True):
        bots.append(poe.serve(Asking(callee, server_bot_dependencies={callee: 2}), name))
    for _ in range(2):  # a second message has a count of its own
        asked = [len(bot.requests) for bot in bots]
        reply = poe.ask(names[0], new=True)
        assert reply.state == "failed"
        assert [len(bot.requests) - before for bot, before in zip(bots, asked, strict=True)] == [
            3,
            *[2] * len(names[1:]),
        ]


def test_no_message_sets_more_than_a_hundred_calls_going(poe: Offline) -> None:
    inner = poe.serve(Recorder(), "Inner")
    poe.serve(Asking("Inner", *[{}] * 101, server_bot_dependencies={"Inner": 1_000}), "Eager")
    reply = poe.ask("Eager")
    assert reply.failure is not None
    assert "100 calls to other bots" in reply.failure.traceback
    assert len(inner.requests) == 100


def test_a_call_that_failed_before_it_gave_anything_may_be_made_again(poe: Offline) -> None:
    """The library asks twice by itself, and the second try should not be what the author reads of."""
    busy = [fp.ErrorResponse(text="busy just now", allow_retry=True)]
    inner = poe.serve(Recorder(lambda r: busy), "Busy")

    class Once(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            yield await fp.get_final_response(request, "Busy", request.access_key, retry_sleep_time=0.01)

    poe.serve(Once(server_bot_dependencies={"Busy": 1}), "Once")
    reply = poe.ask("Once")
    assert reply.failure is not None
    assert "busy just now" in reply.failure.traceback
    assert len(inner.requests) == 4


@pytest.mark.parametrize("count", [0, 10_000])
def test_a_bot_may_ask_with_no_message_and_with_ten_thousand(poe: Offline, count: int) -> None:
    inner = poe.serve(Recorder(enforce_author_role_alternation=False), "Inner")
    queries = [message(str(n)) for n in range(count)]
    poe.serve(Asking("Inner", {"query": queries}, server_bot_dependencies={"Inner": 1}), "Many")
    assert poe.ask("Many").text == "heard"
    assert [m.content for m in inner.last.query] == [str(n) for n in range(count)][-1_001:]


def test_a_script_with_an_access_key_asks_for_no_message_and_is_counted_by_the_call(poe: Offline) -> None:
    poe.serve(Recorder(), "Inner")
    poe.serve(Recorder(server_bot_dependencies={"Inner": 1}), "Owner")
    ids = {"user_id": "", "conversation_id": "", "message_id": ""}
    for _ in range(3):
        answer = poe.post("/bot/Inner", query(**ids), key=poe.access_key("Owner"))
        assert answer.text == "heard"


def test_the_librarys_own_bot_elsewhere_asks_with_a_query_of_its_own(
    poe: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but its key says for which message it asks; the latest that it answers is taken."""
    base_url = f"{poe.address}/bot/"

    class Theirs(theirs.PoeBot):
        async def get_response(self, request: Any) -> Any:
            asked = [theirs.ProtocolMessage(role="user", content="hello")]
            async for part in theirs.get_bot_response(asked, "Inner", request.access_key, base_url=base_url):
                yield part

        async def get_settings(self, setting: Any) -> theirs.SettingsResponse:
            return theirs.SettingsResponse(server_bot_dependencies={"Inner": 1})

    inner = poe.serve(Recorder(), "Inner")
    monkeypatch.setenv("POE_ACCESS_KEY", "k" * 32)
    with apps.serving(theirs.make_app(Theirs(), access_key="k" * 32)) as port:
        poe.session.register("Afar", f"http://127.0.0.1:{port}/")
        replies = [poe.ask("Afar") for _ in range(2)]
    assert [reply.text for reply in replies] == ["heard"] * 2
    assert inner.last.user_id == poe.simulator.user_id
    parent = replies[-1].exchange
    nested = poe.session.trace.last("Inner")
    assert parent is not None
    assert nested is not None
    assert nested.parent == parent.number


def test_a_call_from_a_worker_thread_belongs_to_the_message_too(poe: Offline) -> None:
    poe.serve(Recorder(), "Inner")

    class Threaded(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            def ask() -> str:
                parts = fp.get_bot_response_sync([message()], "Inner", request.access_key)
                return "".join(part.text for part in parts)

            yield await asyncio.to_thread(ask)

    poe.serve(Threaded(server_bot_dependencies={"Inner": 1}), "Threaded")
    assert [poe.ask("Threaded").text for _ in range(2)] == ["heard"] * 2


def test_a_simulator_that_a_handler_was_the_first_to_use_is_not_that_handlers_own() -> None:
    """Else whatever is asked of it later would count as asked by the handler."""
    from poe_notebook.session import Session

    session = Session()

    class First(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            yield await asyncio.to_thread(lambda: session.simulator.address)

    try:
        session.serving.serve(First(), name="First")
        session.serving.serve(Recorder(), name="Later")
        first = session.serving.slots.named("First")
        port, key = session.serving.listener.port or 0, first.access_key.reveal()
        assert http_request(port, "/First", body=query(), key=key).text.startswith("http://127.0.0.1:")
        port, key = int(session.simulator.address.rpartition(":")[2]), session.simulator.api_key.reveal()
        assert http_request(port, "/bot/Later", body=query(), key=key).text == "heard"
        later = session.trace.last("Later")
        assert later is not None
        assert later.parent is None
    finally:
        session.close()


def test_what_is_remembered_of_messages_is_bounded(poe: Offline) -> None:
    from poe_notebook.simulator.memory import Kept, MetadataBook

    kept: Kept[str] = Kept(10, weigh=len)
    for n in range(5):
        kept.put(str(n), "four")
    assert len(kept) == 2
    kept.put("4", "x" * 50)
    assert (len(kept), kept.get("4")) == (1, "x" * 50)
    book, megabyte = MetadataBook(most_chars=10_000_000), "x" * 1_000_000
    said: Callable[[int], fp.ProtocolMessage] = lambda n: fp.ProtocolMessage(
        role="bot", content="", message_id=f"m-{n}"
    )
    for n in range(20):
        book.put(f"m-{n}", "Bot", megabyte)
    assert book.of(said(0), bot="Bot") is None
    assert book.of(said(19), bot="Bot") == megabyte
    assert book.of(said(19), bot="Other") is None
