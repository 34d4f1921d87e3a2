"""What the simulated Poe remembers, bounded: the oldest is forgotten first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from poe_notebook.protocol.messages import ProtocolMessage

__all__ = ["Kept", "MetadataBook"]

T = TypeVar("T")

_METADATA_CHARS = 64 * 1024 * 1024


class Kept(Generic[T]):
    """The newest values, by name: as many as together weigh ``most``, each 1 unless ``weigh`` says otherwise."""

    def __init__(self, most: int, *, weigh: Callable[[T], int] = lambda value: 1) -> None:
        self._most, self._weigh = most, weigh
        self._weight = 0
        self._values: OrderedDict[str, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def put(self, name: str, value: T) -> None:
        """Keep a value; the oldest go if there are too many. The newest stays, whatever it weighs."""
        self.drop(name)
        self._values[name] = value
        self._weight += self._weigh(value)
        while self._weight > self._most and len(self._values) > 1:
            self.drop(next(iter(self._values)))

    def get(self, name: str) -> T | None:
        """Give the value of a name, if it is still kept."""
        return self._values.get(name)

    def drop(self, name: str) -> None:
        """Keep a value no longer; again is no harm."""
        if name in self._values:
            self._weight -= self._weigh(self._values.pop(name))


class MetadataBook:
    """The strings that bots have stored with their answers; each is given back to the bot that wrote it alone."""

    def __init__(self, most_chars: int = _METADATA_CHARS) -> None:
        self._kept: Kept[tuple[str, str]] = Kept(most_chars, weigh=lambda kept: 100 + len(kept[1]))

    def put(self, message_id: str, bot: str, metadata: str) -> None:
        """Store what a bot gave with an answer; the last of an answer counts."""
        self._kept.put(message_id, (bot, metadata))

    def of(self, message: ProtocolMessage, *, bot: str) -> str | None:
        """Give what this bot has stored with a message."""
        writer, metadata = self._kept.get(message.message_id) or ("", None)
        return metadata if writer == bot else None
