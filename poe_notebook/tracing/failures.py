"""An exception as the trace keeps it: its message, its traceback by the names that the author knows, the line, the
variables there. Nothing here shows a key that the redactor knows.

Of a group with one leaf it is the leaf that is kept, and of what Python made of a StopIteration that one.
"""

from __future__ import annotations

import linecache
import re
import traceback
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, TracebackType

from poe_notebook.errors import HandlerMistake, without_our_frames
from poe_notebook.tracing.authorship import Label, is_authors, is_ours, with_known_names
from poe_notebook.tracing.chains import error_with_line, leaves_of, telling_error
from poe_notebook.tracing.exchange import Place, Raised
from poe_notebook.tracing.variables import variables_of

__all__ = [
    "Label",
    "authors_frames",
    "authors_last_place",
    "authors_place",
    "authors_traceback",
    "innermost_place",
    "raised_of",
    "said_of",
]

_MESSAGE_CHARS, _TRACEBACK_CHARS, _TYPE_CHARS = 10_000, 100_000, 300
_CODE_CHARS = 300
_LEAVES, _LEAF_CHARS = 5, 120
_PACKAGE = __name__.partition(".")[0]


def raised_of(error: BaseException, *, at_s: float, label: Label, clean: Callable[[str], str]) -> Raised:
    """Make the value that is kept of an exception; ``clean`` takes keys out of a text."""
    told = telling_error(error)
    frame = _authors_frame(error_with_line(error, label).__traceback__, label)
    return Raised(
        at_s=at_s,
        type=clean(type(told).__qualname__)[:_TYPE_CHARS],
        message=_message(told, clean)[:_MESSAGE_CHARS],
        lines=clean(_traceback(error, without_our_frames(error.__traceback__), label))[-_TRACEBACK_CHARS:].split("\n"),
        error=error,
        at=_at(error, frame, label=label, clean=clean),
        variables=dict(variables_of(frame.tb_frame, clean)) if frame is not None else {},
    )


def said_of(error: BaseException, *, clean: Callable[[str], str]) -> str:
    """Give an exception's type and message as one line."""
    told = telling_error(error)
    what, _, _ = _message(told, clean).partition("\n")
    return f"{clean(type(told).__qualname__)[:_TYPE_CHARS]}: {what[:_MESSAGE_CHARS]}".removesuffix(": ")


def authors_traceback(error: BaseException, *, label: Label, clean: Callable[[str], str]) -> str:
    """Write a traceback from the author's first line on, and with the names that the author knows cells by."""
    first, _ = _from_authors_first(error.__traceback__, label)
    return clean(_traceback(error, first, label))[-_TRACEBACK_CHARS:]


def authors_last_place(error: BaseException, *, label: Label, clean: Callable[[str], str]) -> Place | None:
    """Give the author's innermost line in the traceback of an error; none if no line of it is the author's."""
    frame = _authors_frame(error_with_line(error, label).__traceback__, label)
    if frame is None or not is_authors(frame.tb_frame, label):
        return None
    return _place(frame.tb_frame, frame.tb_lineno, label=label, clean=clean)


def authors_frames(error: BaseException, label: Label) -> tuple[TracebackType | None, int]:
    """Give a traceback from the author's first line on, and how many frames lie below the author's last one.

    It is that of a group's leaf, or of a cause, if the line is there. If no line is the author's, it is the whole
    traceback but for our frames.
    """
    return _from_authors_first(error_with_line(error, label).__traceback__, label)


def _from_authors_first(frames: TracebackType | None, label: Label) -> tuple[TracebackType | None, int]:
    frames = without_our_frames(frames)
    first, at, below = frames, frames, 0
    is_found = False
    while at is not None:
        if is_authors(at.tb_frame, label):
            first, is_found, below = first if is_found else at, True, 0
        else:
            below += is_found
        at = at.tb_next
    return first, below


def authors_place(frame: FrameType | None, *, label: Label, clean: Callable[[str], str]) -> Place | None:
    """Give the author's own line among a frame and those that called it: the innermost one."""
    while frame is not None:
        if is_authors(frame, label):
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
        if last is None or is_authors(others.tb_frame, label) or not is_authors(last.tb_frame, label):
            last = others
        others = others.tb_next
    return last


def _at(
    error: BaseException, frame: TracebackType | None, *, label: Label, clean: Callable[[str], str]
) -> Place | None:
    if frame is not None:
        return _place(frame.tb_frame, frame.tb_lineno, label=label, clean=clean)
    code = error.code if isinstance(error, HandlerMistake) else None
    return _place_of_code(code, code.co_firstlineno, {}, label=label, clean=clean) if code is not None else None


def _place(frame: FrameType, line: int | None, *, label: Label, clean: Callable[[str], str]) -> Place:
    line = line or frame.f_code.co_firstlineno  # where the compiler put in instructions of its own there is none
    return _place_of_code(frame.f_code, line, frame.f_globals, label=label, clean=clean)


def _place_of_code(
    code: CodeType, line: int, names: dict[str, object], *, label: Label, clean: Callable[[str], str]
) -> Place:
    file = code.co_filename
    text = linecache.getline(file, line, names).strip()
    return Place(clean(label(file) or file), line, clean(code.co_qualname), clean(text)[:_CODE_CHARS])


def _message(error: BaseException, clean: Callable[[str], str]) -> str:
    leaves = leaves_of(error) if isinstance(error, BaseExceptionGroup) else []
    if not leaves:
        return clean(_own_message(error))
    # Keys are taken out before a text is cut, since what is left of one that was cut would not be known.
    told = [telling_error(leaf) for leaf in leaves[:_LEAVES]]
    named = [f"{clean(type(leaf).__qualname__)}: {clean(_own_message(leaf))}".removesuffix(": ") for leaf in told]
    more = [f"and {len(leaves) - _LEAVES:,} more"] if len(leaves) > _LEAVES else []
    shown = "; ".join([*(each.replace("\n", " ")[:_LEAF_CHARS] for each in named), *more])
    return f"{len(leaves):,} errors at once: {shown}"


def _own_message(error: BaseException) -> str:
    try:
        return _OUR_TASK.sub("<Task of the handler>", str(error))
    except BaseException as fault:  # an author's own __str__
        return f"(its message cannot be shown: __str__ raised {type(fault).__name__})"


def _traceback(error: BaseException, frames: TracebackType | None, label: Label) -> str:
    """Format a traceback, those of its causes and of a group's leaves without our frames and by the known names too."""
    whole = traceback.TracebackException(type(error), error, frames, compact=True)
    for each in _all_of(whole):
        each.stack[:] = [frame for frame in each.stack if not is_ours(frame.filename)]
    text = "".join(whole.format()).rstrip()
    return _OUR_TASK.sub("<Task of the handler>", with_known_names(text, label))


def _all_of(whole: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    left: list[traceback.TracebackException | None] = [whole]
    while left:
        at = left.pop()
        if at is not None:
            yield at
            left += [at.__cause__, at.__context__, *(at.exceptions or ())]


_OUR_TASK = re.compile(rf"<Task [^\n]{{0,200}}?{_PACKAGE}[^\n]{{0,600}}?\]>")
"""The task that runs a handler, as asyncio's messages write it: with our own code's paths, which say nothing."""
