"""What each end of the wire saw: status, headers, chunks, all bounded."""

from __future__ import annotations

from collections.abc import Iterator

from poe_notebook.tracing.exchange import Exchange, Tap
from poe_notebook.views.blocks import Block, Column, Facts, Folded, Prose, Section, Table
from poe_notebook.views.request import header_facts
from poe_notebook.views.wording import in_trace, milliseconds, seconds, size

__all__ = ["wire_sections"]

_MAX_CHUNKS = 100


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


def _facts(tap: Tap) -> Iterator[tuple[str, str]]:
    sizes = [chunk.size_bytes for chunk in tap.chunks]
    yield "status", str(tap.status) if tap.status is not None else "-"
    yield "events", f"{len(tap.events):,}"
    yield "chunks", f"{len(sizes):,}" if sizes else "-"
    yield "body", size(sum(sizes) or tap.events.size_bytes)
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
