"""The bots that a handler asked, one row for each call; their ribbons stand under the caller's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.reading import answer_text
from poe_notebook.views.blocks import Block, Cell, Column, Prose, Section, Table, Tone
from poe_notebook.views.wording import excerpt, milliseconds, seconds

__all__ = ["OUTCOMES", "calls_sections"]

OUTCOMES: dict[str, tuple[str, Tone]] = {
    "open": ("still answering", "info"),
    "done": ("done", "good"),
    "failed": ("failed", "bad"),
    "stopped": ("stopped", "warn"),
    "refused": ("refused", "bad"),
}
_MAX_CALLS = 50
_TEXT_CHARS = 160
_READ_EVENTS = 2_000


def calls_sections(
    exchange: Exchange, calls: Sequence[Exchange], *, redact: Callable[[str], str] = str
) -> Iterator[Section]:
    """Build the section; none if the handler asked nobody. ``redact`` takes keys out of a whole answer's text."""
    if not calls and not exchange.children:
        return
    numbers = [Column(title, "number") for title in ("began ms", "first text", "took", "events")]
    columns = [Column("exchange", "code"), Column("bot", "label"), Column("outcome", "label"), *numbers]
    rows = [_row(exchange, call, redact) for call in calls[:_MAX_CALLS]]
    blocks: list[Block] = [Table("Calls to other bots", [*columns, Column("answer")], rows)] if rows else []
    more = len(exchange.children) - len(rows)
    if more > 0:
        blocks.append(Prose(f"… and {more:,} more, or no longer kept.", "muted"))
    yield Section("Calls to other bots", blocks, aside=f"{max(len(calls), len(exchange.children)):,}")


def _row(exchange: Exchange, call: Exchange, redact: Callable[[str], str]) -> list[str | Cell | Prose]:
    outcome, tone = OUTCOMES.get(call.outcome, (call.outcome, ""))
    began_s = (call.started_at - exchange.started_at).total_seconds()
    return [
        f"%poe inspect {call.number}",
        excerpt(call.bot, 60),
        Cell(excerpt(outcome, 40), tone=tone),
        milliseconds(began_s),
        seconds(call.first_text_s),
        seconds(call.duration_s),
        f"{len(call.events):,}",
        excerpt(redact(_answer(call)), _TEXT_CHARS) or excerpt(call.note, _TEXT_CHARS) or " ",
    ]


def _answer(call: Exchange) -> str:
    return answer_text((event.type, event.raw) for event in call.events[:_READ_EVENTS])
