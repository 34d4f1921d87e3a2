"""What the data of an event says, checked: each field by the kind that the Poe protocol gives it.

Source: Poe protocol specification, "Response" (read 2025-03).
"""

from __future__ import annotations

from typing import NoReturn

from poe_notebook.errors import BotProtocolError
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.faults import kind_of
from poe_notebook.protocol.messages import Attachment

__all__ = ["attachment_in", "flag_in", "index_in", "string_in"]


def string_in(event: Event, key: str) -> str:
    """Give a text. Raises ``BotProtocolError`` if there is none."""
    value = event.data.get(key)
    return value if isinstance(value, str) else _wrong(event, key, rule="a string")


def flag_in(event: Event, key: str) -> bool:
    """Give a flag, false if it is left out. Raises ``BotProtocolError`` if it is none."""
    value = event.data.get(key, False)
    return value if isinstance(value, bool) else _wrong(event, key, rule="a boolean")


def index_in(event: Event) -> int | None:
    """Give the index of the parallel response that an event belongs to, if it says one."""
    value = event.data.get("index")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def attachment_in(event: Event) -> Attachment:
    """Give the file of a ``file`` event. Raises ``BotProtocolError``."""
    reference = event.data.get("inline_ref")
    return Attachment(
        url=string_in(event, "url"),
        content_type=string_in(event, "content_type"),
        name=string_in(event, "name"),
        inline_ref=reference if isinstance(reference, str) else None,
    )


def _wrong(event: Event, key: str, *, rule: str) -> NoReturn:
    found = f"has {kind_of(event.data[key])} as" if key in event.data else "comes without"
    raise BotProtocolError(f"A {event.type!r} event {found} {key!r}.", why=f"The Poe protocol wants {rule} there.")
