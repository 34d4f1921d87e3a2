"""Where a handler's prints go: into its exchange, never into whichever cell happens to run.

``sys.stdout`` and ``sys.stderr`` are stood in for by a stream that looks at a context variable: inside a handler, and
in whatever carries its context, such as ``asyncio.to_thread``, it writes to the recording, elsewhere to the original.

A ``threading.Thread`` that a handler starts by itself begins with an empty context up to Python 3.13 (from 3.14 on
``-X thread_inherit_context`` carries it), and nothing tells a thread's parent afterwards, so what such a thread prints
goes to the original. ``Thread(target=contextvars.copy_context().run, args=(function,))`` carries the context.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from poe_notebook.tracing.recorder import CURRENT

__all__ = ["HandlerOutput"]


class _Routed:
    """A text stream that writes to the running handler's recording, or else to the stream it stands for."""

    def __init__(self, source: str, original: Any) -> None:
        self._source, self._original = source, original

    def write(self, text: str) -> int:
        recording = CURRENT.get()
        if recording is None:
            return int(self._original.write(text) or 0)
        recording.log(self._source, text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


class HandlerOutput:
    """Stands in for the standard streams from ``open`` to ``close``."""

    def __init__(self) -> None:
        self._routed: dict[str, _Routed] = {}

    def open(self) -> None:
        """Take the streams over; again is no harm."""
        for name in ("stdout", "stderr"):
            if not isinstance(getattr(sys, name), _Routed):
                self._routed[name] = _Routed(name, getattr(sys, name))
                setattr(sys, name, self._routed[name])

    def close(self) -> None:
        """Give the streams back, unless somebody has since put others in their place."""
        for name, routed in self._routed.items():
            if getattr(sys, name) is routed:
                setattr(sys, name, routed._original)
        self._routed.clear()
