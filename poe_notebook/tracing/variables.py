"""The variables at a line, each as a short text; only Python's own types are written out, since others may run code."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Iterator, Sized
from itertools import islice
from types import FrameType, MappingProxyType, ModuleType
from typing import Any

__all__ = ["variables_of"]

_VARIABLES, _VALUE_CHARS, _READ_CHARS = 20, 120, 4_000
_ITEMS = 1_000
"""Larger collections of the kinds that can only be written out whole are named with their length."""


def variables_of(frame: FrameType, clean: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Give a frame's variables; ``clean`` takes keys out of a text."""
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
        """Name anything that is not Python's own by its type, and what is too large by its length."""
        kind = type(x)
        if isinstance(x, bytes | bytearray):
            return repr(bytes(x[:_READ_CHARS]))
        if kind.__module__ != "builtins":
            return f"<{kind.__qualname__}>"
        if isinstance(x, BaseException):
            return f"{kind.__qualname__}({self._some(x.args, level)})"
        if isinstance(x, slice):
            return f"slice({self._some((x.start, x.stop, x.step), level)})"
        if isinstance(x, Sized) and not isinstance(x, range | memoryview):
            return self._collection(x, level)
        return repr(x)[:_READ_CHARS]

    def repr_str(self, x: str, level: int) -> str:
        """Write a text from its beginning on, never from its middle, where half a key might be left."""
        return repr(x[:_READ_CHARS])

    def repr_dict(self, x: Any, level: int) -> str:
        """Write a dict's first items in its own order; reprlib would sort all of its keys."""
        if not x or level <= 0:
            return "{...}" if x else "{}"
        pairs = [f"{self.repr1(key, level - 1)}: {self.repr1(x[key], level - 1)}" for key in islice(x, self.maxdict)]
        return "{" + ", ".join([*pairs, *(["..."] if len(x) > self.maxdict else [])]) + "}"

    def repr_set(self, x: Any, level: int) -> str:
        """Write a set, sorted if it is short."""
        return super().repr_set(x, level) if len(x) <= _ITEMS else self._long(x)

    def repr_frozenset(self, x: Any, level: int) -> str:
        """Write a set, sorted if it is short."""
        return super().repr_frozenset(x, level) if len(x) <= _ITEMS else self._long(x)

    def _collection(self, x: Any, level: int) -> str:
        if len(x) > _ITEMS:
            return self._long(x)
        is_mapping = isinstance(x, MappingProxyType)
        return f"{type(x).__qualname__}({self.repr1(dict(x), level) if is_mapping else f'[{self._some(x, level)}]'})"

    def _some(self, items: Iterable[Any], level: int) -> str:
        some = list(islice(items, self.maxlist + 1))
        shown = [self.repr1(each, level - 1) for each in some[: self.maxlist if level > 0 else 0]]
        return ", ".join([*shown, *(["..."] if len(some) > len(shown) else [])])

    @staticmethod
    def _long(x: Any) -> str:
        return f"<{type(x).__qualname__} of {len(x):,}>"


def _repr(value: Any) -> str:
    try:
        return _Repr().repr(value)
    except Exception as fault:
        return f"<{type(value).__qualname__}, whose repr raised {type(fault).__name__}>"
