"""What Python hands to the functions of ``notebook``, made sure of: a clear error instead of one from deep inside."""

from __future__ import annotations

from typing import Any

from poe_notebook.errors import CommandError

__all__ = ["exchange_given", "port_given", "seconds_given", "text_given"]

_PORTS = range(65_536)


def text_given(value: object, what: str, *, example: str) -> str:
    """Give a text. Raises ``CommandError`` for anything else."""
    if not isinstance(value, str):
        raise CommandError(f"{value!r:.80} ({type(value).__name__}) is no {what}.", now=f"For example: {example!r}")
    return value


def seconds_given(value: object) -> float | None:
    """Give a time to wait, or none. Raises ``CommandError`` for what is no positive number."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise CommandError(f"The timeout cannot be {value!r:.80}.", why="It is in seconds.", now="For example: 30")
    return float(value)


def port_given(value: object) -> int | None:
    """Give a port, or none. Raises ``CommandError`` for what is none."""
    if value is None or (isinstance(value, int) and value in _PORTS):
        return value
    raise CommandError(f"The port cannot be {value!r:.80}.", why="Ports are numbers from 0, any free one, to 65535.")


def exchange_given(which: Any) -> Any:
    """Give the exchange of a reply, or else what was given: an exchange, a number, a bot's name, or none.

    Raises ``CommandError`` for a reply that has none, and for a number that is not whole.
    """
    found = getattr(which, "exchange", which)
    if isinstance(found, bool) or (hasattr(found, "__int__") and not hasattr(found, "__index__")):
        raise CommandError(
            f"There is no exchange {found!r:.80}.",
            why="Exchanges have whole numbers; those from -1 on count back from the latest.",
            now="For example: fp.inspect(-1)",
        )
    if found is None and which is not None:
        raise CommandError(f"{which!r:.80} was not recorded.", why="Only what was asked in this kernel is.")
    return found
