"""``POST /bot/<name>`` of the simulated api.poe.com: a bot is queried, by a script or by another bot.

What goes wrong with a query comes as an ``error`` event on a stream with status 200, as it does from Poe; the texts are
those that people report, where they are known (fastapi_poe issues 3 and 109).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response

from poe_notebook.protocol.events import Event, encode
from poe_notebook.protocol.requests import MalformedRequest, QueryRequest, parse_request
from poe_notebook.server.app import read_json
from poe_notebook.simulator.accounts import Accounts
from poe_notebook.simulator.directory import Directory
from poe_notebook.simulator.queries import Queries
from poe_notebook.simulator.requests import bearer, events_response, json_response, refusal, shown_name, streamed
from poe_notebook.tracing.recorder import EXCHANGE_HEADER

__all__ = ["BotQueries"]

_DONE = encode("done", {})


class BotQueries:
    """Answers queries and takes reports."""

    def __init__(self, queries: Queries, directory: Directory, accounts: Accounts) -> None:
        self._queries, self._directory, self._accounts = queries, directory, accounts

    async def __call__(self, http_request: Request) -> Response:
        """Answer one request. The body of one with an unknown key is not read."""
        key = bearer(http_request)
        if not self._accounts.is_known(key):
            return _failed("Access denied")
        try:
            request = parse_request(await read_json(http_request))
        except MalformedRequest as error:
            return refusal(error.status, str(error))
        if not isinstance(request, QueryRequest):
            return json_response({})  # a report about a bot's answer; Poe says nothing of what becomes of it
        reference = http_request.headers.get(EXCHANGE_HEADER, "")
        asker = self._accounts.asker(key, request, answered_message=self._queries.answered_message(reference))
        if asker is None:
            return _failed("Access denied")  # the bot was stopped meanwhile
        name = http_request.path_params["name"]
        bot = self._directory.find(name)
        if bot is None:
            return _failed(f"Bot {shown_name(name)} does not exist.")
        if asker.bot is None and self._accounts.wait_s():
            return _failed("Rate limit for user API keys exceeded. Try again later.", may_retry=True)
        return streamed(_encoded(self._queries.answer(bot, request, asker, reference=reference)))


async def _encoded(events: AsyncGenerator[Event, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(events):
        async for event in events:
            yield encode(event.type, event.data)
            if event.type == "error":
                yield _DONE
                return


def _failed(text: str, *, may_retry: bool = False) -> Response:
    return events_response(("error", {"allow_retry": may_retry, "text": text}), ("done", {}))
