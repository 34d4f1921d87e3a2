"""What a check says: one rule that an exchange broke, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from poe_notebook.tracing.exchange import Place

__all__ = ["GUIDES", "SPEC", "Finding", "Severity", "beginning", "by_severity"]

Severity = Literal["error", "warning", "note"]
"""``error``: the user got no answer, or less than was meant; ``warning``: Poe may not do what was meant; ``note``: good
to know."""

SPEC = "Poe protocol specification, read 2025-03"
GUIDES = "Poe's functional guides, read 2026-04"

_ORDER = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule.

    ``rule`` is its name, ``title`` what happened, with the values, ``why`` the rule, ``source`` where the rule stands,
    ``now`` what to do. ``event`` is the number of the event it is about, from 1; ``place`` the line of code;
    ``is_exception`` whether it is what ended the handler.
    """

    rule: str
    severity: Severity
    title: str
    why: str
    now: str
    source: str = ""
    event: int | None = None
    place: Place | None = None
    is_exception: bool = False

    @property
    def where(self) -> str:
        """The event and the line, in words."""
        parts = [f"event {self.event:,}" if self.event is not None else "", str(self.place) if self.place else ""]
        return " · ".join(filter(None, parts))

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        return "\n".join(filter(None, (f"{self.severity}: {self.title}{where}", self.why, self.now)))


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings: the gravest first, and of one gravity in the order of the answer."""
    return sorted(findings, key=lambda finding: (_ORDER[finding.severity], finding.event or 0))


def beginning(text: str, chars: int) -> str:
    """Cut a text to a length, and show that it goes on."""
    return text if len(text) <= chars else text[: chars - 1] + "…"
