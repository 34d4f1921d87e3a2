"""Rules about how long, how much and how many. Poe says of each limit that it may enforce it.

The numbers and their sources stand in ``protocol/limits.py``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from poe_notebook.checks.evidence import Evidence
from poe_notebook.checks.finding import GUIDES, SPEC, Finding
from poe_notebook.protocol.limits import (
    ATTACHMENTS_PER_RESPONSE,
    BOT_CALLS_PER_MESSAGE,
    EVENTS_PER_RESPONSE,
    FIRST_RESPONSE_S,
    LIMITS_2025,
    LIMITS_2026,
)

__all__ = ["LIMIT_RULES"]


def slow_start(evidence: Evidence) -> Iterator[Finding]:
    """Find an answer whose first event came too late."""
    exchange = evidence.exchange
    first_s = exchange.events[0].at_s if evidence.types else exchange.duration_s
    if first_s is None or first_s <= FIRST_RESPONSE_S or exchange.outcome == "refused":
        return
    what = "The first event" if evidence.types else "The response"
    yield Finding(
        "slow-start",
        "warning",
        f"{what} came after {first_s:.3g} s.",
        f"Poe waits {FIRST_RESPONSE_S:g} s for the first sign of a response, and may give up then; whether the head of "
        "the response counts, which most servers send at once, it does not say.",
        "Yield something early, `yield fp.MetaResponse()` or a first word, and do the long work after it.",
        SPEC,
        event=1 if evidence.types else None,
    )


def long_answer(evidence: Evidence) -> Iterator[Finding]:
    """Find an answer that took too long."""
    length_s = evidence.exchange.duration_s or 0.0
    if length_s > LIMITS_2025.response_s:
        is_over_all = length_s > LIMITS_2026.response_s
        yield Finding(
            "long-answer",
            "error" if is_over_all else "warning",
            f"The answer took {length_s:,.0f} s.",
            f"Poe's limit for a whole answer is {LIMITS_2025.response_s:,.0f} s, or {LIMITS_2026.response_s:,.0f} s by "
            "a newer, second-hand account.",
            "Answer in parts: give a first result, and let the next message ask for the rest.",
            SPEC,
        )


def many_characters(evidence: Evidence) -> Iterator[Finding]:
    """Find an answer with too much text."""
    texts = [(at, value.get("text")) for at, value in evidence.of_type("text", "replace_response")]
    lengths = [(at, len(text)) for at, text in texts if isinstance(text, str)]
    sums = list(accumulate(length for _, length in lengths))
    over = bisect_right(sums, LIMITS_2025.response_chars)
    if over == len(sums):
        return
    yield Finding(
        "many-characters",
        "error" if sums[-1] > LIMITS_2026.response_chars else "warning",
        f"The answer's texts have {sums[-1]:,} characters.",
        f"Poe's limit is {LIMITS_2025.response_chars:,} characters in all text events, or "
        f"{LIMITS_2026.response_chars:,} by a newer, second-hand account.",
        "Put long results into a file: `await self.post_message_attachment(...)`",
        SPEC,
        event=lengths[over][0] + 1,
    )


def many_events(evidence: Evidence) -> Iterator[Finding]:
    """Find an answer with too many events."""
    count = len(evidence.types)
    if count > EVENTS_PER_RESPONSE:
        yield Finding(
            "many-events",
            "warning",
            f"The answer has {'' if evidence.is_whole else 'more than '}{count:,} events.",
            f"Poe's limit is {EVENTS_PER_RESPONSE:,} events in one answer.",
            "Gather small pieces of text into larger ones before you yield them.",
            SPEC,
            event=EVENTS_PER_RESPONSE + 1,
        )


def many_files(evidence: Evidence) -> Iterator[Finding]:
    """Find an answer with too many files."""
    if evidence.counts["file"] > ATTACHMENTS_PER_RESPONSE:
        files = [at for at, type_ in enumerate(evidence.types) if type_ == "file"]
        yield Finding(
            "many-files",
            "warning",
            f"The answer has {len(files):,} files.",
            f"Poe takes {ATTACHMENTS_PER_RESPONSE} files in one answer, of 50 MB each.",
            "Put them into one archive, or spread them over several answers.",
            GUIDES,
            event=files[ATTACHMENTS_PER_RESPONSE] + 1,
        )


def many_calls(evidence: Evidence) -> Iterator[Finding]:
    """Find a handler that asked other bots too often."""
    count = len(evidence.exchange.children)
    if count > BOT_CALLS_PER_MESSAGE:
        yield Finding(
            "many-calls",
            "error",
            f"The handler asked other bots {count:,} times.",
            f"Poe lets a bot ask others {BOT_CALLS_PER_MESSAGE} times for one message of a user.",
            "Ask for several things in one query.",
            SPEC,
        )


LIMIT_RULES = (slow_start, long_answer, many_characters, many_events, many_files, many_calls)
