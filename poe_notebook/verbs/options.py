"""Options that several commands take, and how their values are read."""

from __future__ import annotations

from poe_notebook.arguments import Option

__all__ = ["DEBUG", "DOMAIN", "port", "seconds"]


def seconds(text: str) -> float:
    """Read a positive number of seconds, with or without an ``s``."""
    value = float(text.removesuffix("s"))
    if not value > 0:
        raise ValueError(text)
    return value


def port(text: str) -> int:
    """Read a port; 0 is any free one."""
    value = int(text)
    if not 0 <= value <= 65535:
        raise ValueError(text)
    return value


DEBUG = Option("--debug", "show an error with all its frames")
DOMAIN = Option("--domain", "the reserved domain to open the tunnel at", str, "DOMAIN")
