"""One turn of a chat as it is saved: what the person said, who answered how, the answer and what came with it.

Pure and complete: needs no script, no widget and no style sheet to be read. Live views show the same pieces, so that
nothing moves when an answer is done. The text twin tells the same without any markup of ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from poe_notebook.reply import Reply
from poe_notebook.views.html import Bundle, bundle, escape, framed
from poe_notebook.views.markdown import ANSWER_CHARS, plain, render
from poe_notebook.views.turn_after import after_html, after_text, files_html, files_text, footer, inline_references
from poe_notebook.views.wording import excerpt

__all__ = ["heading_text", "render_turn_html", "render_turn_text", "turn_bundle"]

ROUTES = {"kernel": ("this kernel", "info"), "poe": ("Poe", "good"), "simulator": ("simulator", "warn")}
_NAME_CHARS = 200
_MESSAGE_CHARS = 20_000
_LATER = (
    "poe-plain poe-wide poe-turn-busy poe-turn-spoken poe-turn-label poe-turn-files poe-turn-chips poe-turn-note "
    "poe-card poe-bad poe-badge poe-turn-error"
)


def turn_bundle(reply: Reply, *, answer: str | None = None, text: str = "") -> Bundle:
    """Show one turn. ``answer`` is its HTML if somebody has rendered it already, ``text`` what has grown of it."""
    return bundle(render_turn_html(reply, answer=answer), render_turn_text(reply, text=text))


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


def render_turn_text(reply: Reply, *, text: str = "") -> str:
    """Write one turn as plain text.

    While it grows, ``text`` stands for the answer, since the last word of the reply's own may be half a secret.
    """
    said = excerpt(reply.message.content, _MESSAGE_CHARS, lines=True)
    answer = excerpt(reply.text if reply.is_finished else text, ANSWER_CHARS, lines=True)
    parts = [
        "\n".join(["You", said, *files_text(reply.message.attachments)]),
        f"{heading_text(reply)}\n{answer}".rstrip(),
        after_text(reply),
    ]
    return "\n\n".join(filter(None, parts))


def heading_text(reply: Reply) -> str:
    """Name the bot, who answered for it and which generation it was."""
    return " · ".join([excerpt(reply.bot, _NAME_CHARS), *(words for words, _ in _badges(reply))])


def _answer_html(reply: Reply) -> str:
    if reply.content_type == "text/plain":
        return plain(reply.text) if reply.text else ""
    return render(reply.text, inline=inline_references(reply.attachments))


def _user_html(reply: Reply) -> str:
    said = escape(excerpt(reply.message.content, _MESSAGE_CHARS, lines=True))
    return (
        '<div class="poe-turn-user" role="group" aria-label="You">'
        '<p class="poe-turn-who" role="heading" aria-level="4"><strong>You</strong></p>'
        f'<pre class="poe-turn-said poe-plain" dir="auto">{said}</pre>{files_html(reply.message.attachments)}</div>'
    )


def _heading_html(reply: Reply) -> str:
    dot = ' <span class="poe-turn-dot" aria-hidden="true">· </span>'  # seen where the style sheet is not
    badges = "".join(f'{dot}<span class="poe-badge poe-{tone}">{escape(word)}</span>' for word, tone in _badges(reply))
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
