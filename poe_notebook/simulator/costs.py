"""``/bot/cost/<bot_query_id>/authorize`` and ``…/capture`` of the simulated api.poe.com, against the points ledger.

Wire format: Poe's monetization guide and fastapi_poe 0.0.83. How Poe words a failure is documented nowhere; the status
``insufficient funds`` is from the library's own tests. Nor is it what an answer that is over may still cost: here, what
is captured then, and nothing that is reserved.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from poe_notebook.errors import InsufficientFundError, PoeNotebookError
from poe_notebook.protocol.requests import MalformedRequest
from poe_notebook.server.app import read_json
from poe_notebook.simulator.answering import Answering
from poe_notebook.simulator.poe import Poe
from poe_notebook.simulator.points import INSUFFICIENT, SUCCESS, Ledger, read_amounts
from poe_notebook.simulator.requests import events_response

__all__ = ["Costs"]


class Costs:
    """Reserves and charges what answers cost their users."""

    def __init__(self, poe: Poe, ledger: Ledger) -> None:
        self._poe, self._ledger = poe, ledger

    async def __call__(self, request: Request) -> Response:
        """Take one request."""
        query_id, is_capture = request.path_params["query_id"], request.url.path.endswith("/capture")
        try:
            body = await read_json(request)
            answering = self._answering(query_id, body)
            amounts = read_amounts(body.get("amounts"))
            if answering.is_over and not is_capture:
                raise _Refused("The answer to this query is over, so nothing is reserved for it.", status=400)
            charge = self._ledger.capture if is_capture else self._ledger.authorize
            charge(query_id, answering.user_id, amounts)
            if answering.is_over:
                self._ledger.release(query_id)
        except InsufficientFundError:
            return events_response(("result", {"status": INSUFFICIENT}))
        except (MalformedRequest, _Refused) as error:
            return _failed(error.status, str(error))
        except PoeNotebookError as error:
            return _failed(400, str(error))
        return events_response(("result", {"status": SUCCESS}))

    def _answering(self, query_id: str, body: Any) -> Answering:
        key = body.get("access_key") if isinstance(body, dict) else None
        bots = self._poe.directory.of_key(key) if isinstance(key, str) else []
        if not bots:
            raise _Refused("The access key in the body is no bot's.", status=401)
        answering = self._poe.answers.of_query(query_id)
        if answering is None or answering.bot not in {bot.name for bot in bots}:
            raise _Refused(f"This bot has no query {query_id[:100]!r}.", status=404)
        return answering


class _Refused(PoeNotebookError):
    def __init__(self, what: str, *, status: int) -> None:
        super().__init__(what)
        self.status = status


def _failed(status: int, sentence: str) -> Response:
    return events_response(("error", {"message": sentence}), status=status)
