r"""Where formulas stand in Markdown: ``$…$`` and ``\(…\)`` in a line, ``$$…$$`` and ``\[…\]`` set apart.

So are environments that TeX itself sets apart, such as ``align``, where they begin a line.

Sums of money are no formulas: a dollar sign opens only before something else than a space and after something else than
a letter or digit, and closes the other way round (GitHub's rule). No empty line may stand in a formula, so a block that
never closes ends there: what it is does not depend on text that comes much later.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from poe_notebook.views.markdown.mathml import formula_html

__all__ = ["block_rules", "inline_rules"]

_BEGIN = r"\begin"
_CLOSERS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)", "$": "$"}
_ENVIRONMENT = re.compile(
    r"\\begin\{((?:equation|align|alignat|flalign|gather|multline|eqnarray)\*?|displaymath)\}", re.ASCII
)
_MONEY = re.compile(r"\d[\d.,]*\s*[^\W\d_]{2,}[^\\^_={}]*\Z")  # "5 apples and 10": words, and nothing that is TeX
_UNESCAPED = {closer: re.compile(r"(?:[^\\]|\\.)*?" + re.escape(closer), re.DOTALL) for closer in ("$", "$$")}


def block_rules(parser: MarkdownIt) -> None:
    """Teach the block parser formulas that are set apart."""
    parser.block.ruler.before("fence", "math_block", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})


def inline_rules(parser: MarkdownIt) -> None:
    """Teach the inline parser formulas, and the renderer both kinds."""
    parser.inline.ruler.before("escape", "math_inline", _inline)
    rules: dict[str, Any] = parser.renderer.rules  # type: ignore[attr-defined]
    rules["math_block"] = lambda tokens, at, options, env: f"<p>{_html(tokens, at)}</p>\n"
    rules["math_inline"] = lambda tokens, at, options, env: _html(tokens, at)


def _html(tokens: Sequence[Any], at: int) -> str:
    return formula_html(tokens[at].content, is_display=tokens[at].markup not in ("$", "\\("))


def _block(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    if state.is_code_block(startLine):
        return False
    first = _line(state, startLine)
    opener, closer = _marks(first)
    if not opener:
        return False
    if closer in first[2:] and not first[2:].rstrip().endswith(closer):
        return False  # more of the sentence follows: the paragraph's own rule sees to it
    if silent:
        return True
    end, is_closed = _end(state, startLine, endLine, closer)
    text = state.getLines(startLine, end, state.blkIndent, False).strip()
    content = text if opener == _BEGIN else text[2:-2]
    if is_closed and content.strip():
        token = state.push("math_block", "math", 0)
        token.content, token.markup, token.block = content, opener, True
        token.map = [startLine, end]
    else:
        _paragraph(state, text, [startLine, end])
    state.line = end
    return True


def _marks(first: str) -> tuple[str, str]:
    if first[:2] in ("$$", "\\["):
        return first[:2], _CLOSERS[first[:2]]
    environment = _ENVIRONMENT.match(first)
    return (_BEGIN, f"\\end{{{environment.group(1)}}}") if environment else ("", "")


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _end(state: StateBlock, startLine: int, endLine: int, closer: str) -> tuple[int, bool]:
    """Find the line after a block, and whether its formula was closed before an empty line came."""
    if _line(state, startLine)[2:].rstrip().endswith(closer):
        return startLine + 1, True
    for line in range(startLine + 1, endLine):
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return line, False
        if _line(state, line).rstrip().endswith(closer):
            return line + 1, True
    return endLine, False


def _paragraph(state: StateBlock, text: str, lines: list[int]) -> None:
    state.push("paragraph_open", "p", 1).map = lines
    token = state.push("inline", "", 0)
    token.content, token.map, token.children = text, lines, []
    state.push("paragraph_close", "p", -1)


def _inline(state: StateInline, silent: bool) -> bool:
    opener = _opener(state)
    if not opener:
        return False
    start = state.pos + len(opener)
    end = _closing(state, start, _CLOSERS[opener])
    content = state.src[start:end] if end > start else ""
    if not content.strip() or (opener == "$" and not _is_tex(state, start, end)):
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content, token.markup = content, opener
    state.pos = end + len(opener)
    return True


def _opener(state: StateInline) -> str:
    pair = state.src[state.pos : state.pos + 2]
    if pair in ("$$", "\\(", "\\["):
        return pair
    return "$" if pair[:1] == "$" else ""


def _closing(state: StateInline, start: int, closer: str) -> int:
    """Find the closing mark; each kind is looked for only once where there is none, so that openers cost little."""
    missing: dict[str, int] = state.__dict__.setdefault("poe_math_missing", {})
    if missing.get(closer, start + 1) <= start:
        return -1
    if closer in _UNESCAPED:
        found = _UNESCAPED[closer].match(state.src, start)
        end = found.end() - len(closer) if found else -1
    else:
        end = state.src.find(closer, start)
    if end < 0:
        missing[closer] = start
    return end


def _is_tex(state: StateInline, start: int, end: int) -> bool:
    text, before, after = state.src[start:end], state.src[start - 2 : start - 1], state.src[end + 1 : end + 2]
    return not (
        text[0].isspace() or text[-1].isspace() or before.isalnum() or after.isalnum() or after == "$"
    ) and not _MONEY.match(text)
