"""The last gate before a page: only these elements and attributes pass, only web and mail addresses.

markdown-it-py without raw HTML makes nothing else; this is here for the day it does, or one of our own rules.
"""

from __future__ import annotations

import re

import nh3

__all__ = ["LINK", "clean"]

LINK = re.compile(r"(?:https?://|mailto:)[^\s/]", re.IGNORECASE)
_TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "div"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "div": {"class"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align"},
}
_VALUES = {
    "href": LINK,
    "title": re.compile(""),
    "class": re.compile(r"(?:language-[\w+#.-]{1,32}|poe-wide)\Z", re.ASCII),
    "start": re.compile(r"\d{1,9}\Z", re.ASCII),
    "align": re.compile(r"(?:left|right|center)\Z"),
}


def clean(html: str) -> str:
    """Clean the HTML of a block."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    rule = _VALUES.get(name)
    return value if rule is None or rule.match(value) else None
