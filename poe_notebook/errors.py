"""Every exception of the package.

::

    PoeNotebookError
    ├── CommandError          a magic was typed in a way that it cannot run
    │   └── ExchangeNotFound  no exchange of that number or place is kept (an IndexError)
    ├── BotNotFound           no bot of that name is served here (also a LookupError)
    ├── CellSyntaxError       a %%poebot cell is no Python
    ├── CellHasNoBot          a %%poebot cell ran to its end and left no bot to serve
    ├── HandlerMistake        a handler gave something that is no answer (also a TypeError)
    ├── ServerError           the listener in this kernel could not start or has ended
    ├── KeyMissing            a key is needed and none was found
    ├── TunnelError           the tunnel did not start, or has gone
    ├── BotError              talking to a bot failed
    │   └── BotErrorNoRetry   ... and trying again would not help
    ├── BotProtocolError      a bot broke the protocol
    ├── PoeProtocolError      Poe, or whoever plays Poe, broke the protocol
    ├── InvalidParameterError a function was called with arguments that do not go together (also a ValueError)
    ├── CostRequestError      authorising or capturing a cost failed
    ├── InsufficientFundError the user cannot pay
    ├── MissingPackage        something optional was asked for that another package brings (also an ImportError)
    └── TraceFileError        a file is no saved trace (also a ValueError)

Each message says what happened (with the value), which rule it met, and what to type now.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from types import CodeType, TracebackType

__all__ = [
    "BotError",
    "BotErrorNoRetry",
    "BotNotFound",
    "BotProtocolError",
    "CellHasNoBot",
    "CellSyntaxError",
    "CommandError",
    "CostRequestError",
    "ExchangeNotFound",
    "HandlerMistake",
    "InsufficientFundError",
    "Interrupted",
    "InvalidParameterError",
    "KeyMissing",
    "MissingPackage",
    "PoeNotebookError",
    "PoeProtocolError",
    "ServerError",
    "TraceFileError",
    "TunnelError",
    "without_our_frames",
]

_PACKAGE = __name__.partition(".")[0]


class PoeNotebookError(Exception):
    """What happened; ``why``: the rule behind it; ``now``: what to type next."""

    def __init__(self, what: str = "", *more: object, why: str = "", now: str = "") -> None:
        super().__init__(what, *more)  # fastapi_poe's errors are plain exceptions, which take any number
        self.what, self.why, self.now = what, why, now

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.why, self.now) if part)

    def _render_traceback_(self) -> list[str]:
        """Give IPython what it shows of this error: the user's own frames and the message."""
        shell = sys.modules["IPython"].get_ipython()
        lines: list[str] = shell.InteractiveTB.structured_traceback(type(self), self, _users_frames(self.__traceback__))
        return lines


class Interrupted(KeyboardInterrupt):
    """The user's interrupt of something that waits in here, shown as what it is and without our frames."""

    _render_traceback_ = PoeNotebookError._render_traceback_


Interrupted.__name__ = "KeyboardInterrupt"


def without_our_frames(frames: TracebackType | None) -> TracebackType | None:
    """Give a traceback with the frames of this package left out."""
    return _joined([frame for frame in _each(frames) if _module(frame) != _PACKAGE])


def _users_frames(frames: TracebackType | None) -> TracebackType | None:
    """Leave out our frames, and the threads and loops of the standard library that they went through."""
    kept, is_past_ours = [], False
    for frame in _each(frames):
        is_ours = _module(frame) == _PACKAGE
        is_past_ours |= is_ours
        if not is_ours and not (is_past_ours and _module(frame) in sys.stdlib_module_names):
            kept.append(frame)
    return _joined(kept)


def _module(frame: TracebackType) -> str:
    return str(frame.tb_frame.f_globals.get("__name__", "")).partition(".")[0]


def _each(frames: TracebackType | None) -> Iterator[TracebackType]:
    while frames is not None:
        yield frames
        frames = frames.tb_next


def _joined(frames: Sequence[TracebackType]) -> TracebackType | None:
    left: TracebackType | None = None
    for frame in reversed(frames):
        left = TracebackType(left, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return left


class CommandError(PoeNotebookError):
    """A magic was typed in a way that it cannot run."""


class BotNotFound(PoeNotebookError, LookupError):
    """No bot of that name is served here."""


class ExchangeNotFound(CommandError, IndexError):
    """No exchange of that number or place is kept."""


class CellHasNoBot(PoeNotebookError):
    """A ``%%poebot`` cell ran to its end and left no bot to serve."""


class CellSyntaxError(PoeNotebookError):
    """A ``%%poebot`` cell is no Python; shown as the SyntaxError that it stands for.

    It is none itself, because IPython shows a SyntaxError that a magic raises with every frame on its way.
    """


CellSyntaxError.__name__ = "SyntaxError"


class HandlerMistake(PoeNotebookError, TypeError):
    """A handler gave something that is no answer.

    ``code`` is the handler's own, so that its definition can be named where no line of it raised.
    """

    code: CodeType | None = None


class ServerError(PoeNotebookError, OSError):
    """The listener in this kernel could not start or has ended."""


class KeyMissing(PoeNotebookError):
    """A key is needed and none was found."""


class TunnelError(PoeNotebookError):
    """The tunnel did not start, or has gone."""


class BotError(PoeNotebookError):
    """Talking to a bot failed."""


class BotErrorNoRetry(BotError):
    """Talking to a bot failed, and trying again would not help."""


class BotProtocolError(PoeNotebookError):
    """A bot broke the protocol."""


class PoeProtocolError(PoeNotebookError):
    """Poe, or whoever plays Poe, broke the protocol."""


class InvalidParameterError(PoeNotebookError, ValueError):
    """A function was called with arguments that do not go together."""


class CostRequestError(PoeNotebookError):
    """Authorising or capturing a cost failed."""


class InsufficientFundError(PoeNotebookError):
    """The user cannot pay."""


class MissingPackage(PoeNotebookError, ImportError):
    """Something optional was asked for that another package brings."""


class TraceFileError(PoeNotebookError, ValueError):
    """A file is no saved trace, or one that cannot be read."""
