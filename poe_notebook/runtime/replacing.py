"""Putting something in the place of an attribute for a while, and taking it back without harm to whoever came later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Replacement"]


class Replacement:
    """Another value for an attribute of a module or a class, made from the value that it had."""

    def __init__(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        self._owner, self._name = owner, name
        self.original = getattr(owner, name)
        self.value = make(self.original)
        setattr(owner, name, self.value)

    def take_back(self) -> None:
        """Give the attribute its value back, unless somebody has since put another in its place."""
        if getattr(self._owner, self._name) is self.value:
            setattr(self._owner, self._name, self.original)
