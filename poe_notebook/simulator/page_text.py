"""The text of a web page, as a bot is given it: what stands on the page, without markup, scripts and styles.

nh3 reads the page, as browsers do and in one pass; Python's own parser takes minutes for 100 kB of ``<a <a <a`` (3.11).
"""

from __future__ import annotations

import html
import re

import nh3

__all__ = ["page_text"]

_UNSEEN = {"script", "style", "template", "noscript", "svg", "math", "iframe", "object", "select", "textarea"}
_SPACED = {"title", "p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "pre", "blockquote", "section"}
_LINES = {"div", "br", "hr", "li", "tr", "dt", "dd", "article", "header", "footer", "main", "nav", "aside", "caption"}
_CELLS = {"td", "th"}
_KEPT = _SPACED | _LINES | _CELLS | {"img"}

_TAG = re.compile(r"<(/?[a-z0-9]+)((?: [^>]*)?)>")  # of cleaned markup, in which < and > stand for nothing else
_ALT = re.compile(r'alt="([^"]*)"')
_BLANKS = re.compile(r"[ \t\n\f\xa0]+")
_GAPS = re.compile(r"[ \r\n]+")
_LINE, _PARAGRAPH = "\r", "\n"
"""What stands for the end of a line and of a paragraph, until the gaps are closed up."""


def page_text(page: str) -> str:
    """Give the text on a page, a line for each block; pictures by their alternative texts."""
    clean = nh3.clean(page, tags=_KEPT, attributes={"img": {"alt"}}, clean_content_tags=_UNSEEN, link_rel=None)
    parts = _TAG.split(clean)  # text, tag, attributes, text, ...
    pieces, is_code = [_text(parts[0])], False
    for tag, attributes, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        is_code = tag == "pre" or (is_code and tag != "/pre")
        pieces += [_instead(tag, attributes), _text(text.replace("\n", _LINE) if is_code else text)]
    return _GAPS.sub(_gap, "".join(pieces)).strip()


def _text(escaped: str) -> str:
    return _BLANKS.sub(" ", html.unescape(escaped))


def _instead(tag: str, attributes: str) -> str:
    """Give what stands in the text for a tag."""
    name = tag.removeprefix("/")
    if name == "img":
        alt = _ALT.search(attributes)
        return f"[{_text(alt[1])}]" if alt and alt[1] else ""
    if name in _CELLS:
        return " "
    return (_PARAGRAPH if name in _SPACED else _LINE) + ("- " if tag == "li" else "")


def _gap(gap: re.Match[str]) -> str:
    if _PARAGRAPH in gap[0]:
        return "\n\n"
    return "\n" if _LINE in gap[0] else " "
