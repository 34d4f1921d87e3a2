"""A changed text in two columns, line by line: what went is marked on the left, what came on the right.

``<del>`` and ``<ins>`` are read as such by screen readers and seen as such where the style sheet is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from poe_notebook.replaying.words import Change
from poe_notebook.views.html import escape
from poe_notebook.views.wording import count, excerpt, visible

__all__ = ["changed_text_html"]

_PIECE_CHARS = 4_000
_AROUND, _FEW = 2, 3
_MAX_ROWS = 200
"""Lines that changed; of those that did not, two stand around each change and the rest is folded."""

_Line = list[Change]


def changed_text_html(pieces: Sequence[Change], *, titles: tuple[str, str]) -> str:
    """Write the pieces of two texts in two columns."""
    lines = list(_lines(pieces))
    changed = [at for at, line in enumerate(lines) if not all(piece.is_same for piece in line)]
    shown = {near for at in changed for near in range(at - _AROUND, at + _AROUND + 1)}
    rows: list[str] = []
    for is_shown, run in groupby(range(len(lines)), key=lambda at: at in shown):
        places = list(run)
        is_folded = not is_shown and len(places) > _FEW
        rows += [_fold([lines[at] for at in places])] if is_folded else [_row(lines[at]) for at in places]
    more = len(rows) - _MAX_ROWS
    if more > 0:
        rows[_MAX_ROWS:] = [f'<tr><td colspan="2" class="poe-muted">… {more:,} more lines differ</td></tr>']
    heads = "".join(f'<th scope="col">{escape(visible(title))}</th>' for title in titles)
    return (
        '<table class="poe-replay-text" aria-label="The text, before and after">'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _lines(pieces: Sequence[Change]) -> Iterator[_Line]:
    """Cut the pieces at the line ends that both texts have."""
    line: _Line = []
    for piece in pieces:
        if not piece.is_same:
            line.append(piece)
            continue
        *ended, rest = piece.old.split("\n")
        for part in ended:
            yield [*line, Change(part, part)]
            line = []
        line.append(Change(rest, rest))
    if any(piece.old or piece.new for piece in line):
        yield line


def _row(line: _Line) -> str:
    return f"<tr>{_cell(map(_old, line))}{_cell(map(_new, line))}</tr>"


def _cell(parts: Iterable[str]) -> str:
    return f'<td dir="auto" style="text-align:left">{"".join(parts)}</td>'


def _old(piece: Change) -> str:
    return _safe(piece.old) if piece.is_same else f"<del>{_safe(piece.old)}</del>" if piece.old else ""


def _new(piece: Change) -> str:
    return _safe(piece.new) if piece.is_same else f"<ins>{_safe(piece.new)}</ins>" if piece.new else ""


def _fold(lines: Sequence[_Line]) -> str:
    text = "\n".join("".join(piece.old for piece in line) for line in lines)
    summary = f"{count(len(lines), 'line')} {'is' if len(lines) == 1 else 'are'} the same"
    return (
        '<tr><td colspan="2" class="poe-replay-same" style="text-align:left">'
        f"<details><summary>{summary}</summary><pre>{_safe(text)}</pre></details></td></tr>"
    )


def _safe(text: str) -> str:
    return escape(visible(excerpt(text, _PIECE_CHARS, lines=True)))
