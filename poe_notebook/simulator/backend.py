"""A server of the user's own in place of the stand-ins: any that speaks OpenAI's chat completions, streaming.

What it says goes out as it says it; what goes wrong there is an ``error`` event with the server's own sentence. The key
is taken from an environment variable when it is needed, sent to that server and to nobody else, and shown nowhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx

from poe_notebook.client.decoding import Decoder, is_event_stream, json_object, start_of
from poe_notebook.client.endpoints import is_local
from poe_notebook.client.pool import client_for_this_loop
from poe_notebook.errors import InvalidParameterError, KeyMissing
from poe_notebook.keys import Redactor, Secret
from poe_notebook.protocol.call_pieces import deltas_in
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import ErrorResponse, PartialResponse
from poe_notebook.simulator.backend_messages import ReadFile, completion_body
from poe_notebook.simulator.call_chunks import NumberedCalls, chunk
from poe_notebook.simulator.standing_in import StandIn

__all__ = ["Backend", "BackendStandIn"]

_PATH = "/chat/completions"
_SHOWN_CHARS, _READ_BYTES = 500, 64 * 1024


@dataclass(frozen=True, slots=True)
class Backend:
    """Where the server is, which of its models stands in for which bot, and where its key is.

    ``models`` are by the bots' names in small letters; ``model`` is for all others, and without it a bot's own name is.
    """

    url: str
    model: str | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    key_variable: str | None = None

    @classmethod
    def at(cls, url: str, *, model: str | None = None, key_variable: str | None = None) -> Backend:
        """Make one from an address as people write it. Raises ``InvalidParameterError``."""
        try:
            parsed = httpx.URL(url.strip())
        except httpx.InvalidURL as error:
            raise _unusable(url, str(error)) from None
        if parsed.scheme not in ("http", "https") or not parsed.host or not 0 < (parsed.port or 80) < 65_536:
            raise _unusable(url, "It begins with http:// or https:// and names a host.")
        if parsed.userinfo:
            raise _unusable("The address", "A key in it would be seen: name an environment variable with --key-env.")
        path = parsed.path.rstrip("/").removesuffix(_PATH).rstrip("/") or "/v1"
        clean = parsed.copy_with(path=path, query=None, fragment=None)
        return cls(str(clean), model=model, key_variable=key_variable)

    def model_for(self, bot_name: str) -> str:
        """Give the model that stands in for a bot."""
        return self.models.get(bot_name.lower()) or self.model or bot_name

    def key(self) -> Secret | None:
        """Find the key; none if no variable is named. Raises ``KeyMissing`` if the one named is empty."""
        if self.key_variable is None:
            return None
        value = os.environ.get(self.key_variable, "").strip()
        if not value or not (value.isascii() and value.isprintable()):
            raise KeyMissing(
                f"The environment variable {self.key_variable} holds no key for {self.url}.",
                now="Set it before the kernel starts, or leave --key-env out if the server wants none.",
            )
        return Secret(value, origin=f"from {self.key_variable}")


def _unusable(url: str, why: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"{url} cannot be used as a backend.", why=why, now="Type for instance: http://localhost:11434/v1"
    )


class BackendStandIn(StandIn):
    """Stands in for a bot by asking the user's server. Its text carries no label, since a model did write it."""

    def __init__(self, name: str, *, backend: Backend, read_file: ReadFile | None = None) -> None:
        super().__init__(name)
        self.backend, self.read_file = backend, read_file

    @property
    def introduction_message(self) -> str:
        """Say who answers."""
        model = self.backend.model_for(self.name)
        return f"**{self.name}** is answered by the model `{model}` of {self.backend.url}, and not by Poe."

    async def get_response(self, request: QueryRequest) -> AsyncIterator[PartialResponse]:
        """Ask the server, and give what it says as it says it."""
        redactor = Redactor()
        try:
            key = self.backend.key()
        except KeyMissing as error:
            yield _failed(str(error), allow_retry=False)
            return
        redactor.add(key)
        body = await completion_body(request, model=self.backend.model_for(self.name), read_file=self.read_file)
        headers = {"Accept": "text/event-stream", **({"Authorization": f"Bearer {key.reveal()}"} if key else {})}
        http, url = client_for_this_loop(is_local=is_local(self.backend.url)), self.backend.url + _PATH
        try:
            async with (
                http.stream("POST", url, json=body, headers=httpx.Headers(headers)) as response,
                aclosing(_answer(response, self.name, redactor)) as items,
            ):
                async for item in items:
                    yield item
        except httpx.HTTPError as error:
            yield _failed(redactor.text(_reason(error, self.backend.url)), allow_retry=True)


