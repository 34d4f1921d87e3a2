"""The points of the simulator's user: what there is, what is reserved, and what each answer has cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from poe_notebook.views.blocks import Block, Column, Facts, Prose, Table
from poe_notebook.views.blocks_html import blocks_html
from poe_notebook.views.blocks_text import blocks_text
from poe_notebook.views.html import Bundle, bundle, framed
from poe_notebook.views.wording import excerpt

__all__ = ["Line", "points_bundle"]

_SHOWN = 50
_WORDS = {
    "grant": "given",
    "authorize": "reserved",
    "capture": "charged",
    "release": "given back",
    "refuse": "refused",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger: what happened, with how many points, and the balance after it."""

    kind: str
    points: int
    balance: int
    note: str = ""


def points_bundle(balance: int, *, reserved: int, lines: Sequence[Line]) -> Bundle:
    """Show a balance and the newest lines that led to it."""
    blocks: list[Block] = [Facts([("points", f"{balance:,}"), ("reserved", f"{reserved:,}" if reserved else "")])]
    if lines:
        columns = [Column("what", "label"), Column("points", "number"), Column("balance", "number"), Column("for")]
        rows = [
            [_WORDS.get(line.kind, line.kind), f"{line.points:,}", f"{line.balance:,}", excerpt(line.note, 200)]
            for line in lines[-_SHOWN:]
        ]
        blocks.append(Table("Ledger", columns, rows))
    else:
        blocks.append(Prose("No answer has cost anything yet; a bot charges with `authorize_cost` and `capture_cost`."))
    return bundle(framed(blocks_html(blocks), label="Points"), blocks_text(blocks))
