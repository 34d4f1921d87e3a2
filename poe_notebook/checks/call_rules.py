"""Rules about whom a handler asked: what Poe refused, which bot failed, what the settings do not allow."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from poe_notebook.checks.causes import CIRCLE, Cause, undeclared_cause
from poe_notebook.checks.evidence import Evidence
from poe_notebook.checks.finding import SPEC, Finding, beginning
from poe_notebook.tracing.exchange import Exchange, Raised

__all__ = ["CALL_RULES", "asked_last", "failed_call", "is_refused"]

_MESSAGE_CHARS, _NAME_CHARS = 300, 60
_OF_CALLS = frozenset({"BotError", "BotErrorNoRetry"})


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
                f"Poe refused to ask another bot: {beginning(text, _MESSAGE_CHARS)}",
                cause.why,
                cause.now,
                SPEC,
            )
            return


def circle(evidence: Evidence) -> Iterator[Finding]:
    """Find a bot that asks itself."""
    own = [call for call in evidence.calls if _is_itself(call, evidence)]
    error = evidence.exchange.raised
    if not own or (error is not None and failed_call(error, evidence) is not None):
        return  # told already, with the line
    name = own[-1].bot[:_NAME_CHARS]
    yield Finding("circle", "warning", f"The bot asks itself: {name} asked {name}.", CIRCLE.why, CIRCLE.now)


def declared_calls(evidence: Evidence) -> Iterator[Finding]:
    """Find calls that the bot's settings do not allow, where Poe has not refused them (yet)."""
    if evidence.settings is None or is_refused(evidence):
        return
    declared = evidence.settings.get("server_bot_dependencies")
    allowed = {str(name).casefold(): count for name, count in (declared if isinstance(declared, dict) else {}).items()}
    for bot, count in Counter(call.bot for call in _first_tries(evidence)).items():
        limit = allowed.get(bot.casefold(), 0)
        if isinstance(limit, int) and count > limit:
            said = f"declare {limit:,}" if limit else "declare none"
            yield Finding(
                "undeclared-bot" if not limit else "called-too-often",
                "warning",
                f"The handler asked {bot[:_NAME_CHARS]} {_times(count)}, and the bot's settings {said}.",
                "Poe refuses calls to bots that server_bot_dependencies does not name, and those beyond its number.",
                f'Write: `settings = fp.SettingsResponse(server_bot_dependencies={{"{bot[:_NAME_CHARS]}": {count}}})`',
                SPEC,
            )


def failed_call(error: Raised, evidence: Evidence) -> tuple[str, Cause] | None:
    """Say which bot's failure was the handler's own, if it was that of a bot that it asked."""
    failed = next((call for call in reversed(evidence.calls) if _has_failed(call)), None)
    if error.type not in _OF_CALLS or failed is None:
        return None
    name, look = failed.bot[:_NAME_CHARS], f"`%poe inspect {failed.number}`"
    what = _told(failed) or _sentence(error.message)
    if _is_itself(failed, evidence):
        what = f"The bot asks itself: {name} asked {name}, and that failed: {what}"
        return what, CIRCLE._replace(now=f"{CIRCLE.now} The one that failed: {look}")
    why = "A bot that fails raises an error in the handler that asks it, after a second try if the bot allows one."
    now = f"See what it met: {look}. Mend {name}, or catch `fp.BotError` around the call and yield something else."
    return f"The bot {name}, which the handler asked, failed: {what}", Cause("called-bot-failed", why, now)


def is_refused(evidence: Evidence) -> bool:
    """Whether Poe refused a call."""
    return any(True for _ in refused_call(evidence))


def asked_last(evidence: Evidence) -> str:
    """Name the bot that the handler asked last of those that failed."""
    failed = [call.bot for call in evidence.calls if call.outcome in ("failed", "refused")]
    return failed[-1] if failed else ""


def _is_itself(call: Exchange, evidence: Evidence) -> bool:
    return call.kind == "query" and call.bot.casefold() == evidence.exchange.bot.casefold()


def _has_failed(call: Exchange) -> bool:
    return call.outcome in ("failed", "refused") or "error" in call.events.types


def _first_tries(evidence: Evidence) -> Iterator[Exchange]:
    """Give the calls to others but for the second tries: the same request again, to a bot that has failed at it."""
    last: dict[str, Exchange] = {}
    for call in evidence.calls:
        if call.kind != "query" or _is_itself(call, evidence):
            continue
        former = last.get(call.bot)
        last[call.bot] = call
        if former is None or not call.request or former.request != call.request or not _has_failed(former):
            yield call


def _told(call: Exchange) -> str:
    """Say how a call failed: what its handler raised and where, if it is known here, else what it answered."""
    if call.raised is not None:
        at = (
            f" ({call.raised.at}: {beginning(call.raised.at.code, _MESSAGE_CHARS)})"
            if call.raised.at is not None
            else ""
        )
        return f"{call.raised.type}: {_sentence(call.raised.message)}".removesuffix(": ") + at
    return next((beginning(text, _MESSAGE_CHARS) for text in _error_texts(Evidence(call))), "")


def _sentence(message: str) -> str:
    """Give the first line of an error's message; of an error event, as BotError has it, its text."""
    with suppress(ValueError, RecursionError):
        data = json.loads(message)
        if isinstance(data, dict) and isinstance(data.get("text"), str):
            message = data["text"]
    return beginning(message.partition("\n")[0], _MESSAGE_CHARS)


def _error_texts(evidence: Evidence) -> Iterator[str]:
    error = evidence.error()
    if error is not None and isinstance(error.get("text"), str):
        yield error["text"]
    if evidence.exchange.note and evidence.exchange.outcome in ("failed", "refused"):
        yield evidence.exchange.note


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


CALL_RULES = (refused_call, circle, declared_calls)
