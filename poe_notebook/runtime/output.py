"""Where goes what a handler says beside its answer: into its exchange, never into whichever cell happens to run.

While bots are served, the standard streams, the showing of warnings and the handing of log records to their handlers
are stood in for by what looks at a context variable: inside a handler, and in whatever carries its context, it writes
to the recording, elsewhere it does what was done before. Threads carry the context too: see ``thread_context``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from poe_notebook.runtime.logs import HandlerLogs
from poe_notebook.runtime.replacing import Replacement
from poe_notebook.runtime.thread_context import ThreadContext
from poe_notebook.tracing.authorship import with_known_names
from poe_notebook.tracing.recorder import CURRENT

__all__ = ["HandlerOutput"]


class HandlerOutput:
    """Stands in for all of these from ``open`` to ``close``."""

    def __init__(self) -> None:
        self._replacements: list[Replacement] = []
        self._logs = HandlerLogs()
        self._threads = ThreadContext()

    def open(self) -> None:
        """Take over; again is no harm."""
        for name in ("stdout", "stderr"):
            if not isinstance(getattr(sys, name), _Routed):
                self._replacements.append(Replacement(sys, name, partial(_Routed, name)))
        if not isinstance(warnings.showwarning, _Warnings):
            self._replacements.append(Replacement(warnings, "showwarning", _Warnings))
        self._logs.open()
        self._threads.open()

    def close(self) -> None:
        """Give everything back, unless somebody has since put something else in its place."""
        while self._replacements:
            self._replacements.pop().take_back()
        self._logs.close()
        self._threads.close()


class _Routed:
    """A text stream that writes to the running handler's recording, or else to the stream it stands for."""

    def __init__(self, source: str, original: Any) -> None:
        self._source, self._original = source, original

    def write(self, text: str) -> int:
        recording = CURRENT.get()
        if recording is None:
            return int(self._original.write(text) or 0)
        recording.log(self._source, with_known_names(text, recording.label))  # a traceback, as print_exc writes it
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


class _Warnings:
    """Shows a warning in the running handler's recording, with the line that it is about, or else as it was shown."""

    def __init__(self, original: Callable[..., None]) -> None:
        self._original = original

    def __call__(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: Any = None,
        line: str | None = None,
    ) -> None:
        recording = CURRENT.get()
        if recording is None or file is not None:
            self._original(message, category, filename, lineno, file, line)
            return
        place = f"{recording.label(filename) or filename}, line {lineno}"
        recording.log("warnings", f"{category.__name__}: {message} ({place})\n", level="WARNING")
