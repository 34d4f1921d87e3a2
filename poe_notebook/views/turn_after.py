"""What stands below an answer, in HTML and as text: its files, suggested replies, how it failed or ended, its times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from poe_notebook.reply import Failure, Reply
from poe_notebook.protocol.messages import Attachment
from poe_notebook.views.blocks_html import prose_html
from poe_notebook.views.html import escape
from poe_notebook.views.markdown.clean import LINK
from poe_notebook.views.wording import count, excerpt, seconds, visible

__all__ = ["after_html", "after_text", "files_html", "files_text", "footer", "inline_references"]

_TEXT_CHARS = 20_000
_NAME_CHARS = 200
_LISTED = 50
_TRACEBACK_CHARS = 8_000
_NO_TEXT = "The bot sent no text."
_NO_RETRY = "The bot says that asking the same again would not help."


def footer(reply: Reply) -> str:
    """Say how it went in a few words: ``first text 3 ms · 4 events · 0.21 s``."""
    if not reply.is_finished:
        return "waiting …" if reply.state == "waiting" else "answering …"
    first = f"first text {seconds(reply.first_text_s)}" if reply.first_text_s is not None else ""
    whole = seconds(reply.duration_s) if reply.duration_s is not None else ""
    return " · ".join(filter(None, [first, count(len(reply.events), "event"), whole]))


def after_html(reply: Reply) -> str:
    """Render what stands below an answer: why there is no text, its files, suggestions, how it ended."""
    missing = _missing(reply)
    note = f'<p class="poe-muted">{escape(missing)}</p>' if missing else ""
    chips = "".join(f'<li dir="auto">{escape(words)}</li>' for words in _listed(reply.suggested_replies))
    return (
        note
        + files_html(reply.attachments)
        + (f'{_label("Suggested replies")}<ul class="poe-turn-chips">{chips}</ul>' if chips else "")
        + (_failure_html(reply.failure) if reply.failure is not None else "")
        + (f'<p class="poe-turn-note">{prose_html(_stopped(reply))}</p>' if reply.state == "stopped" else "")
    )


def after_text(reply: Reply) -> str:
    """Write what stands below an answer, the footer included."""
    lines = [missing] if (missing := _missing(reply)) else []
    lines += files_text(reply.attachments)
    if reply.suggested_replies:
        lines += ["Suggested replies:", *(f"- {words}" for words in _listed(reply.suggested_replies))]
    if reply.failure is not None:
        lines += _failure_text(reply.failure)
    if reply.state == "stopped":
        lines.append(_stopped(reply))
    return "\n".join([*lines, footer(reply)])


def _missing(reply: Reply) -> str:
    if reply.text or not reply.is_finished:
        return ""
    if reply.state == "stopped":
        return "Nothing had come yet."
    return _NO_TEXT if reply.attachments or reply.state == "failed" else f"Empty answer. {_NO_TEXT}"


def _stopped(reply: Reply) -> str:
    return f"Stopped. {visible(reply.note)}".strip()


def _listed(texts: Sequence[str]) -> Iterator[str]:
    yield from (excerpt(text, _NAME_CHARS) for text in texts[:_LISTED])
    if len(texts) > _LISTED:
        yield f"… and {len(texts) - _LISTED:,} more"


def _label(words: str) -> str:
    return f'<p class="poe-turn-label poe-muted">{words}</p>'


def inline_references(attachments: Sequence[Attachment]) -> dict[str, str]:
    """Map each ``inline_ref`` to the address of its file."""
    return {a.inline_ref: a.url for a in attachments if a.inline_ref}


def files_html(attachments: Sequence[Attachment]) -> str:
    """List attachments with their types; only web addresses become links."""
    if not attachments:
        return ""
    items = "".join(f"<li>{_file_html(a)}</li>" for a in attachments[:_LISTED])
    return f'{_label("Attachments")}<ul class="poe-turn-files">{items}</ul>'


def _file_html(attachment: Attachment) -> str:
    name = f"<bdi>{escape(excerpt(attachment.name, _NAME_CHARS))}</bdi>"
    if LINK.match(attachment.url) and attachment.url[:4].lower() == "http":
        name = f'<a href="{escape(attachment.url)}" target="_blank" rel="noopener noreferrer">{name}</a>'
    return f'{name} <span class="poe-muted">{escape(_file_facts(attachment))}</span>'


def _file_facts(attachment: Attachment) -> str:
    kind = excerpt(attachment.content_type, _NAME_CHARS)
    return f"{kind}, shown in the text as {excerpt(attachment.inline_ref, 80)}" if attachment.inline_ref else kind


def files_text(attachments: Sequence[Attachment]) -> list[str]:
    """List attachments with their types and addresses, a line each."""
    shown = attachments[:_LISTED]
    files = [f"- {excerpt(a.name, _NAME_CHARS)} ({_file_facts(a)}) {excerpt(a.url, 500)}" for a in shown]
    return ["Attachments:", *files] if files else []


def _failure_html(failure: Failure) -> str:
    name = escape(excerpt(failure.error_type or "", _NAME_CHARS))
    kind = f' <span class="poe-badge poe-bad">{name}</span>' if name else ""
    retry = "" if failure.allow_retry else f'<p class="poe-muted">{_NO_RETRY}</p>'
    hint = f"<p>{prose_html(failure.hint)}</p>" if failure.hint else ""
    lines = f"<pre>{escape(_traceback(failure))}</pre>" if failure.traceback else ""
    return (
        f'<div class="poe-card poe-bad" role="group" aria-label="Error"><p><strong>Error</strong>{kind}</p>'
        f'<p class="poe-turn-error" dir="auto">{escape(_error(failure))}</p>{retry}{hint}{lines}</div>'
    )


def _failure_text(failure: Failure) -> list[str]:
    kind = f" ({excerpt(failure.error_type, _NAME_CHARS)})" if failure.error_type else ""
    lines = [f"Error{kind}: {_error(failure)}", "" if failure.allow_retry else _NO_RETRY, visible(failure.hint)]
    return [*filter(None, lines), *([_traceback(failure)] if failure.traceback else [])]


def _error(failure: Failure) -> str:
    return excerpt(failure.text, _TEXT_CHARS, lines=True) or "The bot gave no text for it."


def _traceback(failure: Failure) -> str:
    lines = visible(failure.traceback).rstrip("\n")
    return lines if len(lines) <= _TRACEBACK_CHARS else f"…\n{lines[-_TRACEBACK_CHARS:]}"
