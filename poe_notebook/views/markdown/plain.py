"""An answer of type ``text/plain``: as it is, escaped, in one block that grows."""

from __future__ import annotations

from poe_notebook.views.html import escape
from poe_notebook.views.markdown.patch import ANSWER_CHARS, Patch, cut_note

__all__ = ["PlainBlocks", "plain"]


def plain(text: str) -> str:
    """Render an answer of type ``text/plain``."""
    shown = text[:ANSWER_CHARS]
    return f'<pre class="poe-plain">{escape(shown)}</pre>\n{cut_note(len(text), len(shown))}'


class PlainBlocks:
    """The same as ``MarkdownBlocks`` for plain text."""

    def __init__(self) -> None:
        self.reset()
        self._taken = ""

    def reset(self) -> None:
        """Forget the text."""
        self._parts: list[str] = []
        self._suggested = ""

    def append(self, delta: str) -> None:
        """Take in more text."""
        if delta:
            self._parts.append(delta)

    def suggest(self, text: str) -> bool:
        """Show this text after all other for now."""
        is_new, self._suggested = text != self._suggested, text
        return is_new

    def take_patch(self) -> Patch:
        """Give the block if it changed."""
        html, taken = self.html, self._taken
        self._taken = html
        return Patch([(0, html)] if html != taken and html else [], 1 if html else 0)

    def finish(self) -> None:
        """Close the answer."""
        self._suggested = ""

    @property
    def html(self) -> str:
        """The block as it stands."""
        self._parts = ["".join(self._parts)]
        text = self._parts[0] + self._suggested
        return plain(text) if text else ""
