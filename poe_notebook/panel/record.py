"""What was said in a panel: the turns of its conversation, and those that a retry, an edit or a new conversation set
aside. Nothing is lost: what no longer goes into the history stays here, and is said to.
"""

from __future__ import annotations

from collections.abc import Sequence

from poe_notebook.conversation import Reply

__all__ = ["Record"]


class Record:
    """Turns in the order of the screen, in parts; words say why a part was set aside."""

    def __init__(self) -> None:
        self._parts: list[tuple[str, list[Reply]]] = [("", [])]

    @property
    def parts(self) -> Sequence[tuple[str, Sequence[Reply]]]:
        """The parts that hold something."""
        return [(words, list(replies)) for words, replies in self._parts if replies]

    @property
    def replies(self) -> list[Reply]:
        """The turns that count."""
        return [reply for words, replies in self._parts if not words for reply in replies]

    def add(self, reply: Reply) -> None:
        """Take a new turn in, as the last."""
        if self._parts[-1][0]:
            self._parts.append(("", []))
        self._parts[-1][1].append(reply)

    def set_aside(self, replies: Sequence[Reply], words: str) -> None:
        """Take turns out of what counts."""
        gone = {id(reply) for reply in replies}
        self._parts = [
            (why, each if why else [reply for reply in each if id(reply) not in gone]) for why, each in self._parts
        ]
        self._parts.append((words, list(replies)))

    def find(self, message_id: str) -> Reply | None:
        """Give a turn that counts."""
        return next((reply for reply in self.replies if reply.message_id == message_id), None)
