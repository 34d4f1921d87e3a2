"""A bot's answer as clean HTML: at once (``render``, ``plain``), or block by block while it grows.

One renderer for live and saved answers: the blocks of a finished ``MarkdownBlocks`` are what ``render`` gives. Bot text
is hostile: what comes out holds no script, style, id, frame or image, and links only to ``http(s)`` and ``mailto``.
"""

from __future__ import annotations

from collections.abc import Mapping

from poe_notebook.views.html import escape
from poe_notebook.views.markdown_blocks import ANSWER_CHARS, MarkdownBlocks, Patch, cut_note

__all__ = ["ANSWER_CHARS", "MarkdownBlocks", "Patch", "PlainBlocks", "plain", "render"]


def render(text: str, *, inline: Mapping[str, str] | None = None) -> str:
    """Render Markdown. ``inline`` maps each ``inline_ref`` of an answer's attachments to its URL."""
    blocks = MarkdownBlocks(inline=inline)
    blocks.append(text)
    blocks.finish()
    return blocks.html


def plain(text: str) -> str:
    """Render an answer of type ``text/plain``: as it is, escaped."""
    return f'<pre class="poe-plain">{escape(text[:ANSWER_CHARS])}</pre>\n{cut_note(len(text))}'


class PlainBlocks:
    """The same for an answer of type ``text/plain``: one block, which grows."""

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
