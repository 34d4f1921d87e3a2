"""A bot's answer as a chat completion: one object, or server-sent chunks of one.

Token counts are estimates by the length of the texts. A bot that fails before it has said anything is an ``ApiError``,
for the response to have its status; after that an error is one more event of the stream, as the openai package has it.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from poe_notebook.errors import PoeNotebookError
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.identifiers import new_identifier
from poe_notebook.simulator.openai_errors import ApiError, failed_bot
from poe_notebook.simulator.openai_requests import CompletionRequest
from poe_notebook.simulator.openai_text import CHARS_PER_TOKEN, CompletionText

__all__ = ["completion", "completion_stream"]

Clock = Callable[[], float]


async def completion(
    events: AsyncGenerator[Event, None], call: CompletionRequest, *, clock: Clock = time.time
) -> dict[str, Any]:
    """Read an answer to its end and give the ``chat.completion`` object. Raises ``ApiError`` if the bot fails."""
    text = CompletionText(max_tokens=call.max_tokens)
    async with aclosing(events):
        try:
            async for event in events:
                if event.type == "error":
                    raise failed_bot(event.data)
                text.take(event)
                if event.type == "done" or text.finish_reason:
                    break
        except PoeNotebookError as error:
            raise _as_api_error(error) from error
    text.end()
    message: dict[str, Any] = {"role": "assistant", "content": text.text or None}
    calls = text.calls
    if calls:
        message["tool_calls"] = [each.model_dump() for each in calls]
    else:
        message["content"] = text.text
    choice = {"index": 0, "message": message, "finish_reason": text.finish_reason, "logprobs": None}
    return {**_head(call, "chat.completion", clock), "choices": [choice], "usage": _usage(call, text, len(text.text))}


async def completion_stream(
    events: AsyncGenerator[Event, None], call: CompletionRequest, *, clock: Clock = time.time
) -> AsyncGenerator[bytes, None]:
    """Give an answer's chunks as they come, each as a server-sent event. Closing it closes ``events``.

    Raises ``ApiError`` in place of the first chunk if the bot fails before it has said anything; so await that one
    before the status is sent.
    """
    chunks = _Chunks(call, clock)
    text = CompletionText(max_tokens=call.max_tokens)
    has_begun = False
    async with aclosing(events):
        try:
            async for event in events:
                if event.type == "error":
                    raise failed_bot(event.data)
                added, pieces = text.take(event)
                if (added or pieces) and not has_begun:
                    has_begun = True
                    yield chunks.delta({"role": "assistant", "content": ""})
                if added:
                    yield chunks.delta({"content": added})
                for piece in pieces:
                    yield chunks.delta({"tool_calls": [piece]})
                if event.type == "done" or text.finish_reason:
                    break
        except PoeNotebookError as error:
            failure = _as_api_error(error)
            if not has_begun:
                raise failure from error
            yield _event(failure.body)
            return
    rest = text.end()
    if rest:
        yield chunks.delta({"content": rest})
    yield chunks.delta({}, finish_reason=text.finish_reason)
    if call.with_usage:
        yield chunks.usage(_usage(call, text, text.given_chars))
    yield b"data: [DONE]\n\n"


class _Chunks:
    """Makes the chunks of one answer, which share their head."""

    def __init__(self, call: CompletionRequest, clock: Clock) -> None:
        self._head = _head(call, "chat.completion.chunk", clock)
        if call.with_usage:
            self._head["usage"] = None  # OpenAI's reference: null in all chunks but the last

    def delta(self, delta: dict[str, Any], *, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return _event({**self._head, "choices": [choice]})

    def usage(self, usage: dict[str, Any]) -> bytes:
        return _event({**self._head, "choices": [], "usage": usage})


def _event(value: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % json.dumps(value).encode("ascii")


def _head(call: CompletionRequest, kind: str, clock: Clock) -> dict[str, Any]:
    identifier = "chatcmpl-" + new_identifier("m").removeprefix("m-")
    return {"id": identifier, "object": kind, "created": int(clock()), "model": call.model}


def _usage(call: CompletionRequest, text: CompletionText, answered_chars: int) -> dict[str, int]:
    """Estimate the tokens of the question and the answer."""
    asked = sum(len(message.content) for message in call.request.query)
    asked += sum(len(file.parsed_content or "") for message in call.request.query for file in message.attachments)
    called = sum(len(each.function.name) + len(each.function.arguments) for each in text.calls)
    prompt, answer = -(-asked // CHARS_PER_TOKEN), -(-(answered_chars + called) // CHARS_PER_TOKEN)
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}


def _as_api_error(error: PoeNotebookError) -> ApiError:
    return error if isinstance(error, ApiError) else ApiError("The bot's answer broke off.", status=502)
