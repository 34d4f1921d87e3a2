"""The calls in an answer's chat-completion chunks: taken out of the chunks piece by piece, and put together.

Tolerant of what providers leave away or send as null. Shapes: OpenAI chat completions, as fastapi_poe 0.0.83 takes
them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from poe_notebook.protocol.tools import (
    FunctionCallDefinition,
    FunctionCallDefinitionDelta,
    ToolCallDefinition,
    ToolCallDefinitionDelta,
)

__all__ = ["CallPieces", "GrowingCall", "delta_of", "deltas_in"]


def delta_of(chunk: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the ``delta`` of a chunk's first choice; empty if it has none."""
    choices = chunk.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    delta = first.get("delta") if isinstance(first, dict) else None
    return delta if isinstance(delta, dict) else {}


def deltas_in(delta: Mapping[str, Any]) -> list[ToolCallDefinitionDelta]:
    """Give the pieces of calls in the ``delta`` of a chunk."""
    calls = delta.get("tool_calls")
    return [_piece(call) for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _piece(call: dict[str, Any]) -> ToolCallDefinitionDelta:
    given = call.get("function")
    function: dict[str, Any] = given if isinstance(given, dict) else {}
    arguments = function.get("arguments")
    if isinstance(arguments, dict | list):
        arguments = json.dumps(arguments)
    index = call.get("index")
    return ToolCallDefinitionDelta(
        index=index if isinstance(index, int) else 0,
        id=_text(call.get("id")),
        type=_text(call.get("type")),
        function=FunctionCallDefinitionDelta(name=_text(function.get("name")), arguments=_text(arguments) or ""),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


@dataclass(slots=True, eq=False)
class GrowingCall:
    """A call so far: any of its parts may still be missing, and ``arguments`` be cut off in the middle."""

    id: str | None = None
    type: str | None = None
    name: str | None = None
    result: str | None = None
    _arguments: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        """The arguments so far, JSON once they are whole."""
        self._arguments = ["".join(self._arguments)]
        return self._arguments[0]

    def take(self, piece: ToolCallDefinitionDelta) -> None:
        """Grow by a piece."""
        self.id = self.id or piece.id
        self.type = self.type or piece.type
        self.name = self.name or piece.function.name
        self._arguments.append(piece.function.arguments)


class CallPieces:
    """Puts calls together from their pieces; ``calls`` are those begun so far, in that order."""

    def __init__(self) -> None:
        self.calls: list[GrowingCall] = []
        self._latest: dict[tuple[int | None, int], GrowingCall] = {}

    def add(self, piece: ToolCallDefinitionDelta, *, answer: int | None) -> None:
        """Take in a piece of a call in one of the parallel answers."""
        call = self._latest.get((answer, piece.index))
        # Some providers count every call as number 0, and only the ids tell them apart.
        if call is None or (piece.id and call.id and piece.id != call.id):
            call = self._latest[answer, piece.index] = GrowingCall()
            self.calls.append(call)
        call.take(piece)

    def give_result(self, call_id: str, *, name: str | None, content: str) -> None:
        """Take in what a call gave; a result without its call gets one."""
        call = next((call for call in reversed(self.calls) if call.id == call_id), None)
        if call is None:
            call = GrowingCall(id=call_id, name=name)
            self.calls.append(call)
        call.result = content

    def clear(self) -> None:
        """Forget all pieces, because the answer begins again."""
        self.calls.clear()
        self._latest.clear()

    def whole(self, *, earlier: int) -> list[ToolCallDefinition]:
        """Give the calls in the order in which they began; one without an id is named after its number.

        ``earlier`` is how many calls former rounds had.
        """
        return [
            ToolCallDefinition(
                id=call.id or f"call_{number}",
                type=call.type or "function",
                function=FunctionCallDefinition(name=call.name or "", arguments=call.arguments),
            )
            for number, call in enumerate(self.calls, earlier)
        ]
