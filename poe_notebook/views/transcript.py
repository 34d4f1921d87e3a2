"""One turn of a chat as it is saved: what the person said, who answered how, the answer and what came with it.

Pure and complete: needs no script, no widget and no style sheet to be read. Live views show the same pieces, so that
nothing moves when an answer is done. The text twin tells the same without any markup of ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from poe_notebook.reply import Reply
from poe_notebook.views.answer import MAX_RESPONSES, answers_of
from poe_notebook.views.html import EVERYTHING, Bundle, bundle, escape, framed
from poe_notebook.views.markdown import ANSWER_CHARS
from poe_notebook.views.media.facts import files_text
from poe_notebook.views.media.files import SAVED, Room, TurnFiles, files_of
from poe_notebook.views.media.html import Shelf, files_html
from poe_notebook.views.turn_after import after_html, after_text, footer
from poe_notebook.views.turn_calls import ROUTES, calls_html, calls_text
from poe_notebook.views.wording import excerpt

__all__ = [
    "ROUTES",
    "answer_text",
    "answers_html",
    "heading_text",
    "render_turn_html",
    "render_turn_text",
    "turn_bundle",
    "without_message",
]

_BOT = '<div class="poe-turn-bot"'

_NAME_CHARS = 200
_MESSAGE_CHARS = 20_000


def turn_bundle(
    reply: Reply,
    *,
    files: TurnFiles | None = None,
    answers: Mapping[int, str] | None = None,
    text: str = "",
    room: Room = SAVED,
) -> Bundle:
    """Show one turn.

    ``files`` are its files, if somebody has looked for them already; ``answers`` the HTML of its responses, if somebody
    has rendered it, and ``text`` what has grown of it; ``room`` is how much of the files the output may hold.
    """
    files = files or files_of(reply)
    shown = answers_of(reply, files) if answers is None else answers
    html = render_turn_html(reply, files, answers=shown, room=room)
    return bundle(html, render_turn_text(reply, files, text=text, answers=shown))


def render_turn_html(reply: Reply, files: TurnFiles, *, answers: Mapping[int, str], room: Room = SAVED) -> str:
    """Render one turn as a framed section."""
    bot, shelf = escape(excerpt(reply.bot, _NAME_CHARS)), Shelf(files, room)
    html = (
        f'<div class="poe-turn poe-turn-{reply.state}">{_user_html(reply, files, shelf)}'
        f'{_BOT} role="group" aria-label="{bot}">{_heading_html(reply)}'
        f'<div class="poe-turn-before">{calls_html(reply)}</div>'
        f'<div class="poe-turn-responses">{shelf.filled(answers_html(answers, len(reply.responses)))}</div>'
        f'<div class="poe-turn-after">{after_html(reply, files, shelf, answers=answers)}</div>'
        f'<p class="poe-turn-foot poe-muted">{escape(footer(reply))}</p></div></div>'
    )
    return framed(
        html, label=f"Chat with {excerpt(reply.bot, _NAME_CHARS)}", later="" if reply.is_finished else EVERYTHING
    )


def answers_html(answers: Mapping[int, str], responses: int = 0) -> str:
    """Put the responses of an answer one below the other; each has a label if there are several."""
    if len(answers) < 2:
        return "".join(f'<div class="poe-turn-response">{_answer_html(html)}</div>' for html in answers.values())
    html = "".join(
        f'<div class="poe-turn-response" role="group" aria-label="Response {number}">'
        f'<p class="poe-turn-label poe-muted">Response {number}</p>{_answer_html(html)}</div>'
        for number, html in enumerate(answers.values(), 1)
    )
    more = responses - MAX_RESPONSES
    return html + (f'<p class="poe-muted">… and {more:,} more responses</p>' if more > 0 else "")


def _answer_html(html: str) -> str:
    return f'<div class="poe-turn-answer" dir="auto">{html}</div>'


def render_turn_text(
    reply: Reply, files: TurnFiles, *, text: str = "", answers: Mapping[int, str] | None = None
) -> str:
    """Write one turn as plain text.

    While it grows, ``text`` stands for the answer, since the last word of the reply's own may be half a secret.
    """
    said = excerpt(reply.message.content, _MESSAGE_CHARS, lines=True)
    user = "\n".join(["You", said, *files_text(files.of_message)])
    return f"{user}\n\n{answer_text(reply, files, text=text, answers=answers)}"


def answer_text(
    reply: Reply, files: TurnFiles | None = None, *, text: str = "", answers: Mapping[int, str] | None = None
) -> str:
    """Write what the bot answered, without the message that it answers; ``text`` as for ``render_turn_text``."""
    files = files or files_of(reply)
    answer = excerpt(_answer_text(reply) if reply.is_finished else text, ANSWER_CHARS, lines=True)
    parts = [
        "\n".join([heading_text(reply), *calls_text(reply), answer]).rstrip(),
        after_text(reply, files, answers=answers),
    ]
    return "\n\n".join(filter(None, parts))


def without_message(html: str) -> str:
    """Take the message out of a rendered turn: where several bots answer the same one."""
    before, _, rest = html.partition('<div class="poe-turn-user"')
    _, mark, bot = rest.partition(_BOT)
    return before + mark + bot


def _answer_text(reply: Reply) -> str:
    if len(reply.responses) < 2:
        return reply.text
    texts = [reply.responses[index].text for index in sorted(reply.responses)]
    return "\n\n".join(f"Response {number}\n{text}" for number, text in enumerate(texts, 1))


def heading_text(reply: Reply) -> str:
    """Name the bot, who answered for it and which generation it was."""
    return " · ".join([excerpt(reply.bot, _NAME_CHARS), *(words for words, _ in _badges(reply))])


def _user_html(reply: Reply, files: TurnFiles, shelf: Shelf) -> str:
    said = escape(excerpt(reply.message.content, _MESSAGE_CHARS, lines=True))
    return (
        '<div class="poe-turn-user" role="group" aria-label="You">'
        '<p class="poe-turn-who" role="heading" aria-level="4"><strong>You</strong></p>'
        f'<pre class="poe-turn-said poe-plain" dir="auto">{said}</pre>{files_html(files.of_message, shelf)}</div>'
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
