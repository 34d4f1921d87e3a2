"""One message to several bots at once: their answers grow side by side, and an interrupt stops all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from poe_notebook.conversation import Failure, Reply
from poe_notebook.errors import Interrupted, PoeNotebookError
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.turn import Turn

if TYPE_CHECKING:
    from poe_notebook.views.compare_live import LiveComparison

__all__ = ["Comparison"]

_TICK_S = 0.02


class Comparison:
    """Several bots' replies to one message: a sequence, shown side by side as a cell's last value."""

    def __init__(
        self,
        turns: Sequence[Turn],
        *,
        thread: LoopThread,
        points_of: Callable[[Reply], int | None],
        redact: Callable[[str], str],
    ) -> None:
        self.points_of, self.redact = points_of, redact
        self._turns, self._thread = turns, thread

    @property
    def replies(self) -> list[Reply]:
        """The replies, in the order in which the bots were named."""
        return [turn.reply for turn in self._turns]

    def __len__(self) -> int:
        return len(self._turns)

    def __iter__(self) -> Iterator[Reply]:
        return iter(self.replies)

    def __getitem__(self, index: int) -> Reply:
        return self._turns[index].reply

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(reply.bot for reply in self)}>"

    def run(self, view: LiveComparison | None = None) -> Comparison:
        """Wait for all answers; an interrupt stops them and waits until they have stopped."""
        __tracebackhide__ = True
        has_ended = asyncio.Event()
        try:
            self._thread.run(self._run(view, has_ended))
        except KeyboardInterrupt:
            self._thread.run(has_ended.wait())
            raise Interrupted("all answers were stopped") from None
        return self

    def show(self) -> None:
        """Show the answers as they stand in the running cell."""
        from IPython.display import display

        from poe_notebook.views.compare import Compared, comparison_bundle
        from poe_notebook.views.turn_redaction import redacted

        answers = [Compared(redacted(reply, self.redact), points=self.points_of(reply)) for reply in self]
        display(comparison_bundle(answers), raw=True)

    def _ipython_display_(self) -> None:
        self.show()

    async def _run(self, view: LiveComparison | None, has_ended: asyncio.Event) -> None:
        answers = [asyncio.create_task(self._answer(turn, view)) for turn in self._turns]
        try:
            while any(not answer.done() for answer in answers):
                await asyncio.wait(answers, timeout=_TICK_S)
                if view is not None:
                    view.update()
        finally:
            for answer in answers:
                answer.cancel()
            await asyncio.wait(answers)
            if view is not None:
                view.close()
            has_ended.set()

    async def _answer(self, turn: Turn, view: LiveComparison | None) -> None:
        try:
            await turn.arun()
        except PoeNotebookError as error:  # this bot could not be asked; the others can
            turn.reply.state = "failed"
            turn.reply.failure = Failure(error.what, hint=error.now or error.why)
        finally:
            if view is not None:
                view.ended(turn.reply)
