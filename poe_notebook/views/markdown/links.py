"""Links and images in parsed Markdown: which may stay, and what becomes of the others.

Images of other servers tell those who opens the page, so they become links that say where they lead and wait for a
click. Bare addresses become links as on GitHub, but end at full-width punctuation, and may stand between letters of
scripts that are written without spaces. Where the words of a link name another host than the one it leads to,
or its host is written in letters that only look familiar, the host is said beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from poe_notebook.views.html import escape
from poe_notebook.views.markdown.clean import LINK
from poe_notebook.views.markdown.frames import host_of

__all__ = ["ShownImage", "is_safe", "link_rules", "tame"]

_WIDE = "\u3000-\u3004\u3008-\u3020\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65“”‘’…"
_BARE_LINK = re.compile(
    rf"(?<![a-z0-9_/.@-])(?:(?:https?://|www\.)[^\s<>\"{_WIDE}]+"
    r"|[a-z0-9_.+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?![a-z0-9_@/-]))",
    re.IGNORECASE,
)
_IN_WORDS = re.compile(r"((?:https?://)?[^/?#\s]*\.[a-z]{2,24})(?=[^\x00-\x7f])[^/?#.:]*(?=[/?#:]|\Z)", re.IGNORECASE)
_MAY_LINK = re.compile(r"://|www\.|@", re.IGNORECASE)
_HOST = re.compile(r"(?<![\w.-])(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])")
_TURNING = dict.fromkeys(range(0x202A, 0x202F))  # embeddings and overrides of the reading direction; isolates may stay


class ShownImage(NamedTuple):
    """An image that is at hand: ``src`` is what stands for its bytes, width and height are in pixels."""

    src: str
    name: str
    width: int
    height: int


def is_safe(url: str) -> bool:
    """Say whether a link may stand. Images held in the text itself may too: they become words in ``_image``."""
    return bool(LINK.match(url)) or url[:11].lower() == "data:image/"


def link_rules(parser: MarkdownIt) -> None:
    """Have links and images tamed, and teach the renderer what that leaves."""
    parser.core.ruler.push("tame", tame)
    rules: dict[str, Any] = parser.renderer.rules  # type: ignore[attr-defined]
    rules["shown_image"] = lambda tokens, at, options, env: _image_html(tokens[at])
    rules["host"] = lambda tokens, at, options, env: f'<span class="poe-muted"> ({escape(tokens[at].content)})</span>'


def tame(state: StateCore) -> None:
    """Go over the tokens of one block, after its inlines were parsed."""
    for i, token in enumerate(state.tokens):
        if token.type == "inline":
            token.children = list(_tamed(token.children or [], state))
            if i > 1 and state.tokens[i - 2].type == "list_item_open" and _tick(token.children):
                state.tokens[i - 2].attrSet("class", "poe-task")
        elif "style" in token.attrs:
            token.attrs["align"] = str(token.attrs.pop("style")).removeprefix("text-align:")


def _tamed(tokens: Sequence[Token], state: StateCore) -> Iterator[Token]:
    links: list[tuple[str, list[str]]] = []  # of each link that is open: where it leads, and its words
    for token in tokens:
        if token.type == "link_open":
            href = str(token.attrs.get("href", ""))
            links.append((href if LINK.match(href) else "", []))
            if links[-1][0]:
                yield from _opened(token)
        elif token.type == "link_close":
            href, words = links.pop()
            if href:
                yield token
                yield from _host_beside(href, "".join(words))
        elif token.type == "image":
            yield from _image(token, state, is_in_link=any(href for href, _ in links))
        elif token.type == "text":
            token.content = token.content.translate(_TURNING)
            if links:
                links[-1][1].append(token.content)
            yield from [token] if links or not _MAY_LINK.search(token.content) else _linked(token.content, state)
        else:
            yield token


def _opened(token: Token) -> Iterator[Token]:
    if title := token.attrs.get("title"):
        token.attrs["title"] = str(title).translate(_TURNING)
    token.attrs["target"] = "_blank"
    yield token


def _host_beside(href: str, words: str) -> Iterator[Token]:
    host = href[7:].rpartition("@")[2] if href[:7].lower() == "mailto:" else host_of(href)
    named = {name.lower().removeprefix("www.") for name in _HOST.findall(words)}
    is_told = host.partition(":")[0].lower().removeprefix("www.") in named if named else True
    has_user = href[:4].lower() == "http" and "@" in href.split("/", 3)[2]
    if host and (not is_told or has_user or "xn--" in host.lower()):
        yield Token("host", "", 0, content=host)


def _image(token: Token, state: StateCore, *, is_in_link: bool) -> Iterator[Token]:
    url = str(token.attrs.get("src", ""))
    renderer = state.md.renderer
    assert isinstance(renderer, RendererHTML)
    alt = renderer.renderInlineAsText(token.children, state.md.options, state.env).translate(_TURNING).strip()
    shown = state.env.get("images", {}).get(url)
    if shown is not None:
        yield Token("shown_image", "img", 0, content=alt or shown.name, meta={"image": shown})
        return
    where = host_of(url) if LINK.match(url) else "held in the answer"
    words = f"image: {alt}, {where}" if alt else f"image, {where}"
    if is_in_link or not LINK.match(url):
        yield _text(words)
    else:
        yield from _link(url, words, {"class": "poe-image-link"})


def _image_html(token: Token) -> str:
    image: ShownImage = token.meta["image"]
    size = f' width="{image.width}" height="{image.height}"'
    return f'<img class="poe-image" src="{escape(image.src)}" alt="{escape(token.content)}"{size}>'


def _linked(text: str, state: StateCore) -> Iterator[Token]:
    done = 0
    for match in _BARE_LINK.finditer(text):
        address = _trimmed(match.group())
        scheme = "" if "://" in address[:8] else "http://" if address[:4].lower() == "www." else "mailto:"
        href = state.md.normalizeLink(scheme + address)
        if LINK.match(href) and len(address) > 4:
            yield _text(text[done : match.start()])
            yield from _link(href, address, {})
            yield from _host_beside(href, address) if scheme != "mailto:" else ()
            done = match.start() + len(address)
    yield _text(text[done:])


def _trimmed(url: str) -> str:
    """Leave out what ends the sentence rather than the link; a closing bracket only if it has no pair."""
    if found := _IN_WORDS.match(url):  # no top-level domain mixes scripts: "poe.com에서" is a word with an ending
        url = found.group(1)
    end, extra = len(url), url.count(")") - url.count("(")
    while url[end - 1] in "?!.,:;*_~'" or (url[end - 1] == ")" and extra > 0):
        end, extra = end - 1, extra - (url[end - 1] == ")")
    return url[:end]


def _tick(children: list[Token]) -> bool:
    first = children[0] if children else None
    if first is None or first.type != "text" or first.content[:4] not in ("[ ] ", "[x] ", "[X] "):
        return False
    first.content = ("☐ " if first.content[1] == " " else "☑ ") + first.content[4:]
    return True


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _link(href: str, words: str, attributes: dict[str, str | int | float]) -> Iterator[Token]:
    yield Token("link_open", "a", 1, attrs={"href": href, "target": "_blank", **attributes})
    yield _text(words)
    yield Token("link_close", "a", -1)
