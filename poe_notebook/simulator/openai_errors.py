"""Errors of the OpenAI-compatible endpoint: their status, type and code, and the body that tells of them.

Poe's two pages on them differ (external application guide 2025-08, API errors 2026): types are from the first, the
endpoint's own, and codes from the second. All of it stands in ``_KINDS``.
"""

from __future__ import annotations

from typing import Any

from poe_notebook.errors import PoeNotebookError

__all__ = [
    "OPENAI_PATHS",
    "ApiError",
    "failed_bot",
    "insufficient_points",
    "invalid",
    "no_such_model",
    "rate_limited",
    "too_large",
    "unauthorized",
]

OPENAI_PATHS = "/v1/"
"""Under which path of the simulator the endpoint stands, and errors have its form."""

_KINDS: dict[int, tuple[str, str]] = {
    400: ("invalid_request_error", "invalid_parameter"),
    401: ("authentication_error", "invalid_api_key"),
    402: ("insufficient_credits", "insufficient_points"),
    403: ("moderation_error", "forbidden"),
    404: ("not_found_error", "model_not_found"),
    408: ("timeout_error", "timeout"),
    413: ("request_too_large", "request_too_large"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
    500: ("provider_error", "internal_error"),
    502: ("upstream_error", "internal_error"),
    529: ("overloaded_error", "internal_error"),
}
_OF_ERROR_TYPE = {
    "insufficient_fund": 402,
    "user_message_too_long": 413,
    "user_caused_error": 400,
    "privacy_authorization_error": 403,
}
"""The status for each ``error_type`` that a bot may give; for any other it is the bot that failed."""


class ApiError(PoeNotebookError):
    """A request that is answered with an error. ``headers`` go with it."""

    def __init__(self, what: str, *, status: int, why: str = "", now: str = "", code: str = "") -> None:
        super().__init__(what, why=why, now=now)
        self.status = status
        self.type, usual = _KINDS[status]
        self.code = code or usual
        self.headers: dict[str, str] = {}

    @property
    def body(self) -> dict[str, Any]:
        """``{"error": {"code": "…", "type": "…", "message": "…"}}``"""
        message = " ".join(part for part in (self.what, self.why, self.now) if part)
        return {"error": {"code": self.code, "type": self.type, "message": message}}


def invalid(what: str, *, why: str = "", now: str = "", is_missing: bool = False) -> ApiError:
    """Make the error for a body that cannot be read."""
    return ApiError(what, status=400, why=why, now=now, code="missing_parameter" if is_missing else "")


def unauthorized() -> ApiError:
    """Make the error for a missing or a wrong key."""
    return ApiError(
        "The API key is missing or wrong.", status=401, now="Send it in the header Authorization: Bearer <API key>."
    )


def no_such_model(name: str, known: list[str] | tuple[str, ...] = ()) -> ApiError:
    """Make the error for a model that is no bot here; ``known`` are names to try."""
    shown = name if len(name) <= 100 else name[:100] + "…"
    now = f"There are, among others: {', '.join(known)}." if known else ""
    return ApiError(f"There is no bot {shown!r} here.", status=404, why="A model is the name of a Poe bot.", now=now)


def insufficient_points() -> ApiError:
    """Make the error for a user who cannot pay."""
    return ApiError("The points of this user do not suffice.", status=402)


def too_large(what: str = "The request is too large.") -> ApiError:
    """Make the error for what is more than Poe takes."""
    return ApiError(what, status=413)


def rate_limited(retry_after_s: float) -> ApiError:
    """Make the error for too many requests in a short time."""
    error = ApiError(
        "Too many requests with this API key.",
        status=429,
        why="Poe takes 500 a minute.",
        now=f"Try again in {retry_after_s:.0f} s.",
    )
    error.headers["Retry-After"] = str(max(1, round(retry_after_s)))
    return error


def failed_bot(data: dict[str, Any]) -> ApiError:
    """Make the error for a bot that ended its answer with an ``error`` event of this data."""
    status = _OF_ERROR_TYPE.get(str(data.get("error_type")), 500)
    return ApiError(str(data.get("text") or "The bot failed while it was answering."), status=status)
