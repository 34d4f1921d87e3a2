"""An exception as the trace keeps it: its message, its traceback by the names that the author knows, the line, the
variables there. Nothing here shows a key that the redactor knows.
"""

from __future__ import annotations

import linecache
import os
import re
import reprlib
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType, TracebackType
from typing import Any

from poe_notebook.errors import without_our_frames
from poe_notebook.tracing.exchange import Place, Raised

__all__ = ["Label", "authors_frames", "authors_place", "innermost_place", "raised_of"]

Label = Callable[[str], str | None]
"""Gives the name that a reader knows a code file by, ``Cell In[3]`` for a notebook's; none if it has no other."""

_MESSAGE_CHARS, _TRACEBACK_CHARS = 10_000, 100_000
_VARIABLES, _VALUE_CHARS, _READ_CHARS = 20, 120, 4_000
_CODE_CHARS = 300
_PACKAGE = __name__.partition(".")[0]
_OTHERS = tuple({os.path.join(sysconfig.get_path(name), "") for name in ("stdlib", "platstdlib", "purelib", "platlib")})
"""Where Python's own modules and installed packages lie: what is there was not written by the bot's author."""


def raised_of(error: BaseException, *, at_s: float, label: Label, clean: Callable[[str], str]) -> Raised:
    """Make the value that is kept of an exception; ``clean`` takes keys out of a text."""
    frame = _authors_frame(error.__traceback__, label)
    return Raised(
        at_s=at_s,
        type=clean(type(error).__qualname__),
        message=clean(_message(error))[:_MESSAGE_CHARS],
        lines=clean(_traceback(error, label))[-_TRACEBACK_CHARS:].split("\n"),
        error=error,
        at=_place(frame.tb_frame, frame.tb_lineno, label=label, clean=clean) if frame is not None else None,
        variables=dict(_variables(frame.tb_frame, clean)) if frame is not None else {},
    )


def authors_frames(error: BaseException, label: Label) -> tuple[TracebackType | None, int]:
    """Give a traceback from the author's first line on, and how many frames lie below the author's last one.

    If no line is the author's, it is the whole traceback but for our frames.
    """
    frames = without_our_frames(error.__traceback__)
    first, at, below = frames, frames, 0
    is_found = False
    while at is not None:
        if _is_authors(at.tb_frame, label):
            first, is_found, below = first if is_found else at, True, 0
        else:
            below += is_found
        at = at.tb_next
    return first, below


def authors_place(frame: FrameType | None, *, label: Label, clean: Callable[[str], str]) -> Place | None:
    """Give the author's own line among a frame and those that called it: the innermost one."""
    while frame is not None:
        if _is_authors(frame, label):
            return _place(frame, frame.f_lineno, label=label, clean=clean)
        frame = frame.f_back
    return None


def innermost_place(frame: FrameType, *, label: Label, clean: Callable[[str], str]) -> Place:
    """Give the line that a frame is at, whoever wrote it."""
    return _place(frame, frame.f_lineno, label=label, clean=clean)


def _authors_frame(frames: TracebackType | None, label: Label) -> TracebackType | None:
    """Give the author's last line in a traceback; if none is the author's, the last line that is not ours."""
    last, others = None, without_our_frames(frames)
    while others is not None:
        if last is None or _is_authors(others.tb_frame, label) or not _is_authors(last.tb_frame, label):
            last = others
        others = others.tb_next
    return last


def _is_authors(frame: FrameType, label: Label) -> bool:
    file = frame.f_code.co_filename
    if label(file) is not None:
        return True
    is_ours = str(frame.f_globals.get("__name__", "")).partition(".")[0] == _PACKAGE
    return not is_ours and not file.startswith(("<", *_OTHERS))


def _place(frame: FrameType, line: int | None, *, label: Label, clean: Callable[[str], str]) -> Place:
    code, file = frame.f_code, frame.f_code.co_filename
    line = line or code.co_firstlineno  # a frame is at no line where the compiler put in instructions of its own
    text = linecache.getline(file, line, frame.f_globals).strip()
    return Place(clean(label(file) or file), line, clean(code.co_qualname), clean(text)[:_CODE_CHARS])


def _message(error: BaseException) -> str:
    try:
        return _OUR_TASK.sub("<Task of the handler>", str(error))
    except Exception as fault:  # an author's own __str__
        return f"(its message cannot be shown: __str__ raised {type(fault).__name__})"


def _traceback(error: BaseException, label: Label) -> str:
    """Format the traceback without our frames, and with the names that the author knows cells by."""
    frames = without_our_frames(error.__traceback__)
    text = "".join(traceback.format_exception(type(error), error, frames)).rstrip()
    for name in {frame.filename for frame in traceback.extract_tb(frames)}:
        known_as = label(name)
        if known_as:
            text = text.replace(f'File "{name}"', known_as)
    return _OUR_TASK.sub("<Task of the handler>", text)


_OUR_TASK = re.compile(rf"<Task [^\n]{{0,200}}?{_PACKAGE}[^\n]{{0,600}}?\]>")
"""The task that runs a handler, as asyncio's messages write it: with our own code's paths, which say nothing."""


def _variables(frame: FrameType, clean: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Give a frame's variables as short texts; only Python's own types are written out, since others may run code."""
    if frame.f_code.co_name == "<module>":
        return  # a notebook's own names
    named = [(name, value) for name, value in list(frame.f_locals.items()) if not _is_code(name, value)]
    for name, value in named[:_VARIABLES]:
        # Keys are taken out before the text is cut, since what is left of one that was cut would not be known.
        text = clean(_repr(value)[:_READ_CHARS])
        yield clean(name), text if len(text) <= _VALUE_CHARS else text[: _VALUE_CHARS - 1] + "…"


def _is_code(name: str, value: object) -> bool:
    return name.startswith("__") or callable(value) or isinstance(value, ModuleType)


class _Repr(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = _READ_CHARS
        self.maxlong = _VALUE_CHARS
        self.maxlevel = 3

    def repr_instance(self, x: Any, level: int) -> str:
        """Name anything that is not Python's own by its type."""
        if isinstance(x, bytes | bytearray):
            return repr(bytes(x[:_READ_CHARS]))
        return f"<{type(x).__qualname__}>" if type(x).__module__ != "builtins" else repr(x)[:_READ_CHARS]

    def repr_str(self, x: str, level: int) -> str:
        """Write a text from its beginning on, never from its middle, where half a key might be left."""
        return repr(x[:_READ_CHARS])


def _repr(value: Any) -> str:
    try:
        return _Repr().repr(value)
    except Exception as fault:
        return f"<{type(value).__qualname__}, whose repr raised {type(fault).__name__}>"
