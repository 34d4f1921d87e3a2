"""How an answer failed, in HTML and as text: what Poe would show, what that kind of error means, what to type now."""

from __future__ import annotations

from poe_notebook.reply import Failure
from poe_notebook.views.blocks_html import prose_html
from poe_notebook.views.html import escape
from poe_notebook.views.wording import excerpt, visible

__all__ = ["failure_html", "failure_text"]

_TEXT_CHARS = 20_000
_NAME_CHARS = 200
_TRACEBACK_CHARS = 8_000
_KINDS = {
    "user_message_too_long": "By its type the last message is too long for this bot: "
    "let the text say how long it may be, and raise it for no other reason.",
    "insufficient_fund": "By its type the user cannot pay what the bot wanted to authorize or capture: "
    "ask for less, and tell the price beforehand with `rate_card` in the bot's settings.",
    "user_caused_error": "By its type the fault is in what the user sent: let the text say what to change.",
    "privacy_authorization_error": "Poe knows this type since August 2025 and nowhere says what it means.",
}
"""What each ``error_type`` means to the author; Poe's protocol specification, and fastapi_poe 0.0.83."""


def failure_html(failure: Failure, no_retry: str = "") -> str:
    """Render a failure as a card; ``no_retry`` says that asking again would not help, if somebody said so."""
    name = escape(excerpt(failure.error_type or "", _NAME_CHARS))
    kind = f' <span class="poe-badge poe-bad">{name}</span>' if name else ""
    notes = "".join(f'<p class="poe-muted">{prose_html(words)}</p>' for words in _notes(failure, no_retry))
    hint = f"<p>{prose_html(failure.hint)}</p>" if failure.hint else ""
    lines = f"<pre>{escape(_traceback(failure))}</pre>" if failure.traceback else ""
    return (
        f'<div class="poe-card poe-bad" role="group" aria-label="Error"><p><strong>Error</strong>{kind}</p>'
        f'<p class="poe-turn-error" dir="auto">{escape(_error(failure))}</p>{notes}{hint}{lines}</div>'
    )


def failure_text(failure: Failure, no_retry: str = "") -> list[str]:
    """Write a failure, a line for each thing to be said."""
    kind = f" ({excerpt(failure.error_type, _NAME_CHARS)})" if failure.error_type else ""
    lines = [f"Error{kind}: {_error(failure)}", *_notes(failure, no_retry), visible(failure.hint)]
    return [*filter(None, lines), *([_traceback(failure)] if failure.traceback else [])]


def _notes(failure: Failure, no_retry: str) -> list[str]:
    return list(filter(None, [_KINDS.get(failure.error_type or "", ""), no_retry]))


def _error(failure: Failure) -> str:
    return excerpt(failure.text, _TEXT_CHARS, lines=True) or "The bot gave no text for it."


def _traceback(failure: Failure) -> str:
    lines = visible(failure.traceback).rstrip("\n")
    return lines if len(lines) <= _TRACEBACK_CHARS else f"…\n{lines[-_TRACEBACK_CHARS:]}"
