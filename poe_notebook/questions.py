"""Lines of ``%poe`` that end in a question mark, as messages to bots do.

IPython takes a question mark at a line's end for its own, asking what the last word is, before it looks at magics. So
such a line is turned into the call that the magic stands for, ahead of all that IPython does. Only a line that begins a
statement: what stands inside a string or a bracket is Python's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from IPython.core.inputtransformer2 import make_tokens_by_line

__all__ = ["Questions"]

_LINE = re.compile(
    r"(?P<before>\s*(?:[A-Za-z_][\w.,\[\]'\" ]*=\s*)?)%poe[ \t]+(?P<rest>\w[^\n]*[ \t][^\n]*\?)\s*$", re.ASCII
)
_MAGIC = re.compile(r"(?P<indent>[ \t]*)(?:[A-Za-z_][^=\n]*=\s*)?[%!]")


class Questions:
    """The transformer, put among a shell's and taken out again."""

    def __init__(self, shell: Any) -> None:
        self._transformers: list[Callable[[list[str]], list[str]]] = shell.input_transformers_cleanup

    def install(self) -> None:
        """Stand behind the transformers that are there, which have made calls of cell magics."""
        self._transformers.append(as_calls)

    def remove(self) -> None:
        """Go."""
        while as_calls in self._transformers:
            self._transformers.remove(as_calls)


def as_calls(lines: list[str]) -> list[str]:
    """Give the lines of a cell with those that are questions written as calls; the body of a cell magic is let be."""
    if (lines and lines[0].startswith("%%")) or not any(map(_LINE.match, lines)):
        return lines
    # One after the other, each out of the way then: an apostrophe or a bracket in a message is none of Python's.
    called, left = list(lines), list(lines)
    while (place := _first_magic(left)) is not None:
        called[place] = _as_call(lines[place])
        left[place] = _MAGIC.sub(r"\g<indent>pass #", lines[place], count=1)
    return called


def _first_magic(lines: list[str]) -> int | None:
    """Give the place of the first line that is a statement and begins with a magic."""
    statements = ([token for token in tokens if token.string.strip()] for tokens in make_tokens_by_line(lines))
    starts = (tokens[0].start[0] - 1 for tokens in statements if tokens)
    return next((place for place in starts if _MAGIC.match(lines[place])), None)


def _as_call(line: str) -> str:
    match = _LINE.match(line)
    return f"{match['before']}get_ipython().run_line_magic('poe', {match['rest']!r})\n" if match else line
