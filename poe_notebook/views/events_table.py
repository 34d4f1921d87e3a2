"""The events of one exchange as a table: when each came, the silence before it, its type, its data, its bytes.

Among them stand, at their times, what the handler printed and logged, what it blocked and raised, and whom it asked.
Bounded: rows, data and bytes are cut; a front end that is connected to the kernel asks for further pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress

from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.reading import data_of
from poe_notebook.views.blocks import Block, Cell, Column, Folded, Prose, Section, Table, Tone
from poe_notebook.views.timeline import Entry, Page, Timeline
from poe_notebook.views.wording import count, excerpt, in_trace, milliseconds, wire_excerpt

__all__ = ["MAX_ROWS", "PAGE_ROWS", "TITLE", "events_section", "events_table"]

TITLE = "Events"
PAGE_ROWS = 200
MAX_ROWS = 1_000
"""So many rows stand in a saved notebook; those behind the first page without their bytes."""
_DATA_CHARS = 160
_ASIDE_CHARS = 400
_RAW_BYTES = 600
_READ_BYTES = 64_000  # data longer than this is shown, not parsed

_TONES: dict[str, Tone] = {
    "error": "bad",
    "done": "good",
    "raised": "bad",
    "blocked": "warn",
    "stdout": "muted",
    "stderr": "warn",
    "log": "muted",
    "warnings": "warn",
    "call": "info",
    "poe": "warn",
    "fault": "warn",
    "thread": "warn",
    "task": "warn",
    "callback": "warn",
    "cost": "info",
}


def events_section(exchange: Exchange, timeline: Timeline) -> Section:
    """Build the table of an exchange's events."""
    first = timeline.page(0, PAGE_ROWS)
    total = timeline.event_count
    blocks: list[Block] = [] if total else [Prose(_nothing(exchange), "muted")]
    if first.entries:
        blocks.append(events_table(timeline, first))
        blocks += _further_pages(timeline, first.total, exchange.number)
    return Section(TITLE, blocks, aside=f"{total:,}" if total else "")


def events_table(timeline: Timeline, page: Page, *, with_raw: bool = True) -> Table:
    """Build the table of one page."""
    times = ("server ms", "client ms") if timeline.is_double else ("ms",)
    numbers = [Column(title, "number") for title in ("#", *times, "gap ms")]
    columns = [*numbers, Column("type", "label"), Column("data", "code")]
    title = TITLE if with_raw else f"{TITLE} from row {page.first + 1:,} on"
    rows: list[Sequence[str | Cell]] = [list(_row(timeline, entry, with_raw=with_raw)) for entry in page.entries]
    return Table(title, columns, rows)


def _further_pages(timeline: Timeline, total: int, number: int) -> Iterator[Block]:
    shown = min(total, MAX_ROWS)
    for first in range(PAGE_ROWS, shown, PAGE_ROWS):
        page = timeline.page(first, min(PAGE_ROWS, MAX_ROWS - first))
        last = first + len(page.entries)
        plain = f"{in_trace(number)}.events"
        yield Folded(f"Rows {first + 1:,} to {last:,}", [events_table(timeline, page, with_raw=False)], plain=plain)
    if total > shown:
        code = f"{in_trace(number)}.events[{shown}:]"
        yield Prose(f"… and {total - shown:,} more: `{code}`", "muted")


def _nothing(exchange: Exchange) -> str:
    if exchange.outcome == "open":
        return "No event has come yet."
    return "No event came." if exchange.kind in ("query", "") else f"A {exchange.kind} request has no events."


def _row(timeline: Timeline, entry: Entry, *, with_raw: bool) -> Iterator[str | Cell]:
    is_elsewhere = timeline.is_of_other_end(entry)
    yield f"{entry.number:,}" if entry.number is not None else ""
    yield "-" if is_elsewhere else milliseconds(entry.at_s)
    if timeline.is_double:
        yield milliseconds(entry.other_s) if entry.other_s is not None else "-" if entry.number is not None else ""
    yield milliseconds(entry.gap_s) if entry.gap_s is not None else ""
    yield Cell(excerpt(entry.kind, 60), tone=_TONES.get(entry.kind, ""))
    if entry.number is None:
        yield Cell(excerpt(entry.text, _ASIDE_CHARS, lines=True) or " ", tone=_TONES.get(entry.kind, ""))
    else:
        yield Cell(_shown_data(entry.raw), raw=wire_excerpt(entry.raw, _RAW_BYTES) if with_raw else "")


def _shown_data(raw: bytes) -> str:
    if len(raw) > _READ_BYTES:
        return f"{excerpt(data_of(raw[:_DATA_CHARS]), _DATA_CHARS)}… ({count(len(raw), 'byte')} in all)"
    data = data_of(raw)
    with suppress(ValueError, RecursionError):
        data = json.dumps(json.loads(data), ensure_ascii=False)
    return excerpt(data, _DATA_CHARS) or "(no data)"
