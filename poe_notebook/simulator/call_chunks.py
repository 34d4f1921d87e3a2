"""Function calls as chat-completion chunks: the form in which Poe's ``json`` events and OpenAI's streams have them."""

from __future__ import annotations

from typing import Any

from poe_notebook.protocol.tools import ToolCallDefinitionDelta

__all__ = ["NumberedCalls", "chunk"]


def chunk(delta: dict[str, Any], *, model: str, finish_reason: str | None = None) -> dict[str, Any]:
    """Make the data of a ``json`` event. No field of the delta is null, since fastapi_poe 0.0.83 fails on that."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"object": "chat.completion.chunk", "model": model, "choices": [choice]}


class NumberedCalls:
    """Numbers the pieces of calls, since some providers count every call as number 0."""

    def __init__(self) -> None:
        self.count = 0
        self._latest: dict[int, tuple[int, str | None]] = {}

    def numbered(self, piece: ToolCallDefinitionDelta) -> dict[str, Any]:
        """Give a piece as JSON; the first one of a call has its id, its type and its name."""
        known = self._latest.get(piece.index)
        function: dict[str, Any] = {"arguments": piece.function.arguments}
        if known is not None and not (piece.id and known[1] and piece.id != known[1]):
            return {"index": known[0], "function": function}
        number, self.count = self.count, self.count + 1
        identifier = piece.id or f"call_{number}"
        self._latest[piece.index] = (number, identifier)
        function = {"name": piece.function.name or "", **function}
        return {"index": number, "id": identifier, "type": piece.type or "function", "function": function}
