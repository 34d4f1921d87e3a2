"""Marks that stand on one letter, such as accents: thousands on one make a page stop answering and paint over the rest.

Measured in JupyterLab 4.6: 59,000 on one letter took the page 18 s. The most that any script needs on one is 5 or so.
"""

from __future__ import annotations

import re
from unicodedata import category

__all__ = ["MARKS", "without_piles"]

MARKS = 10
_MAY_BE_PILE = re.compile(rf"[^\w\x00-\x7f]{{{MARKS + 1},}}")  # no mark is a letter, a digit or ASCII


def without_piles(text: str) -> str:
    """Leave out the marks after the tenth on one character, and say in their place how many there were.

    May be given HTML: markup parts characters from one another.
    """
    return text if text.isascii() else _MAY_BE_PILE.sub(_levelled, text)


def _levelled(found: re.Match[str]) -> str:
    shown: list[str] = []
    marks = left_out = 0
    for character in found.group():
        kind = category(character)
        if kind[0] == "M":
            marks += 1
        elif kind != "Cf":  # joiners stand between the marks of one character
            shown += _said(left_out)
            marks = left_out = 0
        if marks > MARKS:
            left_out += kind[0] == "M"
        else:
            shown.append(character)
    return "".join([*shown, *_said(left_out)])


def _said(left_out: int) -> list[str]:
    return [f"[{left_out:,} more marks]"] if left_out else []
