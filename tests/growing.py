"""Markdown that grows: fed in pieces, with a reader's copy of the blocks kept up by patches."""

from __future__ import annotations

from hypothesis import strategies as st

from poe_notebook.views.markdown import MarkdownBlocks, Patch

__all__ = ["FRAGMENTS", "MARKDOWN", "apply", "cut", "grow"]

PARTS = [
    "a", "word ", "\n", "\n\n", "\n", "> ", "- ", "1. ", "2) ", "  ", "    ", "# ", "---", "===", "```", "~~~py",
    "`", "*", "**", "_", "[a]", "[a]: https://x.org", "[a]:", "'t", "(", ")", "![", "](https://y.org)", "<b>",
    "&amp;", "\\", "  \n", "https://z.org/q.", "\t", "+ b", "[ ] ", ":-:", "~~", "é", "😀", "<", "0", "|",
    "| a | b |\n", "|--|--|\n", "a | b", "-|-\n", "|a|b|c\n|-|-|-\n", "# \n",
    "\n\\begin{align}\n", "\\end{align}\n", "e\u0301", "\u0301" * 9,
    "$", "$x$", "$$", "\n$$\n", "\\(", "\\)", "\\[", "\\]", "\n\\[\n", "^2", "$5 ",
    "[^1]", "[^1]: note\n", "[^b]:", "\n    more\n",
    "```html\n", "<html>", "</html>", "\n<html>\n", "<!doctype html>\n", "<iframe src='https://e.org'>", "</iframe>",
    "```python\ndef f(): 'x'\n", "\n```\n", "www.a.org", "b@c.org", "שלום ", "مرحبا",
]  # fmt: skip
FRAGMENTS = st.sampled_from(PARTS)
MARKDOWN = st.lists(FRAGMENTS, max_size=40).map("".join)


def grow(pieces: list[str]) -> tuple[MarkdownBlocks, list[str]]:
    """Feed the pieces, taking a patch after each, and keep a reader's copy of the blocks."""
    blocks, shown = MarkdownBlocks(), list[str]()
    for piece in pieces:
        blocks.append(piece)
        shown = apply(shown, blocks.take_patch())
        assert "".join(shown) == blocks.html
    blocks.finish()
    return blocks, apply(shown, blocks.take_patch())


def apply(shown: list[str], patch: Patch) -> list[str]:
    """Bring a reader's copy up to date."""
    new = dict(patch.blocks)
    return [new[i] if i in new else shown[i] for i in range(patch.count)]


def cut(text: str, places: list[int]) -> list[str]:
    """Cut a text at some places."""
    ends = [*sorted({p % (len(text) + 1) for p in places}), len(text)]
    return [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]
