"""Rules about the order of an answer's events: what comes first, what last, and what has to be there at all.

Source: Poe protocol specification, "Response" (read 2025-03).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches

from poe_notebook.checks.evidence import Evidence
from poe_notebook.checks.finding import SPEC, Finding
from poe_notebook.protocol.events import KNOWN_TYPES

__all__ = ["ORDER_RULES"]

_SHOWN = frozenset({"text", "replace_response", "file", "json", "error"})
_SHOWN_TYPES = 5


def no_answer(evidence: Evidence) -> Iterator[Finding]:
    """Find an answer that ended without giving anything."""
    end = evidence.end()
    if evidence.is_query and end is not None and evidence.is_whole and not _SHOWN & set(evidence.counts):
        yield Finding(
            "no-answer",
            "error",
            "The answer ended without any text, file or error.",
            "An answer has to hold at least one text or error event; Poe shows its user an error otherwise.",
            "Let the handler yield some text at least once, on every way through it: `yield 'hello'`",
            SPEC,
            event=end + 1,
        )


def broken_off(evidence: Evidence) -> Iterator[Finding]:
    """Find an answer without an end."""
    if evidence.is_query and evidence.types and evidence.end() is None and evidence.is_whole:
        yield Finding(
            "broken-off",
            "error",
            f"The answer broke off after event {len(evidence.types):,}, with neither done nor error.",
            "An answer ends with a done event, or with an error event and done.",
            "See at the bot's server why the connection closed: a crash, a restart, or a proxy that timed out.",
            SPEC,
            event=len(evidence.types),
        )


def late_meta(evidence: Evidence) -> Iterator[Finding]:
    """Find a meta event that does not come first."""
    first = next((at for at, type_ in enumerate(evidence.types) if type_ != "ping"), 0)
    late = evidence.first("meta", start=first + 1)
    if late is not None:
        yield Finding(
            "late-meta",
            "warning",
            f"A meta event came as number {late + 1:,}, and Poe ignores it there.",
            "meta counts only as the first event of an answer.",
            "Yield the MetaResponse before anything else.",
            SPEC,
            event=late + 1,
        )


def after_the_end(evidence: Evidence) -> Iterator[Finding]:
    """Find events after the end of the answer."""
    end = evidence.end()
    if end is None:
        return
    after = evidence.types[end + 1 :]
    is_usual = evidence.types[end] == "error" and after[:1] == ["done"]
    unread = after[is_usual:]
    if unread:
        number = end + 2 + is_usual
        yield Finding(
            "after-the-end",
            "warning",
            f"{_events(len(unread))} came after {evidence.types[end]}; the first is a {unread[0]!r} event.",
            "Poe closes the connection at done or error, and reads nothing after it.",
            "Let the handler return after it has yielded an ErrorResponse, and yield no done by itself.",
            SPEC,
            event=number,
        )


def unknown_event(evidence: Evidence) -> Iterator[Finding]:
    """Find events of types that Poe does not know."""
    unknown = Counter({type_: count for type_, count in evidence.counts.items() if type_ not in KNOWN_TYPES})
    for type_, count in unknown.most_common(_SHOWN_TYPES):
        near = get_close_matches(type_, KNOWN_TYPES, n=1, cutoff=0.7)
        hint = f"Did you mean {near[0]!r}?" if near else f"Types are: {', '.join(sorted(KNOWN_TYPES - {'ping'}))}."
        yield Finding(
            "unknown-event",
            "warning",
            f"{_events(count)} of the unknown type {type_[:60]!r}.",
            "Poe ignores events of types that it does not know, and may report them to the bot.",
            f"{hint} A plain string or a PartialResponse gives the right one by itself.",
            SPEC,
            event=evidence.types.index(type_) + 1,
        )


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count:,} events"


ORDER_RULES = (no_answer, broken_off, late_meta, after_the_end, unknown_event)
