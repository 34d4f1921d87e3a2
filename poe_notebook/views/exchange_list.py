"""All kept exchanges in one table, the latest first; those that a handler began are marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from poe_notebook.tracing.exchange import Exchange
from poe_notebook.views.blocks import Block, Cell, Column, Prose, Table
from poe_notebook.views.blocks_html import blocks_html
from poe_notebook.views.blocks_text import blocks_text
from poe_notebook.views.calls import OUTCOMES
from poe_notebook.views.html import Bundle, bundle, escape, framed
from poe_notebook.views.request import messages_of
from poe_notebook.views.wording import excerpt, seconds

__all__ = ["LATER", "LIST_ROWS", "exchanges_bundle", "exchanges_table"]

LATER = "poe-inspect-tools poe-inspect-copy poe-inspect-copied poe-inspect-kinds poe-inspect-pages"
"""The classes that the page's script adds."""

LIST_ROWS = 200
_QUESTION_CHARS = 80
_COLUMNS = (
    Column("#", "number"),
    Column("at", "label"),
    Column("bot", "label"),
    Column("outcome", "label"),
    Column("request", "label"),
    Column("answered by", "label"),
    *(Column(title, "number") for title in ("first text", "took", "events")),
    Column("asked", "words"),
)


def exchanges_bundle(exchanges: Sequence[Exchange], *, dropped: int = 0, mark: str = "") -> Bundle:
    """Show the exchanges; ``dropped`` are those that the trace has let go, ``mark`` is for the page's script."""
    table, _, total, _ = exchanges_table(exchanges)
    blocks: list[Block] = [table] if exchanges else [Prose("Nothing has been asked yet: `%poe chat BOT hello`")]
    if total > LIST_ROWS:
        blocks.append(Prose(f"… and {total - LIST_ROWS:,} earlier: `fp.trace`, or `%poe inspect NUMBER`", "muted"))
    if dropped:
        blocks.append(Prose(f"{dropped:,} older ones are no longer kept: the trace holds 64 MB.", "muted"))
    data = f' data-poe-inspect="{escape(mark)}"' if mark else ""
    html = f'<div class="poe-inspect"{data}>{blocks_html(blocks)}</div>'
    return bundle(framed(html, label="Exchanges", later=LATER), blocks_text(blocks))


def exchanges_table(
    exchanges: Sequence[Exchange], *, first: int = 0, kinds: frozenset[str] = frozenset(), words: str = ""
) -> tuple[Table, int, int, dict[str, int]]:
    """Give a page of the table, its first row, how many rows there are, and how many exchanges of each outcome."""
    outcomes = Counter(_outcome(exchange)[0] for exchange in exchanges)
    needle = words.casefold()
    fitting = [e for e in reversed(exchanges) if (not kinds or _outcome(e)[0] in kinds) and needle in _words(e)]
    first = min(max(first, 0), max(len(fitting) - 1, 0))
    rows = [_row(exchange) for exchange in fitting[first : first + LIST_ROWS]]
    return Table("Exchanges", _COLUMNS, rows), first, len(fitting), dict(outcomes)


def _row(exchange: Exchange) -> list[str | Cell]:
    outcome, tone = _outcome(exchange)
    at = exchange.started_at.astimezone() if exchange.started_at.tzinfo else exchange.started_at
    by = " ".join(filter(None, (exchange.route, f"generation {exchange.generation}" if exchange.generation else "")))
    return [
        f"{exchange.number:,}",
        f"{at:%H:%M:%S}",
        ("↳ " if exchange.parent is not None else "") + excerpt(exchange.bot, 60),
        Cell(excerpt(outcome, 40), tone=tone),
        excerpt(exchange.kind, 40),
        excerpt(by, 60),
        seconds(exchange.first_text_s),
        seconds(exchange.duration_s),
        f"{len(exchange.events):,}",
        excerpt(_question(exchange), _QUESTION_CHARS),
    ]


def _outcome(exchange: Exchange) -> tuple[str, Any]:
    return OUTCOMES.get(exchange.outcome, (exchange.outcome, ""))


def _question(exchange: Exchange) -> str:
    messages = messages_of(exchange)
    return str(messages[-1].get("content") or "") if messages else ""


def _words(exchange: Exchange) -> str:
    parts = (exchange.number, exchange.bot, exchange.kind, exchange.outcome, exchange.note, _question(exchange))
    return " ".join(map(str, parts)).casefold()
