"""Where a handler's log records go: into its exchange, and to whatever writes them elsewhere than to a cell.

Not by a handler at the root logger: one there would make ``logging.basicConfig`` in a cell do nothing and silence
logging's last resort, and loggers that do not propagate would not be seen. So ``Logger.callHandlers`` is stood in for,
which every record passes once its logger's level let it through.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

from poe_notebook.runtime.replacing import Replacement
from poe_notebook.tracing.authorship import with_known_names
from poe_notebook.tracing.recorder import CURRENT

__all__ = ["HandlerLogs"]

CallHandlers = Callable[[logging.Logger, logging.LogRecord], None]


class HandlerLogs:
    """Routes records from ``open`` to ``close``."""

    def __init__(self) -> None:
        self._replacement: Replacement | None = None

    def open(self) -> None:
        """Take over; again is no harm."""
        if logging.Logger.callHandlers.__module__ != __name__:
            self._replacement = Replacement(logging.Logger, "callHandlers", _routing)

    def close(self) -> None:
        """Give it back, unless somebody has since put something else in its place."""
        if self._replacement is not None:
            self._replacement.take_back()
            self._replacement = None


def _routing(original: CallHandlers) -> CallHandlers:
    def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
        recording = CURRENT.get()
        if recording is None:
            original(logger, record)
            return
        recording.log("log", with_known_names(_line(record), recording.label), level=record.levelname)
        for handler in _handlers(logger):
            if record.levelno >= handler.level and not _writes_to_a_cell(handler):
                handler.handle(record)

    return call_handlers


def _handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    """Give the handlers that logging itself would call, from the record's logger up."""
    at: logging.Logger | None = logger
    while at is not None:
        yield from list(at.handlers)
        at = at.parent if at.propagate else None


def _writes_to_a_cell(handler: logging.Handler) -> bool:
    """Whether a handler writes to a standard stream, whichever it was when the handler was made."""
    if not isinstance(handler, logging.StreamHandler) or isinstance(handler, logging.FileHandler):
        return False
    stream: Any = handler.stream
    standard = {getattr(each, "_original", each) for each in (sys.stdout, sys.stderr)}
    return getattr(stream, "_original", stream) in standard


def _line(record: logging.LogRecord) -> str:
    try:
        text = _FORMATTER.format(record)
    except Exception as fault:  # the message and its arguments do not fit
        text = f"{record.name}: {record.msg!r} (cannot be formatted: {type(fault).__name__})"
    return text + "\n"


_FORMATTER = logging.Formatter("{name}: {message}", style="{")
