"""Asking bots on Poe, with fastapi_poe's function names: the answer as response objects, or as one text.

Names, parameters and defaults as in fastapi_poe 0.0.83, but that ``on_error`` prints nothing unless it is given and
``base_url`` follows ``POE_BASE_URL``. The synchronous form works anywhere, in a cell too.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import aclosing
from typing import Any

import httpx

from poe_notebook.client.endpoints import is_local, without_key
from poe_notebook.client.nested import nested_exchange
from poe_notebook.client.query import bot_url, stream_events
from poe_notebook.client.retries import OnError, with_retries
from poe_notebook.client.sync import iterate, refuse_session_of_running_loop
from poe_notebook.client.tools import run_tools
from poe_notebook.errors import BotError, BotErrorNoRetry
from poe_notebook.keys import Secret
from poe_notebook.protocol.limits import PROTOCOL_VERSION
from poe_notebook.protocol.messages import ProtocolMessage
from poe_notebook.protocol.requests import MISSING_KEY, QueryRequest
from poe_notebook.protocol.response_events import event_to_response
from poe_notebook.protocol.responses import (
    DataResponse,
    ErrorResponse,
    MetaResponse,
    PartialResponse,
    remember_origin,
)
from poe_notebook.protocol.tools import ToolCallDefinition, ToolDefinition, ToolResultDefinition

__all__ = [
    "get_bot_response",
    "get_bot_response_sync",
    "get_final_response",
    "stream_request",
    "stream_request_base",
]

_BETWEEN_ANSWERS = "\n\n"


def stream_request(
    request: QueryRequest,
    bot_name: str,
    api_key: str = "",
    *,
    tools: Sequence[ToolDefinition] | None = None,
    tool_executables: Sequence[Callable[..., Any]] | None = None,
    access_key: str = "",
    access_key_deprecation_warning_stacklevel: int = 2,
    session: httpx.AsyncClient | None = None,
    on_error: OnError | None = None,
    num_tries: int = 2,
    retry_sleep_time: float = 0.5,
    base_url: str | None = None,
    extra_headers: dict[str, str] | None = None,
) -> AsyncGenerator[PartialResponse, None]:
    """Query a bot on Poe and give its answer as response objects.

    ``api_key`` is your API key, or in a handler ``request.access_key``. With ``tools`` the bot may call functions, and
    those in ``tool_executables`` are called for it, for as many rounds as it asks (see ``run_tools``).

    Tried again, up to ``num_tries`` times and ``retry_sleep_time`` seconds apart, as long as nothing has been given, or
    if the connection was cut: then a ``replace_response`` without text comes before the answer that begins again.
    ``on_error`` hears of each failed try. Raises ``BotError``; ``BotErrorNoRetry`` if trying again would not help.
    """
    if access_key:
        warnings.warn(
            "access_key does nothing; leave it away.",
            DeprecationWarning,
            stacklevel=access_key_deprecation_warning_stacklevel,
        )
    url, key = bot_url(bot_name, base_url=base_url), api_key.strip()
    # As it is now: the caller may go on with the conversation while he reads.
    asked = request.model_copy(update={"query": list(request.query), "api_key": MISSING_KEY, "access_key": MISSING_KEY})

    def ask(query: QueryRequest) -> AsyncGenerator[PartialResponse, None]:
        return with_retries(
            lambda: _responses(
                query, url, bot=bot_name, key=key, session=session, extra_headers=extra_headers, asked=asked
            ),
            bot_name=bot_name,
            num_tries=num_tries,
            retry_sleep_time=retry_sleep_time,
            on_error=on_error,
        )

    if tools is None:
        return ask(request)
    return run_tools(ask, request, tools=tools, tool_executables=tool_executables)


def stream_request_base(
    request: QueryRequest,
    bot_name: str,
    api_key: str = "",
    *,
    tools: Sequence[ToolDefinition] | None = None,
    tool_calls: Sequence[ToolCallDefinition] | None = None,
    tool_results: Sequence[ToolResultDefinition] | None = None,
    access_key: str = "",
    access_key_deprecation_warning_stacklevel: int = 2,
    session: httpx.AsyncClient | None = None,
    on_error: OnError | None = None,
    num_tries: int = 2,
    retry_sleep_time: float = 0.5,
    base_url: str | None = None,
    extra_headers: dict[str, str] | None = None,
) -> AsyncGenerator[PartialResponse, None]:
    """Query a bot once, for callers that carry out its calls themselves; all else as in ``stream_request``.

    What the bot says of calls comes as the ``data`` of responses, chunk by chunk.
    """
    given = {"tools": tools, "tool_calls": tool_calls, "tool_results": tool_results}
    return stream_request(
        request.model_copy(update={name: list(each) for name, each in given.items() if each is not None}),
        bot_name,
        api_key,
        access_key=access_key,
        access_key_deprecation_warning_stacklevel=access_key_deprecation_warning_stacklevel + 1,
        session=session,
        on_error=on_error,
        num_tries=num_tries,
        retry_sleep_time=retry_sleep_time,
        base_url=base_url,
        extra_headers=extra_headers,
    )


async def _responses(
    request: QueryRequest,
    url: str,
    *,
    bot: str,
    key: str,
    session: httpx.AsyncClient | None,
    extra_headers: dict[str, str] | None,
    asked: QueryRequest,
) -> AsyncGenerator[PartialResponse, None]:
    """Ask once. An ``error`` event is raised; what is given remembers that it answers ``asked``."""
    with nested_exchange(request, bot=bot, url=url) as recording:
        events = stream_events(
            request,
            url,
            key=Secret(key),
            is_local=is_local(url),
            session=session,
            recording=recording,
            extra_headers=extra_headers,
        )
        async with aclosing(events):
            async for event in events:
                response = event_to_response(event)
                if type(response) is ErrorResponse:
                    kind = BotError if response.allow_retry else BotErrorNoRetry
                    raise kind(without_key(json.dumps(event.data), key))
                if response is not None:
                    remember_origin(response, asked, event)
                    yield response


def get_bot_response(
    messages: Sequence[ProtocolMessage],
    bot_name: str,
    api_key: str,
    *,
    tools: Sequence[ToolDefinition] | None = None,
    tool_executables: Sequence[Callable[..., Any]] | None = None,
    temperature: float | None = None,
    skip_system_prompt: bool | None = None,
    adopt_current_bot_name: bool | None = None,
    logit_bias: dict[str, float] | None = None,
    stop_sequences: list[str] | None = None,
    base_url: str | None = None,
    session: httpx.AsyncClient | None = None,
) -> AsyncGenerator[PartialResponse, None]:
    """Ask a bot on Poe with your API key, and give its answer as response objects (see ``stream_request``).

    The query is made from ``messages`` when this is called; its ids are empty.
    """
    hints = {
        "temperature": temperature,
        "skip_system_prompt": skip_system_prompt,
        "adopt_current_bot_name": adopt_current_bot_name,
        "logit_bias": logit_bias,
        "stop_sequences": stop_sequences,
    }
    query = _query_of(messages, {name: hint for name, hint in hints.items() if hint is not None})
    return stream_request(
        query,
        bot_name,
        api_key,
        tools=tools,
        tool_executables=tool_executables,
        base_url=base_url,
        session=session,
    )


def get_bot_response_sync(
    messages: Sequence[ProtocolMessage],
    bot_name: str,
    api_key: str,
    *,
    tools: Sequence[ToolDefinition] | None = None,
    tool_executables: Sequence[Callable[..., Any]] | None = None,
    temperature: float | None = None,
    skip_system_prompt: bool | None = None,
    logit_bias: dict[str, float] | None = None,
    adopt_current_bot_name: bool | None = None,
    stop_sequences: list[str] | None = None,
    base_url: str | None = None,
    session: httpx.AsyncClient | None = None,
) -> Generator[PartialResponse, None, None]:
    """Do what ``get_bot_response`` does, for a plain ``for`` loop: in a script, in a thread, in a cell.

    Leaving the loop early ends the query once the generator is closed, or given up. Raises ``InvalidParameterError`` (a
    ``ValueError``) for a ``session`` given where a loop runs.
    """
    refuse_session_of_running_loop(session)
    answer = get_bot_response(
        messages,
        bot_name,
        api_key,
        tools=tools,
        tool_executables=tool_executables,
        temperature=temperature,
        skip_system_prompt=skip_system_prompt,
        adopt_current_bot_name=adopt_current_bot_name,
        logit_bias=logit_bias,
        stop_sequences=stop_sequences,
        base_url=base_url,
        session=session,
    )
    return iterate(lambda: answer)


async def get_final_response(
    request: QueryRequest,
    bot_name: str,
    api_key: str = "",
    *,
    access_key: str = "",
    session: httpx.AsyncClient | None = None,
    on_error: OnError | None = None,
    num_tries: int = 2,
    retry_sleep_time: float = 0.5,
    base_url: str | None = None,
) -> str:
    """Query a bot on Poe and give the text of its whole answer; of parallel answers, one below the other.

    An answer of files or structured chunks alone is an empty text. Raises ``BotError`` if nothing came at all.
    """
    texts: dict[int | None, list[str]] = {}
    answer = stream_request(
        request,
        bot_name,
        api_key,
        access_key=access_key,
        access_key_deprecation_warning_stacklevel=3,
        session=session,
        on_error=on_error,
        num_tries=num_tries,
        retry_sleep_time=retry_sleep_time,
        base_url=base_url,
    )
    async with aclosing(answer):
        async for response in answer:
            if not (response.is_suggested_reply or isinstance(response, MetaResponse | DataResponse)):
                parts = texts.setdefault(response.index, [])
                if response.is_replace_response:
                    parts.clear()
                parts.append(response.text)
    if not texts:
        raise BotError(f"Bot {bot_name} sent no response.", why="Its answer holds no text, no file and no chunk.")
    return _BETWEEN_ANSWERS.join(text for text in map("".join, texts.values()) if text)


def _query_of(messages: Sequence[ProtocolMessage], hints: dict[str, Any]) -> QueryRequest:
    ids = {"user_id": "", "conversation_id": "", "message_id": ""}
    return QueryRequest.model_validate(
        {"version": PROTOCOL_VERSION, "type": "query", "query": list(messages), **ids, **hints}
    )
