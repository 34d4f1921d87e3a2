"""Which of the tools that a query offers its message asks for, and which calls they would be.

A tool is meant if a word of its name stands in the message, or two of its description do. A call whose arguments are
not all found is not made up: what is missing is said instead.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from poe_notebook.protocol.tools import ToolDefinition
from poe_notebook.simulator.found_arguments import Reading
from poe_notebook.simulator.words import bare, key_words, name_words, words

__all__ = ["Call", "Choice", "choose"]

_COMMON = frozenset(
    words(
        "get set fetch find make do run call current new my list lookup read show data info value result user function"
    )
    + words("tool api handle execute compute return")
)
"""Words of function names that say nothing of what a function is about."""
_LEAST_OF_DESCRIPTION = 2


@dataclass(frozen=True, slots=True)
class Call:
    """A call to ask for: the function and its arguments."""

    name: str
    arguments: Mapping[str, Any]

    @property
    def arguments_json(self) -> str:
        """The arguments as the wire has them."""
        return json.dumps(self.arguments)

    def identifier(self, place: int) -> str:
        """Give the call's id: the same for the same call at the same place in an answer."""
        text = f"{place} {self.name} {self.arguments_json}"
        return "call_" + hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Choice:
    """The calls to ask for, and of the tools that were meant but lack something, what that is."""

    calls: list[Call] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=dict)


def choose(
    message: str, tools: Sequence[ToolDefinition], *, known: Mapping[str, Any] | None = None, must: bool = False
) -> Choice:
    """Choose the calls for a message. ``known`` are values of earlier results; ``must``: the best tool at any rate."""
    said = {bare(word) for word in words(message)}
    scores = {tool.function.name: _score(tool, said) for tool in tools}
    meant = [tool for tool in tools if scores[tool.function.name] > 0]
    if must and not meant:
        meant = sorted(tools, key=lambda tool: -scores[tool.function.name])[:1]
    choice, reading = Choice(), Reading(message, known)
    for tool in meant:
        _add(choice, tool, reading)
    return choice


def _score(tool: ToolDefinition, said: set[str]) -> float:
    named = {bare(word) for word in name_words(tool.function.name)}
    telling = (named - _COMMON) or named
    described = {bare(word) for word in key_words(tool.function.description or "", most=30)} - _COMMON
    of_description = len(described & said)
    return 10 * len(telling & said) + (of_description if of_description >= _LEAST_OF_DESCRIPTION else 0)


def _add(choice: Choice, tool: ToolDefinition, reading: Reading) -> None:
    """Add a tool's calls, or what they lack."""
    parameters = tool.function.parameters
    schema = parameters.model_dump() if parameters is not None else {}
    required = [name for name in schema.get("required") or () if isinstance(name, str)]
    for arguments in reading.arguments(schema):
        lacking = [name for name in required if name not in arguments]
        if lacking:
            choice.missing[tool.function.name] = lacking
        elif all(call.name != tool.function.name or call.arguments != arguments for call in choice.calls):
            choice.calls.append(Call(tool.function.name, arguments))
