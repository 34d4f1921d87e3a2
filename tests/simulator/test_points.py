"""The points of the simulated users."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.errors import InsufficientFundError, InvalidParameterError, PoeNotebookError
from poe_notebook.protocol.responses import CostItem
from poe_notebook.simulator import points
from poe_notebook.simulator.points import MILLI_CENTS_PER_POINT, Entry, Ledger, points_for, read_amounts, with_points


def cost(points: int, description: str | None = None) -> list[CostItem]:
    return [CostItem(amount_usd_milli_cents=points * MILLI_CENTS_PER_POINT, description=description)]


def ledger(points: int = 100) -> Ledger:
    times = iter(range(1000))
    return Ledger(first_points=points, clock=lambda: float(next(times)))


def test_what_is_authorized_is_reserved_charged_and_given_back() -> None:
    book = ledger()
    assert book.authorize("q", "ada", cost(60, "work")) == 60
    assert (book.balance("ada"), book.available("ada")) == (100, 40)
    assert book.capture("q", "ada", cost(25, "less work")) == 25
    assert (book.balance("ada"), book.available("ada")) == (75, 40)
    assert book.release("q") == 35
    assert (book.balance("ada"), book.available("ada")) == (75, 75)
    assert book.release("q") == 0
    assert book.entries_of("ada") == [
        Entry(0.0, "authorize", "ada", 60, 100, "q", "work"),
        Entry(1.0, "capture", "ada", 25, 75, "q", "less work"),
        Entry(2.0, "release", "ada", 35, 75, "q"),
    ]


def test_two_queries_of_a_user_share_the_points_and_two_users_do_not() -> None:
    book = ledger()
    book.authorize("one", "ada", cost(60))
    with pytest.raises(InsufficientFundError, match="50 points are asked for, and the user has 40"):
        book.authorize("two", "ada", cost(50))
    assert book.authorize("three", "bo", cost(50)) == 50
    book.release("one")
    assert book.authorize("two", "ada", cost(50)) == 50
    with pytest.raises(PoeNotebookError, match="another user's"):
        book.capture("two", "bo", cost(1))


def test_a_refusal_takes_nothing_and_is_written_down() -> None:
    book = ledger(10)
    for step in (book.authorize, book.capture):
        with pytest.raises(InsufficientFundError):
            step("q", "ada", cost(11, "much"))
    assert (book.balance("ada"), book.available("ada")) == (10, 10)
    assert [(entry.kind, entry.points, entry.note) for entry in book.entries] == [("refuse", 11, "much")] * 2


def test_more_than_was_authorized_can_be_charged_if_the_user_has_it_and_it_is_said() -> None:
    book = ledger()
    book.authorize("q", "ada", cost(10))
    book.authorize("q", "ada", cost(10))
    assert book.capture("q", "ada", cost(50)) == 50
    assert book.entries[-1].note == "(30 more than was authorized)"
    assert (book.balance("ada"), book.available("ada")) == (50, 50)
    assert book.capture("other", "ada", cost(50, "all")) == 50
    assert book.balance("ada") == 0


def test_another_querys_reservation_cannot_be_charged() -> None:
    book = ledger()
    book.authorize("one", "ada", cost(90))
    with pytest.raises(InsufficientFundError):
        book.capture("two", "ada", cost(11))


def test_points_can_be_granted() -> None:
    book = ledger()
    book.grant("ada", 5)
    assert book.balance("ada") == 5
    assert book.entries[-1].kind == "grant"


def test_milli_cents_are_rounded_up_once() -> None:
    items = [CostItem(amount_usd_milli_cents=1), CostItem(amount_usd_milli_cents=1)]
    assert points_for(items) == 1
    assert points_for([]) == 0
    assert with_points("[usd_milli_cents=3000]+ a card, [usd_milli_cents=x]") == "1,000+ a card, [usd_milli_cents=x]"


def test_a_query_whose_end_nobody_told_is_released_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "_KEPT_QUERIES", 2)
    book = ledger()
    for number in range(5):
        book.authorize(str(number), "ada", cost(40))
    assert book.available("ada") == 20


@pytest.mark.parametrize(
    ("amounts", "sentence"),
    [
        (None, "The request has no amounts."),
        ([], "The request has no amounts."),
        ({}, "The request has no amounts."),
        ([3], "amounts[0] is no object."),
        ([{}], "amounts[0] cannot be read: amount_usd_milli_cents is missing."),
        ([{"amount_usd_milli_cents": "3"}], "amounts[0] cannot be read"),
        ([{"amount_usd_milli_cents": -3}], "cannot be negative"),
        ([{"amount_usd_milli_cents": True}], "a whole number"),
    ],
)
def test_amounts_that_cannot_be_read_are_refused_with_a_sentence(amounts: Any, sentence: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        read_amounts(amounts)
    assert sentence in str(caught.value)


def test_amounts_are_read_as_the_library_sends_them() -> None:
    assert read_amounts([cost(2, "x")[0].model_dump()]) == cost(2, "x")


steps = st.lists(
    st.tuples(st.sampled_from(["authorize", "capture", "release"]), st.sampled_from(["1", "2"]), st.integers(0, 60)),
    max_size=30,
)


@settings(deadline=None)
@given(steps)
def test_no_order_of_calls_makes_points_or_loses_them(taken: list[tuple[str, str, int]]) -> None:
    book = ledger()
    charged = 0
    for step, query, amount in taken:
        try:
            if step == "release":
                book.release(query)
            else:
                gave = getattr(book, step)(query, "ada", cost(amount))
                charged += gave if step == "capture" else 0
        except InsufficientFundError:
            pass
        assert book.balance("ada") == 100 - charged
        assert 0 <= book.available("ada") <= book.balance("ada")
    book.release("1")
    book.release("2")
    assert book.available("ada") == book.balance("ada")
