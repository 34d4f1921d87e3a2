"""Reading the fields of a saved line: each as the kind it has to be, or a refusal that says which it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NoReturn

from poe_notebook.protocol.faults import kind_of

__all__ = ["Refused", "count", "items", "mapping", "moment", "seconds", "text", "texts", "wrong"]

_LONGEST_S = 31 * 86_400
_YEARS = range(1970, 9_000)
"""A moment within them can be shown in any time zone, however long its exchange took."""


class Refused(Exception):
    """A line that cannot be read: what about it, why, and what to do now."""

    def __init__(self, what: str, *, why: str = "", now: str = "") -> None:
        super().__init__(what)
        self.why, self.now = why, now


def text(values: dict[str, Any], key: str) -> str:
    """Give a string; an empty one if it is not there."""
    value = values.get(key, "")
    return value if isinstance(value, str) else wrong(key, value, "a string")


def texts(values: dict[str, Any], key: str) -> dict[str, str]:
    """Give an object of strings."""
    return {name: text({key: value}, key) for name, value in mapping(values, key).items()}


def mapping(values: dict[str, Any], key: str) -> dict[str, Any]:
    """Give an object; an empty one if it is not there."""
    value = values.get(key) or {}
    return value if isinstance(value, dict) else wrong(key, value, "an object")


def items(values: dict[str, Any], key: str) -> list[Any]:
    """Give a list; an empty one if it is not there."""
    value = values.get(key) or []
    return value if isinstance(value, list) else wrong(key, value, "a list")


def count(values: dict[str, Any], key: str) -> int:
    """Give a whole number; 0 if it is not there."""
    value = values.get(key, 0)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53:
        return value
    return wrong(key, value, "a whole number")


def seconds(values: dict[str, Any], key: str) -> float:
    """Give a time within measure; 0 if it is not there."""
    value = values.get(key, 0.0)
    if not isinstance(value, int | float) or isinstance(value, bool):
        wrong(key, value, "a number of seconds")
    if value > _LONGEST_S:
        raise Refused(f"{key!r} is more than {_LONGEST_S:,} s.", why="No exchange takes longer than a month.")
    return max(float(value), 0.0)


def moment(values: dict[str, Any], key: str) -> datetime:
    """Give a date and time; in UTC if it does not say in what."""
    try:
        found = datetime.fromisoformat(text(values, key))
    except ValueError:
        raise Refused(f"{key!r} is no date and time.") from None
    if found.year not in _YEARS:
        raise Refused(f"{key!r} is of the year {found.year}.", why="Exchanges are kept with the time they began at.")
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def wrong(key: str, value: Any, rule: str) -> NoReturn:
    """Refuse a field."""
    raise Refused(f"{key!r} is {kind_of(value)}; it must be {rule}.")
