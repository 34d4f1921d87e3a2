"""Formulas: TeX in, MathML out, with no script and no network.

latex2mathml translates; what it makes is not trusted. It leaves markup in ``\\text`` as it is and lets ``\\href`` and
``\\style`` through, so its tree is written out here anew: only these elements, only these attributes, only such values.
Long formulas and those with macros, which can double without end, stay TeX.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from latex2mathml import exceptions
from latex2mathml.converter import Converter

from poe_notebook.views.html import escape
from poe_notebook.views.markdown.math_tree import PARTS, mend
from poe_notebook.views.markdown.tex import prepared, without_tag

__all__ = ["ATTRIBUTES", "ELEMENTS", "formula_html", "is_harmless"]

FORMULA_CHARS = 2_000  # measured: 12 µs and up to 20 characters of MathML for each character of TeX
NESTING = 40
ELEMENTS = {
    *("math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "msup", "msub", "msubsup", "mover", "munder"),
    *("munderover", "mfrac", "msqrt", "mroot", "mtable", "mtr", "mtd", "mstyle", "mpadded", "mphantom", "menclose"),
}
_LENGTH = r"(?:\d{1,2}(?:\.\d{1,4})?|\.\d{1,4})(?:em|ex|px|pt)"
_WORDS = r"[a-z][a-z -]{0,39}"
ATTRIBUTES = {
    name: re.compile(rf"(?:{rule})\Z", re.ASCII)
    for name, rule in {
        **dict.fromkeys(("stretchy", "fence", "accent", "movablelimits", "displaystyle", "largeop"), "true|false"),
        **dict.fromkeys(("width", "lspace", "rspace", "minsize", "maxsize"), rf"{_LENGTH}|-0?\.\d{{1,4}}em"),
        **dict.fromkeys(("rowspacing", "columnspacing"), rf"{_LENGTH}(?: {_LENGTH}){{0,40}}"),
        **dict.fromkeys(("mathvariant", "notation", "columnalign", "rowlines", "columnlines"), _WORDS),
        "display": "block|inline",
        "form": "prefix|infix|postfix",
        "linebreak": "newline",
        "linethickness": rf"0|{_LENGTH}",
        "mathcolor": "[a-zA-Z]{3,20}|#[0-9a-fA-F]{3,8}",
        "scriptlevel": r"[+-]?\d",
    }.items()
}
_MACRO = re.compile(r"\\(?:(?:re|provide)?newcommand|[egx]?def|let|DeclareMathOperator)(?![a-zA-Z])")
_FAULTS: tuple[type[Exception], ...] = (
    *(error for error in vars(exceptions).values() if isinstance(error, type) and issubclass(error, Exception)),
    *(ValueError, LookupError, TypeError, AttributeError, StopIteration, RecursionError),
)


def formula_html(tex: str, *, is_display: bool) -> str:
    """Render a formula, with its TeX beside it for whoever has no style sheet; as TeX alone if it cannot be set.

    Readers that take unknown elements away, but leave their text, would make "x2" of a power: the formula is therefore
    hidden, and the style sheet shows it and hides the TeX.
    """
    source = escape(tex.strip())
    ready, tag = without_tag(tex) if is_display else (tex, "")
    set_ = mathml(ready, is_display=is_display)
    kind = " poe-math-block" if is_display else ""
    if set_ is None:
        return f'<code class="poe-math-plain{kind}">{source}</code>'
    beside = f'<span class="poe-math-tag">{escape(tag)}</span>' if tag else ""
    return (
        f'<span class="poe-math{kind}"><span class="poe-math-set" hidden="hidden">{set_}{beside}</span>'
        f'<code class="poe-math-source">{source}</code></span>'
    )


def mathml(tex: str, *, is_display: bool) -> str | None:
    """Give the MathML of a formula, or nothing if it cannot be set."""
    display = "block" if is_display else "inline"
    if len(tex) > FORMULA_CHARS or _MACRO.search(tex) or not _is_balanced(tex):
        return None
    try:
        tree = Converter(display=display).convert_to_element(prepared(tex))
        mend(tree, may_move_limits=r"\nolimits" not in tex)
        return _written(tree, NESTING)
    except _FAULTS:
        return None


def is_harmless(name: str, value: str) -> bool:
    """Say whether an attribute may stand on an element of MathML."""
    rule = ATTRIBUTES.get(name)
    return rule is not None and rule.match(value) is not None


def _is_balanced(tex: str) -> bool:
    braces = re.sub(r"\\.", "", tex, flags=re.DOTALL)
    return braces.count("{") == braces.count("}")


def _written(element: Any, levels: int) -> str:
    if element.tag not in ELEMENTS or not levels or len(element) != PARTS.get(element.tag, len(element)):
        raise ValueError(element.tag)
    kept = ((name, value) for name, value in element.attrib.items() if is_harmless(name, value))
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in kept)
    inner = "".join(_written(child, levels - 1) for child in element)
    return f"<{element.tag}{attributes}>{escape(unescape(element.text or ''))}{inner}</{element.tag}>"
