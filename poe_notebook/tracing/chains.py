"""Which error of a chain or a group says what happened, and which has the line that there is to mend."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from poe_notebook.tracing.authorship import Label, has_authors_line

__all__ = ["error_with_line", "leaves_of", "telling_error"]

_MOST = 1_000
"""So many errors of a chain or a group are looked at."""


def telling_error(error: BaseException) -> BaseException:
    """Give the error that says what happened: a group's only leaf, the StopIteration of which Python made another.

    A group of several stays itself.
    """
    if isinstance(error, BaseExceptionGroup):
        leaves = leaves_of(error)
        return telling_error(leaves[0]) if len(leaves) == 1 else error
    return _stop_behind(error) or error


def error_with_line(error: BaseException, label: Label) -> BaseException:
    """Give the error whose traceback has the author's line: the leaf's before the group's, else the nearest one's."""
    with_line = (each for each in _inward(error) if has_authors_line(each.__traceback__, label))
    return next(with_line, error)


def leaves_of(group: BaseExceptionGroup) -> list[BaseException]:
    """Give the errors in a group that are no groups themselves."""
    return [each for each in _inward(group, is_chain=False) if not isinstance(each, BaseExceptionGroup)]


def _inward(error: BaseException, *, is_chain: bool = True) -> Iterator[BaseException]:
    """Give an error and what is behind it, the nearest first; of a group its leaves first."""
    left, seen = [error], set[int]()
    while left and len(seen) < _MOST:
        at = left.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        if isinstance(at, BaseExceptionGroup):
            left += reversed(list(islice(at.exceptions, _MOST)))
            continue
        stop = _stop_behind(at)
        if stop is None:
            yield at
        behind = stop or at.__cause__ or (None if at.__suppress_context__ else at.__context__)
        if is_chain and behind is not None:
            left.append(behind)
        elif stop is not None:
            yield at


def _stop_behind(error: BaseException) -> BaseException | None:
    """Give the StopIteration that a generator let out, of which Python makes a RuntimeError that has no line of it."""
    cause = error.__cause__
    is_made_of_one = type(error) is RuntimeError and isinstance(cause, StopIteration | StopAsyncIteration)
    return cause if is_made_of_one and "generator raised Stop" in str(error) else None
