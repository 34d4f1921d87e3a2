"""Which line of a handler keeps its loop from running anything else, and for how long.

While answers are under way on a loop, a thread sends it a heartbeat and looks, if that is late, at what the loop's own
thread is doing. A loop that comes round costs 20 wake-ups a second and is never looked at; one on which nothing is
answered costs nothing. Plain functions and generators run in threads of their own and may block as they like.
"""

from __future__ import annotations

import asyncio.events
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from poe_notebook.runtime.loop import LoopThread
from poe_notebook.tracing.exchange import Blocked, Place
from poe_notebook.tracing.failures import authors_place, innermost_place
from poe_notebook.tracing.recorder import CURRENT, Recording

__all__ = ["BLOCKED_S", "BlockedLoopWatch"]

BLOCKED_S = 0.25
"""A step that keeps its loop for longer is recorded."""
_TICK_S = 0.05
"""How often a loop is asked for a sign of life, and so how exactly lengths are known."""

Seen = tuple[Place, str]
"""The author's line, and the function in which it waits."""


class BlockedLoopWatch:
    """Watches the loops on which answers are under way."""

    def __init__(self) -> None:
        self._loops: dict[LoopThread, _Pulse] = {}
        self._gate = threading.Lock()
        self._has_work, self._is_closing = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, loop: LoopThread) -> None:
        """Hear that an answer begins on a loop."""
        with self._gate:
            if loop not in self._loops:
                self._loops[loop] = _Pulse(loop, begun_s=time.monotonic())
            self._loops[loop].answers += 1
            self._has_work.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="poe-watch", daemon=True)
                self._thread.start()

    def end(self, loop: LoopThread, recording: Recording, *, at_s: float) -> None:
        """Hear that an answer on a loop has ended, when the clock stood there."""
        with self._gate:
            pulse = self._loops[loop]
            pulse.answers -= 1
            pulse.has_ended(recording, at_s)
            if not pulse.answers:
                del self._loops[loop]
            if not self._loops:
                self._has_work.clear()

    def close(self) -> None:
        """End the watching thread."""
        self._is_closing.set()
        self._has_work.set()
        if self._thread is not None:
            self._thread.join(10 * _TICK_S)

    def _watch(self) -> None:
        while not self._is_closing.wait(_TICK_S):
            self._has_work.wait()
            with self._gate:
                now_s = time.monotonic()
                for pulse in self._loops.values():
                    pulse.look(now_s)


@dataclass(slots=True)
class _Step:
    """One callback of a loop that runs for long: since when, for whom, and where it was seen."""

    handle: Any
    recording: Recording | None
    since_s: float
    seen: Counter[Seen] = field(default_factory=Counter)
    blocked: Blocked | None = None

    def note(self, until_s: float) -> None:
        """Write the step down, or how much longer it has become."""
        length_s = until_s - self.since_s
        if self.recording is None or not self.seen or length_s <= BLOCKED_S:
            return
        (at, inside), _ = self.seen.most_common(1)[0]
        if self.blocked is None:
            from_s = max(self.since_s - self.recording.start_s, 0.0)
            self.blocked = self.recording.blocked(at, from_s=from_s, length_s=length_s, inside=inside)
        self.blocked.length_s, self.blocked.at, self.blocked.inside = length_s, at, inside


class _Pulse:
    """The heartbeat of one loop. ``_beat`` runs on that loop, everything else under the watch's lock."""

    def __init__(self, loop: LoopThread, *, begun_s: float) -> None:
        self.answers = 0
        self._loop = loop
        self._is_pending = False
        self._answered_s = self._looked_s = begun_s
        self._step: _Step | None = None

    def look(self, now_s: float) -> None:
        """Send the next heartbeat, or see what keeps the last one."""
        if self._is_pending:
            self._look_at_thread(now_s)
        else:
            self._step_has_ended(self._answered_s)
            self._is_pending = True
            if not self._loop.call(self._beat):
                self._is_pending = False
        self._looked_s = now_s

    def has_ended(self, recording: Recording, at_s: float) -> None:
        """Hear that an answer ended then, and with it the step that it was in."""
        if self._step is not None and self._step.recording is recording:
            self._step_has_ended(at_s)

    def _beat(self) -> None:
        self._answered_s = time.monotonic()
        self._is_pending = False

    def _look_at_thread(self, now_s: float) -> None:
        frame = sys._current_frames().get(self._loop.ident or 0)
        handle = _handle_of(frame)
        step = self._step
        if step is None or step.handle is not handle:
            # It began after the last sign of another, and that line after the last that the handler gave.
            began_s = self._answered_s if step is None else self._looked_s
            self._step_has_ended(began_s)
            recording = _recording_of(handle)
            if recording is not None:
                began_s = max(began_s, recording.start_s + recording.last_sign_s)
            step = self._step = _Step(handle, recording, began_s)
        if step.recording is not None and frame is not None:
            step.seen[_seen(frame, step.recording)] += 1
            step.note(now_s)

    def _step_has_ended(self, at_s: float) -> None:
        step, self._step = self._step, None
        if step is not None:
            step.note(at_s)


def _handle_of(frame: FrameType | None) -> Any:
    """Give the callback that a loop's thread is in; none if it is between two."""
    while frame is not None:
        if frame.f_code is _RUN:
            return frame.f_locals.get("self")
        frame = frame.f_back
    return None


_RUN = asyncio.events.Handle._run.__code__


def _recording_of(handle: Any) -> Recording | None:
    context = getattr(handle, "_context", None)  # get_context came with Python 3.12
    return context.get(CURRENT) if context is not None else None


def _seen(frame: FrameType, recording: Recording) -> Seen:
    innermost = innermost_place(frame, label=recording.label, clean=recording.clean)
    at = authors_place(frame, label=recording.label, clean=recording.clean)
    if at is None or at == innermost:
        return innermost, ""
    module = frame.f_globals.get("__name__", "")
    return at, f"{module}.{innermost.function}"
