"""The ribbon in characters: one row for each kind of event, over one scale."""

from __future__ import annotations

from collections.abc import Sequence

from poe_notebook.views.ribbon import KINDS, Ribbon, Tick
from poe_notebook.views.ribbon_svg import axis_times
from poe_notebook.views.wording import seconds

__all__ = ["ribbon_text"]

_CELLS = 84
_MARKS = ("other", "log", "blocked", "raised")


def ribbon_text(ribbon: Ribbon) -> str:
    """Draw a ribbon in characters: ``|`` is one event, ``#`` several, ``~`` a silence, ``=`` a blocked loop."""
    ticks = [*(tick for lane in ribbon.lanes[:1] for tick in lane.ticks), *ribbon.marks]
    kinds = [kind for kind in (*KINDS, *_MARKS) if any(tick.kind == kind for tick in ticks)]
    rows = [(kind, _row([tick for tick in ticks if tick.kind == kind], ribbon)) for kind in kinds]
    rows += [(f"> {lane.name}", _row(lane.ticks, ribbon)) for lane in ribbon.calls]
    if ribbon.limit_s is not None:
        rows.append(
            ("", _label(f"^ {seconds(ribbon.limit_s)} limit for a first response", _at(ribbon.limit_s, ribbon)))
        )
    if ribbon.first_text_s is not None:
        rows.insert(0, ("", _label("v first text", _at(ribbon.first_text_s, ribbon))))
    wide = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{wide}}  {cells}".rstrip() for name, cells in [*rows, ("", _scale(ribbon.end_s))])


def _row(ticks: Sequence[Tick], ribbon: Ribbon) -> str:
    cells = ["."] * _CELLS
    for gap in ribbon.gaps:
        first, last = _at(gap.from_s, ribbon), _at(gap.to_s, ribbon)
        cells[first : last + 1] = "~" * (last + 1 - first)
    taken: set[int] = set()
    for tick in ticks:
        at, last = _at(tick.from_s, ribbon), _at(tick.to_s, ribbon)
        if tick.kind == "blocked":
            cells[at : last + 1] = "=" * (last + 1 - at)
        else:
            cells[at] = "#" if tick.count > 1 or at in taken else "|"
            taken.add(at)
    return "".join(cells)


def _scale(end_s: float) -> str:
    line = ""
    for at_s in axis_times(end_s):
        at = _cell(at_s, end_s)
        if at > len(line) or not line:
            line = line.ljust(at) + seconds(at_s) + " "
    return line


def _label(words: str, at: int) -> str:
    mark, _, rest = words.partition(" ")
    return f"{f'{rest} {mark}':>{at + 1}}" if at > _CELLS - 20 else f"{'':{at}}{words}"


def _at(at_s: float, ribbon: Ribbon) -> int:
    return _cell(at_s, ribbon.end_s)


def _cell(at_s: float, end_s: float) -> int:
    return min(int(at_s / end_s * _CELLS), _CELLS - 1)
