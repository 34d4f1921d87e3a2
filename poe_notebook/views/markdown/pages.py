"""HTML that a bot writes to be seen: ``<html>`` and ``<iframe>`` outside a fence, and fenced pages with their preview.

As Poe renders them (functional guides 2026): a fenced page shows code and preview, a bare one the preview alone, a
frame the page that it names. A bare block ends at its first empty line, as CommonMark's HTML blocks do, so a page with
an empty line in it falls apart; that is said, since it is the mistake that authors make. Only blocks that were closed
are shown as pages: a page that is still being written is not loaded twenty times a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, fence
from markdown_it.token import Token

from poe_notebook.views.html import escape
from poe_notebook.views.markdown.clean import LINK
from poe_notebook.views.markdown.code import Colours, language_of
from poe_notebook.views.markdown.frames import FRAME_HEIGHT, embed_frame, host_of, page_frame

__all__ = ["block_rules", "fence_html", "page_html"]

PAGE_CHARS = 200_000  # of one page: twice what Poe lets an answer have
_OPENS = re.compile(r"(?:<!doctype\s+html[^<>]*>\s*)?<(html|iframe)(?=[\s>/]|$)", re.IGNORECASE)
_DOCTYPE = re.compile(r"<!doctype\s+html[^<>]*>\s*\Z", re.IGNORECASE)
_STARTS_PAGE = re.compile(r"\s*(?:<!doctype\s+html[^<>]*>\s*)?<html(?=[\s>])", re.IGNORECASE)
_CLOSERS = {"html": re.compile(r"</html\s*>", re.IGNORECASE), "iframe": re.compile(r"</iframe\s*>", re.IGNORECASE)}
_DIGITS = re.compile(r"\s*(\d{1,5})(?:\.\d+)?(?:px)?\s*\Z", re.IGNORECASE)
_EMPTY_LINE = (
    "Not shown as a page: there is an empty line before its </html>, and a page outside a block of code ends there. "
    "Leave empty lines out, or put the page into a block of code marked html."
)


def block_rules(parser: MarkdownIt) -> None:
    """Teach the block parser pages and frames, and fences that know whether they were closed."""
    parser.block.ruler.before("fence", "page", _page, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.block.ruler.at("fence", _fence, {"alt": ["paragraph", "reference", "blockquote", "list"]})


def fence_html(token: Token, colours: Colours) -> str:
    """Render a fenced block: its code and, if it holds a page, what that looks like."""
    language, code, is_open = language_of(token.info), token.content, not token.meta.get("is_closed")
    shown = colours.html(code, language, is_open=is_open)
    if is_open or language.lower() not in ("html", "htm", "xhtml") or not _STARTS_PAGE.match(code):
        return shown
    return shown + _frame(code)


def page_html(token: Token, colours: Colours) -> str:
    """Render a page or a frame that stood outside a fence."""
    text, kind = token.content, token.meta["kind"]
    closer = _CLOSERS[kind].search(text)
    end = closer.end() if closer else len(text)
    show: Callable[[str, Colours], str] = _bare_page if kind == "html" else _embedded
    if token.meta["is_closed"] and closer:
        shown = show(text[:end], colours)
    else:
        shown = _unfinished(text, kind, colours, is_cut=token.meta["is_cut"])
    rest = text[end:].strip()
    return shown + (f"<p>{escape(rest)}</p>\n" if rest else "")


def _bare_page(text: str, colours: Colours) -> str:
    # The source is there for readers that take frames away, such as an untrusted notebook, and for the curious.
    return _frame(text) + _folded("Source of this page", colours.html(text, "html"))


def _frame(page: str) -> str:
    if len(page) > PAGE_CHARS:
        return f'<p class="poe-muted">No preview: the page has {len(page):,} characters.</p>\n'
    return f'<div class="poe-page">{page_frame(page)}</div>\n'


def _embedded(text: str, colours: Colours) -> str:
    attributes = _attributes(text)
    url = (attributes.get("src") or "").strip()
    if not LINK.match(url) or not url.lower().startswith("https://") or not host_of(url):
        note = '<p class="poe-muted">Not embedded: a frame needs a src that starts with https://</p>\n'
        return note + colours.html(text, "html")
    height = _DIGITS.match(attributes.get("height") or "")
    frame = embed_frame(url, height=int(height.group(1)) if height else FRAME_HEIGHT)
    link = f'<a href="{escape(url)}" target="_blank">{escape(url)}</a>'
    return f'<div class="poe-page">{frame}<p class="poe-muted">Embedded page: {link}</p></div>\n'


def _unfinished(text: str, kind: str, colours: Colours, *, is_cut: bool) -> str:
    if kind == "html" and is_cut:
        return f'<p class="poe-muted">{escape(_EMPTY_LINE)}</p>\n' + colours.html(text, "html")
    lines = text.count("\n") + 1
    title = f"A page without its </{kind}> so far, {lines:,} line{'s' * (lines != 1)}"
    return _folded(title, colours.html(text))  # plain: while it grows it is written anew, and nobody sees it


def _folded(title: str, html: str) -> str:
    return f'<details class="poe-fold"><summary>{escape(title)}</summary>{html}</details>\n'


class _First(HTMLParser):
    found: dict[str, str | None] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.found is None:
            self.found = dict(reversed(attrs))  # of an attribute given twice the first counts, as in a browser


def _attributes(text: str) -> dict[str, str | None]:
    parser = _First()
    parser.feed(text)
    return parser.found or {}


def _page(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    if state.is_code_block(startLine) or not state.src.startswith("<", _start(state, startLine)):
        return False
    first = _line(state, startLine)
    if _DOCTYPE.match(first) and startLine + 1 < endLine:
        first += "\n" + _line(state, startLine + 1)
    opens = _OPENS.match(first)
    if opens is None or silent:
        return opens is not None
    kind = opens.group(1).lower()
    end, is_closed = _end(state, startLine, endLine, _CLOSERS[kind])
    token = state.push("page", "", 0)
    token.content = state.getLines(startLine, end, state.blkIndent, False)
    token.meta = {"kind": kind, "is_closed": is_closed, "is_cut": not is_closed and end < endLine}
    token.map, token.block = [startLine, end], True
    state.line = end
    return True


def _end(state: StateBlock, startLine: int, endLine: int, closer: re.Pattern[str]) -> tuple[int, bool]:
    for line in range(startLine, endLine):
        if state.isEmpty(line) or (line > startLine and state.sCount[line] < state.blkIndent):
            return line, False
        if closer.search(state.src, _start(state, line), state.eMarks[line]):
            return line + 1, True
    return endLine, False


def _fence(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    if not fence(state, startLine, endLine, silent):
        return False
    if not silent:
        token = state.tokens[-1]
        token.meta = {"is_closed": _is_closed(state, token.markup, startLine, state.line - 1)}
    return True


def _is_closed(state: StateBlock, markup: str, first: int, last: int) -> bool:
    line = _line(state, last).rstrip()
    is_mark = last > first and line.startswith(markup) and not line.strip(markup[0])
    return is_mark and not state.is_code_block(last)


def _start(state: StateBlock, line: int) -> int:
    return state.bMarks[line] + state.tShift[line]


def _line(state: StateBlock, line: int) -> str:
    return state.src[_start(state, line) : state.eMarks[line]]
