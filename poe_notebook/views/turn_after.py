"""What stands below an answer, in HTML and as text: its files, suggested replies, how it failed or ended, its times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from poe_notebook.reply import Reply
from poe_notebook.views.answer import answers_of
from poe_notebook.views.blocks_html import prose_html
from poe_notebook.views.bots_end import lost_files, lost_text, no_retry
from poe_notebook.views.html import escape
from poe_notebook.views.media.facts import files_text
from poe_notebook.views.media.files import TurnFiles
from poe_notebook.views.media.html import Shelf, files_html
from poe_notebook.views.media.placed import placed
from poe_notebook.views.turn_failure import failure_html, failure_text
from poe_notebook.views.wording import count, excerpt, has_words, seconds, visible

__all__ = ["after_html", "after_text", "footer"]

_NAME_CHARS = 200
_LISTED = 50
_BADGE_CHARS = 60
_METADATA_CHARS = 4_000
_NO_TEXT = "The bot sent no text."
_BLANK = "Empty answer: it has only white space."
_UNSEEN = "Nothing of the answer is to be seen: it has only link definitions, or the like."


def footer(reply: Reply) -> str:
    """Say how it went in a few words: ``first text 3 ms · 4 events · replaced twice · 0.21 s``."""
    if not reply.is_finished:
        return "waiting …" if reply.state == "waiting" else "answering …"
    first = f"first text {seconds(reply.first_text_s)}" if reply.first_text_s is not None else ""
    times = {0: "", 1: "replaced once", 2: "replaced twice"}.get(reply.replaced, f"replaced {reply.replaced:,} times")
    whole = seconds(reply.duration_s) if reply.duration_s is not None else ""
    return " · ".join(filter(None, [first, count(len(reply.events), "event"), times, whole]))


def after_html(reply: Reply, files: TurnFiles, shelf: Shelf, *, answers: Mapping[int, str]) -> str:
    """Render what stands below an answer: why there is no text, its files, suggestions, how it ended.

    ``answers`` is the HTML of its responses.
    """
    is_over, html = reply.is_finished, answers.values()
    missing = _missing(reply) or (_UNSEEN if is_over and reply.text and not any(map(str.strip, html)) else "")
    note = f'<p class="poe-muted">{escape(missing)}</p>' if missing else ""
    chips = "".join(f'<li dir="auto">{escape(words)}</li>' for words in _listed(reply.suggested_replies))
    label = '<p class="poe-turn-label poe-muted">Suggested replies</p>'
    return (
        note
        + files_html(files.of_answer, shelf, in_text=placed(files, html), is_over=is_over, note=lost_files(reply))
        + _metadata_html(reply.metadata)
        + (f'{label}<ul class="poe-turn-chips">{chips}</ul>' if chips else "")
        + (failure_html(reply.failure, no_retry(reply)) if reply.failure is not None else "")
        + (f'<p class="poe-turn-note">{prose_html(_stopped(reply))}</p>' if reply.state == "stopped" else "")
    )


def after_text(reply: Reply, files: TurnFiles, *, answers: Mapping[int, str] | None = None) -> str:
    """Write what stands below an answer, the footer included; ``answers`` is its HTML, if somebody has rendered it."""
    lines = [missing] if (missing := _missing(reply)) else []
    lines += files_text(files.of_answer, in_text=_in_text(reply, files, answers), note=lost_files(reply))
    if reply.metadata:
        lines.append(f"Metadata: {excerpt(reply.metadata, _METADATA_CHARS)}")
    if suggested := list(_listed(reply.suggested_replies)):
        lines += ["Suggested replies:", *(f"- {words}" for words in suggested)]
    if reply.failure is not None:
        lines += failure_text(reply.failure, no_retry(reply))
    if reply.state == "stopped":
        lines.append(_stopped(reply))
    return "\n".join([*lines, footer(reply)])


def _metadata_html(metadata: str | None) -> str:
    if not metadata:
        return ""
    badge = '<span class="poe-badge">metadata</span>'
    if len(metadata) <= _BADGE_CHARS and "\n" not in metadata:
        return f'<p class="poe-turn-metadata">{badge}<code>{escape(visible(metadata))}</code></p>'
    head = f"{badge}<code>{escape(excerpt(metadata[:_BADGE_CHARS], _BADGE_CHARS))}…</code>"
    whole = f"<pre>{escape(excerpt(metadata, _METADATA_CHARS, lines=True))}</pre>"
    return f'<details class="poe-turn-metadata"><summary>{head}</summary>{whole}</details>'


def _missing(reply: Reply) -> str:
    if not reply.is_finished or has_words(reply.text):
        return ""
    has_more = reply.attachments or reply.tool_calls
    if reply.text:
        return "The text has only white space." if has_more or reply.state != "done" else _BLANK
    if reply.state == "stopped":
        return "Nothing had come yet."
    if reply.state == "failed":
        return lost_text(reply)
    return _NO_TEXT if has_more else f"Empty answer. {_NO_TEXT}"


def _in_text(reply: Reply, files: TurnFiles, answers: Mapping[int, str] | None) -> frozenset[int]:
    if not any(file.attachment.inline_ref for file in files.of_answer):
        return frozenset()
    return placed(files, (answers_of(reply, files) if answers is None else answers).values())


def _stopped(reply: Reply) -> str:
    return f"Stopped. {visible(reply.note)}".strip()


def _listed(texts: Sequence[str]) -> Iterator[str]:
    texts = [text for text in texts if has_words(text)]
    yield from (excerpt(text, _NAME_CHARS) for text in texts[:_LISTED])
    if len(texts) > _LISTED:
        yield f"… and {len(texts) - _LISTED:,} more"
