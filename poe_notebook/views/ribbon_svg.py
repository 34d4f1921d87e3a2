"""The ribbon as a static SVG: no script, no outside font or file, one drawing for light and dark pages.

The colours are middle tones with a contrast of at least 3:1 against white and against JupyterLab's dark ground
(WCAG 2.2, 1.4.11), and kinds differ by height as well as by colour. Words take the page's own colour.

A page that strips SVG (an untrusted notebook) strips the style sheet too: the drawing carries ``hidden``, which only
the style sheet undoes, and beside it stands the same axis in characters, which only the style sheet hides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from poe_notebook.views.html import escape
from poe_notebook.views.ribbon import Ribbon, Tick
from poe_notebook.views.wording import seconds

__all__ = ["COLOURS", "axis_times", "ribbon_svg"]

COLOURS = {
    "text": "#3b82c4",
    "replace_response": "#8b62d6",
    "suggested_reply": "#159a8c",
    "file": "#b87916",
    "data": "#7c8794",
    "json": "#6f8f3a",
    "meta": "#7c8794",
    "ping": "#8a8a8a",
    "error": "#d9453d",
    "done": "#3c9645",
    "other": "#c2569b",
    "log": "#8a8a8a",
    "raised": "#d9453d",
    "blocked": "#b87916",
    "chunk": "#7c8794",
}
_TALL = frozenset({"error", "done", "replace_response", "file", "raised", "blocked"})
# Heights in pixels: words above, a lane, the pieces of the body, the handler's marks, a call, the scale below.
_HEAD, _LANE, _CHUNKS, _MARKS, _CALL, _FOOT = 18, 26, 12, 14, 18, 20
_SLICE_SEAM = 0.0015  # of the axis: what a tick of many events is wider, so that a steady stream shows no stripes
_GAP_LABEL = 0.09  # of the axis: a silence narrower than this has no room for words, only for its tooltip


def ribbon_svg(ribbon: Ribbon, *, plain: str) -> str:
    """Draw a ribbon, with ``plain`` (the same axis in characters) for pages that show no SVG."""
    rows = [(lane.name, lane.ticks, _LANE) for lane in ribbon.lanes]
    rows += [("chunks", ribbon.chunks, _CHUNKS)] if ribbon.chunks else []
    rows += [("handler", ribbon.marks, _MARKS)] if ribbon.marks else []
    rows += [(f"↳ {lane.name}", lane.ticks, _CALL) for lane in ribbon.calls]
    bottom = _HEAD + sum(height for _, _, height in rows)
    parts = [*_gaps(ribbon, bottom), *_scale(ribbon.end_s, bottom)]
    top = _HEAD
    for name, ticks, height in rows:
        parts += [_name(name, top, height), *_ticks(ticks, top, height, end_s=ribbon.end_s)]
        top += height
    parts += [*_limit(ribbon, bottom), *_first_text(ribbon, bottom)]
    return (
        f'<div class="poe-ribbon{" poe-ribbon-named" if ribbon.calls else ""}" hidden="hidden">'
        f'<svg class="poe-ribbon-axis" role="img" aria-label="{escape(ribbon.sentence)}" height="{bottom + _FOOT}">'
        f"{''.join(parts)}</svg>{_legend(ribbon)}</div>"
        f'<pre class="poe-ribbon-plain">{escape(plain)}</pre>'
    )


def axis_times(end_s: float) -> list[float]:
    """Choose round times for the scale: four to nine of them, in steps of 1, 2 or 5."""
    rough = end_s / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough * 0.999)
    return [step * at for at in range(int(end_s / step * 1.000001) + 1)]


def _gaps(ribbon: Ribbon, bottom: int) -> Iterator[str]:
    for gap in ribbon.gaps:
        left, width = _share(gap.from_s, ribbon.end_s), _share(gap.length_s, ribbon.end_s)
        words = f"silent {seconds(gap.length_s)}"
        yield (
            f'<rect class="poe-ribbon-gap" x="{left:.2%}" y="{_HEAD}" width="{width:.2%}" height="{bottom - _HEAD}">'
            f"<title>{words}, from {seconds(gap.from_s)} on</title></rect>"
        )
        if width >= _GAP_LABEL:
            middle = (_HEAD + bottom) // 2 + 4
            yield _words(words, left + width / 2, middle, anchor="middle")


def _scale(end_s: float, bottom: int) -> Iterator[str]:
    yield f'<line class="poe-ribbon-line" x1="0" x2="100%" y1="{bottom}" y2="{bottom}"/>'
    for at_s in axis_times(end_s):
        x = _share(at_s, end_s)
        anchor = "start" if x < 0.02 else "end" if x > 0.98 else "middle"
        yield f'<line class="poe-ribbon-line" x1="{x:.2%}" x2="{x:.2%}" y1="{bottom}" y2="{bottom + 4}"/>'
        yield _words(seconds(at_s), x, bottom + 16, anchor=anchor)


def _words(words: str, x: float, y: int, *, anchor: str) -> str:
    return f'<text class="poe-ribbon-quiet" x="{x:.2%}" y="{y}" text-anchor="{anchor}">{words}</text>'


def _name(name: str, top: int, height: int) -> str:
    return f'<text class="poe-ribbon-quiet" x="-8" y="{top + height // 2 + 4}" text-anchor="end">{escape(name)}</text>'


def _ticks(ticks: Sequence[Tick], top: int, height: int, *, end_s: float) -> Iterator[str]:
    for kind, alike in groupby(sorted(ticks, key=lambda tick: tick.kind), key=lambda tick: tick.kind):
        inset = 1 if kind in _TALL else height // 5 + 1
        size = f'y="{top + inset}" height="{height - 2 * inset}"'
        yield f'<g fill="{COLOURS[kind]}">'
        for tick in alike:
            place = f'x="{_share(tick.from_s, end_s):.2%}" width="{_width(tick, end_s)}"'
            yield f"<rect {place} {size}><title>{_tick_words(tick)}</title></rect>"
        yield "</g>"


def _tick_words(tick: Tick) -> str:
    if tick.kind == "blocked":
        return f"blocked for {seconds(tick.to_s - tick.from_s)}, from {seconds(tick.from_s)} on"
    if tick.count == 1:
        return f"{tick.number} · {tick.kind} · {seconds(tick.from_s)}"
    times = f"{seconds(tick.from_s)} to {seconds(tick.to_s)}"
    return f"{tick.count:,} {tick.kind} events from {tick.number:,} on · {times}"


def _width(tick: Tick, end_s: float) -> str:
    is_point = tick.count == 1 and tick.kind != "blocked"
    return "2" if is_point else f"{_share(tick.to_s - tick.from_s, end_s) + _SLICE_SEAM:.2%}"


def _limit(ribbon: Ribbon, bottom: int) -> Iterator[str]:
    if ribbon.limit_s is not None:
        x = _share(ribbon.limit_s, ribbon.end_s)
        words = f"Poe may give up on a first response at {seconds(ribbon.limit_s)}"
        yield (
            f'<line class="poe-ribbon-limit" x1="{x:.2%}" x2="{x:.2%}" y1="{_HEAD - 4}" y2="{bottom}">'
            f"<title>{words}</title></line>"
        )
        yield _words(f"{seconds(ribbon.limit_s)} limit", x, 12, anchor="end" if x > 0.5 else "start")


def _first_text(ribbon: Ribbon, bottom: int) -> Iterator[str]:
    if ribbon.first_text_s is None:
        return
    x = _share(ribbon.first_text_s, ribbon.end_s)
    anchor, shift = ("end", -4) if x > 0.7 else ("start", 4)
    yield f'<line class="poe-ribbon-first" x1="{x:.2%}" x2="{x:.2%}" y1="3" y2="{bottom}"/>'
    words = f"first text {seconds(ribbon.first_text_s)}"
    yield f'<text x="{x:.2%}" dx="{shift}" y="12" text-anchor="{anchor}">{words}</text>'


def _legend(ribbon: Ribbon) -> str:
    counts = dict(ribbon.counts)
    for tick in (*ribbon.marks, *ribbon.chunks):
        counts[tick.kind] = counts.get(tick.kind, 0) + tick.count
    items = "".join(
        f'<span><svg width="8" height="10" aria-hidden="true"><rect width="8" height="10" rx="2" '
        f'fill="{COLOURS[kind]}"/></svg> {kind} <span class="poe-muted">{number:,}</span></span>'
        for kind, number in counts.items()
    )
    return f'<div class="poe-ribbon-legend">{items}</div>'


def _share(at_s: float, end_s: float) -> float:
    return min(max(at_s / end_s, 0.0), 1.0)
