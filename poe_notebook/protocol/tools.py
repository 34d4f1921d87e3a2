"""Function calling: the tools offered to a bot, its calls, their results.

Nothing is lost on a round trip: keys that are not named here (``strict``, ``additionalProperties``, ``$defs``) are
kept, and a key that was not given is not dumped, since ``"required": null`` is no JSON schema.
Shapes as in fastapi_poe 0.0.83, which took them from OpenAI's chat completions.
"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from poe_notebook.protocol.models import WireModel

__all__ = [
    "CustomCallDefinition",
    "CustomToolDefinition",
    "FunctionCallDefinition",
    "FunctionCallDefinitionDelta",
    "FunctionDefinition",
    "ParametersDefinition",
    "ToolCallDefinition",
    "ToolCallDefinitionDelta",
    "ToolDefinition",
    "ToolResultDefinition",
]


class ToolModel(WireModel):
    """Base of the tool shapes: keeps every key, dumps only the given ones."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    @model_serializer(mode="wrap")
    def _dump_given(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        absent = {name for name in fields if name not in self.model_fields_set and getattr(self, name) is None}
        absent |= {fields[name].alias or name for name in absent}
        return {key: value for key, value in dump(self).items() if key not in absent}


class ParametersDefinition(ToolModel):
    """The JSON schema of a function's arguments."""

    type: str = "object"
    properties: dict[str, object] = Field(default_factory=dict)
    required: list[str] | None = None


class FunctionDefinition(ToolModel):
    """A function that a bot may ask to be called."""

    name: str
    description: str | None = None
    parameters: ParametersDefinition | None = None


class ToolDefinition(ToolModel):
    """A tool offered to a bot; ``type`` is ``function``."""

    type: str
    function: FunctionDefinition


class CustomToolDefinition(ToolModel):
    """A tool that takes free text; ``format`` may restrict it by a grammar."""

    name: str
    description: str | None = None
    format_: dict[str, Any] | None = Field(default=None, alias="format")


class FunctionCallDefinition(ToolModel):
    """A call: the function's name and its arguments as JSON text."""

    name: str
    arguments: str


class ToolCallDefinition(ToolModel):
    """A call that a bot asks for; its result goes back under the same ``id``."""

    id: str
    type: str
    function: FunctionCallDefinition


class CustomCallDefinition(ToolModel):
    """A call of a custom tool with its free text."""

    name: str
    input_: str = Field(alias="input")


class ToolResultDefinition(ToolModel):
    """What a called function gave, as JSON text."""

    role: str
    name: str
    tool_call_id: str
    content: str


class FunctionCallDefinitionDelta(ToolModel):
    """A piece of a call while it streams: the name comes first, the arguments piece by piece."""

    name: str | None = None
    arguments: str


class ToolCallDefinitionDelta(ToolModel):
    """A piece of the call number ``index`` of an answer."""

    index: int = 0
    id: str | None = None
    type: str | None = None
    function: FunctionCallDefinitionDelta
