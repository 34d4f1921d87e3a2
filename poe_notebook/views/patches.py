"""Block patches as they go to the browser: of each changed block only its new end.

Pure. The reader's side is ``static/turn.js``: it keeps the first ``keep`` characters of its copy and appends the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from poe_notebook.views.markdown import Patch

__all__ = ["AnswerCopy", "BlockCopy", "packed"]

Entry = tuple[int, int, str]
"""A block's index, how many characters stay (UTF-16 units, as JavaScript counts), and what follows them."""

WHOLE_EVERY = 20  # patches: then blocks go out whole, so that a page that lost a message catches up in a second
WHOLE_CHARS = 16_000  # ... unless they are longer than this


def packed(message: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    """Take the bytes out of a message for a comm, which carries them beside it; ``unpack`` in ``turn.js`` undoes it."""
    buffers: list[bytes] = []

    def bare(value: Any) -> Any:
        if isinstance(value, bytes):
            buffers.append(value)
            return {"buffer": len(buffers) - 1}
        if isinstance(value, dict):
            return {name: bare(each) for name, each in value.items()}
        return [bare(each) for each in value] if isinstance(value, list | tuple) else value

    return bare(message), buffers


class AnswerCopy:
    """What the reader has of each response."""

    def __init__(self) -> None:
        self._copies: dict[int, BlockCopy] = {}

    def take(self, patches: Sequence[tuple[int, Patch]]) -> list[tuple[int, int, list[Entry]]]:
        """Bring the copies up to date; gives each response that changed: its index, its blocks' number, what is new."""
        changed = []
        for index, patch in patches:
            copy = self._copies.setdefault(index, BlockCopy())
            if patch.blocks or patch.count != len(copy.blocks):
                changed.append((index, patch.count, copy.take(patch)))
        return changed

    @property
    def whole(self) -> list[tuple[int, list[str]]]:
        """All that the reader has: each response's index and blocks."""
        return [(index, list(copy.blocks)) for index, copy in sorted(self._copies.items())]


class BlockCopy:
    """What the reader has: the HTML of each block."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self._patches = 0

    def take(self, patch: Patch) -> list[Entry]:
        """Bring the copy up to date and give what the reader needs for the same."""
        self._patches += 1
        entries = [self._entry(i, html) for i, html in patch.blocks]
        del self.blocks[patch.count :]
        return entries

    def _entry(self, i: int, html: str) -> Entry:
        old = self.blocks[i] if i < len(self.blocks) else ""
        self.blocks[i : i + 1] = [html]
        if self._patches % WHOLE_EVERY == 0 and len(html) <= WHOLE_CHARS:
            return i, 0, html
        keep = _common_start(old, html)
        return i, _utf16_units(html[:keep]), html[keep:]


def _common_start(a: str, b: str) -> int:
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _utf16_units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
