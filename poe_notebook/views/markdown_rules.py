"""The Markdown that bots may use: markdown-it-py set up without raw HTML, its links and images tamed, then cleaned by nh3.

Parsing is cut in two, blocks first and inlines for one block at a time, so that a growing answer can keep what it has.
Nothing here knows about answers or front ends. Rules: CommonMark 0.31, and of GitHub's flavour the tables,
strikethrough, task lists and bare ``https://`` links. Images of other servers tell those who opens the page, so they
become links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

__all__ = ["Group", "References", "block_html", "groups"]

References = dict[str, dict[str, Any]]
"""Link reference definitions as markdown-it-py keeps them: normalised label to ``href``, ``title`` and ``map``."""

BLOCK_NESTING = 40  # quotes count 1 level, lists 2; each takes about 3 Python frames, and a kernel has used 100 of 1,000
INLINE_NESTING = 10  # measured: 64,000 "[" take 1.2 s at 40 levels and 0.35 s at 10, and nobody nests deeper
INLINE_CHARS = 60_000  # of one paragraph or cell; measured: the worst input known costs 8 µs a character
LINK = re.compile(r"(?:https?://|mailto:)[^\s/]", re.IGNORECASE)
_BARE_LINK = re.compile(r"(?<![\w/])https?://[^\s<>\"]+", re.IGNORECASE)
_LANGUAGE = re.compile(r"[\w+#.-]{1,32}", re.ASCII)
_TAGS = set("p br hr strong em s code pre blockquote ul ol li a h1 h2 h3 h4 h5 h6 table thead tbody tr th td div".split())
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


class Group(NamedTuple):
    """One top-level block: its tokens and the lines of the text that it takes."""

    tokens: Sequence[Token]
    start: int
    end: int


def groups(text: str, references: References) -> list[Group]:
    """Cut a text into its top-level blocks. The reference definitions found are added to ``references``."""
    tokens = _block_parser().parse(text, {"references": references})
    return list(_grouped(tokens))


def block_html(group: Group, source: str, references: References) -> str:
    """Render one top-level block, cleaned; as its source if it is nested too deep or too long to parse."""
    fault = _fault(group.tokens)
    if fault:
        return f'<p class="poe-muted">Shown as its source: {fault}.</p>\n<pre>{escapeHtml(source)}</pre>\n'
    parser = _inline_parser()
    state = StateCore("", parser, {"references": references}, list(group.tokens))
    parser.core.process(state)
    return _clean(parser.renderer.render(state.tokens, parser.options, state.env))


def _grouped(tokens: list[Token]) -> Iterator[Group]:
    first = 0
    for i, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            start, end = tokens[first].map or (0, 0)
            yield Group(tokens[first : i + 1], start, end)
            first = i + 1


def _fault(tokens: Sequence[Token]) -> str:
    if any(token.level >= BLOCK_NESTING - 1 for token in tokens):
        return f"it is nested more than {BLOCK_NESTING - 2} levels deep"
    if any(token.type == "inline" and len(token.content) > INLINE_CHARS for token in tokens):
        return f"it has more than {INLINE_CHARS:,} characters in one paragraph"
    return ""


@cache
def _block_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": BLOCK_NESTING})
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.disable(["html_block"])
    parser.block.ruler.before("fence", "full_table", _full_table, {"alt": ["paragraph", "reference"]})
    parser.validateLink = _is_safe  # type: ignore[method-assign]
    return parser


@cache
def _inline_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": INLINE_NESTING}).enable("strikethrough")
    parser.core.ruler.enableOnly(["inline", "text_join"])
    parser.core.ruler.push("tame", _tame)
    parser.disable(["html_inline"])
    parser.validateLink = _is_safe  # type: ignore[method-assign]
    renderer = parser.renderer
    assert isinstance(renderer, RendererHTML)
    renderer.rules |= {"fence": _fence, "code_block": _fence, "table_open": _table_open, "table_close": _table_close}
    return parser


def _is_safe(url: str) -> bool:
    """Say whether a link may stand. Images held in the text itself may too: they become words in ``_image``."""
    return bool(LINK.match(url)) or url[:11].lower() == "data:image/"


def _full_table(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:  # noqa: N803 (their names)
    """Take a table, unless missing cells would have to be made up by the thousand.

    Two characters of a short row can stand for any number of cells: measured, 2 kB made 65,000 of them in 0.2 s.
    """
    if startLine + 2 > endLine:
        return False
    columns = state.src.count("|", state.bMarks[startLine + 1], state.eMarks[startLine + 1])
    if columns > 2:
        end = _blank_line(state, startLine, endLine)
        if (columns + 1) * (end - startLine) > state.eMarks[end - 1] - state.bMarks[startLine]:
            return False
    return table(state, startLine, endLine, silent)


def _blank_line(state: StateBlock, start: int, end: int) -> int:
    low, high = state.env.get("poe_rows", (0, 0))
    if not low <= start < high <= end:
        low, high = start, start
        while high < end and not state.isEmpty(high):
            high += 1
        state.env["poe_rows"] = (low, high)
    return int(high)


def _tame(state: StateCore) -> None:
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
    """Leave out what ends the sentence rather than the link, as GitHub does; a closing bracket only if it has no pair."""
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


def _fence(tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
    language = _LANGUAGE.match(tokens[idx].info.strip())
    kind = f' class="language-{language.group()}"' if language else ""
    return f"<pre><code{kind}>{escapeHtml(tokens[idx].content)}</code></pre>\n"


def _table_open(tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
    return '<div class="poe-wide"><table>\n'


def _table_close(tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
    return "</table></div>\n"


def _clean(html: str) -> str:
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
