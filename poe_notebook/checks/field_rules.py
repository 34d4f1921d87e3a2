"""Rules about the data of events: one JSON object, with the fields of its type, each of its kind.

Source: Poe protocol specification, "Response" (read 2025-03). What Poe does with a wrong optional field is documented
nowhere; fastapi_poe 0.0.83 treats it as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from poe_notebook.checks.evidence import UNREAD, Evidence
from poe_notebook.checks.finding import SPEC, Finding
from poe_notebook.protocol.faults import kind_of
from poe_notebook.protocol.responses import ContentType, ErrorType

__all__ = ["FIELD_RULES"]

Kind = tuple[type, str]
"""What a field has to be, as Python reads it and in words."""

_STRING: Kind = (str, "a string")
_FLAG: Kind = (bool, "a boolean")
_NUMBER: Kind = (int, "a whole number")

_REQUIRED: dict[str, dict[str, Kind]] = {
    "text": {"text": _STRING},
    "replace_response": {"text": _STRING},
    "suggested_reply": {"text": _STRING},
    "file": {"url": _STRING, "content_type": _STRING, "name": _STRING},
    "data": {"metadata": _STRING},
}
_INDEX: dict[str, Kind] = {"index": _NUMBER}
_OPTIONAL: dict[str, dict[str, Kind]] = {
    "text": _INDEX,
    "replace_response": _INDEX,
    "suggested_reply": _INDEX,
    "file": {"inline_ref": _STRING, **_INDEX},
    "meta": {"content_type": _STRING, "suggested_replies": _FLAG, "linkify": _FLAG, "refetch_settings": _FLAG},
    "error": {"allow_retry": _FLAG, "text": _STRING, "raw_response": _STRING, "error_type": _STRING},
}
_WANTS_OBJECT = frozenset({*_REQUIRED, *_OPTIONAL, "json"})


def no_object(evidence: Evidence) -> Iterator[Finding]:
    """Find events whose data is no JSON object."""
    for at, value in enumerate(evidence.values):
        type_ = evidence.types[at]
        if value is UNREAD or isinstance(value, dict) or type_ not in _WANTS_OBJECT:
            continue
        if value == "" and type_ == "error":
            continue  # its name says it all
        found = "no JSON" if isinstance(value, str) else f"JSON, but {kind_of(value)}"
        yield Finding(
            "no-object",
            "error",
            f"The data of a {type_!r} event is {found}.",
            "Poe reads the data of each event as one JSON object.",
            "Yield strings and fp.PartialResponse objects rather than events written by hand.",
            SPEC,
            event=at + 1,
        )
        return


def required_field(evidence: Evidence) -> Iterator[Finding]:
    """Find events that lack a field, or have it in the wrong kind."""
    for at, type_, key, value, rule in _wrong(evidence, _REQUIRED):
        fault = f"has {kind_of(value)} as" if value is not None else "comes without"
        yield Finding(
            "required-field",
            "error",
            f"A {type_!r} event {fault} {key!r}.",
            f"A {type_!r} event needs {key!r}, {rule}; without it Poe cannot use the event.",
            "Yield strings and fp.PartialResponse objects, which make the data by themselves.",
            SPEC,
            event=at + 1,
        )
        return


def optional_field(evidence: Evidence) -> Iterator[Finding]:
    """Find optional fields of the wrong kind."""
    for at, type_, key, value, rule in _wrong(evidence, _OPTIONAL):
        if value is None:
            continue
        yield Finding(
            "optional-field",
            "warning",
            f"A {type_!r} event has {kind_of(value)} as {key!r}.",
            f"{key!r} is {rule}; anything else counts as if it were not there.",
            f"Give {rule}, or leave it out.",
            SPEC,
            event=at + 1,
        )
        return


def content_type(evidence: Evidence) -> Iterator[Finding]:
    """Find a content type that Poe does not know."""
    known = get_args(ContentType)
    for at, value in evidence.of_type("meta"):
        given = value.get("content_type", known[0])
        if at == 0 and isinstance(given, str) and given not in known:
            yield Finding(
                "content-type",
                "warning",
                f"The answer's content type is {given[:60]!r}, and Poe shows it as plain text.",
                f"An answer is {' or '.join(known)}; other types are shown as text/plain.",
                f"Choose one: fp.MetaResponse(content_type={known[0]!r})",
                SPEC,
                event=at + 1,
            )


def error_type(evidence: Evidence) -> Iterator[Finding]:
    """Find an error type that Poe does not know."""
    known = get_args(ErrorType)
    for at, value in evidence.of_type("error"):
        given = value.get("error_type")
        if isinstance(given, str) and given not in known:
            yield Finding(
                "error-type",
                "warning",
                f"An error event has the unknown error_type {given[:60]!r}.",
                f"Types are: {', '.join(known)}.",
                "Choose one of them, or leave error_type out.",
                SPEC,
                event=at + 1,
            )
            return


def _wrong(evidence: Evidence, fields: dict[str, dict[str, Kind]]) -> Iterator[tuple[int, str, str, Any, str]]:
    """Give the fields that are not of their kind: event, type, name, value and rule."""
    for at, value in enumerate(evidence.values):
        wanted = fields.get(evidence.types[at])
        if wanted is None or not isinstance(value, dict):
            continue
        for key, (kind, rule) in wanted.items():
            found = value.get(key)
            if type(found) is not kind:
                yield at, evidence.types[at], key, found, rule


FIELD_RULES = (no_object, required_field, optional_field, content_type, error_type)
