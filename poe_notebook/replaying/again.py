"""The query of a recorded exchange, made ready to be asked again, and the empty reply that its answer fills."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from poe_notebook.conversation import Reply
from poe_notebook.errors import CommandError
from poe_notebook.protocol.faults import sentences
from poe_notebook.protocol.identifiers import new_identifier
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.tracing.exchange import Exchange

__all__ = ["query_again", "query_of", "reply_to"]


def query_of(exchange: Exchange) -> QueryRequest:
    """Give the query of a recorded exchange. Raises ``CommandError`` if it is none, or one that nobody can answer."""
    return _query(exchange, exchange.request)


def query_again(exchange: Exchange) -> QueryRequest:
    """Give the query as it was asked, for an answer that is a message of its own: Poe makes it ready anew."""
    ids: dict[str, Any] = {"message_id": new_identifier("m"), "bot_query_id": new_identifier("b")}
    return _query(exchange, exchange.asked or exchange.request).model_copy(update=ids)


def _query(exchange: Exchange, request: dict[str, Any]) -> QueryRequest:
    if exchange.kind != "query":
        what = f"a {exchange.kind} request" if exchange.kind else "a request that could not be read"
        raise CommandError(
            f"Exchange {exchange.number} is {what}, no question to a bot.",
            why="Only a query has an answer made of events.",
            now="See all exchanges: fp.trace",
        )
    try:
        query = QueryRequest.model_validate(request)
    except ValidationError as error:
        raise CommandError(
            f"The request of exchange {exchange.number} cannot be read: {' '.join(sentences(error)[:3])}",
            why="The bot's server refused it for that.",
        ) from None
    if not query.query:
        raise CommandError(f"The request of exchange {exchange.number} has no message.")
    return query


def reply_to(request: QueryRequest, *, bot: str, route: str) -> Reply:
    """Make the empty reply to a query's last message."""
    return Reply(bot=bot, route=route, message=request.query[-1], message_id=request.message_id)
