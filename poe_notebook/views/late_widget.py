"""A widget whose pages, whenever they open, begin with what is there by then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

__all__ = ["LateWidget", "view_of"]

_VIEW = "application/vnd.jupyter.widget-view+json"


class LateWidget(anywidget.AnyWidget):  # type: ignore[misc]
    """``start`` is made anew by ``snapshot`` for each page that opens."""

    start = traitlets.Dict().tag(sync=True)

    def __init__(self, *, snapshot: Callable[[], dict[str, Any]], **traits: Any) -> None:
        self._snapshot = snapshot
        self.times_given = 0
        super().__init__(**traits)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Give the state for a front end, as it stands now."""
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if "start" in state:
            state["start"] = self._snapshot()
            self.times_given += 1
        return state


def view_of(widget: anywidget.AnyWidget) -> dict[str, Any]:
    """Give the part of an output that shows a widget."""
    return {_VIEW: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}}
