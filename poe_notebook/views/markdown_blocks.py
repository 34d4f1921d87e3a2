"""Markdown block by block while it grows: what was closed stays, only the open tail is parsed again.

No I/O and no clock here. The Markdown itself is in ``markdown_rules``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markdown_it.common.utils import normalizeReference

from poe_notebook.views.html import printable
from poe_notebook.views.markdown_clean import LINK
from poe_notebook.views.markdown_rules import Group, References, block_html, groups

__all__ = ["ANSWER_CHARS", "MarkdownBlocks", "Patch", "cut_note"]

ANSWER_CHARS = 500_000  # shown of one answer: five times what Poe takes; measured, 1 MB of hostile text costs 4 s
_LINE_END = re.compile("\r\n?")


@dataclass(frozen=True, slots=True)
class Patch:
    """The blocks that changed since the last one, by index, and how many blocks there are now."""

    blocks: list[tuple[int, str]]
    count: int


@dataclass(frozen=True, slots=True)
class _Block:
    start: int
    end: int
    source: str
    html: str


class MarkdownBlocks:
    """The blocks of a growing answer.

    Only the open tail is parsed again, from the first block that later text can still change; closed blocks stay.
    So the work for a patch depends on the block that is being written, not on the answer so far.
    """

    def __init__(self, *, inline: Mapping[str, str] | None = None) -> None:
        self._inline = dict(inline or {})
        self.reset()

    def reset(self) -> None:
        """Forget the text, as ``replace_response`` asks. The next patch then holds every block."""
        self._parts: list[str] = []
        self._fresh: list[str] = []
        self._chars = 0
        self._tail = ""
        self._closed: list[str] = []
        self._open: list[_Block] = []
        self._settled = 0  # so many blocks at the front are as they were taken
        self._taken: list[str] = []  # the blocks after those, as they were taken
        self._references = _references(self._inline)
        self._seen: References = {}
        self._suggested = ""
        self._is_stale = True

    def define(self, inline_ref: str, *, url: str) -> None:
        """Let images that name this ``inline_ref`` become links to ``url``; blocks closed before change at the end."""
        self._inline[inline_ref] = url
        self._references = {**_references({inline_ref: url}), **self._references}
        self._is_stale = True

    def append(self, delta: str) -> None:
        """Take in more text."""
        room = ANSWER_CHARS - self._chars
        self._chars += len(delta)
        if room > 0 and delta:
            self._fresh.append(delta[:room])
            self._is_stale = True

    def suggest(self, text: str) -> bool:
        """Show this text after all other for now: it is no part of the answer yet. Says whether that is a change."""
        is_new = text != self._suggested
        self._suggested = text
        self._is_stale |= is_new
        return is_new

    def take_patch(self) -> Patch:
        """Give what changed since the last patch, and take it as delivered."""
        if self._is_stale:
            self._parse_tail()
        first, taken = self._settled, self._taken
        now = self._from(first)
        changed = [(first + i, html) for i, html in enumerate(now) if i >= len(taken) or taken[i] != html]
        self._settled = len(self._closed)
        self._taken = now[self._settled - first :]
        return Patch(changed, first + len(now))

    def finish(self) -> None:
        """Close the answer. Definitions that came late change blocks before them, so then all is rendered once more."""
        self._parse_tail(is_last=True)
        if self._references:
            text, taken = "".join(self._parts), [*self._closed[: self._settled], *self._taken]
            self._references = _references(self._inline)
            found = groups(text, self._references)
            self._closed = [b.html for b in _rendered(found, text, references=self._references, known={})]
            self._settled = _common(taken, self._closed)
            self._taken = taken[self._settled :]

    @property
    def html(self) -> str:
        """All blocks as they stand."""
        return "".join(self._from(0))

    def _from(self, first: int) -> list[str]:
        note = cut_note(self._chars)
        return [*self._closed[first:], *(b.html for b in self._open), *([note] if note else [])]

    def _take_fresh(self, *, is_last: bool) -> None:
        text = "".join(self._fresh)
        self._fresh = []
        if not is_last and text and (text[-1] == "\r" or "\ud800" <= text[-1] <= "\udbff"):
            text, self._fresh = text[:-1], [text[-1]]
        text = _LINE_END.sub("\n", printable(text))
        self._parts.append(text)
        self._tail += text

    def _parse_tail(self, *, is_last: bool = False) -> None:
        self._take_fresh(is_last=is_last)
        references = dict(self._references)
        text = self._tail if is_last else self._tail + self._suggested
        found = groups(text, references)
        known = {b.source: b.html for b in self._open} if references == self._seen else {}
        blocks = list(_rendered(found, text, references=references, known=known))
        closed = len(blocks) if is_last else _closed_count(blocks, self._tail.count("\n"))
        self._seen = references
        self._open = blocks[closed:]
        self._is_stale = False
        if is_last:
            self._references = references
        if closed:
            self._close(blocks[:closed])

    def _close(self, blocks: list[_Block]) -> None:
        self._closed += [b.html for b in blocks]
        end = blocks[-1].end
        kept = {label: r for label, r in self._seen.items() if r["map"][0] < end}
        self._references |= {label: {**r, "map": [-1, -1]} for label, r in kept.items()}
        self._tail = self._tail[_offset(self._tail, end) :]


def cut_note(chars: int) -> str:
    """Say that an answer is longer than what is shown of it; nothing if it is not."""
    if chars <= ANSWER_CHARS:
        return ""
    return f'<p class="poe-muted">Cut here: the answer has {chars:,} characters, {ANSWER_CHARS:,} are shown.</p>\n'


def _closed_count(blocks: list[_Block], complete_lines: int) -> int:
    """Count the blocks that no later text can change: those followed by a block whose first two lines are complete.

    One line does not do: a table is told by its second line, and without it the first goes on with the block before.
    """
    closed = 0
    while closed + 1 < len(blocks) and blocks[closed + 1].start + 2 <= complete_lines:
        closed += 1
    return closed


def _common(a: list[str], b: list[str]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _rendered(found: list[Group], text: str, *, references: References, known: Mapping[str, str]) -> Iterator[_Block]:
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]  # whether the last line is complete matters to a block of code
    for group in found:
        source = "".join(lines[group.start : group.end])
        html = known.get(source) or block_html(group, source, references=references)
        yield _Block(group.start, group.end, source, html)


def _offset(text: str, line: int) -> int:
    at = 0
    for _ in range(line):
        at = text.find("\n", at) + 1
        if not at:
            return len(text)
    return at


def _references(inline: Mapping[str, str]) -> References:
    return {
        normalizeReference(ref): {"title": "", "href": url, "map": [-1, -1]}
        for ref, url in inline.items()
        if LINK.match(url)
    }
