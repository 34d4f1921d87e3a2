"""``/bot/cost/<bot_query_id>/authorize`` and ``…/capture`` of the simulated api.poe.com, against the points ledger.

Wire format: Poe's monetization guide and fastapi_poe 0.0.83. How Poe words a failure is documented nowhere; the status
``insufficient funds`` is from the library's own tests.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from poe_notebook.errors import InsufficientFundError, PoeNotebookError
from poe_notebook.protocol.requests import MalformedRequest
from poe_notebook.server.app import read_json
from poe_notebook.simulator.poe import Poe, Query
from poe_notebook.simulator.points import Ledger, read_amounts
from poe_notebook.simulator.requests import events_response

__all__ = ["Costs"]


class Costs:
    """Reserves and charges what answers cost their users."""

    def __init__(self, poe: Poe, ledger: Ledger) -> None:
        self._poe, self._ledger = poe, ledger

    async def __call__(self, request: Request) -> Response:
        """Take one request."""
        query_id = request.path_params["query_id"]
        try:
            body = await read_json(request)
            query = self._query(query_id, body)
            charge = self._ledger.capture if request.url.path.endswith("/capture") else self._ledger.authorize
            charge(query_id, query.user_id, read_amounts(body.get("amounts")))
        except InsufficientFundError:
            return events_response(("result", {"status": "insufficient funds"}))
        except (MalformedRequest, _Refused) as error:
            return _failed(error.status, str(error))
        except PoeNotebookError as error:
            return _failed(400, str(error))
        return events_response(("result", {"status": "success"}))

    def _query(self, query_id: str, body: Any) -> Query:
        key = body.get("access_key") if isinstance(body, dict) else None
        bots = self._poe.directory.of_key(key) if isinstance(key, str) else []
        if not bots:
            raise _Refused("The access key in the body is no bot's.", status=401)
        query = self._poe.queries.get(query_id)
        if query is None or query.bot not in {bot.name for bot in bots}:
            raise _Refused(f"This bot has no query {query_id[:100]!r}.", status=404)
        return query


class _Refused(PoeNotebookError):
    def __init__(self, what: str, *, status: int) -> None:
        super().__init__(what)
        self.status = status


def _failed(status: int, sentence: str) -> Response:
    return events_response(("error", {"message": sentence}), status=status)
