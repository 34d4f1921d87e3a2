"""What growing blocks give to whoever shows them, and how much of an answer is shown."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ANSWER_CHARS", "ANSWER_LINES", "Patch", "cut_note"]

ANSWER_CHARS = 500_000  # shown of one answer: five times what Poe takes
ANSWER_LINES = 40_000  # ... and so many lines of Markdown; measured: 120,000 list items take 5 s to parse


@dataclass(frozen=True, slots=True)
class Patch:
    """The blocks that changed since the last one, by index, and how many blocks there are now."""

    blocks: list[tuple[int, str]]
    count: int


def cut_note(chars: int, shown_chars: int) -> str:
    """Say that an answer is longer than what is shown of it; nothing if it is not."""
    if chars <= shown_chars:
        return ""
    return f'<p class="poe-muted">Cut here: the answer has {chars:,} characters, {shown_chars:,} are shown.</p>\n'
