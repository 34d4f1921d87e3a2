"""A comparison while it is under way, in the form that the front end can show; its finished form is static.

All of it runs on the toolkit's thread, where the answers grow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from poe_notebook.reply import Reply
from poe_notebook.views.answer import AnswerBlocks
from poe_notebook.views.compare import Compared, comparison_bundle
from poe_notebook.views.html import Bundle, unframed
from poe_notebook.views.live import CellOutput, Form, form_of
from poe_notebook.views.media.files import LATER, SAVED, Resolve, TurnFiles
from poe_notebook.views.transcript import answer_text, turn_bundle, without_message
from poe_notebook.views.turn_redaction import Redact, redacted

__all__ = ["LiveComparison", "open_comparison"]

PointsOf = Callable[[Reply], int | None]

_INTERVAL_S = 0.4  # of updates of the whole output, where there are no widgets
_SHARE = 20


class LiveComparison(Protocol):
    """Several answers on the screen."""

    def open(self) -> None:
        """Show that we wait; called in the cell."""

    def update(self) -> None:
        """Show what came."""

    def ended(self, reply: Reply) -> None:
        """Show that one answer has ended."""

    def close(self) -> None:
        """Leave the finished form."""


def open_comparison(
    replies: Sequence[Reply],
    *,
    shell: Any,
    redact: Redact,
    points: PointsOf,
    resolve: Resolve | None = None,
    form: Form | None = None,
) -> LiveComparison:
    """Make the view for this front end."""
    form = form or form_of(shell)
    if form == "widget":
        return _InColumns(replies, redact=redact, points=points, resolve=resolve)
    if form == "handle":
        return _Redrawn(replies, redact=redact, points=points, resolve=resolve)
    return _InWords(replies, redact=redact, points=points)


class _InColumns:
    def __init__(self, replies: Sequence[Reply], *, redact: Redact, points: PointsOf, resolve: Resolve | None) -> None:
        from poe_notebook.views.panel.turns import SharedTurn

        self._show, self._redact, self._points = CellOutput(), redact, points
        self._widget: Any = None
        self._turns = {
            reply.message_id: SharedTurn(reply, send=self._send, redact=redact, trim=without_message, resolve=resolve)
            for reply in replies
        }

    def open(self) -> None:
        from poe_notebook.views.panel.widget import CompareWidget

        self._frame = self._bundle()
        self._widget = CompareWidget(snapshot=self._snapshot, take=self._take)
        self._show({**self._widget.bundle, **self._frame})

    def update(self) -> None:
        for turn in self._turns.values():
            if not turn.reply.is_finished:
                turn.update()

    def ended(self, reply: Reply) -> None:
        self._send({"kind": "close", **self._turns[reply.message_id].end()}, None)

    def close(self) -> None:
        self._show({**self._bundle()})
        if self._widget.times_given < 2:
            self._widget.close()

    def _bundle(self) -> Bundle:
        return comparison_bundle(
            [
                Compared(redacted(turn.reply, self._redact), turn.saved[0], self._points(turn.reply))
                for turn in self._turns.values()
            ]
        )

    def _snapshot(self) -> dict[str, Any]:
        return {"frame": self._frame["text/html"], "turns": [turn.state() for turn in self._turns.values()]}

    def _send(self, message: dict[str, Any], buffers: Sequence[Any] | None) -> None:
        if self._widget is not None:
            self._widget.send(message, buffers)

    def _take(self, content: object, buffers: Sequence[Any]) -> None:
        """Pages ask only for what they have missed, and they get the finished form soon."""


class _Redrawn:
    def __init__(self, replies: Sequence[Reply], *, redact: Redact, points: PointsOf, resolve: Resolve | None) -> None:
        self._show, self._redact, self._points = CellOutput(), redact, points
        self._answers = [
            (reply, AnswerBlocks(reply, TurnFiles(resolve, redact=redact), redact=redact)) for reply in replies
        ]
        self._due_s = 0.0

    def open(self) -> None:
        self._draw()

    def update(self) -> None:
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        for _, blocks in self._answers:
            blocks.read(now_s)
            blocks.take_patches()
        self._draw()
        self._due_s = now_s + max(_INTERVAL_S, _SHARE * (time.monotonic() - now_s))

    def ended(self, reply: Reply) -> None:
        self._due_s = 0.0

    def close(self) -> None:
        for _, blocks in self._answers:
            blocks.finish(time.monotonic())
        self._draw()

    def _draw(self) -> None:
        shown = []
        for reply, blocks in self._answers:
            turn = redacted(reply, self._redact)
            answers = blocks.html if turn.text == reply.text else None
            room = SAVED if reply.is_finished else LATER
            html = turn_bundle(turn, files=blocks.files, answers=answers, room=room)["text/html"]
            points = self._points(reply) if reply.is_finished else None
            shown.append(Compared(turn, without_message(unframed(html)), points))
        self._show({**comparison_bundle(shown)})


class _InWords:
    """Text cannot be written in columns while it grows: each answer is written when it has ended."""

    def __init__(self, replies: Sequence[Reply], *, redact: Redact, points: PointsOf) -> None:
        self._replies, self._redact, self._points = replies, redact, points

    def open(self) -> None:
        _write(f"Asking {', '.join(reply.bot for reply in self._replies)} …\n")

    def update(self) -> None:
        pass

    def ended(self, reply: Reply) -> None:
        _write(f"\n{answer_text(redacted(reply, self._redact))}\n")

    def close(self) -> None:
        answers = [Compared(redacted(r, self._redact), "", self._points(r)) for r in self._replies]
        _write("\n" + comparison_bundle(answers)["text/plain"].rpartition("———\n\n")[2] + "\n")


def _write(text: str) -> None:
    import sys

    sys.stdout.write(text)
    sys.stdout.flush()
