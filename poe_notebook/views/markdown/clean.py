"""The last gate before a page: only these elements and attributes pass, with such values as our own renderers write.

The parser makes no HTML of what a bot wrote, so there is nothing to take away; this is here for the day when the parser
or a rule of ours is wrong. Frames are the one thing that could do harm: one passes only with contents made by
``frames``, and is sandboxed here whatever it said.
"""

from __future__ import annotations

import re

import nh3

from poe_notebook.views.markdown.code import CLASSES
from poe_notebook.views.markdown.frames import is_our_frame
from poe_notebook.views.markdown.mathml import ATTRIBUTES as MATH_ATTRIBUTES
from poe_notebook.views.markdown.mathml import ELEMENTS as MATH_ELEMENTS
from poe_notebook.views.markdown.mathml import is_harmless

__all__ = ["LINK", "MEDIA", "clean"]

LINK = re.compile(r"(?:https?://|mailto:)[^\s/]", re.IGNORECASE)
MEDIA = "poe-media:"
"""The scheme that stands for a file of the answer, until the page or the saved form has its bytes."""

_TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "span", "sup", "img"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "div", "details", "summary"),
    "iframe",
}
_OURS = [
    "poe-code",
    "poe-fold",
    "poe-frame",
    "poe-frame-asking",
    "poe-image",
    "poe-image-link",
    "poe-math",
    "poe-math-block",
    "poe-math-plain",
    "poe-math-set",
    "poe-math-source",
    "poe-math-tag",
    "poe-muted",
    "poe-note",
    "poe-notes",
    "poe-page",
    "poe-task",
    "poe-wide",
    "highlight",
]
_CLASS = rf"(?:{'|'.join(_OURS)}|{'|'.join(sorted(CLASSES))}|language-[\w+#.-]{{1,32}})"
_ANCHOR = r"poe-(?:fn|ref)-[0-9a-z]{0,16}-\d{1,3}(?:-\d)?"
_VALUES = {
    "align": re.compile(r"(?:left|right|center)\Z"),
    "alt": re.compile(""),
    "aria-label": re.compile(r"(?:Footnotes?|Table|Back to the mention of footnote)(?: \d{1,3})?\Z"),
    "dir": re.compile(r"(?:ltr|rtl)\Z"),
    "class": re.compile(rf"{_CLASS}(?: {_CLASS})*\Z", re.ASCII),
    "height": re.compile(r"\d{1,5}\Z", re.ASCII),
    "hidden": re.compile(r"hidden\Z"),
    "href": re.compile(rf"{LINK.pattern}|#{_ANCHOR}\Z", re.IGNORECASE),
    "id": re.compile(rf"{_ANCHOR}\Z"),
    "loading": re.compile(r"lazy\Z"),
    "rel": re.compile(r"noopener noreferrer\Z"),
    "role": re.compile(r"(?:doc-endnotes|region)\Z"),
    "sandbox": re.compile(r"allow-scripts\Z"),
    "src": re.compile(rf"{MEDIA}\d{{1,4}}\Z", re.ASCII),
    "start": re.compile(r"\d{1,9}\Z", re.ASCII),
    "tabindex": re.compile(r"0\Z"),
    "target": re.compile(r"_blank\Z"),
    "title": re.compile(""),
    "width": re.compile(r"\d{1,5}\Z", re.ASCII),
}
_ATTRIBUTES = {
    "a": {"href", "title", "target", "class", "id", "aria-label"},
    "code": {"class"},
    "details": {"class"},
    "blockquote": {"dir"},
    "div": {"class", "dir", "role", "aria-label", "tabindex"},
    "iframe": {"class", "height", "loading", "srcdoc", "title"},
    "img": {"src", "alt", "width", "height", "class"},
    **{element: {"dir"} for element in ("h1", "h2", "h3", "h4", "h5", "h6", "ul")},
    "li": {"class", "id"},
    "ol": {"dir", "start"},
    "p": {"class", "dir"},
    "pre": {"tabindex"},
    "span": {"class", "hidden"},
    "sup": {"class"},
    "td": {"align"},
    "th": {"align"},
    **{element: set(MATH_ATTRIBUTES) for element in MATH_ELEMENTS},
}


def clean(html: str) -> str:
    """Clean the HTML of a block."""
    return nh3.clean(
        html,
        tags=_TAGS | MATH_ELEMENTS,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        set_tag_attribute_values={"iframe": {"sandbox": "allow-scripts"}},
        url_schemes={"http", "https", "mailto", MEDIA.rstrip(":")},
        link_rel="noopener noreferrer",
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag in MATH_ELEMENTS:
        return value if is_harmless(name, value) else None
    if name == "srcdoc":
        return value if is_our_frame(value) else None
    rule = _VALUES.get(name)
    return value if rule is not None and rule.match(value) else None
