"""How one text became another, word by word: pure, bounded, and coarse enough to be read.

Lines are compared first and words only within lines that differ, so that a long answer costs no more than it has to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from rapidfuzz.distance import Indel

__all__ = ["MOST_CHARS", "Change", "changed_words", "changes", "marked", "similarity"]

MOST_CHARS = 20_000
"""Of each text, so many characters are compared word by word; the rest counts as one piece."""
_LETTERS_CHARS = 2_000
_SHORT_CHARS = 4
"""What is the same, no longer than this and between two changes, is taken into them: "a" between two new words."""
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"\s+|[^\W{_IDEOGRAPHS}]+|.", re.DOTALL)
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


class Change(NamedTuple):
    """A piece of both texts: the same in both, or what stands in the one instead of what stands in the other."""

    old: str
    new: str

    @property
    def is_same(self) -> bool:
        """Whether nothing changed here."""
        return self.old == self.new


def changes(old: str, new: str) -> list[Change]:
    """Give two texts as pieces that are the same and pieces that are not, in order; joined, they are the texts."""
    pieces = list(_by_lines(old[:MOST_CHARS], new[:MOST_CHARS]))
    if len(old) > MOST_CHARS or len(new) > MOST_CHARS:
        pieces.append(Change(old[MOST_CHARS:], new[MOST_CHARS:]))
    return _joined(_without_islands(_joined(pieces)))


def changed_words(pieces: Sequence[Change]) -> tuple[int, int]:
    """Count the words that went and those that came."""
    changed = [piece for piece in pieces if not piece.is_same]
    return sum(_count(piece.old) for piece in changed), sum(_count(piece.new) for piece in changed)


def marked(pieces: Sequence[Change], *, around_chars: int = 200) -> str:
    """Write the pieces as one text, ``[-gone-]`` and ``{+new+}``; long stretches that are the same are cut short."""
    return "".join(_shortened(piece.old, around_chars) if piece.is_same else _mark(piece) for piece in pieces)


def similarity(old: str, new: str) -> float:
    """Tell how alike two texts are, from 0 to 1: twice what they share in order by all they have.

    That is counted in the letters of short texts, and else in the words.
    """
    is_short = max(len(old), len(new)) <= _LETTERS_CHARS
    return Indel.normalized_similarity(*((old, new) if is_short else (old.split(), new.split())))


def _by_lines(old: str, new: str) -> Iterator[Change]:
    lines, others = _LINE.findall(old), _LINE.findall(new)
    for is_same, left, right in _matched(lines, others):
        if is_same:
            yield Change(left, right)
        else:
            yield from (
                Change(before, after) for _, before, after in _matched(_WORD.findall(left), _WORD.findall(right))
            )


def _matched(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[bool, str, str]]:
    for is_same, steps in groupby(Indel.opcodes(old, new), lambda step: step.tag == "equal"):
        found = list(steps)
        begin, end = found[0], found[-1]
        yield is_same, "".join(old[begin.src_start : end.src_end]), "".join(new[begin.dest_start : end.dest_end])


def _without_islands(pieces: Sequence[Change]) -> Iterator[Change]:
    """Split pieces that are the same, short, and between two changes into what went and what came."""
    for at, piece in enumerate(pieces):
        is_within = 0 < at < len(pieces) - 1
        if piece.is_same and is_within and len(piece.old.strip()) <= _SHORT_CHARS and "\n" not in piece.old:
            yield Change(piece.old, "")
            yield Change("", piece.new)
        else:
            yield piece


def _joined(pieces: Sequence[Change] | Iterator[Change]) -> list[Change]:
    found: list[Change] = []
    for piece in pieces:
        is_same = piece.is_same
        if found and found[-1].is_same == is_same:
            found[-1] = Change(found[-1].old + piece.old, found[-1].new + piece.new)
        elif piece.old or piece.new:
            found.append(piece)
    return found


def _count(text: str) -> int:
    return sum(word[0].isalnum() for word in _WORD.findall(text))


def _mark(piece: Change) -> str:
    return (f"[-{piece.old}-]" if piece.old else "") + (f"{{+{piece.new}+}}" if piece.new else "")


def _shortened(text: str, around_chars: int) -> str:
    if len(text) <= 2 * around_chars + 20:
        return text
    return f"{text[:around_chars]} … ({len(text) - 2 * around_chars:,} characters) … {text[-around_chars:]}"
