"""A turn in a terminal: text as it streams, what came with it afterwards. No colours, no cursor movements.

Control characters of a bot are spelled out, so that it cannot steer the terminal.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from poe_notebook.reply import Reply
from poe_notebook.views.answer import AnswerText
from poe_notebook.views.transcript import heading_text
from poe_notebook.views.turn_after import after_text
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reply, self._write, self._redact, self._clock = reply, write or _write, redact, clock
        self._text = AnswerText(reply, redact=redact)
        self._early = ""
        self._is_line_open = False

    def open(self) -> None:
        """Say who is asked."""
        self._put(heading_text(self._shown()) + "\n")

    def update(self) -> None:
        """Write what came."""
        now_s = self._clock()
        for text in self._text.read(now_s):
            if text is None:
                self._put(f"{self._line_end()}{REPLACED}\n" if self._reply.events else "")
                self._early = ""
            else:
                self._put(self._continued(text))
        if self._text.is_quiet(now_s):
            early, self._early = self._continued(self._text.held, is_early=True), self._text.held
            self._put(early)

    def close(self) -> None:
        """Write the rest, and what came with the answer."""
        self.update()
        self._put(self._continued(self._text.rest()))
        self._put(f"{self._line_end()}\n{after_text(self._shown())}\n")

    def _continued(self, text: str, *, is_early: bool = False) -> str:
        """Leave out what was written while the bot paused; if that turned out to begin a secret, end it there."""
        early = self._early
        if not early or not text:
            return text
        if not is_early:
            self._early = ""
        return text[len(early) :] if text.startswith(early) else f" {text}"

    def _put(self, text: str) -> None:
        if text:
            self._write(visible(text))
            self._is_line_open = not text.endswith("\n")

    def _line_end(self) -> str:
        return "\n" if self._is_line_open else ""

    def _shown(self) -> Reply:
        return self._reply if self._redact is None else redacted(self._reply, self._redact)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
