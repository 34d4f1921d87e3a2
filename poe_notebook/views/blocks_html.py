"""Blocks and sections as HTML: every text in them goes through ``escape`` here, and nowhere else.

Sections are ``<details>`` with headings, which screen readers and keyboards can walk and which need no script and no
style sheet: an untrusted notebook, where both are removed, still reads well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from poe_notebook.views.blocks import Block, Cell, Column, Drawing, Facts, Folded, Listing, Prose, Section, Table, Tone
from poe_notebook.views.html import escape
from poe_notebook.views.wording import visible

__all__ = ["block_html", "blocks_html", "prose_html", "section_html"]

# tocSkip: JupyterLab lists the headings of outputs in the notebook's table of contents, unless they carry this class.
# The inline styles keep headings beside their markers, and long values readable, where the style sheet is removed.
_HEADING = '<h4 class="poe-block-heading jp-toc-ignore tocSkip" style="display:inline">{}</h4>'
_LEFT = ' style="text-align:left"'
_LONG_WORD = re.compile(
    r"(?:&#?\w+;|[^\s<>&]){25,}"
)  # in HTML; anywhere else a word is broken only where it fills a line
_LONG = 20  # rows: a longer table gets its own scroll bar


def section_html(section: Section) -> str:
    """Render a section: open, with a heading, and to be folded by whoever has read it."""
    aside = f' <span class="poe-muted">{_safe(section.aside)}</span>' if section.aside else ""
    head = _HEADING.format(_safe(section.title)) + aside
    return (
        f'<details open class="{_classes("poe-block-section", section.tone)}">'
        f"<summary>{head}</summary>{blocks_html(section.blocks)}</details>"
    )


def blocks_html(blocks: Sequence[Block]) -> str:
    """Render blocks one after the other."""
    return "".join(map(block_html, blocks))


def block_html(block: Block) -> str:
    """Render one block."""
    match block:
        case Prose(text, tone):
            return f'<p class="{_classes("poe-block-prose", tone)}">{prose_html(text)}</p>'
        case Listing(text):
            return f'<pre class="poe-block-listing">{_safe(text)}</pre>'
        case Facts(pairs):
            return _facts(pairs)
        case Table():
            return _table(block)
        case Folded(title, blocks):
            return f'<details class="poe-block-fold"><summary>{_safe(title)}</summary>{blocks_html(blocks)}</details>'
        case Drawing(html):
            return html


def prose_html(text: str) -> str:
    """Escape a sentence and set what stands between backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return _safe(text)
    return "".join(f"<code>{_safe(part)}</code>" if at % 2 else _safe(part) for at, part in enumerate(parts))


def _facts(pairs: Sequence[tuple[str, str | Prose]]) -> str:
    shown = [(_safe(name), _value(value)) for name, value in pairs]
    rows = "".join(f'<tr><th scope="row">{name}</th><td{_LEFT}>{value}</td></tr>' for name, value in shown if value)
    return f'<table class="poe-block-facts"><tbody>{rows}</tbody></table>' if rows else ""


def _value(value: str | Prose) -> str:
    return _safe(value) if isinstance(value, str) else prose_html(value.text)


def _table(table: Table) -> str:
    heads = "".join(f'<th scope="col" class="poe-block-{c.kind}">{_safe(c.title)}</th>' for c in table.columns)
    rows = "".join(f"<tr>{_cells(row, table.columns)}</tr>" for row in table.rows)
    size = " poe-block-long" if len(table.rows) > _LONG else ""
    return (
        f'<table class="poe-block-table{size}" aria-label="{_safe(table.title)}">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _cells(row: Sequence[str | Cell | Prose], columns: Sequence[Column]) -> str:
    return "".join(_cell(cell, column) for cell, column in zip(row, columns, strict=True))


def _cell(cell: str | Cell | Prose, column: Column) -> str:
    side = _LEFT if column.kind == "code" else ""
    if not isinstance(cell, Cell):
        return f'<td class="poe-block-{column.kind}"{side}>{_breakable(_value(cell), column)}</td>'
    shown = _breakable(_safe(cell.text), column)
    if cell.raw:
        shown = f"<details><summary>{shown}</summary><pre>{_safe(cell.raw)}</pre></details>"
    return f'<td class="{_classes(f"poe-block-{column.kind}", cell.tone)}"{side}>{shown}</td>'


def _breakable(html: str, column: Column) -> str:
    """Let a long word be broken, so that it pushes no column out of the table."""
    if column.kind != "words":
        return html
    return _LONG_WORD.sub(r'<span class="poe-block-break">\g<0></span>', html)


def _classes(name: str, tone: Tone) -> str:
    return f"{name} poe-{tone}" if tone else name


def _safe(text: str) -> str:
    return escape(visible(text))
