"""The panel's widget: one comm to its pages. It decides nothing: what comes is handed on, what goes is handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from poe_notebook.views.late_widget import LateWidget, view_of
from poe_notebook.views.panel.scripts import COMPARE, PANEL, script, style_sheet

__all__ = ["CompareWidget", "PanelWidget"]

Take = Callable[[object, Sequence[Any]], None]


class PanelWidget(LateWidget):
    """``start`` is made anew by ``snapshot`` for each page that opens; ``take`` gets what pages send, on any thread."""

    _esm = script(*PANEL)
    _css = style_sheet("panel")

    def __init__(self, *, snapshot: Callable[[], dict[str, Any]], take: Take) -> None:
        self._take = take
        super().__init__(snapshot=snapshot)
        self.on_msg(self._hear)

    @property
    def bundle(self) -> dict[str, Any]:
        """What shows the widget; front ends without widgets show nothing for it, the saved form stands beside it."""
        return {**view_of(self), "text/html": "", "text/plain": ""}

    def _hear(self, widget: object, content: object, buffers: Sequence[Any]) -> None:
        self._take(content, buffers or ())


class CompareWidget(PanelWidget):
    """The same for a comparison: several answers, and nothing to be asked for."""

    _esm = script(*COMPARE)
    _css = style_sheet("compare")
