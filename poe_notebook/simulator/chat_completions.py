"""``POST /v1/chat/completions`` and ``GET /v1/models`` of the simulated api.poe.com, for the same bots.

What requests and answers look like is in ``openai_api``; here is who may ask, and who answers.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from poe_notebook.protocol.identifiers import new_identifier
from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.requests import MalformedRequest
from poe_notebook.server.app import read_json
from poe_notebook.simulator.accounts import Accounts
from poe_notebook.simulator.answering import Asker
from poe_notebook.simulator.directory import Directory, KnownBot
from poe_notebook.simulator.openai_api import (
    ApiError,
    CompletionRequest,
    completion,
    completion_request,
    completion_stream,
    insufficient_points,
    invalid,
    model_list,
    no_such_model,
    rate_limited,
    response_headers,
    stored,
    too_large,
    unauthorized,
)
from poe_notebook.simulator.queries import Queries
from poe_notebook.simulator.requests import bearer, json_response, streamed, unless_left

__all__ = ["ChatCompletions"]

_SHOWN_NAMES = 6


class ChatCompletions:
    """The endpoint. ``upload`` keeps the files in a request; ``has_points`` tells whether a user can pay anything."""

    def __init__(
        self,
        queries: Queries,
        directory: Directory,
        accounts: Accounts,
        *,
        upload: Callable[[bytes, str, str], Awaitable[Attachment]],
        has_points: Callable[[str], bool],
    ) -> None:
        self._queries, self._directory, self._accounts = queries, directory, accounts
        self._upload, self._has_points = upload, has_points

    @property
    def routes(self) -> list[Route]:
        """What is to be mounted."""
        return [
            Route("/v1/chat/completions", self._complete, methods=["POST"]),
            Route("/v1/models", self._models, methods=["GET"]),
        ]

    async def _models(self, request: Request) -> Response:
        if not self._accounts.is_user(bearer(request)):
            return _error(unauthorized())
        return json_response(model_list([bot.name for bot in self._directory.served] + self._names))

    async def _complete(self, request: Request) -> Response:
        began_s = time.monotonic()
        try:
            call, bot, asker = await self._read(request)
            query = await stored(call.request, self._upload)
            events = self._queries.answer(bot, query, asker)
            headers = response_headers(new_identifier("r"), processing_s=time.monotonic() - began_s)
            if not call.is_stream:
                return json_response(await unless_left(request, completion(events, call)), headers=headers)
            stream = completion_stream(events, call)
            response = streamed(_from_first(await unless_left(request, _first(stream)), stream))
        except ApiError as error:
            return _error(error)
        response.headers.update(headers)
        return response

    async def _read(self, request: Request) -> tuple[CompletionRequest, KnownBot, Asker]:
        if not self._accounts.is_user(bearer(request)):
            raise unauthorized()
        try:
            body = await read_json(request)
        except MalformedRequest as error:
            raise too_large() if error.status == 413 else invalid(str(error)) from None
        call = completion_request(body, user_id=self._accounts.user_id)
        bot = self._directory.find(call.model)
        if bot is None:
            raise no_such_model(call.model, self._names[:_SHOWN_NAMES])
        wait_s = self._accounts.wait_s()
        if wait_s:
            raise rate_limited(wait_s)
        if not self._has_points(self._accounts.user_id):
            raise insufficient_points()
        return call, bot, Asker(self._accounts.user_id)

    @property
    def _names(self) -> list[str]:
        return list(self._directory.stand_in_names)


async def _first(stream: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(stream)


async def _from_first(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        async for raw in rest:
            yield raw


def _error(error: ApiError) -> Response:
    return json_response(error.body, status=error.status, headers=error.headers)
