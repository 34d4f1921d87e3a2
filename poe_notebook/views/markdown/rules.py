"""The Markdown that bots may use: markdown-it-py set up without raw HTML, and with what Poe adds.

Parsing is cut in two, blocks first and inlines for one block at a time, so that a growing answer can keep what it has.
Nothing here knows about answers or front ends. Rules: CommonMark 0.31, GitHub's tables, strikethrough, task lists,
footnotes and bare links, formulas, and Poe's pages and frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from poe_notebook.views.html import escape
from poe_notebook.views.markdown import footnotes, math_rules, pages
from poe_notebook.views.markdown.budget import Budget
from poe_notebook.views.markdown.clean import clean
from poe_notebook.views.markdown.code import Colours, inline_code_html
from poe_notebook.views.markdown.directions import direct
from poe_notebook.views.markdown.footnotes import Notes, take_notes
from poe_notebook.views.markdown.links import ShownImage, is_safe, link_rules
from poe_notebook.views.markdown.tables import full_table
from poe_notebook.views.marks import without_piles

__all__ = ["Context", "Group", "References", "block_html", "groups", "notes_html"]

References = dict[str, dict[str, Any]]
"""Link reference definitions as markdown-it-py keeps them: normalised label to ``href``, ``title`` and ``map``."""

BLOCK_NESTING = 40  # a quote counts 1, a list 2; each takes 3 Python frames of the 1,000 there are
INLINE_NESTING = 10  # measured: 64,000 "[" take 1.2 s at 40 levels and 0.35 s at 10, and nobody nests deeper
INLINE_CHARS = 60_000  # of one paragraph or cell; measured: up to 3 µs a character without these
INLINE_SIGNS = 3_000  # ... and so many that may open something; measured: 60,000 of "*_" or "[" take 0.5 s


class Group(NamedTuple):
    """One top-level block: its tokens, the lines of the text that it takes, and the footnotes that it defines."""

    tokens: Sequence[Token]
    start: int
    end: int
    notes: Mapping[str, Sequence[Token]]


@dataclass(slots=True)
class Context:
    """What the blocks of one answer share."""

    references: References = field(default_factory=dict)
    images: Mapping[str, ShownImage] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)
    colours: Colours = field(default_factory=Colours)

    def for_tail(self) -> Context:
        """Give a context that finds what this one has and keeps the references of text that may still change."""
        return Context(dict(self.references), self.images, self.notes, self.colours)

    @property
    def env(self) -> dict[str, Any]:
        """The context as the parser hands it to rules."""
        return {"references": self.references, "images": self.images, "notes": self.notes, "colours": self.colours}


def groups(text: str, references: References) -> list[Group]:
    """Cut a text into its top-level blocks. The reference definitions found are added to ``references``."""
    tokens = _block_parser().parse(text, {"references": references})
    return list(_grouped(tokens))


def block_html(group: Group, source: str, *, context: Context, budget: Budget) -> str:
    """Render one top-level block, cleaned; as its source if it is nested too deep, or more than there is room for."""
    fault = _fault(group.tokens) or budget.less(2 * _elements(group.tokens)).fault
    return source_html(source, fault) if fault else without_piles(clean(_rendered(list(group.tokens), context)))


def source_html(source: str, why: str) -> str:
    """Show text as its source, and say why; nothing is said if that was said before."""
    said = f'<p class="poe-muted">Shown as its source: {why}.</p>\n' if why else ""
    return f"{said}<pre>{escape(source)}</pre>\n"


def notes_html(context: Context) -> str:
    """Render the footnotes that were mentioned; empty if none were."""
    items = "".join(_rendered(tokens, context) for tokens in context.notes.listed() if not _fault(tokens))
    if not items:
        return ""
    notes = f'<div class="poe-notes" role="doc-endnotes" aria-label="Footnotes"><ol>\n{items}</ol></div>\n'
    return without_piles(clean(notes))


def _rendered(tokens: list[Token], context: Context) -> str:
    parser = _inline_parser()
    state = StateCore("", parser, context.env, tokens)
    parser.core.process(state)
    return str(parser.renderer.render(state.tokens, parser.options, state.env))


def _grouped(tokens: list[Token]) -> Iterator[Group]:
    first = 0
    for i, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            start, end = tokens[first].map or (0, 0)
            own, notes = take_notes(tokens[first : i + 1])
            yield Group(own, start, end, notes)
            first = i + 1


def _fault(tokens: Sequence[Token]) -> str:
    if any(token.level >= BLOCK_NESTING - 1 for token in tokens):
        return f"it is nested more than {BLOCK_NESTING - 2} levels deep"
    if any(token.type == "inline" and len(token.content) > INLINE_CHARS for token in tokens):
        return f"it has more than {INLINE_CHARS:,} characters in one paragraph"
    if any(token.type == "inline" and sum(map(token.content.count, "*_~[")) > INLINE_SIGNS for token in tokens):
        return f"it has more than {INLINE_SIGNS:,} of the signs * _ ~ [ in one paragraph"
    return ""


def _elements(tokens: Sequence[Token]) -> int:
    """Count the elements that tokens make at the least: to render first and find that it was too much costs time."""
    return sum(token.nesting == 1 and not token.hidden for token in tokens)


@cache
def _block_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": BLOCK_NESTING})
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.disable(["html_block"])
    parser.block.ruler.before("fence", "full_table", full_table, {"alt": ["paragraph", "reference"]})
    pages.block_rules(parser)
    math_rules.block_rules(parser)
    footnotes.block_rules(parser)
    parser.validateLink = is_safe  # type: ignore[method-assign]
    return parser


@cache
def _inline_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": INLINE_NESTING}).enable("strikethrough")
    parser.core.ruler.enableOnly(["inline", "text_join"])
    parser.disable(["html_inline"])
    parser.validateLink = is_safe  # type: ignore[method-assign]
    parser.core.ruler.before("inline", "direct", direct)
    link_rules(parser)
    math_rules.inline_rules(parser)
    footnotes.inline_rules(parser)
    renderer = parser.renderer
    assert isinstance(renderer, RendererHTML)
    rules: dict[str, Any] = renderer.rules
    rules |= {
        "fence": lambda tokens, at, options, env: pages.fence_html(tokens[at], env["colours"]),
        "code_block": lambda tokens, at, options, env: env["colours"].html(tokens[at].content),
        "code_inline": lambda tokens, at, options, env: inline_code_html(tokens[at].content),
        "page": lambda tokens, at, options, env: pages.page_html(tokens[at], env["colours"]),
        "table_open": lambda tokens, at, options, env: (
            f'<div class="poe-wide"{renderer.renderAttrs(tokens[at])}><table>\n'
        ),
        "table_close": lambda tokens, at, options, env: "</table></div>\n",
    }
    return parser
