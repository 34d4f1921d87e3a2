"""Markdown block by block while it grows: what was closed stays, only the open tail is parsed again.

No I/O and no clock here. The Markdown itself is in ``rules``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from markdown_it.common.utils import normalizeReference

from poe_notebook.views.html import printable
from poe_notebook.views.markdown.budget import MANY_ELEMENTS, Budget
from poe_notebook.views.markdown.clean import LINK
from poe_notebook.views.markdown.footnotes import Notes
from poe_notebook.views.markdown.links import ShownImage
from poe_notebook.views.markdown.patch import ANSWER_CHARS, ANSWER_LINES, Patch, cut_note
from poe_notebook.views.markdown.rules import Context, Group, References, block_html, groups, notes_html, source_html

__all__ = ["MarkdownBlocks"]

_LINE_END = re.compile("\r\n?")
_SOURCE_CHARS = 4_000  # of blocks shown as their source in one; the last of these is sent again while it grows


@dataclass(frozen=True, slots=True)
class _Block:
    start: int
    end: int
    key: str
    html: str
    left: Budget  # for the blocks after it
    is_known: bool  # whether the same key would give the same again


class MarkdownBlocks:
    """The blocks of a growing answer.

    Only the open tail is parsed again, from the first block that later text can still change; closed blocks stay.
    So the work for a patch depends on the block that is being written, not on the answer so far.
    """

    def __init__(
        self, *, inline: Mapping[str, str | ShownImage] | None = None, key: str = "", chars: int = ANSWER_CHARS
    ) -> None:
        self._inline, self._key, self._most_chars = dict(inline or {}), key, chars
        self.reset()

    def reset(self) -> None:
        """Forget the text, as ``replace_response`` asks. The next patch then holds every block."""
        self._parts: list[str] = []
        self._fresh: list[str] = []
        self._chars = self._shown_chars = self._lines = 0
        self._limit_chars = self._most_chars
        self._tail = ""
        self._closed: list[str] = []
        self._open: list[_Block] = []
        self._settled = 0  # so many blocks at the front are as they were taken
        self._taken: list[str] = []  # the blocks after those, as they were taken
        self._context = self._new_context()
        self._budget = Budget()
        self._seen: References = {}
        self._suggested = ""
        self._is_stale = True

    def define(self, inline_ref: str, target: str | ShownImage) -> None:
        """Let images that name this ``inline_ref`` show their file; blocks closed before change at the end."""
        self._inline[inline_ref] = target
        self._context.references = {**_references({inline_ref: target}), **self._context.references}
        self._context.images = _images(self._inline)
        self._is_stale = True

    def append(self, delta: str) -> None:
        """Take in more text."""
        shown = self._within_limits(delta)
        self._chars += len(delta)
        self._shown_chars += len(shown)
        if shown:
            self._fresh.append(shown)
        self._is_stale |= bool(delta)

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
        if self._context.references or self._context.notes.defined:
            text, taken = "".join(self._parts), [*self._closed[: self._settled], *self._taken]
            self._context = self._new_context()
            found = groups(text, self._context.references)
            self._closed = [b.html for b in _rendered(found, text, context=self._context, budget=Budget())]
            self._closed += filter(None, [notes_html(self._context)])
            self._settled = _common(taken, self._closed)
            self._taken = taken[self._settled :]

    @property
    def html(self) -> str:
        """All blocks as they stand."""
        return "".join(self._from(0))

    def _within_limits(self, delta: str) -> str:
        shown = delta[: max(self._limit_chars - self._shown_chars, 0)]
        room, ends = ANSWER_LINES - self._lines, shown.count("\n") + shown.count("\r")
        if ends > room:
            shown = shown[: next(islice(re.finditer("[\r\n]", shown), room, None)).start()]
            ends, self._limit_chars = room, self._shown_chars + len(shown)
        self._lines += ends
        return shown

    def _new_context(self) -> Context:
        return Context(_references(self._inline), _images(self._inline), Notes(self._key))

    def _from(self, first: int) -> list[str]:
        note = cut_note(self._chars, self._shown_chars)
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
        context = self._context.for_tail()
        text = self._tail if is_last else self._tail + self._suggested
        found = groups(text, context.references)
        known = self._known(context)
        blocks = list(_rendered(found, text, context=context, budget=self._budget, known=known, is_whole=is_last))
        closed = len(blocks) if is_last else _closed_count(blocks, self._tail.count("\n"))
        self._seen = context.references
        self._open = blocks[closed:]
        self._is_stale = False
        if is_last:
            self._context.references = context.references
        if closed:
            self._close(blocks[:closed])

    def _known(self, context: Context) -> Mapping[str, str]:
        """Give the blocks that need not be rendered again, by their keys: not the last, which was growing."""
        if context.notes.defined or context.references != self._seen:
            return {}
        return {block.key: block.html for block in self._open[:-1] if block.is_known}

    def _close(self, blocks: Sequence[_Block]) -> None:
        self._closed += [b.html for b in blocks]
        end, self._budget = blocks[-1].end, blocks[-1].left
        kept = {label: r for label, r in self._seen.items() if r["map"][0] < end}
        self._context.references |= {label: {**r, "map": [-1, -1]} for label, r in kept.items()}
        self._tail = self._tail[_offset(self._tail, end) :]


def _closed_count(blocks: Sequence[_Block], complete_lines: int) -> int:
    """Count the blocks that no later text can change: those followed by a block whose first two lines are complete.

    One line does not do: a table is told by its second line, and without it the first goes on with the block before.
    """
    closed = 0
    while closed + 1 < len(blocks) and blocks[closed + 1].start + 2 <= complete_lines:
        closed += 1
    return closed


def _common(a: list[str], b: list[str]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _rendered(
    found: Sequence[Group],
    text: str,
    *,
    context: Context,
    budget: Budget,
    known: Mapping[str, str] = MappingProxyType({}),
    is_whole: bool = True,
) -> Iterator[_Block]:
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]  # whether the last line is complete matters to a block of code
    for group in found:
        context.notes.define(group.notes)
    for i, group in enumerate(found):
        if budget.is_spent:
            yield from _sources(found[i:], lines, start=found[i - 1].end if i else 0, budget=budget)
            return
        source = "".join(lines[group.start : group.end])
        context.colours.is_growing = not is_whole and group is found[-1]
        key = source + "".join(str(token.meta) for token in group.tokens if token.meta)  # which says how a block ended
        html = known.get(key) or block_html(group, source, context=context, budget=budget)
        left = budget.after(html)
        if left.fault:
            html = source_html(source, left.fault)
        else:
            budget = left
        yield _Block(group.start, group.end, key, html, budget, is_known=not left.fault)


def _sources(found: Sequence[Group], lines: Sequence[str], *, start: int, budget: Budget) -> Iterator[_Block]:
    """Show blocks as their source from the line ``start`` on, many in one, and say once why."""
    chars = 0
    for group in found:
        chars += sum(map(len, lines[group.start : group.end]))
        if chars >= _SOURCE_CHARS or group is found[-1]:
            source, why = "".join(lines[start : group.end]), "" if budget.fault else MANY_ELEMENTS
            budget = budget.spent()
            yield _Block(start, group.end, source, source_html(source, why), budget, is_known=False)
            start, chars = group.end, 0


def _offset(text: str, line: int) -> int:
    at = 0
    for _ in range(line):
        at = text.find("\n", at) + 1
        if not at:
            return len(text)
    return at


def _references(inline: Mapping[str, str | ShownImage]) -> References:
    targets = {ref: target.src if isinstance(target, ShownImage) else target for ref, target in inline.items()}
    return {
        normalizeReference(ref): {"title": "", "href": target, "map": [-1, -1]}
        for ref, target in targets.items()
        if LINK.match(target) or isinstance(inline[ref], ShownImage)
    }


def _images(inline: Mapping[str, str | ShownImage]) -> dict[str, ShownImage]:
    return {target.src: target for target in inline.values() if isinstance(target, ShownImage)}
