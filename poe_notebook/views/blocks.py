"""What a view says, before it is HTML or plain text: sections of sentences, facts, tables and listings, as values.

Each view builds these once; ``blocks_html`` and ``blocks_text`` write them out, so the two twins cannot differ in what
they tell. All texts in here are raw: escaping is the writers' work. Sentences (``Prose``) may mark code with backticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Block", "Cell", "Column", "Drawing", "Facts", "Folded", "Listing", "Prose", "Section", "Table", "Tone"]

Tone = Literal["", "muted", "good", "warn", "bad", "info"]


@dataclass(frozen=True, slots=True)
class Prose:
    """A sentence or two; words between backticks are code."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines kept as they are: source, a traceback, JSON, a command to type."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels with their values; empty values are left out. A value is taken as it is, unless it is ``Prose``."""

    pairs: Sequence[tuple[str, str | Prose]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: a ``label`` stays on one line, a ``number`` aligns right, ``code`` has the code font."""

    title: str
    kind: Literal["words", "label", "number", "code"] = "words"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with a tone, or with something to unfold (``raw``), which the text twin leaves out."""

    text: str
    raw: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under headings; ``title`` names it for those who hear the page."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str | Cell | Prose]]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture: finished HTML for those who see it, and lines of text that show the same.

    ``html`` is written as it is: whoever makes a drawing escapes what goes into it.
    """

    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Folded:
    """Something long, closed at first; the text twin prints ``plain`` in its place if that is given."""

    title: str
    blocks: Sequence[Block]
    plain: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a view under its heading; ``aside`` is a few quiet words beside it."""

    title: str
    blocks: Sequence[Block]
    aside: str = ""
    tone: Tone = ""


Block = Prose | Listing | Facts | Table | Drawing | Folded
