"""Two answers to one request, side by side: what they say, how they are made, and when what came. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from poe_notebook.replaying.shape import Shape, shape_of
from poe_notebook.replaying.words import Change, changed_words, changes, marked
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.views.blocks import Block, Cell, Column, Drawing, Folded, Listing, Prose, Section, Table, Tone
from poe_notebook.views.blocks_html import section_html
from poe_notebook.views.blocks_text import section_text
from poe_notebook.views.calls import OUTCOMES
from poe_notebook.views.changed_text import changed_text_html
from poe_notebook.views.html import Bundle, bundle, escape, framed
from poe_notebook.views.two_ribbons import two_ribbons
from poe_notebook.views.wording import count, excerpt, in_trace, seconds, visible

__all__ = ["replay_bundle"]

_NAME_CHARS = 100
_TEXT_CHARS = 20_000
_SAID_CHARS = 300
_MAX_RUNS = 12
_LEGEND = "([-what went-] {+what came+})"
_SLOWER, _SLOWER_S = 2.0, 0.05
"""Times count as changed when one is so many times the other and so much longer: no two runs take the same time."""

Row = list[str | Cell | Prose]


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two answers, with its keys taken out."""

    exchange: Exchange
    shape: Shape
    text: str

    @property
    def title(self) -> str:
        exchange = self.exchange
        made = f" · generation {exchange.generation:,}" if exchange.generation is not None else ""
        return f"exchange {exchange.number:,}{made}"


def replay_bundle(before: Exchange, after: Exchange, *, redact: Callable[[str], str] = str) -> Bundle:
    """Show what has changed from one answer to another; ``redact`` takes keys out of whole texts."""
    old, new = (_Side(e, shape_of(e), redact(e.text)) for e in (before, after))
    pieces = changes(old.text, new.text)
    sections = [_shape_section(old, new), _text_section(old, new, pieces), _time_section(old, new)]
    said = list(_summary(old, new, pieces))
    bot = excerpt(after.bot, _NAME_CHARS)
    head = f"{bot} again: exchange {before.number:,}, then {after.number:,}"
    html = (
        f'<div class="poe-replay"><p class="poe-inspect-head"><strong>{escape(visible(bot))}</strong> '
        f'<span class="poe-muted">{escape(visible(head.removeprefix(bot).strip()))}</span></p>'
        f"{''.join(_said_html(words, tone) for words, tone in said)}"
        f"{''.join(map(section_html, sections))}</div>"
    )
    text = "\n\n".join(["\n".join([visible(head), *(words for words, _ in said)]), *map(section_text, sections)])
    return bundle(framed(html, label=f"Two answers of {bot}"), text + "\n")


def _said_html(words: str, tone: Tone) -> str:
    return f'<p class="poe-inspect-note{f" poe-{tone}" if tone else ""}">{escape(visible(words))}</p>'


def _summary(old: _Side, new: _Side, pieces: list[Change]) -> Iterator[tuple[str, Tone]]:
    yield _outcomes(old.exchange, new.exchange)
    if old.text == new.text:
        yield "The text is the same.", ""
    else:
        went, came = changed_words(pieces)
        yield f"The text has changed: {count(went, 'word')} went, {count(came, 'word')} came.", ""
    if old.shape.counts != new.shape.counts:
        yield "The events are not the same ones.", ""


def _outcomes(before: Exchange, after: Exchange) -> tuple[str, Tone]:
    (was, _), (now, tone) = (OUTCOMES.get(e.outcome, (e.outcome, "")) for e in (before, after))
    why = f": {excerpt(after.raised.type, 60)}" if after.raised is not None else ""
    if before.outcome == after.outcome:
        return f"Both are {was}{why}.", "" if after.outcome == "done" else tone
    return f"Before: {was}. Now: {now}{why}.", tone


def _shape_section(old: _Side, new: _Side) -> Section:
    columns = [Column("", "label"), Column(old.title), Column(new.title), Column("", "label")]
    rows = [row for row in _rows(old, new) if row[1] or row[2]]
    return Section("What came", [Table("What came", columns, rows)])


