"""Rules about what a handler did: what it raised, what it blocked, whom it asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from poe_notebook.checks.causes import cause_of, undeclared_cause
from poe_notebook.checks.evidence import Evidence
from poe_notebook.checks.finding import SPEC, Finding
from poe_notebook.tracing.exchange import Blocked, Raised

__all__ = ["HANDLER_RULES"]

_MESSAGE_CHARS = 300
_SLEEPS = re.compile(r"\btime\.sleep\(|(?<![\w.])sleep\(")
_REQUESTS = re.compile(r"\brequests\.|\burlopen\(|\burllib")


def raised(evidence: Evidence) -> Iterator[Finding]:
    """Find the exception that ended the handler, and say what is behind it."""
    error = evidence.exchange.raised
    if error is None:
        return
    cause = cause_of(error, asked=_asked_last(evidence))
    yield Finding(
        cause.rule if cause is not None else "raised",
        "error",
        _told(error, sent=len(evidence.types) - evidence.counts["error"] - evidence.counts["done"]),
        cause.why if cause is not None else "An exception ends the answer: its user sees an error, and no reason.",
        cause.now if cause is not None else "Mend the line, run the cell, and ask again: `%poe replay`",
        SPEC if cause is not None and cause.rule in ("undeclared-bot", "called-too-often") else "",
        place=error.at,
        is_exception=True,
    )


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


def refused_call(evidence: Evidence) -> Iterator[Finding]:
    """Find calls to other bots that Poe refused, whatever the handler made of it."""
    if evidence.exchange.raised is not None and undeclared_cause(evidence.exchange.raised.message):
        return  # told already, with the line
    texts = [(text, call.bot) for call in evidence.calls for text in _error_texts(Evidence(call))]
    for text, asked in [*texts, *((text, "") for text in _error_texts(evidence))]:
        cause = undeclared_cause(text, asked=asked)
        if cause is not None:
            yield Finding(
                cause.rule,
                "error",
                f"Poe refused to ask another bot: {text[:_MESSAGE_CHARS]}",
                cause.why,
                cause.now,
                SPEC,
            )
            return


def error_event(evidence: Evidence) -> Iterator[Finding]:
    """Find an answer that ended in an error which the handler gave itself, or somebody on the way."""
    error, exchange = evidence.error(), evidence.exchange
    if error is None or exchange.raised is not None or any(True for _ in refused_call(evidence)):
        return
    at = evidence.first("error")
    text = error.get("text")
    shown = f"the user sees {text[:_MESSAGE_CHARS]!r}" if isinstance(text, str) and text else "without a text for users"
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


def declared_calls(evidence: Evidence) -> Iterator[Finding]:
    """Find calls that the bot's settings do not allow, where Poe has not refused them (yet)."""
    if evidence.settings is None or any(True for _ in refused_call(evidence)):
        return
    declared = evidence.settings.get("server_bot_dependencies")
    allowed = {str(name).casefold(): count for name, count in (declared if isinstance(declared, dict) else {}).items()}
    for bot, count in Counter(call.bot for call in evidence.calls if call.kind == "query").items():
        limit = allowed.get(bot.casefold(), 0)
        if isinstance(limit, int) and count > limit:
            said = f"declares {limit:,}" if limit else "declares none"
            yield Finding(
                "undeclared-bot" if not limit else "called-too-often",
                "warning",
                f"The handler asked {bot[:60]} {count:,} times, and the bot's settings {said}.",
                "Poe refuses calls to bots that server_bot_dependencies does not name, and those beyond its number.",
                f'Write: `settings = fp.SettingsResponse(server_bot_dependencies={{"{bot[:60]}": {count}}})`',
                SPEC,
            )


def _told(error: Raised, *, sent: int) -> str:
    what, _, _ = error.message.partition("\n")
    if error.type == "HandlerMistake":
        return what[:_MESSAGE_CHARS]
    when = f"after {sent:,} event{'s' * (sent > 1)} of its answer" if sent else "before it gave anything"
    return f"The handler raised {error.type} {when}{f': {what[:_MESSAGE_CHARS]}' if what else '.'}"


def _asked_last(evidence: Evidence) -> str:
    failed = [call.bot for call in evidence.calls if call.outcome in ("failed", "refused")]
    return failed[-1] if failed else ""


def _error_texts(evidence: Evidence) -> Iterator[str]:
    error = evidence.error()
    if error is not None and isinstance(error.get("text"), str):
        yield error["text"]
    if evidence.exchange.note and evidence.exchange.outcome in ("failed", "refused"):
        yield evidence.exchange.note


def _instead(blocked: Blocked) -> str:
    if _SLEEPS.search(blocked.at.code):
        return "Write `await asyncio.sleep(…)` instead, which lets others go on."
    to_thread = "`await asyncio.to_thread(function, …)`"
    if _REQUESTS.search(blocked.at.code):
        return f"Use an async client, such as httpx.AsyncClient, or put the call into {to_thread}."
    return f"Put the work into {to_thread}, or make the handler a plain function (`def`), which may block."


HANDLER_RULES = (raised, blocked, refused_call, error_event, declared_calls)
