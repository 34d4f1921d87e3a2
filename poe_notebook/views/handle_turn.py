"""A turn shown by updating one output: for front ends without widgets, and for runs that nobody watches.

Each update carries the whole answer so far, so updates get rarer as it grows: what is sent is bounded by a few times
the answer and a few kilobytes a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from poe_notebook.reply import Reply
from poe_notebook.views.answer import AnswerBlocks
from poe_notebook.views.html import cleaned
from poe_notebook.views.media.files import LATER, Resolve, TurnFiles
from poe_notebook.views.transcript import turn_bundle
from poe_notebook.views.turn_redaction import Redact, redacted

__all__ = ["HandleTurn"]

INTERVAL_S = 0.25  # measured in JupyterLab 4.6: 20 kB of Markdown updated each 0.1 s lags, each 0.25 s it does not
SHARE = 10  # rendering may take one part in so many
FREE_CHARS = 256_000  # sent without asking how long the answer is
TIMES_ANSWER = 8  # ... and so many times what one update takes: each then waits until the answer grew by an eighth
CHARS_PER_S = 16_000  # ... and so much in each second, so that a slow long answer does move


class HandleTurn:
    """A turn shown with display updates: see ``live.LiveTurn``."""

    def __init__(
        self,
        reply: Reply,
        *,
        show: Callable[[dict[str, Any]], None],
        redact: Redact | None = None,
        resolve: Resolve | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reply, self._show, self._redact, self._clock = reply, show, redact, clock
        self._files = TurnFiles(resolve, redact=redact)
        self._answer = AnswerBlocks(reply, self._files, redact=redact)
        self._sent_chars = 0
        self._last_chars = 0
        self._events = 0
        self._opened_s = self._due_s = clock()

    def open(self) -> None:
        """Show that we wait."""
        self._opened_s = self._clock()
        self._due_s = self._opened_s + INTERVAL_S
        self._files.take(self._reply)
        self._show({**turn_bundle(redacted(self._reply, self._redact), files=self._files, answers={}, room=LATER)})

    def update(self) -> None:
        """Show the answer so far, if it is time and something is new."""
        now_s = self._clock()
        if now_s < self._due_s or len(self._reply.events) == self._events:
            return
        self._answer.read(now_s)
        if not self._can_afford(now_s):
            self._due_s = now_s + INTERVAL_S
            return
        self._events = len(self._reply.events)
        self._answer.take_patches()
        answers, text = self._answer.html, self._answer.text
        shown = turn_bundle(
            redacted(self._reply, self._redact), files=self._files, answers=answers, text=text, room=LATER
        )
        self._show({**shown})
        self._last_chars = sum(map(len, shown.values()))
        self._sent_chars += self._last_chars
        self._due_s = now_s + max(INTERVAL_S, SHARE * (self._clock() - now_s))

    def close(self) -> None:
        """Leave the finished form."""
        answers = self._answer.finish(self._clock())
        shown = redacted(self._reply, self._redact)
        is_same = shown.text == self._reply.text
        self._show(cleaned(turn_bundle(shown, files=self._files, answers=answers if is_same else None), self._redact))

    def _can_afford(self, now_s: float) -> bool:
        update_chars = max(self._last_chars, self._answer.chars)
        allowed = FREE_CHARS + TIMES_ANSWER * update_chars + CHARS_PER_S * (now_s - self._opened_s)
        return self._sent_chars + update_chars <= allowed
