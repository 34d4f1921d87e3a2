"""The Markdown that bots may use: markdown-it-py set up without raw HTML.

Parsing is cut in two, blocks first and inlines for one block at a time, so that a growing answer can keep what it has.
Nothing here knows about answers or front ends. Rules: CommonMark 0.31, and of GitHub's flavour the tables,
strikethrough, task lists and bare ``https://`` links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from poe_notebook.views.markdown_clean import clean
from poe_notebook.views.markdown_links import is_safe, tame

__all__ = ["Group", "References", "block_html", "groups"]

References = dict[str, dict[str, Any]]
"""Link reference definitions as markdown-it-py keeps them: normalised label to ``href``, ``title`` and ``map``."""

BLOCK_NESTING = 40  # a quote counts 1, a list 2; each takes 3 Python frames of the 1,000 there are
INLINE_NESTING = 10  # measured: 64,000 "[" take 1.2 s at 40 levels and 0.35 s at 10, and nobody nests deeper
INLINE_CHARS = 60_000  # of one paragraph or cell; measured: the worst input known costs 8 µs a character
_LANGUAGE = re.compile(r"[\w+#.-]{1,32}", re.ASCII)


class Group(NamedTuple):
    """One top-level block: its tokens and the lines of the text that it takes."""

    tokens: Sequence[Token]
    start: int
    end: int


def groups(text: str, references: References) -> list[Group]:
    """Cut a text into its top-level blocks. The reference definitions found are added to ``references``."""
    tokens = _block_parser().parse(text, {"references": references})
    return list(_grouped(tokens))


def block_html(group: Group, source: str, *, references: References) -> str:
    """Render one top-level block, cleaned; as its source if it is nested too deep or too long to parse."""
    fault = _fault(group.tokens)
    if fault:
        return f'<p class="poe-muted">Shown as its source: {fault}.</p>\n<pre>{escapeHtml(source)}</pre>\n'
    parser = _inline_parser()
    state = StateCore("", parser, {"references": references}, list(group.tokens))
    parser.core.process(state)
    return clean(parser.renderer.render(state.tokens, parser.options, state.env))


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
    parser.validateLink = is_safe  # type: ignore[method-assign]
    return parser


@cache
def _inline_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": INLINE_NESTING}).enable("strikethrough")
    parser.core.ruler.enableOnly(["inline", "text_join"])
    parser.core.ruler.push("tame", tame)
    parser.disable(["html_inline"])
    parser.validateLink = is_safe  # type: ignore[method-assign]
    renderer = parser.renderer
    assert isinstance(renderer, RendererHTML)
    rules = cast(dict[str, Any], renderer.rules)
    rules |= {"fence": _fence, "code_block": _fence, "table_open": _table_open, "table_close": _table_close}
    return parser


def _full_table(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
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


def _fence(tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
    language = _LANGUAGE.match(tokens[idx].info.strip())
    kind = f' class="language-{language.group()}"' if language else ""
    return f"<pre><code{kind}>{escapeHtml(tokens[idx].content)}</code></pre>\n"


def _table_open(tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
    return '<div class="poe-wide"><table>\n'


def _table_close(tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
    return "</table></div>\n"
