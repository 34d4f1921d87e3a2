"""What the handler said beside its answer, and what each end of the wire saw: status, headers, chunks, all bounded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from poe_notebook.tracing.exchange import Exchange, Recorded, Tap
from poe_notebook.views.blocks import Block, Cell, Column, Facts, Folded, Prose, Section, Table, Tone
from poe_notebook.views.request import header_facts
from poe_notebook.views.wording import excerpt, in_trace, milliseconds, seconds, size

__all__ = ["log_sections", "wire_sections"]

_MAX_LINES = 200
_LINE_CHARS = 2_000
_MAX_CHUNKS = 100
_TONES: dict[str, Tone] = {"stderr": "warn"}


def log_sections(exchange: Exchange) -> Iterator[Section]:
    """Build the section about what the handler printed and logged; none if it was silent."""
    lines = list(exchange.logs)
    if not lines:
        return
    events = exchange.events
    columns = [Column("ms", "number"), Column("from", "label"), Column("came after", "label"), Column("line", "code")]
    rows: list[Sequence[str | Cell]] = [
        [
            milliseconds(line.at_s),
            Cell(excerpt(line.source, 20), tone=_TONES.get(line.source, "")),
            _place(bisect_right(events, line.at_s, key=_time)),
            excerpt(line.text.rstrip("\n"), _LINE_CHARS, lines=True),
        ]
        for line in lines[:_MAX_LINES]
    ]
    more = len(lines) - len(rows)
    rest = [Prose(f"… and {more:,} more: `{in_trace(exchange.number)}.logs[{len(rows)}:]`", "muted")] if more else []
    yield Section("Printed and logged", [Table("Printed and logged", columns, rows), *rest], aside=f"{len(lines):,}")


def wire_sections(exchange: Exchange) -> Iterator[Section]:
    """Build the section about the wire; none if nothing was tapped."""
    taps = [(name, tap) for name, tap in (("server", exchange.server), ("client", exchange.client)) if tap is not None]
    if not taps:
        return
    facts = [dict(_facts(tap)) for _, tap in taps]
    rows = [[name, *(fact[name] for fact in facts)] for name in facts[0]]
    columns = [Column(title, "label") for title in ("", *(name for name, _ in taps))]
    blocks: list[Block] = [Table("On the wire", columns, rows)]
    for name, tap in taps:
        blocks += _folded(name, tap, exchange.number)
    yield Section("On the wire", blocks)


def _time(event: Recorded) -> float:
    return event.at_s


def _place(events: int) -> str:
    return f"event {events:,}" if events else "the request"


def _facts(tap: Tap) -> Iterator[tuple[str, str]]:
    sizes = [chunk.size_bytes for chunk in tap.chunks]
    yield "status", str(tap.status) if tap.status is not None else "-"
    yield "events", f"{len(tap.events):,}"
    yield "chunks", f"{len(sizes):,}" if sizes else "-"
    yield "body", size(sum(sizes) or sum(len(event.raw) for event in tap.events))
    yield "largest chunk", size(max(sizes)) if sizes else "-"
    yield "ended after", seconds(tap.ended_s)


def _folded(name: str, tap: Tap, number: int) -> Iterator[Block]:
    headers = header_facts(tap.headers)
    if headers:
        yield Folded(f"Headers at the {name} ({len(headers)})", [Facts(headers)])
    if tap.chunks:
        shown = tap.chunks[:_MAX_CHUNKS]
        rows = [[f"{at:,}", milliseconds(c.at_s), f"{c.size_bytes:,}"] for at, c in enumerate(shown, 1)]
        table = Table(f"Chunks at the {name}", [Column(title, "number") for title in ("#", "ms", "bytes")], rows)
        more = len(tap.chunks) - len(shown)
        code = f"{in_trace(number)}.{name}.chunks"
        rest = [Prose(f"… and {more:,} more: `{code}[{len(shown)}:]`", "muted")] if more else []
        yield Folded(f"Chunks at the {name} ({len(tap.chunks):,})", [table, *rest], plain=code)
