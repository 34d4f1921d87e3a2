"""The panel's widget: one comm to its pages. It decides nothing: what comes is handed on, what goes is handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import traitlets

from poe_notebook.views.panel.scripts import COMPARE, PANEL, script, style_sheet

__all__ = ["VIEW", "CompareWidget", "PanelWidget"]

VIEW = "application/vnd.jupyter.widget-view+json"

Take = Callable[[object, Sequence[Any]], None]


class PanelWidget(anywidget.AnyWidget):  # type: ignore[misc]
    """``start`` is made anew by ``snapshot`` for each page that opens; ``take`` gets what pages send, on any thread."""

    _esm = script(*PANEL)
    _css = style_sheet("panel")
    start = traitlets.Dict().tag(sync=True)

    def __init__(self, *, snapshot: Callable[[], dict[str, Any]], take: Take) -> None:
        self._snapshot, self._take = snapshot, take
        self.times_given = 0
        super().__init__()
        self.on_msg(self._hear)

    @property
    def bundle(self) -> dict[str, Any]:
        """What shows the widget; front ends without widgets show nothing for it, the saved form stands beside it."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {VIEW: view, "text/html": "", "text/plain": ""}

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Give the state for a front end, with the chat as it stands now."""
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if "start" in state:
            state["start"] = self._snapshot()
            self.times_given += 1
        return state

    def _hear(self, widget: object, content: object, buffers: Sequence[Any]) -> None:
        self._take(content, buffers or ())


class CompareWidget(PanelWidget):
    """The same for a comparison: several answers, and nothing to be asked for."""

    _esm = script(*COMPARE)
    _css = style_sheet("compare")
