"""Requests with a wrong key: counted, refused more curtly when they are many, and never in the way of a right one."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Iterator

import endpoints
import pytest
from apps import serving
from endpoints import KEY, Kernel, http_request, query

from poe_notebook.bot.base import PoeBot
from poe_notebook.server.failed_keys import MOST_IN_A_WINDOW, FailedKeys
from poe_notebook.server.run import make_app


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_so_many_a_minute_are_let_pass_and_the_next_has_to_wait_for_the_rest_of_it(clock: Clock) -> None:
    failed = FailedKeys(clock)
    for _ in range(MOST_IN_A_WINDOW):
        failed.count("a")
        clock.now_s += 0.1
    assert failed.wait_s("a") == 0
    failed.count("a")
    assert failed.wait_s("a") == 50
    assert failed.wait_s("b") == 0
    clock.now_s += 50
    assert failed.wait_s("a") == 0
    failed.count("a")
    assert failed.wait_s("a") == 0
    assert failed.total == MOST_IN_A_WINDOW + 2


def test_the_first_few_of_each_minute_are_worth_a_record_whoever_sent_them(clock: Clock) -> None:
    failed = FailedKeys(clock)
    worth = []
    for n in range(30):
        failed.count(f"peer {n}")
        worth.append(failed.is_worth_recording)
    assert worth == [True] * 10 + [False] * 20
    clock.now_s += 60
    failed.count("peer")
    assert failed.is_worth_recording


def test_however_many_peers_there_are_memory_stays_small(clock: Clock) -> None:
    failed = FailedKeys(clock)
    tracemalloc.start()
    try:
        for n in range(5000):
            failed.count(f"2001:db8::{n:x}")
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 600_000
    assert failed.total == 5000


async def hello(request: object) -> AsyncIterator[str]:
    yield "hello"


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with endpoints.kernel() as running:
        running.serve(hello)
        yield running


def test_who_tries_too_often_is_told_to_wait_and_poe_with_the_right_key_gets_its_answer(kernel: Kernel) -> None:
    statuses = [kernel.post(b"{", key="x" * 32).status for _ in range(MOST_IN_A_WINDOW + 3)]
    assert statuses == [401] * MOST_IN_A_WINDOW + [429] * 3
    refused = kernel.post(b"{", key=None)
    assert refused.status == 429
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert refused.headers["connection"] == "close"
    assert "Authorization: Bearer" in refused.json["detail"]
    assert kernel.ask().text == "hello"
    noted = [exchange for exchange in kernel.trace if exchange.outcome == "refused"]
    assert len(noted) == 10
    assert "access key is missing or wrong" in noted[0].note
    assert "x" * 32 not in f"{noted} {[exchange.request_headers for exchange in noted]}"
    assert kernel.trace.last() is not None


def test_an_application_of_make_app_counts_them_too() -> None:
    bot = PoeBot(access_key=KEY)
    app = make_app(bot)
    with serving(app) as port:
        statuses = {http_request(port, "/", body=query(), key="wrong").status for _ in range(3)}
        assert http_request(port, "/", body=query()).text == "hello"
    assert statuses == {401}
    assert app.state.poe_failed_keys.total == 3
    assert [exchange.outcome for exchange in app.state.poe_trace] == ["refused"] * 3 + ["done"]
