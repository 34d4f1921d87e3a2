"""One exchange, laid out so that somebody who did not write the bot can see what happened.

What checks found comes first, then time, events, calls, request, attachments, the wire, and the request to be copied.
Pure: values in, HTML or plain text out; an exchange that is still open is shown as far as it has come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from poe_notebook.checks.finding import Finding
from poe_notebook.checks.rules import findings_of
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.views.attachments import attachment_sections
from poe_notebook.views.blocks import Drawing, Folded, Listing, Prose, Section
from poe_notebook.views.blocks_html import prose_html, section_html
from poe_notebook.views.blocks_text import section_text
from poe_notebook.views.calls import OUTCOMES, calls_sections
from poe_notebook.views.events_table import events_section
from poe_notebook.views.exchange_list import LATER
from poe_notebook.views.findings import findings_sections
from poe_notebook.views.html import Bundle, bundle, escape, framed
from poe_notebook.views.previews import Previews
from poe_notebook.views.request import request_section
from poe_notebook.views.ribbon import ribbon_of
from poe_notebook.views.ribbon_svg import ribbon_svg
from poe_notebook.views.ribbon_text import ribbon_text
from poe_notebook.views.timeline import Timeline
from poe_notebook.views.wire import wire_sections
from poe_notebook.views.wording import count, excerpt, in_trace, is_longer, seconds, visible

__all__ = ["Inspected", "exchange_bundle"]

_ROUTES = {"kernel": "this kernel", "poe": "Poe", "simulator": "simulator, a stand-in for Poe"}
_NOTE_CHARS = 1_000
_NAME_CHARS = 100
_COPY_CHARS, _SHORT_CHARS = 30_000, 800


@dataclass(frozen=True, slots=True)
class Inspected:
    """What is shown of an exchange beside itself.

    ``calls`` are the exchanges that its handler began, ``findings`` what checks say (made if they are not given),
    ``previews`` the bytes of attached files that are at hand. ``redact`` takes keys out of texts that are put together
    here. ``mark`` names the output to the page's script, if there is one.
    """

    exchange: Exchange
    calls: Sequence[Exchange] = ()
    findings: Sequence[Finding] | None = None
    previews: Previews = field(default_factory=dict)
    redact: Callable[[str], str] = str
    mark: str = ""


def exchange_bundle(inspected: Inspected) -> Bundle:
    """Give an exchange as a mimebundle: HTML that needs no script, and the same in plain text."""
    sections = list(_sections(inspected))
    return bundle(_html(inspected, sections), _text(inspected.exchange, sections))


def _html(inspected: Inspected, sections: Sequence[Section]) -> str:
    exchange = inspected.exchange
    outcome, tone = OUTCOMES.get(exchange.outcome, (exchange.outcome, ""))
    facts = " · ".join(escape(visible(fact)) for fact in _headline(exchange))
    head = (
        f'<p class="poe-inspect-head"><span class="poe-muted">Exchange {exchange.number:,}</span> '
        f"<strong>{escape(excerpt(exchange.bot, _NAME_CHARS))}</strong> "
        f'<span class="poe-badge poe-{tone}">{escape(visible(outcome))}</span> '
        f'<span class="poe-muted">{facts}</span></p>'
    )
    note = f'<p class="poe-inspect-note">{prose_html(excerpt(exchange.note, _NOTE_CHARS))}</p>' if exchange.note else ""
    body = "".join(map(section_html, sections))
    mark = f' data-poe-inspect="{escape(inspected.mark)}"' if inspected.mark else ""
    return framed(
        f'<div class="poe-inspect"{mark}>{head}{note}{body}</div>',
        label=f"Exchange {exchange.number} with {excerpt(exchange.bot, _NAME_CHARS)}",
        later=LATER,
    )


def _text(exchange: Exchange, sections: Sequence[Section]) -> str:
    outcome, _ = OUTCOMES.get(exchange.outcome, (exchange.outcome, ""))
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
    if exchange.parent is not None:
        yield f"asked by exchange {exchange.parent:,}"
    if exchange.first_text_s is not None:
        yield f"first text {seconds(exchange.first_text_s)}"
    if exchange.duration_s is not None:
        yield f"{seconds(exchange.duration_s)} in all"
    yield count(len(exchange.events), "event")
    started_at = exchange.started_at
    yield f"{started_at.astimezone() if started_at.tzinfo else started_at:%H:%M:%S}"


def _sections(inspected: Inspected) -> Iterator[Section]:
    exchange, calls = inspected.exchange, inspected.calls
    found = inspected.findings
    yield from findings_sections(exchange, findings_of(exchange, calls=calls) if found is None else found)
    yield from _time_sections(exchange, calls)
    yield events_section(exchange, Timeline(exchange, calls))
    yield from calls_sections(exchange, calls, redact=inspected.redact)
    yield request_section(exchange)
    yield from attachment_sections(exchange, inspected.previews)
    yield from wire_sections(exchange)
    yield _copies(exchange)


def _time_sections(exchange: Exchange, calls: Sequence[Exchange]) -> Iterator[Section]:
    ribbon = ribbon_of(exchange, calls)
    if ribbon.lanes or ribbon.marks or ribbon.calls:
        plain = ribbon_text(ribbon)
        yield Section("Time", [Drawing(ribbon_svg(ribbon, plain=plain), plain), Prose(ribbon.sentence, "muted")])


def _copies(exchange: Exchange) -> Section:
    """Offer the request to be copied; one that is too long to be shown is named."""
    forms = {"curl": exchange.as_curl, "Python": exchange.as_python, "JSON": exchange.as_json}
    is_long = is_longer(exchange.request, _COPY_CHARS)
    blocks = []
    for name, make in forms.items():
        code = f"print({in_trace(exchange.number)}.{make.__name__}())"
        text = "" if is_long else make()
        shown = Prose(f"It is too long to be shown: `{code}`", "muted") if is_long else Listing(text)
        plain = code if is_long or len(text) > _SHORT_CHARS or name != "curl" else ""
        blocks.append(Folded(f"as {name}", [shown], plain=plain))
    return Section("Copy the request", blocks)
