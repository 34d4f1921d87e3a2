"""A turn in a terminal: text as it streams, what came with it afterwards. No colours, no cursor movements.

Control characters of a bot are spelled out, so that it cannot steer the terminal.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from poe_notebook.reply import Piece, Reply
from poe_notebook.views.answer import AnswerText
from poe_notebook.views.media.files import Resolve, TurnFiles
from poe_notebook.views.transcript import heading_text
from poe_notebook.views.turn_after import after_text
from poe_notebook.views.turn_calls import calls_text
from poe_notebook.views.turn_redaction import Redact, redacted
from poe_notebook.views.wording import visible

__all__ = ["TerminalTurn"]

REPLACED = "— replaced —"


class TerminalTurn:
    """A turn written to standard output: see ``live.LiveTurn``."""

    def __init__(
        self,
        reply: Reply,
        *,
        write: Callable[[str], object] | None = None,
        redact: Redact | None = None,
        resolve: Resolve | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reply, self._write, self._redact, self._clock = reply, write or _write, redact, clock
        self._files = TurnFiles(resolve, redact=redact)
        self._text = AnswerText(reply, redact=redact)
        self._early: dict[int, str] = {}
        self._index: int | None = None
        self._is_line_open = self._has_cr = False

    def open(self) -> None:
        """Say who is asked."""
        self._put(heading_text(redacted(self._reply, self._redact)) + "\n")

    def update(self) -> None:
        """Write what came."""
        now_s = self._clock()
        for piece in self._text.read(now_s):
            self._turn_to(piece.index)
            if piece.replaces:
                self._put(f"{self._line_end()}{REPLACED}\n" if self._reply.events else "")
                self._early.pop(piece.index, None)
            self._put(self._continued(piece))
        if self._text.is_quiet(now_s):
            for index, held in list(self._text.held.items()):
                early = self._continued(Piece(index, held), is_early=True)
                if early:
                    self._turn_to(index)
                self._early[index] = held
                self._put(early)

    def close(self) -> None:
        """Write the rest, and what came with the answer."""
        self.update()
        for piece in self._text.rest():
            self._turn_to(piece.index)
            self._put(self._continued(piece))
        shown = redacted(self._reply, self._redact)
        self._files.take(self._reply)
        parts = ["\n".join(calls_text(shown)), after_text(shown, self._files)]
        self._put(f"{self._line_end()}\n" + "\n\n".join(filter(None, parts)) + "\n")

    def _turn_to(self, index: int) -> None:
        """Say which of several responses goes on, if it is another than before."""
        if self._index is not None and self._index != index:
            number = sorted(self._reply.responses).index(index) + 1
            self._put(f"{self._line_end()}— response {number} —\n")
        self._index = index

    def _continued(self, piece: Piece, *, is_early: bool = False) -> str:
        """Leave out what was written while the bot paused; if that turned out to begin a secret, end it there."""
        early, text = self._early.get(piece.index, ""), piece.text
        if not early or not text:
            return text
        if not is_early:
            self._early.pop(piece.index)
        return text[len(early) :] if text.startswith(early) else f" {text}"

    def _put(self, text: str) -> None:
        shown = text[1:] if self._has_cr and text[:1] == "\n" else text  # an end of line that came in two pieces
        if text:
            self._write(visible(shown))
            self._has_cr = text[-1] == "\r"
            self._is_line_open = text[-1] not in "\r\n"

    def _line_end(self) -> str:
        return "\n" if self._is_line_open else ""


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
