"""One turn of a chat as it is saved: what the person said, who answered how, the answer and what came with it.

Pure and complete: needs no script, no widget and no style sheet to be read. Live views show the same pieces, so that
nothing moves when an answer is done. The text twin tells the same without any markup of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from poe_notebook.conversation import Failure, Reply
from poe_notebook.protocol.messages import Attachment
from poe_notebook.views.blocks_html import prose_html
from poe_notebook.views.html import Bundle, bundle, escape, framed
from poe_notebook.views.markdown import ANSWER_CHARS, plain, render
from poe_notebook.views.markdown_rules import LINK
from poe_notebook.views.wording import count, excerpt, seconds, visible

__all__ = [
    "after_html",
    "after_text",
    "footer",
    "heading_text",
    "inline_references",
    "redacted",
    "render_turn_html",
    "render_turn_text",
    "turn_bundle",
]

ROUTES = {"kernel": ("this kernel", "info"), "poe": ("Poe", "good"), "simulator": ("simulator", "warn")}
_NAME_CHARS = 200
_MESSAGE_CHARS = 20_000
_LISTED = 50
_TRACEBACK_CHARS = 8_000
_LATER = (
    "poe-plain poe-wide poe-turn-busy poe-turn-spoken poe-turn-label poe-turn-files poe-turn-chips poe-turn-note "
    "poe-card poe-bad poe-badge poe-turn-error"
)
_NO_TEXT = "The bot sent no text."


def turn_bundle(reply: Reply, *, answer: str | None = None) -> Bundle:
    """Show one turn. ``answer`` is its HTML if somebody has rendered it already."""
    return bundle(render_turn_html(reply, answer=answer), render_turn_text(reply))


def render_turn_html(reply: Reply, *, answer: str | None = None) -> str:
    """Render one turn as a framed section."""
    bot = escape(excerpt(reply.bot, _NAME_CHARS))
    shown = _answer_html(reply) if answer is None else answer
    html = (
        f'<div class="poe-turn poe-turn-{reply.state}">{_user_html(reply)}'
        f'<div class="poe-turn-bot" role="group" aria-label="{bot}">{_heading_html(reply)}'
        f'<div class="poe-turn-answer" dir="auto">{shown}</div>'
        f'<div class="poe-turn-after">{after_html(reply)}</div>'
        f'<p class="poe-turn-foot poe-muted">{escape(footer(reply))}</p></div></div>'
    )
    return framed(html, label=f"Chat with {excerpt(reply.bot, _NAME_CHARS)}", later="" if reply.is_finished else _LATER)


def render_turn_text(reply: Reply) -> str:
    """Write one turn as plain text."""
    said = excerpt(reply.message.content, _MESSAGE_CHARS, lines=True)
    parts = [
        "\n".join(["You", said, *_files_text(reply.message.attachments)]),
        f"{heading_text(reply)}\n{excerpt(reply.text, ANSWER_CHARS, lines=True)}".rstrip(),
        after_text(reply),
    ]
    return "\n\n".join(filter(None, parts))


def redacted(reply: Reply, redact: Callable[[str], str]) -> Reply:
    """Copy a reply with ``redact`` applied to every text in it that a view shows."""
    message = reply.message.model_copy(
        update={
            "content": redact(reply.message.content),
            "attachments": [_redacted_file(a, redact) for a in reply.message.attachments],
        }
    )
    return replace(
        reply,
        bot=redact(reply.bot),
        message=message,
        attachments=[_redacted_file(a, redact) for a in reply.attachments],
        suggested_replies=[redact(s) for s in reply.suggested_replies],
        failure=_redacted_failure(reply.failure, redact),
        note=redact(reply.note),
        _parts=[redact(reply.text)],
    )


def inline_references(attachments: Sequence[Attachment]) -> dict[str, str]:
    """Map each ``inline_ref`` to the address of its file."""
    return {a.inline_ref: a.url for a in attachments if a.inline_ref}


def footer(reply: Reply) -> str:
    """Say how it went in a few words: ``first text 3 ms · 4 events · 0.21 s``."""
    if not reply.is_finished:
        return "waiting …" if reply.state == "waiting" else "answering …"
    first = f"first text {seconds(reply.first_text_s)}" if reply.first_text_s is not None else ""
    whole = seconds(reply.duration_s) if reply.duration_s is not None else ""
    return " · ".join(filter(None, [first, count(len(reply.events), "event"), whole]))


def heading_text(reply: Reply) -> str:
    """Name the bot, who answered for it and which generation it was."""
    return " · ".join([excerpt(reply.bot, _NAME_CHARS), *(words for words, _ in _badges(reply))])


def after_html(reply: Reply) -> str:
    """Render what stands below an answer: why there is no text, its files, suggestions, how it ended."""
    missing = _missing(reply)
    note = f'<p class="poe-muted">{escape(missing)}</p>' if missing else ""
    chips = "".join(f'<li dir="auto">{escape(words)}</li>' for words in _listed(reply.suggested_replies))
    return (
        note
        + _files_html(reply.attachments)
        + (f'{_label("Suggested replies")}<ul class="poe-turn-chips">{chips}</ul>' if chips else "")
        + (_failure_html(reply.failure) if reply.failure is not None else "")
        + (f'<p class="poe-turn-note">{prose_html(_stopped(reply))}</p>' if reply.state == "stopped" else "")
    )


def after_text(reply: Reply) -> str:
    """Write what stands below an answer, the footer included."""
    lines = [missing] if (missing := _missing(reply)) else []
    lines += _files_text(reply.attachments)
    if reply.suggested_replies:
        lines += ["Suggested replies:", *(f"- {words}" for words in _listed(reply.suggested_replies))]
    if reply.failure is not None:
        lines += _failure_text(reply.failure)
    if reply.state == "stopped":
        lines.append(_stopped(reply))
    return "\n".join([*lines, footer(reply)])


def _answer_html(reply: Reply) -> str:
    if reply.content_type == "text/plain":
        return plain(reply.text) if reply.text else ""
    return render(reply.text, inline=inline_references(reply.attachments))


def _user_html(reply: Reply) -> str:
    said = escape(excerpt(reply.message.content, _MESSAGE_CHARS, lines=True))
    return (
        '<div class="poe-turn-user" role="group" aria-label="You">'
        '<p class="poe-turn-who" role="heading" aria-level="4"><strong>You</strong></p>'
        f'<pre class="poe-turn-said poe-plain" dir="auto">{said}</pre>{_files_html(reply.message.attachments)}</div>'
    )


def _heading_html(reply: Reply) -> str:
    badges = "".join(f' <span class="poe-badge poe-{tone}">{escape(words)}</span>' for words, tone in _badges(reply))
    name = escape(excerpt(reply.bot, _NAME_CHARS))
    return f'<p class="poe-turn-who" role="heading" aria-level="4"><strong><bdi>{name}</bdi></strong>{badges}</p>'


def _badges(reply: Reply) -> Iterator[tuple[str, str]]:
    if reply.route:
        yield ROUTES.get(reply.route, (excerpt(reply.route, _NAME_CHARS), "muted"))
    if reply.generation is not None:
        yield f"generation {reply.generation}", "muted"
    if reply.state == "stopped":
        yield "stopped", "warn"
    if reply.state == "failed":
        yield "failed", "bad"


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


def _files_html(attachments: Sequence[Attachment]) -> str:
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


def _files_text(attachments: Sequence[Attachment]) -> list[str]:
    files = [f"- {excerpt(a.name, _NAME_CHARS)} ({_file_facts(a)}) {excerpt(a.url, 500)}" for a in attachments[:_LISTED]]
    return ["Attachments:", *files] if files else []


def _failure_html(failure: Failure) -> str:
    kind = f' <span class="poe-badge poe-bad">{escape(failure.error_type)}</span>' if failure.error_type else ""
    hint = f"<p>{prose_html(visible(failure.hint))}</p>" if failure.hint else ""
    lines = f"<pre>{escape(_traceback(failure))}</pre>" if failure.traceback else ""
    return (
        f'<div class="poe-card poe-bad" role="group" aria-label="Error"><p><strong>Error</strong>{kind}</p>'
        f'<p class="poe-turn-error" dir="auto">{escape(_error(failure))}</p>{_retry_html(failure)}{hint}{lines}</div>'
    )


def _retry_html(failure: Failure) -> str:
    return "" if failure.allow_retry else f'<p class="poe-muted">{_NO_RETRY}</p>'


_NO_RETRY = "The bot says that asking the same again would not help."


def _failure_text(failure: Failure) -> list[str]:
    kind = f" ({visible(failure.error_type)})" if failure.error_type else ""
    lines = [f"Error{kind}: {_error(failure)}", "" if failure.allow_retry else _NO_RETRY, visible(failure.hint)]
    return [*filter(None, lines), *([_traceback(failure)] if failure.traceback else [])]


def _error(failure: Failure) -> str:
    return excerpt(failure.text, _MESSAGE_CHARS, lines=True) or "The bot gave no text for it."


def _traceback(failure: Failure) -> str:
    lines = visible(failure.traceback).rstrip("\n")
    return lines if len(lines) <= _TRACEBACK_CHARS else f"…\n{lines[-_TRACEBACK_CHARS:]}"


def _redacted_file(attachment: Attachment, redact: Callable[[str], str]) -> Attachment:
    names = ("name", "url", "content_type", "inline_ref")
    return attachment.model_copy(update={n: redact(v) for n in names if (v := getattr(attachment, n))})


def _redacted_failure(failure: Failure | None, redact: Callable[[str], str]) -> Failure | None:
    if failure is None:
        return None
    return replace(
        failure,
        text=redact(failure.text),
        error_type=redact(failure.error_type) if failure.error_type else None,
        hint=redact(failure.hint),
        traceback=redact(failure.traceback),
    )
