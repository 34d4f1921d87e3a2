"""A stand-in for modal, where the guides' programs are hosted: what it decorates stays what it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Image:
    @classmethod
    def debian_slim(cls) -> Image:
        return cls()

    def pip_install(self, *packages: str) -> Image:
        return self


class App:
    def __init__(self, name: str) -> None:
        self.name = name

    def function(self, *, image: Image) -> Callable[[Any], Any]:
        return lambda function: function


def asgi_app() -> Callable[[Any], Any]:
    return lambda function: function


def exit() -> None:
    pass
