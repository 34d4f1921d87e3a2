"""The shape of an answer: which events it had, how many, in which order, and when. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from poe_notebook.tracing.exchange import Exchange

__all__ = ["Shape", "counts_of", "order_of", "shape_of"]


@dataclass(frozen=True, slots=True)
class Shape:
    """``order`` has a type once for each run of events of that type, with their number; pings do not count."""

    outcome: str
    order: tuple[tuple[str, int], ...] = ()
    first_text_s: float | None = None
    longest_gap_s: float | None = None
    duration_s: float | None = None
    text_chars: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def events(self) -> int:
        """How many events there were."""
        return sum(self.counts.values())


def shape_of(exchange: Exchange) -> Shape:
    """Give the shape of an exchange's answer."""
    types = exchange.events.types
    return Shape(
        outcome=exchange.outcome,
        order=order_of(types),
        first_text_s=exchange.first_text_s,
        longest_gap_s=max(exchange.gaps_s, default=None),
        duration_s=exchange.duration_s,
        text_chars=len(exchange.text),
        counts=counts_of(types),
    )


def order_of(types: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Give the runs of events of one type, with the length of each."""
    return tuple((type_, len(list(run))) for type_, run in groupby(_heard(types)))


def counts_of(types: Iterable[str]) -> dict[str, int]:
    """Count the events of each type, in the order in which the types came."""
    return dict(Counter(_heard(types)))


def _heard(types: Iterable[str]) -> Iterator[str]:
    return (type_ for type_ in types if type_ != "ping")
