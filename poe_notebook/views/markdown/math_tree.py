"""What latex2mathml leaves wrong in its tree of MathML, and what Chromium does not draw of it, put right.

Chromium knows MathML Core: no lines of tables, no ``menclose``. What the style sheet can draw is said on rows and
cells.
"""

from __future__ import annotations

from html import unescape
from typing import Any
from xml.etree.ElementTree import Element

from poe_notebook.views.markdown.tex import COLUMN_GAP, COLUMN_LINE, ROW_LINE

__all__ = ["PARTS", "mend"]

PARTS = {**dict.fromkeys(("mfrac", "msup", "msub", "mroot", "mover", "munder"), 2), "msubsup": 3, "munderover": 3}
_WITH_LIMITS = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
_LIMIT_WORDS = {"lim", "max", "min", "sup", "inf"}
_BIG = set("∏∐∑⋀⋁⋂⋃⨀⨁⨂⨄⨆")
_PRIMES = set("′″‴⁗")
_MARKS = {ROW_LINE, COLUMN_LINE, COLUMN_GAP}


def mend(tree: Any, *, may_move_limits: bool = True) -> None:
    """Change a tree so that it shows what was meant."""
    for element in list(tree.iter()):
        if element.tag in _WITH_LIMITS:
            _group_base(element)
            if may_move_limits:
                _set_limits(element)
        elif element.tag in ("mover", "munder", "munderover"):
            _space_arrow(element)
        elif element.tag == "mtable":
            _draw_lines(element)
    if any(_text(element) in _MARKS for element in tree.iter() if element.text):
        raise ValueError("a line of a table that stands elsewhere")


def _group_base(element: Any) -> None:
    """Take a matrix and its brackets for one base: the converter makes three of them."""
    extra = len(element) - PARTS[element.tag]
    base = list(element)[: extra + 1]
    if extra < 1 or base[0].tag != "mo" or base[-1].tag != "mo":
        return
    row = Element("mrow")
    row.extend(base)
    for part in base:
        element.remove(part)
    element.insert(0, row)


def _set_limits(element: Any) -> None:
    """Let what stands at ``lim`` stand below it where there is room: the browser knows whether there is."""
    base = element[0] if len(element) else None
    if base is None or base.tag != "mo" or _text(element[-1])[:1] in _PRIMES:
        return
    if _text(base) in _LIMIT_WORDS or base.get("movablelimits") == "true":
        base.set("movablelimits", "true")
        element.tag = _WITH_LIMITS[element.tag]
    elif _text(base) in _BIG:
        element.tag = _WITH_LIMITS[element.tag]


def _space_arrow(element: Any) -> None:
    """Make an arrow as long as its words: the converter counts on lengths that only Firefox keeps."""
    if len(element) < 2 or element[0].tag != "mstyle" or any(part.tag != "mpadded" for part in element[1:]):
        return
    (arrow,) = element[0]
    arrow.set("stretchy", "true")
    element[0] = arrow
    for part in element[1:]:
        part.tag = "mrow"
        part.attrib.clear()
        part[-1].attrib.clear()
        part[-1].set("width", ".6em")
        part.insert(0, Element("mspace", {"width": ".6em"}))


def _draw_lines(table: Any) -> None:
    table.attrib.pop("rowlines", None)
    table.attrib.pop("columnlines", None)
    edges = ""
    for row in list(table):
        marks = _taken_marks(row)
        edges = edges or marks.replace(ROW_LINE, "")
        has_line = ROW_LINE in marks
        if has_line and row is table[-1] and len(table) > 1 and len(row) == 1 and not len(row[0]):
            table.remove(row)
            _add(table[-1], "rowlines", "below")
            continue
        if has_line:
            _add(row, "rowlines", "above")
        _draw_column_lines(row, edges)


def _draw_column_lines(row: Any, edges: str) -> None:
    for i, cell in enumerate(row):
        if i == 0 and edges[:1] == COLUMN_LINE:
            _add(cell, "columnlines", "before")
        if edges[i + 1 : i + 2] == COLUMN_LINE:
            _add(cell, "columnlines", "after")


def _taken_marks(row: Any) -> str:
    marks = ""
    while len(row) and len(row[0]) and row[0][0].text in _MARKS:
        marks += row[0][0].text
        row[0].remove(row[0][0])
    return marks


def _add(element: Any, name: str, word: str) -> None:
    element.set(name, f"{element.get(name, '')} {word}".strip())


def _text(element: Any) -> str:
    return unescape(element.text or "")
