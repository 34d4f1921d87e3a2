"""A bot's answer as clean HTML: at once (``render``, ``plain``), or block by block while it grows.

One renderer for live and saved answers: the blocks of a finished ``MarkdownBlocks`` are what ``render`` gives. Bot text
is hostile: what comes out holds no script, no style, no address that is fetched unasked, and frames only in a sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping

from poe_notebook.views.markdown.blocks import MarkdownBlocks
from poe_notebook.views.markdown.links import ShownImage
from poe_notebook.views.markdown.patch import ANSWER_CHARS, Patch
from poe_notebook.views.markdown.plain import PlainBlocks, plain

__all__ = ["ANSWER_CHARS", "MarkdownBlocks", "Patch", "PlainBlocks", "ShownImage", "plain", "render"]


def render(text: str, *, inline: Mapping[str, str | ShownImage] | None = None, key: str = "") -> str:
    """Render Markdown.

    ``inline`` maps each ``inline_ref`` of an answer's attachments to its URL, or to its image if that is at hand;
    ``key`` (up to 16 small letters and digits) tells the anchors of its footnotes from those of other answers.
    """
    blocks = MarkdownBlocks(inline=inline, key=key)
    blocks.append(text)
    blocks.finish()
    return blocks.html