def _rows(old: _Side, new: _Side) -> Iterator[Row]:
    yield _row("outcome", _outcome(old.exchange), _outcome(new.exchange))
    yield _row("raised", _raised(old.exchange), _raised(new.exchange))
    yield _row("events", f"{old.shape.events:,}", f"{new.shape.events:,}")
    yield _row("in order", _order(old.shape), _order(new.shape))
    yield _time_row("first text", old.shape.first_text_s, new.shape.first_text_s)
    yield _time_row("longest gap", old.shape.longest_gap_s, new.shape.longest_gap_s)
    yield _time_row("took", old.shape.duration_s, new.shape.duration_s)
    yield _row("text", count(len(old.text), "character"), count(len(new.text), "character"))
    for title, type_, key in (("files", "file", "name"), ("suggestions", "suggested_reply", "text")):
        yield _row(title, _values(old, type_, key), _values(new, type_, key))
    yield _row("Poe shows", _values(old, "error", "text"), _values(new, "error", "text"))


def _row(title: str, before: str, after: str) -> Row:
    if before == after:
        return [title, before, after, ""]
    return [title, before or "-", after or "-", Cell("changed", tone="info")]


def _time_row(title: str, before_s: float | None, after_s: float | None) -> Row:
    shown: Row = [title, seconds(before_s), seconds(after_s)]
    if before_s is None or after_s is None:
        return [*shown, Cell("changed", tone="info") if before_s is not after_s else ""]
    less, more = sorted((before_s, after_s))
    if more - less < _SLOWER_S or more < _SLOWER * less:
        return [*shown, ""]
    return [*shown, Cell("slower", tone="warn") if after_s > before_s else Cell("sooner", tone="good")]


def _outcome(exchange: Exchange) -> str:
    return OUTCOMES.get(exchange.outcome, (excerpt(exchange.outcome, 40), ""))[0]


def _raised(exchange: Exchange) -> str:
    raised = exchange.raised
    if raised is None:
        return ""
    where = f"\n{excerpt(str(raised.at), 100)}" if raised.at is not None else ""
    return f"{excerpt(raised.type, 60)}: {excerpt(raised.message, 200)}{where}"


def _order(shape: Shape) -> str:
    runs = [f"{excerpt(type_, 40)} × {length:,}" if length > 1 else excerpt(type_, 40) for type_, length in shape.order]
    more = [f"… {len(runs) - _MAX_RUNS:,} more"] if len(runs) > _MAX_RUNS else []
    return ", ".join([*runs[:_MAX_RUNS], *more])


def _values(side: _Side, type_: str, key: str) -> str:
    """Give one value of each event of a type."""
    if type_ not in side.shape.counts:
        return ""
    events = side.exchange.events
    places = [at for at, found in enumerate(events.types) if found == type_][:_MAX_RUNS]
    found = (events[at].data for at in places)
    values = (str(data.get(key) or "") for data in found if isinstance(data, dict))
    return "\n".join(excerpt(value, _SAID_CHARS) for value in values if value)


def _text_section(old: _Side, new: _Side, pieces: list[Change]) -> Section:
    blocks: list[Block]
    if old.text == new.text:
        shown = Listing(excerpt(new.text, _TEXT_CHARS, lines=True))
        blocks = [Folded("It is the same", [shown])] if new.text else [Prose("Neither has any.", "muted")]
    else:
        drawn = changed_text_html(pieces, titles=(old.title, new.title))
        words = visible(excerpt(marked(pieces), _TEXT_CHARS, lines=True))
        blocks = [Drawing(drawn, f"{_LEGEND}\n{words}")]
        if max(len(old.text), len(new.text)) > _TEXT_CHARS:
            whole = f"`{in_trace(old.exchange.number)}.text`, `{in_trace(new.exchange.number)}.text`"
            blocks.append(Prose(f"Words are compared up to {_TEXT_CHARS:,} characters. Whole: {whole}", "muted"))
    return Section("Text", blocks)


def _time_section(old: _Side, new: _Side) -> Section:
    return Section("Time", [two_ribbons(old.exchange, new.exchange)])
