"""What the simulated Poe remembers of messages and queries: bots' metadata, and for whom a query is answered.

Bounded: the oldest is forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from poe_notebook.protocol.messages import ProtocolMessage

__all__ = ["Kept", "MetadataBook"]

T = TypeVar("T")


class Kept(Generic[T]):
    """The newest so many values, by name."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[str, T] = OrderedDict()

    def put(self, name: str, value: T) -> None:
        """Keep a value; the oldest goes if there are too many."""
        self._values[name] = value
        self._values.move_to_end(name)
        while len(self._values) > self._most:
            self._values.popitem(last=False)

    def get(self, name: str) -> T | None:
        """Give the value of a name, if it is still kept."""
        return self._values.get(name)


class MetadataBook:
    """The strings that bots have stored with their answers; each is given back to the bot that wrote it alone."""

    def __init__(self, most: int = 20_000) -> None:
        self._kept: Kept[tuple[str, str]] = Kept(most)

    def put(self, message_id: str, bot: str, metadata: str) -> None:
        """Store what a bot gave with an answer; the last of an answer counts."""
        self._kept.put(message_id, (bot, metadata))

    def of(self, message: ProtocolMessage, *, bot: str) -> str | None:
        """Give what this bot has stored with a message."""
        writer, metadata = self._kept.get(message.message_id) or ("", None)
        return metadata if writer == bot else None
