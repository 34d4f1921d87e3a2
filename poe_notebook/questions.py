"""Lines of ``%poe`` that end in a question mark, as messages to bots do.

IPython takes a question mark at a line's end for its own, asking what the last word is, before it looks at magics. So
such a line is turned into the call that the magic stands for, ahead of all that IPython does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

__all__ = ["Questions"]

_LINE = re.compile(r"(?P<before>\s*(?:[A-Za-z_]\w*\s*=\s*)?)%poe[ \t]+(?P<rest>\w[^\n]*[ \t][^\n]*\?)\s*$")


class Questions:
    """The transformer, put among a shell's and taken out again."""

    def __init__(self, shell: Any) -> None:
        self._transformers: list[Callable[[list[str]], list[str]]] = shell.input_transformers_cleanup

    def install(self) -> None:
        """Stand behind the transformers that are there."""
        self._transformers.append(as_calls)

    def remove(self) -> None:
        """Go."""
        while as_calls in self._transformers:
            self._transformers.remove(as_calls)


def as_calls(lines: list[str]) -> list[str]:
    """Give the lines of a cell with those that are questions written as calls; the body of a cell magic is let be."""
    if lines and lines[0].startswith("%%"):
        return lines
    return [_as_call(line) for line in lines]


def _as_call(line: str) -> str:
    match = _LINE.match(line)
    if match is None:
        return line
    return f"{match['before']}get_ipython().run_line_magic('poe', {match['rest']!r})\n"
