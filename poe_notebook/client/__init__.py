"""Asking bots on Poe, or any bot server. ``fp.client.sync_bot_settings`` and its like, as Poe's guides write them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = ("answers", "settings", "uploads")


def __getattr__(name: str) -> Any:
    __tracebackhide__ = True
    if not name.startswith("_"):
        for home in _HOMES:
            module = import_module(f"poe_notebook.client.{home}")
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module 'poe_notebook.client' has no attribute {name!r}")
