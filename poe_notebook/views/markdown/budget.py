"""How much one answer may put on a page, so that no text makes the page stop answering.

What a block uses is counted in its HTML. Blocks are charged in their order, so that a growing answer and a finished one
come to the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["MANY_ELEMENTS", "MAX_ELEMENTS", "MAX_FRAMES", "Budget"]

MAX_ELEMENTS = 12_000  # of one answer; measured: 30,000 keep JupyterLab from answering for 2.7 s
MAX_FRAMES = 10  # each is a process of its own in Chromium
MANY_ELEMENTS = f"the answer has more than {MAX_ELEMENTS:,} elements"
_FEW_TAGS = 400  # with less left, no block is tried any more


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left for the blocks that follow."""

    tags: int = 2 * MAX_ELEMENTS
    frames: int = MAX_FRAMES

    def after(self, html: str) -> Budget:
        """Give what is left after a block; below zero if the block is too much."""
        return self.less(html.count("<"), frames=html.count("<iframe"))

    def less(self, tags: int, *, frames: int = 0) -> Budget:
        """Give what is left after so many tags, of which two make an element."""
        return replace(self, tags=self.tags - tags, frames=self.frames - frames)

    @property
    def is_spent(self) -> bool:
        """Whether all that follows is shown as its source, in few elements."""
        return self.tags < _FEW_TAGS

    def spent(self) -> Budget:
        """Give what is left once that was said."""
        return replace(self, tags=-1)

    @property
    def fault(self) -> str:
        """Say why the block that led here is not shown as it was meant; empty if it may."""
        if self.tags < 0:
            return MANY_ELEMENTS
        if self.frames < 0:
            return f"the answer has more than {MAX_FRAMES} pages"
        return ""
