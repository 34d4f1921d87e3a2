"""The calls in an answer's chat-completion chunks: taken out of the chunks piece by piece, put together, carried out.

Tolerant of what providers leave away or send as null. Nothing that a function does ends the answer: what went wrong
becomes the call's result, for the bot to read. Shapes: OpenAI chat completions, as fastapi_poe 0.0.83 takes them.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from poe_notebook.errors import InvalidParameterError
from poe_notebook.protocol.tools import (
    FunctionCallDefinition,
    FunctionCallDefinitionDelta,
    ToolCallDefinition,
    ToolCallDefinitionDelta,
    ToolResultDefinition,
)

__all__ = ["CallPieces", "Functions", "deltas_in", "functions_by_name", "results_of"]

Functions: TypeAlias = Mapping[str, Callable[..., Any]]

_SHOWN_CHARS = 200
_logger = logging.getLogger(__name__)


def functions_by_name(functions: Iterable[Callable[..., Any]]) -> Functions:
    """Give the functions by the names under which a bot calls them."""
    named = {}
    for function in functions:
        name = getattr(function, "__name__", None)
        if not isinstance(name, str) or not callable(function):
            raise InvalidParameterError(
                f"A {type(function).__name__} among the tool_executables has no __name__.",
                why="A bot calls a function by the __name__ that it has here.",
                now="Pass a function made by def or async def.",
            )
        named[name] = function
    return named


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


@dataclass(slots=True)
class _Call:
    id: str | None = None
    type: str | None = None
    name: str | None = None
    arguments: list[str] = field(default_factory=list)


class CallPieces:
    """Puts calls together from their pieces."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._latest: dict[tuple[int | None, int], _Call] = {}

    def add(self, piece: ToolCallDefinitionDelta, *, answer: int | None) -> None:
        """Take in a piece of a call in one of the parallel answers."""
        call = self._latest.get((answer, piece.index))
        # Some providers count every call as number 0, and only the ids tell them apart.
        if call is None or (piece.id and call.id and piece.id != call.id):
            call = self._latest[answer, piece.index] = _Call()
            self._calls.append(call)
        call.id = call.id or piece.id
        call.type = call.type or piece.type
        call.name = call.name or piece.function.name
        call.arguments.append(piece.function.arguments)

    def clear(self) -> None:
        """Forget all pieces, because the answer begins again."""
        self._calls.clear()
        self._latest.clear()

    def whole(self, *, earlier: int) -> list[ToolCallDefinition]:
        """Give the calls in the order in which they began; one without an id is named after its number.

        ``earlier`` is how many calls former rounds had.
        """
        return [
            ToolCallDefinition(
                id=call.id or f"call_{number}",
                type=call.type or "function",
                function=FunctionCallDefinition(name=call.name or "", arguments="".join(call.arguments)),
            )
            for number, call in enumerate(self._calls, earlier)
        ]


async def results_of(calls: Sequence[ToolCallDefinition], functions: Functions) -> list[ToolResultDefinition]:
    """Carry the calls out and give their results, in the same order.

    Coroutine functions run side by side on this loop; plain functions one after the other in a worker thread.
    """
    contents = [""] * len(calls)

    async def carry_out(numbers: list[int]) -> None:
        for number in numbers:
            contents[number] = await _content(calls[number].function, functions)

    is_async = [inspect.iscoroutinefunction(functions.get(call.function.name)) for call in calls]
    side_by_side = [[number] for number, is_so in enumerate(is_async) if is_so]
    in_a_row = [number for number, is_so in enumerate(is_async) if not is_so]
    await asyncio.gather(carry_out(in_a_row), *map(carry_out, side_by_side))
    return [
        ToolResultDefinition(role="tool", name=call.function.name, tool_call_id=call.id, content=content)
        for call, content in zip(calls, contents, strict=True)
    ]


async def _content(call: FunctionCallDefinition, functions: Functions) -> str:
    """Give what a call's result says: JSON, of an object with ``error`` if it failed."""
    function = functions.get(call.name)
    if function is None:
        return _error(f"There is no function {call.name!r}. There are: {', '.join(functions)}.")
    try:
        arguments = json.loads(call.arguments) if call.arguments.strip() else {}
    except (ValueError, RecursionError) as error:
        return _error(f"The arguments are no JSON ({error}): {call.arguments[:_SHOWN_CHARS]!r}")
    if not isinstance(arguments, dict):
        return _error(f"The arguments are JSON but no object: {call.arguments[:_SHOWN_CHARS]!r}")
    try:
        return json.dumps(await _called(function, arguments), allow_nan=False)
    except Exception as error:
        _logger.warning("The function %s failed; the bot is told so.", call.name, exc_info=True)
        return _error(f"{type(error).__name__}: {error}")


async def _called(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    if inspect.iscoroutinefunction(function):
        return await function(**arguments)
    result, error = await asyncio.to_thread(_attempted, function, arguments)
    if error is not None:
        raise error
    return await result if inspect.isawaitable(result) else result


def _attempted(function: Callable[..., Any], arguments: dict[str, Any]) -> tuple[Any, Exception | None]:
    # The exception is handed over as a value: a StopIteration raised in a worker thread would never reach the loop.
    try:
        return function(**arguments), None
    except Exception as error:
        return None, error


def _error(what: str) -> str:
    return json.dumps({"error": what})
