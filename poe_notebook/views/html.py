"""The small pieces every view is built from: escaping, the frame with its style, the mimebundle.

Nothing a bot, a request or a person wrote may reach a page except through ``escape`` or ``markdown.render``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from html import escape as _escape
from importlib.resources import files
from typing import Any

from poe_notebook.views.marks import without_piles

__all__ = ["EVERYTHING", "Bundle", "bundle", "cleaned", "escape", "framed", "printable", "style", "unframed"]

Bundle = dict[str, str]
"""A mimebundle: MIME type to its text."""

EVERYTHING = "*"
"""Stands for all classes of the style sheet."""

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r"\bpoe-[a-z-]+")
_CLASS = re.compile(r"\.(poe-[a-z-]+)")
_COMMA = re.compile(r",(?![^()]*\))")
_RULE = re.compile(r"([^{}]+)\{((?:[^{}]|\{[^{}]*\})*)\}")


def escape(text: object) -> str:
    """Escape text for HTML content and attribute values."""
    return without_piles(_escape(printable(str(text)), quote=True))


def cleaned(shown: Mapping[str, Any], redact: Callable[[str], str] | None) -> dict[str, Any]:
    """Give a mimebundle with ``redact`` applied to its texts: what is put together may hold a key that no part did."""
    if redact is None:
        return dict(shown)
    return {kind: redact(text) if isinstance(text, str) else text for kind, text in shown.items()}


def printable(text: str) -> str:
    """Join surrogate pairs that came apart and replace lone ones, which no message or notebook file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def style(used: str) -> str:
    """Give the rules of the style sheet for the classes named in ``used``: each saved output carries its own.

    Light and dark come from the front end's CSS variables and the colour of its text.
    """
    return _sheet(frozenset(_NAME.findall(used)) | {"poe-notebook"})


def framed(html: str, *, label: str, later: str = "") -> str:
    """Put a view's HTML into the package's frame: one labelled group, with the style sheet beside it.

    ``later`` names the classes that a live view may still add, or is ``EVERYTHING``. Front ends may not look for
    formulas in the frame: "$5 to $10" is none, and MathJax would make links of its own.
    """
    classes = "poe-notebook tex2jax_ignore mathjax_ignore"
    rules = _whole_sheet() if later == EVERYTHING else style(f"{html} {later}")
    return f'<div class="{classes}" role="group" aria-label="{escape(label)}"><style>{rules}</style>{html}</div>'


def unframed(html: str) -> str:
    """Give what ``framed`` was given: to put several views into one frame, with one style sheet."""
    return html.partition("</style>")[2].removesuffix("</div>")


def bundle(html: str, text: str) -> Bundle:
    """Pair a view's HTML with its plain-text twin, for terminals, diffs and readers without HTML."""
    return {"text/html": printable(html), "text/plain": printable(text)}


@cache
def _sheet(names: frozenset[str]) -> str:
    return "\n".join(rule for needs, rule in _rules() if any(need <= names for need in needs))


@cache
def _whole_sheet() -> str:
    return "\n".join(rule for _, rule in _rules())


@cache
def _rules() -> tuple[tuple[tuple[frozenset[str], ...], str], ...]:
    """Cut the sheet into rules, each with the classes of its selectors: one selector has to find all of its own."""
    sheet = _COMMENT.sub("", files("poe_notebook.views").joinpath("static/style.css").read_text("utf-8"))
    found = _RULE.findall(_flat(sheet))
    return tuple((_needs(selectors, body), f"{selectors} {{{body}}}") for selectors, body in found)


def _needs(selectors: str, body: str) -> tuple[frozenset[str], ...]:
    if selectors.startswith("@"):
        inner = [need for rule in _RULE.findall(body) for need in _needs(*rule)]
        return (frozenset(_NAME.findall(selectors)),) if selectors.startswith("@keyframes") else tuple(inner)
    return tuple(frozenset(_CLASS.findall(selector)) for selector in _COMMA.split(selectors))


def _flat(sheet: str) -> str:
    return re.sub(r"\s*([{};])\s*", r"\1", re.sub(r"\s+", " ", sheet))
