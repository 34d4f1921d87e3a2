"""Rules about what a handler did: what it raised, what failed beside it, what it blocked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from poe_notebook.checks.call_rules import asked_last, failed_call, is_refused
from poe_notebook.checks.causes import Cause, beside_the_notebook, cause_of
from poe_notebook.checks.evidence import Evidence
from poe_notebook.checks.finding import SPEC, Finding, beginning
from poe_notebook.tracing.exchange import Blocked, Place, Raised, Report

__all__ = ["HANDLER_RULES"]

_MESSAGE_CHARS = 300
_SLEEPS = re.compile(r"\btime\.sleep\(|(?<![\w.])sleep\(")
_REQUESTS = re.compile(r"\brequests\.|\burlopen\(|\burllib")


def raised(evidence: Evidence) -> Iterator[Finding]:
    """Find the exception that ended the handler, and say what is behind it."""
    error = evidence.exchange.raised
    if error is None:
        return
    title = _told(error, sent=len(evidence.types) - evidence.counts["error"] - evidence.counts["done"])
    cause = cause_of(error, asked=asked_last(evidence))
    called = failed_call(error, evidence) if cause is None else None
    if called is not None:
        title, cause = called
    if cause is None or cause.rule not in _OF_CALLS:
        cause = beside_the_notebook(error, cause) or cause or _UNKNOWN
    yield Finding(
        cause.rule,
        "error",
        title,
        cause.why,
        cause.now,
        SPEC if cause.rule in _REFUSED else "",
        place=error.at,
        is_exception=True,
    )


_REFUSED = frozenset({"undeclared-bot", "called-too-often"})
_OF_CALLS = _REFUSED | {"called-bot-failed", "circle"}
_UNKNOWN = Cause(
    "raised",
    "An exception ends the answer: its user sees an error, and no reason.",
    "Mend the line, run the cell, and ask again: `%poe replay`",
)


def unheard(evidence: Evidence) -> Iterator[Finding]:
    """Find what failed in threads and tasks that the handler started and did not wait for."""
    for (source, text, place), count in Counter(_unheard(evidence.exchange.reports)).items():
        what, why, now = _BESIDE[source]
        yield Finding(
            "unheard",
            "warning",
            f"{what} failed{f' {count:,} times' if count > 1 else ''}: {beginning(text, _MESSAGE_CHARS)}",
            why,
            now,
            place=place,
        )


_ALONE = "What it raises ends it alone: the handler is told nothing, and goes on."
_BESIDE = {
    "thread": (
        "A thread that the handler started",
        _ALONE,
        "Run it with `await asyncio.to_thread(function, …)`, which raises in the handler, or catch the error in it.",
    ),
    "task": (
        "A background task that the handler started",
        _ALONE,
        "`await` the task, or start it in `async with asyncio.TaskGroup() as group:`, or catch the error in it.",
    ),
    "callback": ("A callback that the handler left to its loop", _ALONE, "Catch the error in it."),
}


def _unheard(reports: Sequence[Report]) -> Iterator[tuple[str, str, Place | None]]:
    for report in list(reports):
        if report.source in _BESIDE:
            file, line = report.values.get("file"), report.values.get("line")
            function, code = (str(report.values.get(key) or "") for key in ("function", "code"))
            is_known = isinstance(file, str) and isinstance(line, int)
            yield report.source, report.text, Place(str(file), int(line or 0), function, code) if is_known else None


def blocked(evidence: Evidence) -> Iterator[Finding]:
    """Find the lines that kept the handler's loop from running anything else."""
    by_line: dict[Any, list[Blocked]] = {}
    for each in evidence.exchange.blocked:
        by_line.setdefault((each.at.file, each.at.line), []).append(each)
    for stretches in by_line.values():
        longest = max(stretches, key=lambda each: each.length_s)
        times = "" if len(stretches) == 1 else f", the longest of {len(stretches):,} times"
        inside = f" (in {longest.inside})" if longest.inside else ""
        yield Finding(
            "blocked-loop",
            "warning",
            f"The handler kept its loop for {longest.length_s:.2g} s{times}{inside}.",
            "While one line blocks, no other answer of this bot goes on, and Stop has to wait.",
            _instead(longest),
            place=longest.at,
        )


def error_event(evidence: Evidence) -> Iterator[Finding]:
    """Find an answer that ended in an error which the handler gave itself, or somebody on the way."""
    error, exchange = evidence.error(), evidence.exchange
    if error is None or exchange.raised is not None or is_refused(evidence):
        return
    at = evidence.first("error")
    text = error.get("text")
    shown = (
        f"the user sees {beginning(text, _MESSAGE_CHARS)!r}"
        if isinstance(text, str) and text
        else "without a text for users"
    )
    may_retry = error.get("allow_retry") is not False
    yield Finding(
        "error-event",
        "error",
        f"The answer ended with an error event, {shown}.",
        "An error event ends an answer in failure; Poe may ask again unless allow_retry is false.",
        "Ask again, or see in the bot's log why."
        if may_retry
        else "Change something first: the bot says that asking the same again would not help.",
        SPEC,
        event=at + 1 if at is not None else None,
    )


def _told(error: Raised, *, sent: int) -> str:
    what, _, _ = error.message.partition("\n")
    if error.type == "HandlerMistake":
        return beginning(what, _MESSAGE_CHARS)
    when = f"after {sent:,} event{'s' * (sent > 1)} of its answer" if sent else "before it gave anything"
    return f"The handler raised {error.type} {when}{f': {beginning(what, _MESSAGE_CHARS)}' if what else '.'}"


def _instead(blocked: Blocked) -> str:
    if _SLEEPS.search(blocked.at.code):
        return "Write `await asyncio.sleep(…)` instead, which lets others go on."
    to_thread = "`await asyncio.to_thread(function, …)`"
    if _REQUESTS.search(blocked.at.code):
        return f"Use an async client, such as httpx.AsyncClient, or put the call into {to_thread}."
    return f"Put the work into {to_thread}, or make the handler a plain function (`def`), which may block."


HANDLER_RULES = (raised, unheard, blocked, error_event)
