"""Rules about what was asked, and answers that are no stream: refusals, settings, reports, what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from pydantic import ValidationError

from poe_notebook.checks.evidence import Evidence
from poe_notebook.checks.finding import GUIDES, SPEC, Finding
from poe_notebook.protocol.faults import sentences
from poe_notebook.protocol.settings import SettingsResponse

__all__ = ["REQUEST_RULES"]

_SAME_KEY = "Give both ends the same access key: `%%poebot NAME --access-key-env VAR` sets the bot's."
_REFUSALS: dict[int, tuple[str, str]] = {
    400: ("The body has to be one JSON object.", 'Send a Poe request: `{"version": "1.2", "type": "query", …}`'),
    401: ("The request has to carry the bot's access key: Authorization: Bearer <access key>.", _SAME_KEY),
    403: ("The access key in the request is not the bot's.", _SAME_KEY),
    404: ("No bot stands behind that address.", "`%poe bots` lists the bots served here, with their addresses."),
    405: ("A bot is asked with POST.", "Send a POST request with a JSON body."),
    408: ("The body of a request has to arrive in time.", "Send it again, and see what is slow between the two ends."),
    413: ("The body is larger than the server takes.", "Send less, or attach files by their address."),
    422: (
        "A field of the body has a value that the protocol does not know.",
        "Mend the field that the sentence names.",
    ),
    429: ("Too many requests came in a short time.", "Wait a moment, then ask again."),
    501: ("A bot answers 501 to requests of a type that it does not know.", "Send query, settings or a report."),
}
_SERVER_FAULT = ("The bot's server failed before it answered.", "See the log of that server.")
_SAID_FAULTS = 3


def refused(evidence: Evidence) -> Iterator[Finding]:
    """Find a request that never reached a handler, and one that a method of the bot failed to answer."""
    exchange = evidence.exchange
    status = next((tap.status for tap in (exchange.server, exchange.client) if tap is not None and tap.status), None)
    is_refusal = status is not None and status >= 400
    if exchange.outcome != "refused" and not (is_refusal and exchange.raised is None):
        return
    why, now = _REFUSALS.get(status or 0, _SERVER_FAULT if (status or 0) >= 500 else ("", ""))
    what = f"The request was refused with {status}{_phrase(status)}." if is_refusal else "The request was not answered."
    said = f" {exchange.note}" if exchange.note else ""
    yield Finding("refused", "error", what + said, why or "Only an answer with status 200 is read.", now, SPEC)


def dropped_settings(evidence: Evidence) -> Iterator[Finding]:
    """Find settings that Poe drops without a word."""
    given = evidence.exchange.response
    if evidence.exchange.kind != "settings" or given is None:
        return
    if not isinstance(given, dict):
        yield Finding(
            "settings", "error", "The settings are no JSON object.", _KEEPS, "Return fp.SettingsResponse(...)."
        )
        return
    controls = given.get("parameter_controls")
    version = given.get("response_version")
    if controls is not None and (not isinstance(version, int) or version < 2):
        yield Finding(
            "dropped-controls",
            "warning",
            f"Poe drops the parameter_controls: the settings have response_version {version!r}.",
            "Parameter controls count from response_version 2 on.",
            "Leave response_version out of fp.SettingsResponse(...), which then sends 2.",
            GUIDES,
        )
        given = {**given, "parameter_controls": None}
    try:
        SettingsResponse.model_validate(given)
    except ValidationError as error:
        faults = sentences(error)
        is_controls = any("parameter_controls" in str(fault["loc"]) for fault in error.errors(include_url=False))
        yield Finding(
            "dropped-controls" if is_controls else "settings",
            "warning",
            " ".join(faults[:_SAID_FAULTS]),
            "Poe answers 200 and drops parameter_controls that it cannot read, without telling anybody."
            if is_controls
            else _KEEPS,
            "Build the settings with fp.SettingsResponse(...), which refuses what Poe would drop.",
            GUIDES,
        )


_KEEPS = "Poe keeps the settings that it had when it cannot read the new ones."


def reported(evidence: Evidence) -> Iterator[Finding]:
    """Find what Poe told the bot of this answer, and what was put in on purpose."""
    for report in evidence.exchange.reports:
        if report.source == "poe":
            yield Finding(
                "reported",
                "warning",
                f"Poe reported to the bot: {report.text}",
                "Poe tells a bot with a report_error request when its answer breaks the protocol.",
                "See the event that it is about, in the other findings or in the table below.",
                SPEC,
            )
        elif report.source == "fault":
            yield Finding(
                "fault",
                "note",
                f"A fault was put in on purpose: {report.text}",
                "The simulator makes things go wrong when it is told to.",
                "`%poe faults BOT off` ends it.",
            )


def left_out(evidence: Evidence) -> Iterator[Finding]:
    """Say that the trace had no room for all of an answer."""
    if not evidence.is_whole:
        yield Finding(
            "left-out",
            "note",
            f"The trace had no more room for {evidence.exchange.omitted:,} events, pieces and lines of this exchange.",
            "One end of one exchange may fill a quarter of the trace.",
            "What follows from events that are missing here is not judged.",
        )


def stopped(evidence: Evidence) -> Iterator[Finding]:
    """Say that the reader left, and what the handler did about it."""
    exchange = evidence.exchange
    if exchange.outcome != "stopped":
        return
    goes_on = exchange.server is not None and exchange.server.ended_s is None
    yield Finding(
        "stopped",
        "warning" if goes_on else "note",
        "The reader left, or pressed Stop" + (", and the handler has not come back since." if goes_on else "."),
        "A stopped handler is cancelled at its next `await`; blocking code is cancelled when it returns.",
        "Let the handler `await` now and then." if goes_on else "",
    )


def _phrase(status: int | None) -> str:
    known = HTTPStatus._value2member_map_
    return f" {HTTPStatus(status).phrase}" if status is not None and status in known else ""


REQUEST_RULES = (refused, dropped_settings, reported, left_out, stopped)
