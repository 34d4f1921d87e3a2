"""One exchange, laid out so that somebody who did not write the bot can see what happened.

What went wrong comes first, then time, events, request, attachments, what the handler said, and the wire. Pure: an
``Exchange`` in, HTML or plain text out; an exchange that is still open is shown as far as it has come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from poe_notebook.tracing.exchange import Exchange
from poe_notebook.views.attachments import attachment_sections
from poe_notebook.views.blocks import Drawing, Prose, Section, Tone
from poe_notebook.views.blocks_html import prose_html, section_html
from poe_notebook.views.blocks_text import section_text
from poe_notebook.views.events_table import events_section
from poe_notebook.views.failure import failure_sections
from poe_notebook.views.html import Bundle, bundle, escape, framed
from poe_notebook.views.request import request_section
from poe_notebook.views.ribbon import ribbon_of
from poe_notebook.views.ribbon_svg import ribbon_svg
from poe_notebook.views.ribbon_text import ribbon_text
from poe_notebook.views.wire import log_sections, wire_sections
from poe_notebook.views.wording import count, excerpt, seconds, visible

__all__ = ["exchange_bundle", "render_exchange_html", "render_exchange_text"]

_ROUTES = {"kernel": "this kernel", "poe": "Poe", "simulator": "simulator, a stand-in for Poe"}
_OUTCOMES: dict[str, tuple[str, Tone]] = {
    "open": ("still answering", "info"),
    "done": ("done", "good"),
    "failed": ("failed", "bad"),
    "stopped": ("stopped", "warn"),
    "refused": ("refused", "bad"),
}
_NOTE_CHARS = 1_000
_NAME_CHARS = 100


def exchange_bundle(exchange: Exchange) -> Bundle:
    """Give an exchange as a mimebundle: HTML, and the same in plain text."""
    sections = list(_sections(exchange))
    return bundle(_html(exchange, sections), _text(exchange, sections))


def render_exchange_html(exchange: Exchange) -> str:
    """Render an exchange as HTML that needs no script, in a live, saved, exported or untrusted notebook."""
    return _html(exchange, list(_sections(exchange)))


def render_exchange_text(exchange: Exchange) -> str:
    """Render an exchange as plain text, in aligned columns."""
    return _text(exchange, list(_sections(exchange)))


def _html(exchange: Exchange, sections: Sequence[Section]) -> str:
    outcome, tone = _OUTCOMES.get(exchange.outcome, (exchange.outcome, ""))
    facts = " · ".join(escape(visible(fact)) for fact in _headline(exchange))
    head = (
        f'<p class="poe-inspect-head"><span class="poe-muted">Exchange {exchange.number:,}</span> '
        f"<strong>{escape(excerpt(exchange.bot, _NAME_CHARS))}</strong> "
        f'<span class="poe-badge poe-{tone}">{escape(visible(outcome))}</span> '
        f'<span class="poe-muted">{facts}</span></p>'
    )
    note = f'<p class="poe-inspect-note">{prose_html(excerpt(exchange.note, _NOTE_CHARS))}</p>' if exchange.note else ""
    body = "".join(map(section_html, sections))
    return framed(
        f"{head}{note}{body}",
        label=f"Exchange {exchange.number} with {excerpt(exchange.bot, _NAME_CHARS)}",
    )


def _text(exchange: Exchange, sections: Sequence[Section]) -> str:
    outcome, _ = _OUTCOMES.get(exchange.outcome, (exchange.outcome, ""))
    head = [f"Exchange {exchange.number:,}", excerpt(exchange.bot, _NAME_CHARS), outcome, *_headline(exchange)]
    note = [excerpt(exchange.note, _NOTE_CHARS)] if exchange.note else []
    return "\n\n".join(["\n".join([visible(" · ".join(head)), *note]), *map(section_text, sections)]) + "\n"


def _headline(exchange: Exchange) -> Iterator[str]:
    if exchange.kind not in ("", "query"):
        yield f"{excerpt(exchange.kind, 60)} request"
    if exchange.generation is not None:
        yield f"generation {exchange.generation:,}"
    if exchange.route:
        yield _ROUTES.get(exchange.route, excerpt(exchange.route, 60))
    if exchange.first_text_s is not None:
        yield f"first text {seconds(exchange.first_text_s)}"
    if exchange.duration_s is not None:
        yield f"{seconds(exchange.duration_s)} in all"
    yield count(len(exchange.events), "event")
    started_at = exchange.started_at
    yield f"{started_at.astimezone() if started_at.tzinfo else started_at:%H:%M:%S}"


def _sections(exchange: Exchange) -> Iterator[Section]:
    yield from failure_sections(exchange)
    ribbon = ribbon_of(exchange)
    if ribbon.lanes or ribbon.marks:
        plain = ribbon_text(ribbon)
        drawing = Drawing(ribbon_svg(ribbon, plain=plain), plain)
        yield Section("Time", [drawing, Prose(ribbon.sentence, "muted")])
    yield events_section(exchange)
    yield request_section(exchange)
    yield from attachment_sections(exchange)
    yield from log_sections(exchange)
    yield from wire_sections(exchange)
