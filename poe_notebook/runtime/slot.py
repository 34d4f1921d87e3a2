"""Slots: the addresses that bots stand behind; generations: a bot's definitions; leases: running answers' hold on one.

A new request goes to the slot's current generation, a running one ends on its own. Handlers run on the generation's
loop, never on the server's; this is the one place where an answer crosses from there to here.
"""

from __future__ import annotations

import asyncio
import concurrent.futures as futures
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from poe_notebook.bot.answer import answer
from poe_notebook.bot.base import RequestContext
from poe_notebook.bot.handlers import Servable
from poe_notebook.keys import Secret
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.runtime.bridge import Bridge
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.runtime.threads import in_thread
from poe_notebook.trace.recorder import CURRENT, Recording

__all__ = ["Generation", "Slot"]

T = TypeVar("T")

_TURN_EVENTS = 32
"""A handler that never awaits gives way to the loop after so many events (and after the first, so that many streams
that start together all show something soon)."""
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
    """A running answer's hold on its generation."""

    generation: Generation
    recording: Recording
    bridge: Bridge
    future: futures.Future[None] | None = None

    def stop(self) -> None:
        """Cancel the handler. One that blocks is cancelled when it comes back."""
        self.bridge.abandon()
        if self.future is not None:
            self.future.cancel()


class Slot:
    """One bot's address. ``changed`` is called, from any thread, whenever what the status line shows has changed."""

    def __init__(self, name: str, *, path: str, access_key: Secret, changed: Callable[[Slot], None]) -> None:
        self.name, self.path, self.access_key = name, path, access_key
        self._changed = changed
        self.generations: list[Generation] = []
        self.current: Generation | None = None
        self.answered = 0
        self.failed = 0

    def publish(self, servable: Servable, *, thread: LoopThread) -> Generation:
        """Make a new generation and point the slot to it. The caller's context is what its handlers run in."""
        number = self.generations[-1].number + 1 if self.generations else 1
        generation = Generation(number, servable, thread)
        self.generations = [*self.generations, generation][-_KEPT_GENERATIONS:]
        self.current = generation
        self._changed(self)
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
        generation = self._leased()
        recording.exchange.generation = generation.number
        lease = Lease(generation, recording, Bridge())
        generation.leases.add(lease)
        self._changed(self)
        try:
            lease.future = generation.context.copy().run(generation.thread.submit, self._run(lease, request, context))
            async for batch in lease.bridge.batches():
                yield batch
        finally:
            if not lease.bridge.has_ended:
                lease.stop()

    async def call(self, method: str, *args: Any) -> Any:
        """Call one of the bot's other methods (settings, reports) on its own loop; None if it has no such method."""
        generation = self._leased()
        function = getattr(generation.servable.bot, method, None)
        if function is None:
            return None
        return await asyncio.wrap_future(generation.context.copy().run(generation.thread.submit, _call(function, args)))

    def _leased(self) -> Generation:
        if self.current is None:
            raise LookupError(f"{self.name} has no generation yet")
        return self.current

    async def _run(self, lease: Lease, request: QueryRequest, context: RequestContext) -> None:
        recording, bridge = lease.recording, lease.bridge
        CURRENT.set(recording)
        outcome = "stopped"
        try:
            events = answer(
                lease.generation.servable,
                request,
                context=context,
                in_thread=in_thread,
                on_raise=recording.raised,
            )
            async with aclosing(events):
                outcome = await _hand_over(events, bridge, recording)
        finally:
            self._release(lease, outcome)

    def _release(self, lease: Lease, outcome: Any) -> None:
        note = f"The handler was cancelled after {lease.recording.now_s():.2f} s." if outcome == "stopped" else ""
        lease.recording.end(outcome, note)
        lease.generation.leases.discard(lease)
        self.answered += outcome == "done"
        self.failed += outcome == "failed"
        lease.bridge.end()
        self._changed(self)


async def _hand_over(events: AsyncIterator[tuple[str, bytes]], bridge: Bridge, recording: Recording) -> str:
    count, outcome = 0, "done"
    async for type_, raw in events:
        recording.event(type_, raw)
        if type_ == "error":
            outcome = "failed"
        if not bridge.put(raw):
            return "stopped"
        count += 1
        if count % _TURN_EVENTS == 1:
            await asyncio.sleep(0)
        if bridge.is_full:
            await bridge.room()
    return outcome


async def _call(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    result = function(*args)
    return await result if isinstance(result, Coroutine) else result
