"""Which way each block is read: by the first letter in it that has a direction, as ``dir="auto"`` would have it.

Blocks are marked only where they differ from what they stand in, and an answer counts as left to right: the style sheet
says so for blocks without a mark, wherever the answer stands. The items of a list go one way, as their bullets do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import bidirectional

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

__all__ = ["direct"]

_BLOCKS = {"paragraph_open", "heading_open", "bullet_list_open", "ordered_list_open", "blockquote_open", "table_open"}
_MAY_TURN = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")
_ASIDE = re.compile(r"\A\[[xX]\] |`[^`]*`|\]\([^()]*\)|https?://\S*|\$[^$]*\$")
_LETTER = re.compile(r"[^\W\d_]")


def direct(state: StateCore) -> None:
    """Mark the blocks among the tokens of one block, before its inlines are parsed."""
    if not any(token.type == "inline" and _MAY_TURN.search(token.content) for token in state.tokens):
        return
    within = [("", "ltr")]
    for token, coming in zip(state.tokens, _coming(state.tokens), strict=True):
        if token.nesting == 1:
            parent, direction = within[-1]
            is_of_item = token.type == "paragraph_open" and parent == "list_item_open"
            if token.type in _BLOCKS and not is_of_item and coming not in ("", direction):
                token.attrSet("dir", coming)
                direction = coming
            within.append((token.type, direction))
        elif token.nesting == -1:
            within.pop()


def _coming(tokens: Sequence[Token]) -> list[str]:
    """Give for each token the direction of the next text that has one."""
    found, direction = list[str](), ""
    for token in reversed(tokens):
        direction = (_direction(token.content) if token.type == "inline" else "") or direction
        found.append(direction)
    return found[::-1]


def _direction(text: str) -> str:
    if not _MAY_TURN.search(text):
        return "ltr" if _LETTER.search(text) else ""
    kinds = (bidirectional(character) for character in _ASIDE.sub(" ", text))
    strong = next((kind for kind in kinds if kind in ("L", "R", "AL")), "")
    return strong and ("ltr" if strong == "L" else "rtl")
