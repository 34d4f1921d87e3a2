"""Authorising and capturing what an answer costs its user, for bots whose creators are paid.

Poe's advice is to call this as seldom as possible; nothing is tried again, since a cost may have been captured by a
call whose answer was lost. Poe says how it went in a stream of events, which httpx-sse reads: unlike a bot's answer it
is Poe's own, short, and nobody wants its bytes. Wire format: Poe's monetization guide and fastapi_poe 0.0.83.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any, Literal

import httpx
from httpx_sse import EventSource, ServerSentEvent

from poe_notebook.client.decoding import is_event_stream, json_object, start_of
from poe_notebook.client.endpoints import (
    MALFORMED,
    base_address,
    failure,
    is_local,
    key_fault,
    refusal,
    segment,
    without_key,
)
from poe_notebook.client.pool import client_for_this_loop
from poe_notebook.errors import CostRequestError, InsufficientFundError, InvalidParameterError, PoeNotebookError
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import CostItem
from poe_notebook.tracing.recorder import CURRENT

__all__ = ["authorize_cost", "capture_cost"]

_ANSWER_S = 300.0
_CONNECT_S = 10.0
_READ_BYTES = 64 * 1024
_READ_EVENTS = 100


async def authorize_cost(
    request: QueryRequest,
    amounts: CostItem | Iterable[CostItem],
    *,
    access_key: str | None,
    base_url: str | None = None,
) -> None:
    """Have Poe reserve what the answer to this query is going to cost, before any work is done.

    Raises ``InsufficientFundError`` if the user cannot pay it, ``CostRequestError`` if Poe did not do it.
    """
    await _request_cost("authorize", request, amounts=amounts, access_key=access_key, base_url=base_url)


async def capture_cost(
    request: QueryRequest,
    amounts: CostItem | Iterable[CostItem],
    *,
    access_key: str | None,
    base_url: str | None = None,
) -> None:
    """Have Poe charge what the answer to this query has cost.

    Raises ``InsufficientFundError`` if the user cannot pay it, ``CostRequestError`` if Poe did not do it.
    """
    await _request_cost("capture", request, amounts=amounts, access_key=access_key, base_url=base_url)


async def _request_cost(
    action: Literal["authorize", "capture"],
    request: QueryRequest,
    *,
    amounts: CostItem | Iterable[CostItem],
    access_key: str | None,
    base_url: str | None,
) -> None:
    key = (access_key or "").strip()
    _check(request, key)
    root = base_address(base_url, under="").removesuffix("/bot")
    url = f"{root}/bot/cost/{segment(request.bot_query_id)}/{action}"
    body = {"amounts": [_item(amount) for amount in _listed(amounts)], "access_key": key}
    try:
        async with asyncio.timeout(_ANSWER_S):
            status = await _status(url, body, key=key)
    except MALFORMED:
        raise CostRequestError(f"{url} cannot be asked for a cost.", why="The address is malformed.") from None
    except TimeoutError as error:
        raise CostRequestError(f"Poe did not answer the request to {action} a cost in {_ANSWER_S:.0f} s.") from error
    except httpx.HTTPError as error:
        raise CostRequestError(f"The request to {action} a cost failed: {failure(error, key=key)}.") from error
    status = without_key(status, key)
    _write_down(action, body["amounts"], status)
    if status != "success":
        raise _refused(action, status)


def _write_down(action: str, amounts: Any, status: str) -> None:
    """Have the exchange that is being answered, if one is, know of the cost."""
    answering = CURRENT.get()
    if answering is not None:
        total = sum(amount["amount_usd_milli_cents"] for amount in amounts)
        text = f"{action} {total:,} thousandths of a US cent: {status[:100]}"
        answering.report("cost", text, action=action, amounts=amounts, status=status)


def _check(request: QueryRequest, key: str) -> None:
    fault = key_fault(key)
    if fault:
        raise CostRequestError(
            f"A cost needs the bot's access key, and {fault}.",
            why="Poe must know whose bot it is that charges.",
            now="Pass access_key=... to make_app or to the bot, or set POE_ACCESS_KEY.",
        )
    if not request.bot_query_id:
        raise InvalidParameterError(
            "The query has no bot_query_id, so no cost can go with it.",
            why="Poe gives one to each query of a user; scripts and other bots' calls may have none.",
        )


def _listed(amounts: Any) -> Iterable[Any]:
    return [amounts] if hasattr(amounts, "amount_usd_milli_cents") or isinstance(amounts, dict) else amounts


def _item(amount: Any) -> dict[str, Any]:
    given = amount if isinstance(amount, dict) else amount.model_dump()
    return CostItem(**given).model_dump()


async def _status(url: str, body: dict[str, Any], *, key: str) -> str:
    """Send a request and give the ``status`` of its ``result`` event."""
    http = client_for_this_loop(is_local=is_local(url))
    headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
    timeout = httpx.Timeout(_ANSWER_S, connect=_CONNECT_S)
    async with http.stream("POST", url, json=body, headers=headers, timeout=timeout) as response:
        if not is_event_stream(response):
            raise _unusual(response, key=key, said=_message(await start_of(response, most_bytes=_READ_BYTES)))
        async with aclosing(EventSource(response).aiter_sse()) as events:
            return await _result(response, events, key=key)


async def _result(response: httpx.Response, events: AsyncIterator[ServerSentEvent], *, key: str) -> str:
    said: list[str] = []
    async for event in events:
        if event.event == "result" and response.status_code == 200:
            status = json_object(event.data).get("status")
            return status if isinstance(status, str) else f"no status: {event.data}"
        said.append(_message(event.data))
        if len(said) == _READ_EVENTS:
            break
    raise _unusual(response, key=key, said=" ".join(said))


def _unusual(response: httpx.Response, *, key: str, said: str) -> CostRequestError:
    answered = refusal(response, key=key, said=said)
    if response.status_code != 200:
        return CostRequestError(f"Poe answered {answered}")
    why = "The answer is an event stream with a result event."
    return CostRequestError(f"Poe gave no result for the cost: {answered}", why=why)


def _message(data: str) -> str:
    """Give the ``message`` in a JSON object, else the text as it is."""
    value = json_object(data)
    nested = value.get("error")
    message = (nested if isinstance(nested, dict) else value).get("message")
    return message if isinstance(message, str) else data


def _refused(action: str, status: str) -> PoeNotebookError:
    # How Poe words this is documented nowhere; fastapi_poe's own tests have "insufficient funds".
    if "insufficient" in status.lower():
        return InsufficientFundError(
            f"Poe does not {action} the cost: {status[:500]}.", why="The user has not enough points for it."
        )
    return CostRequestError(f"Poe does not {action} the cost: {status[:500]}.")
