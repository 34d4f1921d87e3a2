"""Options that several commands take, and how their values are read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from poe_notebook.arguments import Arguments, Option

if TYPE_CHECKING:
    from poe_notebook.attaching import File
    from poe_notebook.verbs.console import Console

__all__ = ["ATTACH", "DEBUG", "DOMAIN", "PARAM", "TIMEOUT", "VIA", "files_of", "message_of", "port", "seconds"]


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


def parameter(text: str) -> tuple[str, Any]:
    """Read a parameter's name and value; a value that is no JSON is a text."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(text)
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value


def message_of(arguments: Arguments, cell: str | None) -> str:
    """Put a message together of what stands on the command's line and below it."""
    return "\n".join(part for part in (arguments.text, (cell or "").strip("\n")) if part)


def files_of(console: Console, arguments: Arguments) -> list[File]:
    """Give the files to attach. Raises ``CommandError``."""
    from poe_notebook.attaching import file_named

    return [file_named(given, console.shell.user_ns) for given in arguments.option("attach") or ()]


ATTACH = Option("--attach", "a file's path or address, or the name of an object here", str, "X", repeats=True)
PARAM = Option("--param", "the value of a parameter, as name=value", parameter, "NAME=VALUE", repeats=True)
VIA = Option("--via", "who answers: kernel, poe or simulator", str, "ROUTE")
TIMEOUT = Option("--timeout", "give up after so many seconds", seconds, "SECONDS")
DEBUG = Option("--debug", "show an error with all its frames")
DOMAIN = Option("--domain", "the reserved domain to open the tunnel at", str, "DOMAIN")
