"""A reply as it grows, read with a cursor: new text on its way to a live view, with secrets kept out.

A secret may come in pieces, so the last word is held back until it is over, and shown earlier only if the bot makes a
pause. No I/O; the clock is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from poe_notebook.reply import Piece, Reply, piece_of
from poe_notebook.views.markdown import ANSWER_CHARS, MarkdownBlocks, Patch, PlainBlocks, ShownImage
from poe_notebook.views.media.files import LIVE, TurnFiles
from poe_notebook.views.turn_redaction import Redact

__all__ = ["MAX_RESPONSES", "AnswerBlocks", "AnswerText", "answers_of"]

PAUSE_S = 0.3  # after so much silence an unfinished word is shown; tokens of common models come every 0.02 to 0.15 s
MAX_RESPONSES = 12
_OTHERS_CHARS = 100_000  # shown of each parallel response but the first
_HELD_CHARS = 512  # a longer word is let through but for its end: keys have 32 to 200 characters
_WORD = "".join(map(chr, range(0x21, 0x7F)))


class AnswerText:
    """New text of a reply, piece by piece."""

    def __init__(self, reply: Reply, *, redact: Redact | None = None) -> None:
        self._reply = reply
        self._redact = redact
        self._read = 0
        self._heard_s = 0.0
        self.held: dict[int, str] = {}
        """The unfinished last word of each response."""

    def read(self, now_s: float) -> Iterator[Piece]:
        """Give what came since the last call."""
        events = self._reply.events
        new, self._read = events[self._read :], len(events)
        if new:
            self._heard_s = now_s
        for event in new:
            piece = piece_of(event)
            if piece is not None:
                held = "" if piece.replaces else self.held.get(piece.index, "")
                yield replace(piece, text=self._passed(piece.index, held + piece.text))

    def is_quiet(self, now_s: float) -> bool:
        """Whether the bot has paused long enough for an unfinished word to be shown."""
        return any(self.held.values()) and now_s - self._heard_s >= PAUSE_S

    def rest(self) -> list[Piece]:
        """Give what was held back; the answer is over."""
        rest, self.held = self.held, {}
        return [Piece(index, text) for index, text in rest.items() if text]

    def _passed(self, index: int, text: str) -> str:
        if self._redact is None:
            return text
        text = self._redact(text)
        end = text[-_HELD_CHARS:]
        cut = len(text) - len(end) + len(end.rstrip(_WORD))
        self.held[index] = text[cut:]
        return text[:cut]


class AnswerBlocks:
    """The blocks of a growing reply, for each of its responses, Markdown or plain as its first event said."""

    def __init__(self, reply: Reply, files: TurnFiles | None = None, *, redact: Redact | None = None) -> None:
        self._reply, self._files = reply, files or TurnFiles(redact=redact)
        self._text, self._redact = AnswerText(reply, redact=redact), redact
        self._parts: dict[int, MarkdownBlocks | PlainBlocks] = {}
        self._shown: dict[int, list[str]] = {}
        self._defined = 0

    def read(self, now_s: float) -> bool:
        """Take in what came; say whether there is something new to show."""
        is_new = self._define_files()
        for piece in self._text.read(now_s):
            self._take(piece)
            is_new = True
        is_quiet = self._text.is_quiet(now_s)
        for index, blocks in self._parts.items():
            is_new |= blocks.suggest(self._text.held.get(index, "") if is_quiet else "")
        return is_new

    def take_patches(self) -> list[tuple[int, Patch]]:
        """Give what changed in each response since the last time."""
        return [(index, self._clean(self._parts[index].take_patch())) for index in sorted(self._parts)]

    @property
    def files(self) -> TurnFiles:
        """The files of the turn."""
        return self._files

    @property
    def html(self) -> dict[int, str]:
        """The HTML of each response as it stands."""
        redact = self._redact or str
        return {index: redact(self._parts[index].html) for index in sorted(self._parts)}

    @property
    def chars(self) -> int:
        """How many characters the text has."""
        return sum(len(part) for parts in self._shown.values() for part in parts)

    @property
    def text(self) -> str:
        """The text so far, but for last words that may be half a secret."""
        self._shown = {index: ["".join(parts)] for index, parts in self._shown.items()}
        return "\n\n".join(parts[0] for _, parts in sorted(self._shown.items()) if parts[0])

    def finish(self, now_s: float) -> dict[int, str]:
        """Take in the rest and give the whole answer's HTML, response by response."""
        self.read(now_s)
        for blocks in self._parts.values():
            blocks.suggest("")
        for piece in self._text.rest():
            self._take(piece)
        for blocks in self._parts.values():
            blocks.finish()
        return self.html

    def _clean(self, patch: Patch) -> Patch:
        """Look through the HTML, too: Markdown may put together what the text spells with escapes."""
        if self._redact is None:
            return patch
        return replace(patch, blocks=[(place, self._redact(html)) for place, html in patch.blocks])

    def _take(self, piece: Piece) -> None:
        if piece.index not in self._parts:
            if len(self._parts) >= MAX_RESPONSES:
                return
            self._parts[piece.index] = _new_blocks(self._reply, piece.index, self._files, is_first=not self._parts)
            self._shown[piece.index] = []
        blocks = self._parts[piece.index]
        if piece.replaces:
            blocks.reset()
            self._shown[piece.index] = []
        blocks.append(piece.text)
        self._shown[piece.index].append(piece.text)

    def _define_files(self) -> bool:
        self._files.take(self._reply)
        files = self._files.of_answer
        new, self._defined = files[self._defined :], len(files)
        for blocks in self._parts.values():
            if isinstance(blocks, MarkdownBlocks):
                for inline_ref, target in _inline(self._files).items():
                    if any(file.attachment.inline_ref == inline_ref for file in new):
                        blocks.define(inline_ref, target)
        return bool(new)


def answers_of(reply: Reply, files: TurnFiles) -> dict[int, str]:
    """Render the answer as it stands at once, response by response."""
    html: dict[int, str] = {}
    texts = [(index, response.text) for index, response in reply.responses.items() if response.text]
    for index, text in texts[:MAX_RESPONSES]:
        blocks = _new_blocks(reply, index, files, is_first=not html)
        blocks.append(text)
        blocks.finish()
        html[index] = blocks.html
    return dict(sorted(html.items()))


def _new_blocks(reply: Reply, index: int, files: TurnFiles, *, is_first: bool) -> MarkdownBlocks | PlainBlocks:
    if reply.content_type == "text/plain":
        return PlainBlocks()
    key = re.sub("[^a-z0-9]", "", reply.message_id)[-8:] + ("" if is_first else f"x{abs(index)}"[:8])
    return MarkdownBlocks(inline=_inline(files), key=key, chars=ANSWER_CHARS if is_first else _OTHERS_CHARS)


def _inline(files: TurnFiles) -> dict[str, str | ShownImage]:
    kept = files.kept(LIVE)
    return {
        file.attachment.inline_ref: (file.image if file.number in kept else None) or file.attachment.url
        for file in files.of_answer
        if file.attachment.inline_ref
    }
