"""Slots: the addresses that bots stand behind; generations: a bot's definitions; leases: running answers' hold on one.

A new request goes to the slot's current generation, a running one ends on its own. Handlers run on the generation's
loop, never on the server's; this is the one place where an answer crosses from there to here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any

from poe_notebook.bot.answer import CUT_SHORT, answer
from poe_notebook.bot.base import RequestContext
from poe_notebook.bot.handlers import Servable
from poe_notebook.keys import Secret
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.runtime.blocking import BlockedLoopWatch
from poe_notebook.runtime.bridge import Bridge
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.runtime.threads import in_thread
from poe_notebook.server.hooks import call_hook
from poe_notebook.tracing.exchange import Outcome, Place
from poe_notebook.tracing.failures import authors_last_place
from poe_notebook.tracing.recorder import CURRENT, Recording

__all__ = ["Generation", "Lease", "Slot"]

_KEPT_GENERATIONS = 10


@dataclass(slots=True, eq=False)
class Generation:
    """One definition of a bot: where its handlers run, in which context, and the answers that it is giving."""

    number: int
    servable: Servable
    thread: LoopThread
    context: Context = field(default_factory=copy_context)
    leases: set[Lease] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Lease:
    """A running answer's hold on its generation.

    ``outcome`` is how its handler ended, ``stopped`` until it has, and ``ended_s`` when; once it ``cleans_up``, a stop
    leaves it to that. ``waited_at`` is the author's line at which it was cancelled, if that is known.
    """

    generation: Generation
    recording: Recording
    bridge: Bridge
    outcome: Outcome = "stopped"
    ended_s: float = 0.0
    cleans_up: bool = False
    waited_at: Place | None = None
    _task: asyncio.Task[None] | None = None

    def start(self, handling: Coroutine[Any, Any, None], *, ended: Callable[[Lease], None]) -> None:
        """Start the handler on its loop; ``ended`` is called when it has ended, even if it never came to run.

        That is on the reader's loop.
        """
        if not self.generation.thread.call(self._start, handling, ended):
            handling.close()
            self._have_ended(ended)

    def stop(self) -> None:
        """End the answer for its reader and cancel the handler. One that blocks is cancelled when it comes back."""
        if not self.bridge.has_ended:
            self.bridge.abandon()
            self.bridge.end()
            self.generation.thread.call(self._cancel)

    def _start(self, handling: Coroutine[Any, Any, None], ended: Callable[[Lease], None]) -> None:
        self._task = asyncio.get_running_loop().create_task(handling, context=self.generation.context.copy())
        self._task.add_done_callback(lambda task: self._end(task, ended))

    def _cancel(self) -> None:
        if self._task is not None and not self.cleans_up:
            self._task.cancel()

    def _end(self, task: asyncio.Task[None], ended: Callable[[Lease], None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.recording.raised(error)
        self._have_ended(ended)

    def _have_ended(self, ended: Callable[[Lease], None]) -> None:
        """Have the end told on the reader's loop, where what was put before it is told of too."""
        self.ended_s = self.recording.now_s()
        self.bridge.on_reader(lambda: ended(self))


