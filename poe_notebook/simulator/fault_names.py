"""Faults as text: ``cut@3 delay=2.5 split=1``, the names and what follows them, and the errors for what is neither."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from poe_notebook.errors import InvalidParameterError
from poe_notebook.simulator.faults import Faults

__all__ = ["FAULT_NAMES", "format_faults", "parse_faults"]

_MOST_S, _MOST_BYTES, _MOST_COPIES = 3600.0, 1_000_000, 10
_ITEM = re.compile(r"([a-z][a-z-]*)(?:=([^@\s]*))?(?:@(\S*))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Fault:
    """How a fault is written: what it sets, from the value behind ``=`` and the event's number behind ``@``."""

    form: str
    about: str
    set: Callable[[str | None, str | None], dict[str, Any]]


def _seconds(text: str | None) -> Any:
    return _number(text, "seconds", float, least=0.001, most=_MOST_S)


def _event(text: str | None, otherwise: int) -> Any:
    return otherwise if text is None else _number(text, "the number of an event", int, least=1, most=10**6)


def _number(text: str | None, what: str, kind: Callable[[str], Any], *, least: float, most: float) -> Any:
    try:
        value = kind(text or "")
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        raise ValueError(f"{what} from {least:g} to {most:,g}")
    return value


def _garbage(text: str | None) -> str:
    kind = "json" if text is None else text.lower()
    if kind not in ("json", "list", "type", "utf8"):
        raise ValueError("json, list, type or utf8")
    return kind


_FAULTS: dict[str, _Fault] = {
    "cut": _Fault("cut@3", "the connection ends in the middle of event 3", lambda value, at: {"cut_at": _event(at, 2)}),
    "early-end": _Fault(
        "early-end@3", "the answer ends in place of event 3, or of done", lambda value, at: {"end_at": _event(at, 0)}
    ),
    "delay": _Fault(
        "delay=2.5@1",
        "2.5 s pass before event 1",
        lambda value, at: {"delay_s": _seconds(value), "delay_at": _event(at, 1)},
    ),
    "gap": _Fault("gap=0.5", "0.5 s pass between the events", lambda value, at: {"gap_s": _seconds(value)}),
    "split": _Fault(
        "split=1",
        "the bytes come one at a time",
        lambda value, at: {
            "split_bytes": 1 if value is None else _number(value, "bytes", int, least=1, most=_MOST_BYTES)
        },
    ),
    "garbage": _Fault(
        "garbage=json@1",
        "an event that is no JSON comes before event 1; also list, type, utf8",
        lambda value, at: {"garbage": _garbage(value), "garbage_at": _event(at, 1)},
    ),
    "slow-reader": _Fault(
        "slow-reader=0.5", "the reader rests 0.5 s after each piece", lambda value, at: {"read_gap_s": _seconds(value)}
    ),
    "status": _Fault(
        "status=503",
        "the answer is that HTTP status",
        lambda value, at: {"status": _number(value, "an HTTP status", int, least=400, most=599)},
    ),
    "duplicate": _Fault(
        "duplicate=2",
        "the request is sent twice, as Poe does when it tries again",
        lambda value, at: {"copies": 2 if value is None else _number(value, "times", int, least=2, most=_MOST_COPIES)},
    ),
}
_WITH_EVENT = frozenset({"cut", "early-end", "delay", "garbage"})
_WITH_VALUE = frozenset(_FAULTS) - {"cut", "early-end"}
FAULT_NAMES: dict[str, str] = {fault.form: fault.about for fault in _FAULTS.values()}
"""Each fault as it can be typed, and what it does: for help and completion."""


def parse_faults(text: str) -> Faults:
    """Read faults, with blanks or commas between them. Raises ``InvalidParameterError`` with what to type instead."""
    values: dict[str, Any] = {}
    for item in re.split(r"[\s,]+", text.strip()):
        if item:
            values.update(_parsed(item))
    return Faults(**values)


def _parsed(item: str) -> dict[str, Any]:
    match = _ITEM.fullmatch(item)
    name = match[1].lower() if match else item.partition("=")[0].partition("@")[0]
    fault = _FAULTS.get(name)
    if fault is None or match is None:
        near = difflib.get_close_matches(name, _FAULTS, n=1)
        raise InvalidParameterError(
            f"There is no fault {item[:60]!r}.",
            why=f"Faults are {', '.join(_FAULTS)}.",
            now=f"Did you mean {_FAULTS[near[0]].form}?" if near else "Type for instance: cut@3",
        )
    value, at = match[2], match[3]
    if at is not None and name not in _WITH_EVENT:
        raise _wrong(item, fault, f"{name} takes no @, since it is not about one event")
    if value is not None and name not in _WITH_VALUE:
        raise _wrong(item, fault, f"{name} takes no =; the number of an event stands behind @")
    try:
        return fault.set(value, at)
    except ValueError as error:
        raise _wrong(item, fault, f"{name} takes {error}") from None


def _wrong(item: str, fault: _Fault, why: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"The fault {item[:60]!r} cannot be read.", why=f"{why}.", now=f"Type for instance: {fault.form}"
    )


def format_faults(faults: Faults) -> str:
    """Give the text that stands for faults: ``cut@3 delay=2.5``."""
    parts = [
        (faults.cut_at is not None, f"cut@{faults.cut_at}"),
        (faults.end_at is not None, f"early-end@{faults.end_at}" if faults.end_at else "early-end"),
        (faults.delay_s > 0, f"delay={faults.delay_s:g}" + (f"@{faults.delay_at}" if faults.delay_at > 1 else "")),
        (faults.gap_s > 0, f"gap={faults.gap_s:g}"),
        (faults.split_bytes is not None, f"split={faults.split_bytes}"),
        (faults.garbage is not None, f"garbage={faults.garbage}@{faults.garbage_at}"),
        (faults.read_gap_s > 0, f"slow-reader={faults.read_gap_s:g}"),
        (faults.status is not None, f"status={faults.status}"),
        (faults.copies > 1, f"duplicate={faults.copies}"),
    ]
    return " ".join(text for holds, text in parts if holds)