async def _answer(response: httpx.Response, name: str, redactor: Redactor) -> AsyncGenerator[PartialResponse, None]:
    """Give what a response says, to its end or to the first error in it."""
    if response.status_code >= 400:
        said = _error_text(await start_of(response, most_bytes=_READ_BYTES)) or response.reason_phrase
        can_retry = response.status_code == 429 or response.status_code >= 500
        text = f"The backend answered {response.status_code}: {redactor.text(said)[:_SHOWN_CHARS]}"
        yield _failed(text, allow_retry=can_retry)
        return
    pieces = _Pieces(name)
    async for value in _values(response):
        if value.get("error"):
            said = redactor.text(_sentence(value))[:_SHOWN_CHARS]
            yield _failed(f"The backend failed: {said}", allow_retry=True)
            return
        for item in pieces.take(value):
            yield item
    if pieces.calls.count:
        yield PartialResponse(text="", data=chunk({}, model=name, finish_reason="tool_calls"))
    elif pieces.is_nothing:
        yield _failed("The backend gave an answer without any text.", allow_retry=True)


async def _values(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """Give the JSON objects of a response: its chunks, or itself if the server does not stream."""
    if not is_event_stream(response):
        value = json_object((await response.aread()).decode("utf-8", "replace"))
        yield value or {"error": "its answer is neither an event stream nor JSON"}
        return
    decoder = Decoder()
    async for raw in response.aiter_bytes():
        for event in decoder.feed(raw):
            if event.data.strip() == "[DONE]":
                return
            yield json_object(event.data)


class _Pieces:
    """Turns chunks, or a whole completion, into responses."""

    def __init__(self, name: str) -> None:
        self.calls, self.is_nothing = NumberedCalls(), True
        self._name = name

    def take(self, value: dict[str, Any]) -> Iterator[PartialResponse]:
        choices = value.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return
        is_whole = "delta" not in choice
        said = choice.get("message" if is_whole else "delta")
        said = said if isinstance(said, dict) else {}
        if isinstance(said.get("content"), str) and said["content"]:
            self.is_nothing = False
            yield PartialResponse(text=said["content"])
        for place, piece in enumerate(deltas_in(said)):
            # In a whole completion the calls have no numbers.
            call = self.calls.numbered(piece.model_copy(update={"index": place}) if is_whole else piece)
            yield PartialResponse(text="", data=chunk({"tool_calls": [call]}, model=self._name))


def _error_text(body: str) -> str:
    value = json_object(body)
    return _sentence(value) if value else " ".join(body.split())


def _sentence(value: dict[str, Any]) -> str:
    """Find the sentence in an error's JSON, of which servers have several forms."""
    error = value.get("error", value)
    said = error.get("message", error.get("detail")) if isinstance(error, dict) else error
    return said if isinstance(said, str) else json.dumps(error)


def _reason(error: httpx.HTTPError, url: str) -> str:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return f"Nothing answers at {url}. Start the server, or choose another: %poe backend URL"
    if isinstance(error, httpx.TimeoutException):
        return f"The backend at {url} took longer than it may."
    return f"The connection to the backend at {url} broke off: {str(error) or type(error).__name__}."


def _failed(text: str, *, allow_retry: bool) -> ErrorResponse:
    return ErrorResponse(text=text, allow_retry=allow_retry)
