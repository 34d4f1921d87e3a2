"""``POST /bot/<name>`` of the simulated api.poe.com: a bot is queried, by a script or by another bot.

What goes wrong with a query comes as an ``error`` event on a stream with status 200, as it does from Poe; the texts are
those that people report, where they are known (fastapi_poe issues 3 and 109).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from poe_notebook.protocol.events import encode
from poe_notebook.protocol.identifiers import new_identifier
from poe_notebook.protocol.requests import MalformedRequest, QueryRequest, parse_request
from poe_notebook.server.app import read_json
from poe_notebook.server.stream import AnswerResponse
from poe_notebook.simulator.accounts import Accounts
from poe_notebook.simulator.asking import Asking
from poe_notebook.simulator.directory import Asker, KnownBot
from poe_notebook.simulator.poe import Poe
from poe_notebook.simulator.requests import bearer, events_response, refusal
from poe_notebook.tracing.recorder import EXCHANGE_HEADER, Trace

__all__ = ["BotQueries"]

_DONE = encode("done", {})


class BotQueries:
    """Answers queries and takes reports."""

    def __init__(self, poe: Poe, accounts: Accounts, trace: Trace) -> None:
        self._poe, self._accounts, self._trace = poe, accounts, trace

    async def __call__(self, http_request: Request) -> Response:
        """Answer one request."""
        try:
            request = parse_request(await read_json(http_request))
        except MalformedRequest as error:
            return refusal(error.status, str(error))
        if not isinstance(request, QueryRequest):
            return JSONResponse({})  # a report about a bot's answer; Poe says nothing of what becomes of it
        asker = self._accounts.asker(bearer(http_request), request)
        if asker is None:
            return _failed("Access denied")
        bot = self._poe.directory.find(http_request.path_params["name"])
        if bot is None:
            return _failed(f"Bot {http_request.path_params['name'][:100]} does not exist.")
        if asker.bot is None and self._accounts.is_too_often():
            return _failed("Rate limit for user API keys exceeded. Try again later.", may_retry=True)
        reference = http_request.headers.get(EXCHANGE_HEADER, "")
        return AnswerResponse(self._answer(bot, _identified(request, asker), asker, reference))

    async def _answer(
        self, bot: KnownBot, request: QueryRequest, asker: Asker, reference: str
    ) -> AsyncGenerator[bytes, None]:
        asking = self._asking(bot, request, asker, reference)
        async with aclosing(self._poe.ask(bot, request, asker=asker, asking=asking)) as events:
            try:
                async for event in events:
                    yield encode(event.type, event.data)
                    if event.type == "error":
                        asking.end("failed")
                        yield _DONE
                        return
            except GeneratorExit:
                asking.end("stopped")
                raise
        asking.end("done")

    def _asking(self, bot: KnownBot, request: QueryRequest, asker: Asker, reference: str) -> Asking:
        """Join the exchange that the asker has opened, or open one for an asker that opens none."""
        recording = self._trace.asked(reference)
        if recording is not None:
            return Asking(recording, is_written_by_asker=True)
        route = "simulator" if bot.stand_in is not None else "kernel"
        parent = self._poe.exchange_answering(asker.bot, asker.message_id) if asker.bot is not None else None
        opened = self._trace.begin_client(
            bot=bot.name,
            kind="query",
            message_id=request.message_id,
            route=route,
            request=request.model_dump(exclude={"access_key", "api_key"}),
            parent=parent,
        )
        return Asking(opened)


def _failed(text: str, *, may_retry: bool = False) -> Response:
    return events_response(("error", {"allow_retry": may_retry, "text": text}), ("done", {}))


def _identified(request: QueryRequest, asker: Asker) -> QueryRequest:
    """Give the query the ids that Poe gives it: a new answer, a new query, and the user for whom it is asked."""
    return request.model_copy(
        update={
            "message_id": new_identifier("m"),
            "bot_query_id": new_identifier("b"),
            "user_id": asker.user_id,
            "conversation_id": request.conversation_id or new_identifier("c"),
            "metadata": request.metadata or new_identifier("d"),
        }
    )
