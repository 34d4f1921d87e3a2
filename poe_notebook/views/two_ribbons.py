"""Two answers on one time axis."""

from __future__ import annotations

from dataclasses import replace

from poe_notebook.tracing.exchange import Exchange
from poe_notebook.views.blocks import Drawing
from poe_notebook.views.ribbon import Lane, ribbon_of
from poe_notebook.views.ribbon_svg import ribbon_svg

__all__ = ["two_ribbons"]


def two_ribbons(before: Exchange, after: Exchange) -> Drawing:
    """Draw the events of two answers under each other; in text, a sentence says what was drawn of each."""
    names = ("before", "now")
    ribbons = [ribbon_of(exchange) for exchange in (before, after)]
    plain = "\n".join(f"{name + ':':<8}{ribbon.sentence}" for name, ribbon in zip(names, ribbons, strict=True))
    kinds = list(dict.fromkeys([*ribbons[0].counts, *ribbons[1].counts]))
    both = replace(
        ribbons[1],
        end_s=max(ribbon.end_s for ribbon in ribbons),
        lanes=[
            Lane(name, ribbon.lanes[0].ticks if ribbon.lanes else ())
            for name, ribbon in zip(names, ribbons, strict=True)
        ],
        counts={kind: sum(ribbon.counts.get(kind, 0) for ribbon in ribbons) for kind in kinds},
        chunks=(),
        marks=(),
        calls=(),
        call_count=0,
        gaps=(),
        gap_count=0,
        first_text_s=None,
        limit_s=None,
    )
    return Drawing(ribbon_svg(both, plain=plain), plain)
