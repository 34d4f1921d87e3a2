"""The script of ``static/page.js``, brought to the page by a widget that is never shown.

Each widget model runs its script where it is made, and is made anew by a page that is loaded again: so what a saved
output can do for its reader does not depend on whether an answer was seen to stream.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import anywidget

__all__ = ["PageWidget", "enliven", "script"]

_NEEDS = ("poe-code", "poe-image")


def script(*names: str) -> str:
    """Give scripts of the package as one module."""
    folder = files("poe_notebook.views").joinpath("static")
    return "\n".join(folder.joinpath(name).read_text("utf-8") for name in names)


class PageWidget(anywidget.AnyWidget):  # type: ignore[misc]
    """The widget: a script and nothing to show."""

    _esm = script("page.js") + "\nexport default { initialize() { page(); } };\n"


def enliven(html: str) -> None:
    """Bring the script to the page, once in a kernel's life, when there is an output that has a use for it."""
    if any(name in html for name in _NEEDS):
        _widget()


@cache
def _widget() -> PageWidget:
    return PageWidget()
