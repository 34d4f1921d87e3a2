"""What makes shown exchanges searchable: a model in the page without a view of its own, and the rows it asks for.

The page's script finds the outputs by the mark that they carry. No output names the widget, so that what is saved in
the notebook is the static view, whole and readable without any of this.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import anywidget
import traitlets

from poe_notebook.views.blocks_html import block_html
from poe_notebook.views.page_widget import script

__all__ = ["Asked", "InspectorPage", "RowsOf"]

_MAX_WORDS = 500
Asked = Mapping[str, Any]
"""What the page asks for: ``first`` row, ``kinds`` and ``words``, made sure of."""
RowsOf = Callable[[int, Asked], tuple[Any, int, int, Mapping[str, int]] | None]
"""Gives the table, its first row, how many rows there are in all, and how many of each kind; none if it is gone."""


class InspectorPage(anywidget.AnyWidget):  # type: ignore[misc]
    """One for each kernel."""

    _esm = f"(() => {{\n{script('page.js')}\npage();\n}})();\n{script('inspector.js')}"
    token = traitlets.Unicode().tag(sync=True)

    def __init__(self, rows_of: RowsOf) -> None:
        self._rows_of = rows_of
        super().__init__(token=secrets.token_hex(6))
        self.on_msg(self._answer)

    def mark(self, number: int) -> str:
        """Give the mark of an output that shows the exchange of that number; 0 is the list of all."""
        return f"{self.token}:{number}"

    def _answer(self, widget: object, content: Any, buffers: object) -> None:
        mark = content.get("mark") if isinstance(content, dict) else None
        if not isinstance(mark, str) or not mark.startswith(f"{self.token}:"):
            return
        number = mark.rpartition(":")[2]
        found = self._rows_of(int(number), _asked(content)) if number.isdecimal() else None
        if found is not None:
            table, first, total, counts = found
            answer = {"html": block_html(table), "first": first, "total": total, "counts": dict(counts)}
            self.send({"kind": "rows", "mark": mark, "seq": content.get("seq"), **answer})


def _asked(content: Mapping[str, Any]) -> Asked:
    first, words, kinds = content.get("first"), content.get("words"), content.get("kinds")
    return {
        "first": first if isinstance(first, int) else 0,
        "words": words[:_MAX_WORDS] if isinstance(words, str) else "",
        "kinds": frozenset(kind for kind in kinds if isinstance(kind, str)) if isinstance(kinds, list) else frozenset(),
    }
