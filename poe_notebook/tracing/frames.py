"""Exchanges and their events as pandas DataFrames. pandas is no dependency: it is asked for when somebody wants it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from poe_notebook.errors import MissingPackage
from poe_notebook.tracing.exchange import Exchange

__all__ = ["events_frame", "exchanges_frame"]


def events_frame(exchange: Exchange) -> Any:
    """Give one exchange's events, a row each. Raises ``MissingPackage`` without pandas."""
    events = list(exchange.events)
    return (
        _pandas()
        .DataFrame(
            {
                "at_s": [event.at_s for event in events],
                "gap_s": exchange.gaps_s[: len(events)],
                "type": [event.type for event in events],
                "data": [event.data for event in events],
                "raw": [event.raw for event in events],
            },
            index=range(1, len(events) + 1),
        )
        .rename_axis("event")
    )


def exchanges_frame(exchanges: Iterable[Exchange]) -> Any:
    """Give exchanges, a row each, without their events. Raises ``MissingPackage`` without pandas."""
    rows = [
        {
            "exchange": exchange.number,
            "started_at": exchange.started_at,
            "bot": exchange.bot,
            "kind": exchange.kind,
            "route": exchange.route,
            "generation": exchange.generation,
            "outcome": exchange.outcome,
            "first_text_s": exchange.first_text_s,
            "duration_s": exchange.duration_s,
            "events": len(exchange.events),
            "parent": exchange.parent,
        }
        for exchange in exchanges
    ]
    pandas = _pandas()
    return pandas.DataFrame(rows, columns=_COLUMNS).set_index("exchange")


_COLUMNS = [
    "exchange",
    "started_at",
    "bot",
    "kind",
    "route",
    "generation",
    "outcome",
    "first_text_s",
    "duration_s",
    "events",
    "parent",
]


def _pandas() -> Any:
    try:
        return import_module("pandas")
    except ImportError:
        raise MissingPackage(
            "A DataFrame needs pandas, and it is not installed here.",
            why="poe_notebook does not bring it along.",
            now="In a cell: %pip install pandas",
        ) from None
