"""Faults: being written."""

from __future__ import annotations

from collections.abc import Sequence


def parse_faults(given: Sequence[str]) -> tuple[str, ...]:
    """Read."""
    return tuple(given)
