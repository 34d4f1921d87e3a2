"""Footnotes: which are defined, how they are numbered, and the list of them at the end of an answer.

Numbers go by the first mention in the text. Definitions may come after their mentions, as most do, so a growing answer
shows ``[^1]`` as it is until the definition is there. GitHub's syntax; mdit-py-plugins finds the definitions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote.index import footnote_def

__all__ = ["Notes", "block_rules", "inline_rules", "take_notes"]

MAX_NOTES = 500
_BACK_LINKS = 5
_MENTION = re.compile(r"\[\^([^\s\[\]]{1,100})\]")


class Notes:
    """The footnotes of one answer. ``key`` tells its anchors from those of other answers on the page."""

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.defined: dict[str, Sequence[Token]] = {}
        self._mentions: dict[str, int] = {}
        self._numbers: dict[str, int] = {}

    def define(self, notes: Mapping[str, Sequence[Token]]) -> None:
        """Take definitions in; of two with one label the first counts."""
        self.defined = {**notes, **self.defined}

    def has(self, label: str) -> bool:
        """Whether a mention of this label would lead to a note."""
        label = label.casefold()
        return label in self.defined and (label in self._numbers or len(self._numbers) < MAX_NOTES)

    def mention(self, label: str) -> dict[str, Any]:
        """Count a mention; gives the note's number and which mention of it this is."""
        label = label.casefold()
        number = self._numbers.setdefault(label, len(self._numbers) + 1)
        mention = self._mentions[label] = self._mentions.get(label, 0) + 1
        return {"number": number, "mention": mention, "key": self.key}

    def listed(self) -> Iterator[list[Token]]:
        """Give the tokens of the mentioned notes as list items, in order; rendering one may mention others."""
        number = 0
        while number < len(self._numbers):
            label = list(self._numbers)[number]
            number += 1
            yield [
                Token("footnote_open", "li", 1, attrs={"id": f"poe-fn-{self.key}-{number}"}, block=True),
                *_with_way_back(list(self.defined[label]), self._way_back(label, number)),
                Token("footnote_close", "li", -1, block=True),
            ]

    def _way_back(self, label: str, number: int) -> Token:
        token = Token("footnote_back", "a", 0)
        mentions = range(1, min(self._mentions[label], _BACK_LINKS) + 1)
        token.meta = {"anchors": [f"poe-ref-{self.key}-{number}-{mention}" for mention in mentions], "number": number}
        return token


def take_notes(tokens: Sequence[Token]) -> tuple[list[Token], dict[str, list[Token]]]:
    """Part the definitions of footnotes, which may stand in one another, from the other tokens of a block."""
    rest: list[Token] = []
    notes: dict[str, list[Token]] = {}
    within: list[list[Token]] = []
    for token in tokens:
        if token.type == "footnote_reference_open":
            within.append([])
            notes.setdefault(token.meta["label"].casefold(), within[-1])
        elif token.type == "footnote_reference_close":
            within.pop()
        else:
            (within[-1] if within else rest).append(token)
    return rest, notes


def block_rules(parser: MarkdownIt) -> None:
    """Teach the block parser definitions of footnotes."""
    parser.block.ruler.before("reference", "footnote_def", footnote_def, {"alt": ["paragraph", "reference"]})


def inline_rules(parser: MarkdownIt) -> None:
    """Teach the inline parser mentions of footnotes, and the renderer the anchors both ways."""
    parser.inline.ruler.before("link", "footnote_ref", _mention)
    rules: dict[str, Any] = parser.renderer.rules  # type: ignore[attr-defined]
    rules["footnote_ref"] = lambda tokens, at, options, env: _mention_html(tokens[at].meta)
    rules["footnote_back"] = lambda tokens, at, options, env: _back_html(tokens[at].meta)


def _mention(state: StateInline, silent: bool) -> bool:
    found = _MENTION.match(state.src, state.pos, state.posMax)
    notes: Notes | None = state.env.get("notes")
    if found is None or notes is None or not notes.has(found.group(1)):
        return False
    if not silent:
        state.push("footnote_ref", "", 0).meta = notes.mention(found.group(1))
    state.pos = found.end()
    return True


def _mention_html(meta: Mapping[str, Any]) -> str:
    key, number, mention = meta["key"], meta["number"], meta["mention"]
    anchor = f'id="poe-ref-{key}-{number}-{mention}" ' if mention <= _BACK_LINKS else ""
    label = f'aria-label="Footnote {number}"'
    return f'<sup class="poe-note"><a {anchor}href="#poe-fn-{key}-{number}" {label}>{number}</a></sup>'


def _back_html(meta: Mapping[str, Any]) -> str:
    label = f'aria-label="Back to the mention of footnote {meta["number"]}"'
    return "".join(f' <a href="#{anchor}" {label}>↩︎</a>' for anchor in meta["anchors"])


def _with_way_back(tokens: list[Token], way_back: Token) -> list[Token]:
    if tokens and tokens[-1].type == "paragraph_close" and tokens[-2].type == "inline":
        return [*tokens[:-1], way_back, tokens[-1]]
    return [*tokens, way_back]
