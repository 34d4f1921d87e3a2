"""Blocks and sections as plain text: for terminals, diffs, and readers without HTML. Aligned columns, no box art.

Lines stay within 120 columns where words allow; only listings, which are kept as they are, may be wider.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from poe_notebook.views.blocks import Block, Cell, Column, Drawing, Facts, Folded, Listing, Prose, Section, Table
from poe_notebook.views.wording import visible

__all__ = ["WIDTH", "blocks_text", "section_text"]

WIDTH = 120
_NARROW = 44  # every column but the last is wrapped here,
_LEAST = 24  # so that the last one keeps some room
_FACTS = (Column("fact"), Column("value"))


def section_text(section: Section) -> str:
    """Write a section: its heading, then its blocks, set in by two spaces."""
    aside = f"  ({section.aside})" if section.aside else ""
    return f"{visible(section.title + aside)}\n{textwrap.indent(blocks_text(section.blocks, width=WIDTH - 2), '  ')}"


def blocks_text(blocks: Sequence[Block], *, width: int = WIDTH) -> str:
    """Write blocks one under the other."""
    return "\n".join(line for block in blocks for line in _lines(block, width))


def _lines(block: Block, width: int) -> Iterator[str]:
    match block:
        case Prose(text):
            yield from _wrap(text, width)
        case Listing(text):
            yield from ("  " + line for line in visible(text).split("\n"))
        case Facts(pairs):
            yield from _rows([[name, _value(value)] for name, value in pairs if _value(value)], _FACTS, width)
        case Table():
            yield from _table(block, width)
        case Folded(title, _, plain) if plain:
            yield from _wrap(f"{title}: {plain}", width)
        case Folded(title, blocks):
            yield f"{visible(title)}:"
            yield from ("  " + line for inner in blocks for line in _lines(inner, width - 2))
        case Drawing(_, text):
            yield from text.split("\n")


def _table(table: Table, width: int) -> Iterator[str]:
    rows = [[_value(cell) for cell in row] for row in table.rows]
    yield from _rows([[column.title for column in table.columns], *rows], table.columns, width)


def _value(value: str | Prose | Cell) -> str:
    return value if isinstance(value, str) else value.text


def _rows(rows: Sequence[Sequence[str]], columns: Sequence[Column], width: int) -> Iterator[str]:
    heads = [[_wrap(cell, _NARROW) for cell in row[:-1]] for row in rows]
    widths = [max(len(line) for cell in column for line in cell) for column in zip(*heads, strict=True)]
    room = max(width - sum(widths) - 2 * len(widths), _LEAST)
    for row, head in zip(rows, heads, strict=True):
        for lines in zip_longest(*head, _wrap(row[-1], room), fillvalue=""):
            cells = [
                line.rjust(wide) if column.kind == "number" else line.ljust(wide)
                for line, column, wide in zip(lines, columns, [*widths, 0], strict=True)
            ]
            yield "  ".join(cells).rstrip()


def _wrap(text: str, width: int) -> list[str]:
    wrapped = textwrap.TextWrapper(width, break_on_hyphens=False).wrap
    lines = visible(text).expandtabs(4).split("\n")
    return [part for line in lines for part in (wrapped(line) if len(line) > width else [line])]
