"""A reply as it grows, read with a cursor: new text on its way to a live view, with secrets kept out.

A secret may come in pieces, so the last word is held back until it is over, and shown earlier only if the bot makes a
pause. No I/O; the clock is passed in.
"""

from __future__ import annotations

from collections.abc import Iterator

from poe_notebook.reply import Reply
from poe_notebook.protocol.events import Event
from poe_notebook.views.markdown import MarkdownBlocks, PlainBlocks
from poe_notebook.views.turn_after import inline_references
from poe_notebook.views.turn_redaction import Redact

__all__ = ["AnswerBlocks", "AnswerText"]

PAUSE_S = 0.3  # after so much silence an unfinished word is shown; tokens of common models come every 0.02 to 0.15 s
_HELD_CHARS = 512  # a longer word is let through but for its end: keys have 32 to 200 characters
_WORD = "".join(map(chr, range(0x21, 0x7F)))


class AnswerText:
    """New text of a reply, piece by piece. A piece of ``None`` says that all before it was replaced."""

    def __init__(self, reply: Reply, *, redact: Redact | None = None) -> None:
        self._reply = reply
        self._redact = redact
        self._read = 0
        self._heard_s = 0.0
        self.held = ""

    def read(self, now_s: float) -> Iterator[str | None]:
        """Give what came since the last call."""
        events = self._reply.events
        new, self._read = events[self._read :], len(events)
        if new:
            self._heard_s = now_s
        for event in new:
            if event.type == "replace_response":
                self.held = ""
                yield None
            if event.type in ("text", "replace_response"):
                yield self._passed(_text(event))

    def is_quiet(self, now_s: float) -> bool:
        """Whether the bot has paused long enough for an unfinished word to be shown."""
        return bool(self.held) and now_s - self._heard_s >= PAUSE_S

    def rest(self) -> str:
        """Give what was held back; the answer is over."""
        rest, self.held = self.held, ""
        return rest

    def _passed(self, text: str) -> str:
        if self._redact is None:
            return text
        text = self._redact(self.held + text)
        end = text[-_HELD_CHARS:]
        cut = len(text) - len(end) + len(end.rstrip(_WORD))
        self.held = text[cut:]
        return text[:cut]


class AnswerBlocks:
    """The blocks of a growing reply, Markdown or plain as its first event said, and how many characters they take."""

    def __init__(self, reply: Reply, *, redact: Redact | None = None) -> None:
        self._reply = reply
        self._text = AnswerText(reply, redact=redact)
        self._blocks: MarkdownBlocks | PlainBlocks = MarkdownBlocks()
        self._files = 0
        self._shown: list[str] = []
        self.chars = 0

    def read(self, now_s: float) -> bool:
        """Take in what came; say whether there is something new to show."""
        is_new = self._define_files()
        for text in self._text.read(now_s):
            if isinstance(self._blocks, MarkdownBlocks) and self._reply.content_type == "text/plain":
                self._blocks = PlainBlocks()
            if text is None:
                self._blocks.reset()
                self._shown.clear()
                self.chars = 0
            else:
                self._blocks.append(text)
                self._shown.append(text)
                self.chars += len(text)
            is_new = True
        return self._blocks.suggest(self._text.held if self._text.is_quiet(now_s) else "") or is_new

    @property
    def blocks(self) -> MarkdownBlocks | PlainBlocks:
        """The blocks to take patches from."""
        return self._blocks

    @property
    def text(self) -> str:
        """The text so far, but for a last word that may be half a secret."""
        self._shown = ["".join(self._shown)]
        return self._shown[0]

    def finish(self, now_s: float) -> str:
        """Take in the rest and give the whole answer's HTML."""
        self.read(now_s)
        self._blocks.suggest("")
        self._blocks.append(self._text.rest())
        self._blocks.finish()
        return self._blocks.html

    def _define_files(self) -> bool:
        new = self._reply.attachments[self._files :]
        self._files += len(new)
        if isinstance(self._blocks, MarkdownBlocks):
            for inline_ref, url in inline_references(new).items():
                self._blocks.define(inline_ref, url)
        return bool(new)


def _text(event: Event) -> str:
    text = event.data.get("text")
    return text if isinstance(text, str) else ""
