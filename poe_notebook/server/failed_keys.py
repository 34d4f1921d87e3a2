"""Requests whose access key was missing or wrong: how many came, and from where too many.

The right key is always let in, so that nobody can lock Poe out: what reaches a bot through a tunnel may all come from
one address. A limit on guessing it is not; a key of 32 characters needs none.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["MOST_IN_A_WINDOW", "FailedKeys"]

MOST_IN_A_WINDOW = 100
_WINDOW_S = 60.0
_KEPT_PEERS = 1000
_RECORDED_IN_A_WINDOW = 10
"""So many are worth a place in the trace, where they would else drive out what was answered."""


class FailedKeys:
    """Counts by peer, in windows of a minute. Of more than a thousand peers the longest quiet ones are forgotten."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._all = (-math.inf, 0)
        self.total = 0

    def count(self, peer: str) -> None:
        """Take one in."""
        self.total += 1
        self._all = self._one_more(self._all)
        self._windows[peer] = self._one_more(self._windows.get(peer, (-math.inf, 0)))
        self._windows.move_to_end(peer)
        if len(self._windows) > _KEPT_PEERS:
            self._windows.popitem(last=False)

    @property
    def is_worth_recording(self) -> bool:
        """Whether the latest is one of the first few of its minute."""
        return self._all[1] <= _RECORDED_IN_A_WINDOW

    def wait_s(self, peer: str) -> int:
        """Say for how long, in whole seconds, a peer should not try again; 0 if it may."""
        began_s, count = self._windows.get(peer, (-math.inf, 0))
        left_s = began_s + _WINDOW_S - self._now_s()
        return math.ceil(left_s) if count > MOST_IN_A_WINDOW and left_s > 0 else 0

    def _one_more(self, window: tuple[float, int]) -> tuple[float, int]:
        began_s, count = window
        now_s = self._now_s()
        return (began_s, count + 1) if now_s < began_s + _WINDOW_S else (now_s, 1)
