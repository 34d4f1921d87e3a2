"""A chat-completions request as a query for a bot. Pure.

Which fields count, which are passed over and which are bounded: Poe's page "OpenAI Compatible API" (2025-08, 2026). A
field that it does not name is a parameter of the bot, which is what ``extra_body`` is for. Every refusal is an
``ApiError`` with a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from poe_notebook.protocol.identifiers import new_identifier
from poe_notebook.protocol.limits import PROTOCOL_VERSION
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.simulator.openai_errors import invalid
from poe_notebook.simulator.openai_messages import query_messages

__all__ = ["CompletionRequest", "completion_request"]

_MOST_STOPS, _MOST_TEMPERATURE, _SHOWN_CHARS = 16, 2.0, 80
_READ = frozenset(
    {"model", "messages", "stream", "stream_options", "n", "temperature", "stop", "max_tokens", "max_completion_tokens"}
    | {"tools", "tool_choice", "parallel_tool_calls"}
)
_PASSED_OVER = frozenset(
    {"top_p", "response_format", "seed", "frequency_penalty", "presence_penalty", "logit_bias", "user", "store"}
    | {"metadata", "audio", "modalities", "prediction", "service_tier", "logprobs", "top_logprobs", "extra_body"}
    | {"functions", "function_call"}
)


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """What was asked: the bot's name, the query for it, and how the answer is to be given."""

    model: str
    request: QueryRequest
    is_stream: bool
    with_usage: bool
    max_tokens: int | None


def completion_request(body: object, *, user_id: str = "") -> CompletionRequest:
    """Read the decoded body of ``POST /v1/chat/completions``. Raises ``ApiError``.

    Attachments that came as data URLs are still that; ``stored`` of ``openai_files`` hands them to a file store.
    """
    if not isinstance(body, dict):
        raise invalid("The body is no JSON object.")
    model = body.get("model")
    if not isinstance(model, str) or not model.strip():
        raise invalid("The request has no model.", why="A model is the name of a Poe bot.", is_missing=True)
    if body.get("n") not in (None, 1) or isinstance(body.get("n"), bool):
        raise invalid(f"n is {_shown(body['n'])}.", why="Poe gives one choice: n must be 1.")
    is_stream = _flag(body, "stream")
    options = body.get("stream_options") or {}
    if not isinstance(options, dict):
        raise invalid("stream_options is no object.")
    return CompletionRequest(
        model=model.strip(),
        request=_query(body, user_id=user_id),
        is_stream=is_stream,
        with_usage=is_stream and _flag(options, "include_usage"),
        max_tokens=_count(body, "max_completion_tokens") or _count(body, "max_tokens"),
    )


def _query(body: dict[str, Any], *, user_id: str) -> QueryRequest:
    messages = query_messages(body.get("messages"))
    parameters = {name: value for name, value in body.items() if name not in _READ | _PASSED_OVER}
    if isinstance(body.get("extra_body"), dict):  # of those who write the JSON themselves
        parameters.update(body["extra_body"])
    if parameters:
        asked = [message for message in messages.query if message["role"] == "user"]
        (asked or messages.query)[-1]["parameters"] = parameters
    tools, extra = _tools(body)
    query = {
        "version": PROTOCOL_VERSION,
        "type": "query",
        "query": messages.query,
        "user_id": user_id,
        "conversation_id": new_identifier("c"),
        "message_id": new_identifier("m"),
        "temperature": _temperature(body),
        "skip_system_prompt": True,  # "UI system prompts are skipped"
        "stop_sequences": _stops(body),
        "tools": tools,
        "tool_calls": messages.tool_calls or None,
        "tool_results": messages.tool_results or None,
        "extra_params": extra or None,
    }
    try:
        return QueryRequest.model_validate(query)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        raise invalid(f"{'.'.join(map(str, fault['loc']))} cannot be read: {fault['msg']}.") from None


def _tools(body: Mapping[str, Any]) -> tuple[list[dict[str, Any]] | None, dict[str, Any]]:
    """Give the tools to offer, and what else the bot is to know of them."""
    given = body.get("tools")
    if given is None:
        given = []
    if not isinstance(given, list):
        raise invalid("tools is no list.")
    for place, tool in enumerate(given):
        _check_tool(place, tool)
    functions: list[dict[str, Any]] = [tool["function"] for tool in given]
    tools: list[dict[str, Any]] = [{"type": "function", "function": function} for function in functions]
    names = [function["name"] for function in functions]
    choice = body.get("tool_choice")
    extra: dict[str, Any] = {}
    if body.get("parallel_tool_calls") is False:
        extra["parallel_tool_calls"] = False
    if choice in (None, "auto"):
        return tools or None, extra
    if choice == "none":
        return None, {}
    if choice == "required":
        return tools or None, {**extra, "tool_choice": "required"}
    name = _chosen_name(choice)
    if name not in names:
        raise invalid(
            f"tool_choice names {_shown(name)}, which is none of the tools.", why=f"They are: {', '.join(names)}."
        )
    return [tools[names.index(name)]], {**extra, "tool_choice": "required"}


def _check_tool(place: int, tool: object) -> None:
    function = tool.get("function") if isinstance(tool, dict) and tool.get("type", "function") == "function" else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
        raise invalid(
            f"tools[{place}] is no function with a name.",
            why='A tool is {"type": "function", "function": {"name": ..., "description": ..., "parameters": {...}}}.',
        )
    parameters = function.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise invalid(f"The parameters of {function['name']} are no JSON schema.")


def _chosen_name(choice: object) -> str:
    function = choice.get("function") if isinstance(choice, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if isinstance(name, str):
        return name
    raise invalid(
        "tool_choice cannot be read.", why='It is "none", "auto", "required", or names one of the tools as a function.'
    )


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise invalid(f"{name} is {_shown(value)}.", why="It is true or false.")


def _count(body: Mapping[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise invalid(f"{name} is {_shown(value)}.", why="It is a whole number from 1 on.")
    return value


def _temperature(body: Mapping[str, Any]) -> float | None:
    value = body.get("temperature")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_TEMPERATURE:
        raise invalid(f"temperature is {_shown(value)}.", why=f"It is a number from 0 to {_MOST_TEMPERATURE:g}.")
    return float(value)


def _stops(body: Mapping[str, Any]) -> Sequence[str]:
    """Give the stop sequences; Poe passes over blank ones."""
    given = body.get("stop")
    stops = [given] if isinstance(given, str) else given or []
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops) or len(stops) > _MOST_STOPS:
        raise invalid("stop cannot be read.", why=f"It is a string, or a list of {_MOST_STOPS} strings at most.")
    return [stop for stop in stops if stop.strip()]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