class Slot:
    """One bot's address. ``changed`` is called, from any thread, whenever what the status line shows has changed."""

    def __init__(
        self,
        name: str,
        *,
        path: str,
        access_key: Secret,
        changed: Callable[[Slot], None],
        watch: BlockedLoopWatch,
    ) -> None:
        self.name, self.path, self.access_key = name, path, access_key
        self._changed, self._watch = changed, watch
        self.generations: list[Generation] = []
        self.current: Generation | None = None
        self.answered = 0
        self.failed = 0

    def publish(self, servable: Servable, *, thread: LoopThread) -> Generation:
        """Make a new generation and point the slot to it. The caller's context is what its handlers run in.

        The caller tells of the change, once the slot can be found.
        """
        number = self.generations[-1].number + 1 if self.generations else 1
        generation = Generation(number, servable, thread)
        all_of_them = [*self.generations, generation]
        running = [old for old in all_of_them[:-_KEPT_GENERATIONS] if old.leases]
        self.generations = running + all_of_them[-_KEPT_GENERATIONS:]
        self.current = generation
        return generation

    def point_to(self, generation: Generation) -> None:
        """Send new requests to that generation from now on."""
        self.current = generation
        self._changed(self)

    @property
    def leases(self) -> list[Lease]:
        """The answers that are being given, by all generations."""
        return [lease for generation in self.generations for lease in list(generation.leases)]

    def stop(self) -> None:
        """Cancel every running answer."""
        for lease in self.leases:
            lease.stop()

    async def answer(
        self, request: QueryRequest, context: RequestContext, recording: Recording
    ) -> AsyncGenerator[bytes, None]:
        """Answer on the current generation's loop, and give the bytes on this one. Closing it cancels the handler."""
        lease = Lease(self._current(recording), recording, Bridge(recording.batch))
        lease.generation.leases.add(lease)
        self._watch.begin(lease.generation.thread)
        self._changed(self)
        lease.start(self._handle(lease, request, context), ended=self._release)
        try:
            async for batch in lease.bridge.batches():
                yield batch
            if lease.outcome == "stopped":
                for type_, raw in CUT_SHORT:
                    recording.event(type_, raw)
                    yield raw
        finally:
            lease.stop()

    async def call(self, method: str, *args: Any, recording: Recording) -> Any:
        """Call one of the bot's other methods (settings, reports) on its own loop; None if it has no such method."""
        generation = self._current(recording)
        function = getattr(generation.servable.bot, method, None)
        if function is None:
            return None
        calling = call_hook(function, *args, recording=recording)
        return await asyncio.wrap_future(generation.context.copy().run(generation.thread.submit, calling))

    def _current(self, recording: Recording) -> Generation:
        if self.current is None:
            raise LookupError(f"{self.name} has no generation yet")
        recording.exchange.generation = self.current.number
        return self.current

    async def _handle(self, lease: Lease, request: QueryRequest, context: RequestContext) -> None:
        recording = lease.recording
        CURRENT.set(recording)
        events = answer(
            lease.generation.servable, request, context=context, in_thread=in_thread, on_raise=recording.raised
        )
        async with aclosing(events):
            try:
                lease.outcome = await _hand_over(events, lease.bridge)
            except asyncio.CancelledError as stop:
                lease.waited_at = authors_last_place(stop, label=recording.label, clean=recording.clean)
                raise
            finally:
                lease.cleans_up = True

    def _release(self, lease: Lease) -> None:
        note = _note_of_stop(lease) if lease.outcome == "stopped" else ""
        lease.bridge.tell()
        ended_at_s = lease.recording.start_s + lease.ended_s
        self._watch.end(lease.generation.thread, lease.recording, at_s=ended_at_s)
        lease.recording.end(lease.outcome, note, at_s=lease.ended_s)
        lease.generation.leases.discard(lease)
        self.answered += lease.outcome == "done"
        self.failed += lease.outcome == "failed"
        lease.bridge.end()
        self._changed(self)


def _note_of_stop(lease: Lease) -> str:
    at = lease.waited_at
    where = f", while it waited at {at}: {at.code}" if at is not None else "."
    return f"The handler was cancelled after {lease.ended_s:.2f} s{where}"


async def _hand_over(events: AsyncIterator[tuple[str, bytes]], bridge: Bridge) -> Outcome:
    count, pause = 0, 1
    outcome: Outcome = "done"
    async for type_, raw in events:
        if type_ == "error":
            outcome = "failed"
        if not bridge.put(raw):
            return "stopped"
        count += 1
        # A handler that never awaits waits here for its reader: when it is far ahead, and after 1, 2, 4, 8 ... events,
        # so that of many answers that begin together each has its first text early (measured: 42 ms instead of 130 for
        # the median of 100, since the two threads do not fight for the interpreter while requests still come in).
        if count == pause or bridge.is_full:
            pause = 2 * count
            await bridge.room()
    return outcome
