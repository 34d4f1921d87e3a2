"""Links and images in parsed Markdown: which may stay, and what becomes of the others.

Images of other servers tell those who opens the page, so they become links that say where they lead. Bare web addresses
become links as on GitHub.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from poe_notebook.views.markdown_clean import LINK

__all__ = ["is_safe", "tame"]

_BARE_LINK = re.compile(r"(?<![\w/])https?://[^\s<>\"]+", re.IGNORECASE)


def is_safe(url: str) -> bool:
    """Say whether a link may stand. Images held in the text itself may too: they become words in ``_image``."""
    return bool(LINK.match(url)) or url[:11].lower() == "data:image/"


def tame(state: StateCore) -> None:
    """Go over the tokens of one block, after its inlines were parsed."""
    for i, token in enumerate(state.tokens):
        if token.type == "inline":
            token.children = list(_tamed(token.children or [], state))
            if i > 1 and state.tokens[i - 2].type == "list_item_open":
                _tick(token.children)
        elif "style" in token.attrs:
            token.attrs["align"] = str(token.attrs.pop("style")).removeprefix("text-align:")


def _tamed(tokens: Sequence[Token], state: StateCore) -> Iterator[Token]:
    links: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            links.append(bool(LINK.match(str(token.attrs.get("href", "")))))
            if links[-1]:
                yield token
        elif token.type == "link_close":
            if links.pop():
                yield token
        elif token.type == "image":
            yield from _image(token, state, any(links))
        elif token.type == "text" and "://" in token.content and not links:
            yield from _linked(token.content, state)
        else:
            yield token


def _image(token: Token, state: StateCore, is_in_link: bool) -> Iterator[Token]:
    url = str(token.attrs.get("src", ""))
    renderer = state.md.renderer
    assert isinstance(renderer, RendererHTML)
    alt = renderer.renderInlineAsText(token.children, state.md.options, state.env).strip()
    where = urlsplit(url).netloc.rpartition("@")[2] if LINK.match(url) else "held in the answer"
    words = f"image: {alt}, {where}" if alt else f"image, {where}"
    if is_in_link or not LINK.match(url):
        yield _text(words)
    else:
        yield from _link(url, words)


def _linked(text: str, state: StateCore) -> Iterator[Token]:
    done = 0
    for match in _BARE_LINK.finditer(text):
        url = _trimmed(match.group())
        href = state.md.normalizeLink(url)
        if LINK.match(href):
            yield _text(text[done : match.start()])
            yield from _link(href, url)
            done = match.start() + len(url)
    yield _text(text[done:])


def _trimmed(url: str) -> str:
    """Leave out what ends the sentence rather than the link; a closing bracket only if it has no pair."""
    end, extra = len(url), url.count(")") - url.count("(")
    while url[end - 1] in "?!.,:;*_~'" or (url[end - 1] == ")" and extra > 0):
        end, extra = end - 1, extra - (url[end - 1] == ")")
    return url[:end]


def _tick(children: list[Token]) -> None:
    first = children[0] if children else None
    if first is not None and first.type == "text" and first.content[:4] in ("[ ] ", "[x] ", "[X] "):
        first.content = ("☐ " if first.content[1] == " " else "☑ ") + first.content[4:]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _link(href: str, words: str) -> Iterator[Token]:
    yield Token("link_open", "a", 1, attrs={"href": href})
    yield _text(words)
    yield Token("link_close", "a", -1)
