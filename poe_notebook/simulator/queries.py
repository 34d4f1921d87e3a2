"""A query that came in over HTTP, carried out: given its ids, recorded as an exchange, answered by the bot it names."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from poe_notebook.protocol.events import Event
from poe_notebook.protocol.identifiers import new_identifier
from poe_notebook.protocol.requests import QueryRequest, without_keys
from poe_notebook.simulator.answering import Asker
from poe_notebook.simulator.asking import Asking
from poe_notebook.simulator.directory import KnownBot
from poe_notebook.simulator.poe import Poe
from poe_notebook.tracing.recorder import Trace

__all__ = ["Queries"]


class Queries:
    """Carries queries out. ``reference`` names the exchange that an asker in this kernel has opened, if it has."""

    def __init__(self, poe: Poe, trace: Trace) -> None:
        self._poe, self._trace = poe, trace

    def answered_message(self, reference: str) -> str:
        """Give the id of the message that an asker in this kernel is answering; empty for all others."""
        asked = self._trace.asked(reference)
        parent = asked.exchange.parent if asked is not None else None
        answered = self._trace.numbered(parent) if parent is not None else None
        return answered.message_id if answered is not None else ""

    async def answer(
        self, bot: KnownBot, request: QueryRequest, asker: Asker, *, reference: str = ""
    ) -> AsyncGenerator[Event, None]:
        """Give the events of the answer, which ends in ``done`` or ``error`` whatever happens; so does the exchange."""
        request = _identified(request, asker)
        asking = self._asking(bot, request, asker, reference)
        has_ended = False
        try:
            async with aclosing(self._poe.ask(bot, request, asker=asker, asking=asking)) as events:
                async for event in events:
                    if event.type in ("error", "done"):
                        has_ended = True
                        asking.end("failed" if event.type == "error" else "done")
                    yield event
        except Exception as error:  # what reads files may meet anything in them
            has_ended = True
            asking.end("failed", f"The simulator failed: {type(error).__name__}: {error}")
            yield Event("error", {"allow_retry": True, "text": "Internal server error"})  # Poe's words
        finally:
            if not has_ended:
                asking.end("stopped")

    def _asking(self, bot: KnownBot, request: QueryRequest, asker: Asker, reference: str) -> Asking:
        recording = self._trace.asked(reference)
        if recording is not None:
            return Asking(recording, is_written_by_asker=True)
        opened = self._trace.begin_client(
            bot=bot.name,
            kind="query",
            message_id=request.message_id,
            route=bot.route,
            request=without_keys(request),
            parent=asker.answering.exchange if asker.answering is not None else None,
        )
        return Asking(opened)


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
