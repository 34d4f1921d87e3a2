"""The calls that a bot asks for, carried out with the functions given.

Nothing that a function does ends the answer: what went wrong becomes the call's result, for the bot to read.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from poe_notebook.errors import InvalidParameterError
from poe_notebook.protocol.tools import FunctionCallDefinition, ToolCallDefinition, ToolResultDefinition

__all__ = ["Functions", "functions_by_name", "results_of"]

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
