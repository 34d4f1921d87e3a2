"""The points of the simulated users: what they have, what bots reserved of it, what was charged, and when.

Poe documents the calls (monetization guide; fastapi_poe 0.0.83) and not the rules behind them, so each rule that is the
simulator's own stands in one place: ``MILLI_CENTS_PER_POINT``, ``_points``, ``Ledger._pay``.
A ledger belongs to one loop; it takes no lock.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError

from poe_notebook.errors import InsufficientFundError, InvalidParameterError, PoeNotebookError
from poe_notebook.protocol.faults import sentences
from poe_notebook.protocol.responses import CostItem

__all__ = [
    "INSUFFICIENT",
    "MILLI_CENTS_PER_POINT",
    "SUCCESS",
    "Entry",
    "Ledger",
    "points_for",
    "read_amounts",
    "with_points",
]

MILLI_CENTS_PER_POINT = 3
"""A point costs 3/1000 of a US cent, a million of them 30 USD: the simulator's own, Poe's rate is in no reference."""
SUCCESS, INSUFFICIENT = "success", "insufficient funds"
"""The ``status`` of a ``result`` event; the second as in the tests of fastapi_poe."""

_FIRST_POINTS = 1_000_000
_KEPT_ENTRIES, _KEPT_QUERIES, _MOST_AMOUNTS = 10_000, 10_000, 1_000
_TAG = re.compile(r"\[usd_milli_cents=(\d{1,12})\]")

Kind: TypeAlias = Literal["grant", "authorize", "capture", "release", "refuse"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. ``points`` are what was moved; ``note`` says what for, or why not."""

    at_s: float
    kind: Kind
    user: str
    points: int
    balance: int
    """What the user has after it, reservations not counted."""
    query_id: str = ""
    note: str = ""


@dataclass(slots=True)
class _Query:
    """What one query has reserved."""

    user: str
    reserved: int = 0


class Ledger:
    """Keeps the points of all users. Who is not known yet begins with ``first_points``."""

    def __init__(self, *, first_points: int = _FIRST_POINTS, clock: Callable[[], float] = time.monotonic) -> None:
        self.entries: deque[Entry] = deque(maxlen=_KEPT_ENTRIES)
        self._first_points, self._clock = first_points, clock
        self._balances: dict[str, int] = {}
        self._reserved: dict[str, int] = {}
        self._queries: dict[str, _Query] = {}

    def balance(self, user: str) -> int:
        """Give a user's points."""
        return self._balances.setdefault(user, self._first_points)

    def available(self, user: str) -> int:
        """Give what is left of a user's points when all that bots reserved is taken off."""
        return self.balance(user) - self._reserved.get(user, 0)

    def grant(self, user: str, points: int) -> None:
        """Set a user's points, whatever they were."""
        self._balances[user] = max(0, points)
        self._note("grant", user, points)

    def authorize(self, query_id: str, user: str, amounts: Sequence[CostItem]) -> int:
        """Reserve the sum of the amounts for a query, in addition to what it has reserved before; gives the points.

        Raises ``InsufficientFundError``, and then reserves nothing.
        """
        points, query = points_for(amounts), self._query(query_id, user)
        if points > self.available(user):
            raise self._refused(query_id, user, points, amounts)
        query.reserved += points
        self._reserved[user] = self._reserved.get(user, 0) + points
        self._note("authorize", user, points, query_id, _words(amounts))
        return points

    def capture(self, query_id: str, user: str, amounts: Sequence[CostItem]) -> int:
        """Charge the sum of the amounts to a query's user; gives the points.

        Raises ``InsufficientFundError``, and then charges nothing.
        """
        points, query = points_for(amounts), self._query(query_id, user)
        over = self._pay(query, points)
        if over is None:
            raise self._refused(query_id, user, points, amounts)
        note = _words(amounts)
        if over:
            note = f"{note} ({over:,} more than was authorized)".strip()
        self._note("capture", user, points, query_id, note)
        return points

    def release(self, query_id: str) -> int:
        """Give back what a query reserved and was not charged, now that its answer has ended; gives the points."""
        query = self._queries.pop(query_id, None)
        if query is None:
            return 0
        self._reserved[query.user] = self._reserved.get(query.user, 0) - query.reserved
        if query.reserved:
            self._note("release", query.user, query.reserved, query_id)
        return query.reserved

    def entries_of(self, user: str) -> list[Entry]:
        """Give a user's lines, the oldest first."""
        return [entry for entry in list(self.entries) if entry.user == user]  # others may add to them meanwhile

    def _pay(self, query: _Query, points: int) -> int | None:
        """Take points from a query's reservation, then from what is free; give how many were free ones, if it suffices.

        So a bot may be charged more than it authorized, as long as the user can pay; whether Poe allows that is not
        documented, and the entry says that it was so.
        """
        reserved = min(points, query.reserved)
        over = points - reserved
        if over > self.available(query.user):
            return None
        query.reserved -= reserved
        self._reserved[query.user] = self._reserved.get(query.user, 0) - reserved
        self._balances[query.user] = self.balance(query.user) - points
        return over

    def _query(self, query_id: str, user: str) -> _Query:
        while len(self._queries) >= _KEPT_QUERIES and query_id not in self._queries:
            self.release(next(iter(self._queries)))
        query = self._queries.setdefault(query_id, _Query(user))
        if query.user != user:
            raise PoeNotebookError(
                f"The query {query_id} is another user's.", why="A bot can charge only the user whose query it answers."
            )
        return query

    def _refused(self, query_id: str, user: str, points: int, amounts: Sequence[CostItem]) -> InsufficientFundError:
        has = self.available(user)
        self._note("refuse", user, points, query_id, _words(amounts))
        return InsufficientFundError(
            f"{points:,} points are asked for, and the user has {has:,}.",
            why="Nothing has been reserved or charged.",
            now="In the simulator, give the user more points.",
        )

    def _note(self, kind: Kind, user: str, points: int, query_id: str = "", note: str = "") -> None:
        self.entries.append(Entry(self._clock(), kind, user, points, self.balance(user), query_id, note))


def points_for(amounts: Iterable[CostItem]) -> int:
    """Give the points for the sum of some amounts, rounded up once."""
    return _points(sum(amount.amount_usd_milli_cents for amount in amounts))


def with_points(text: str) -> str:
    """Give a rate card or a cost label with each ``[usd_milli_cents=X]`` replaced by its points, as Poe shows it."""
    return _TAG.sub(lambda tag: f"{_points(int(tag[1])):,}", text)


def read_amounts(amounts: Any) -> list[CostItem]:
    """Read the ``amounts`` of a cost request's JSON. Raises ``InvalidParameterError``."""
    if not isinstance(amounts, list) or not amounts or len(amounts) > _MOST_AMOUNTS:
        raise InvalidParameterError(
            "The request has no amounts.", why=f"amounts is a list of one to {_MOST_AMOUNTS:,} objects."
        )
    read = []
    for place, amount in enumerate(amounts):
        if not isinstance(amount, dict):
            raise InvalidParameterError(f"amounts[{place}] is no object.")
        try:
            read.append(CostItem(**{str(name): value for name, value in amount.items()}))
        except ValidationError as error:
            raise InvalidParameterError(f"amounts[{place}] cannot be read: {' '.join(sentences(error))}") from None
    return read


def _points(milli_cents: int) -> int:
    return -(-milli_cents // MILLI_CENTS_PER_POINT)


def _words(amounts: Sequence[CostItem]) -> str:
    return "; ".join(amount.description for amount in amounts if amount.description)[:200]
