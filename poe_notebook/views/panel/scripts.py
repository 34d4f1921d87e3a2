"""The scripts and the style sheet of widgets that show several turns: one module each, joined from files with borders.

anywidget wants one string and there is no build step. The live view of a turn (``static/turn.js``) is taken as it is,
closed into a scope of its own; what it exports is then called as anywidget would call it, once for each turn.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["COMPARE", "PANEL", "script", "style_sheet"]

_EXPORT = "export default "

PANEL = ("dom", "turns", "attaching", "controls", "mentions", "composer", "chat", "view", "main")
COMPARE = ("dom", "turns", "compare")


@cache
def script(*names: str) -> str:
    """Join files of ``static/panel`` to one module, behind the live view of a turn (``liveTurn``, ``say``)."""
    turn = _read("page.js") + _read("turn.js").replace(_EXPORT, "const liveTurn = ", 1)
    given = "{ liveTurn, unpack, say: (words) => page().say(words) }"
    parts = [f"const {{ liveTurn, say, unpack }} = (() => {{\n{turn}\nreturn {given};\n}})();"]
    parts += [f"// ---- {name}.js ----\n{_read(f'panel/{name}.js')}" for name in names]
    return "\n".join(parts)


@cache
def style_sheet(name: str) -> str:
    """Give the style sheet of all views, and that of a widget."""
    return _read("style.css") + _read(f"panel/{name}.css")


def _read(name: str) -> str:
    return files("poe_notebook.views").joinpath("static", *name.split("/")).read_text("utf-8")
