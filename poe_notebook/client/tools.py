"""The rounds of a query with tools: the bot calls functions, and is asked again with what they returned.

For as long as the bot calls functions, bounded; fastapi_poe 0.0.83 carries out one round and hands later calls on as
raw chunks. Wire format: Poe's functional guides, "Function calling", and fastapi_poe 0.0.83.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Any

from poe_notebook.client.retries import Restart
from poe_notebook.client.tool_calls import functions_by_name, results_of
from poe_notebook.errors import BotErrorNoRetry
from poe_notebook.protocol.call_pieces import CallPieces, deltas_in
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import MetaResponse, PartialResponse
from poe_notebook.protocol.tools import ToolCallDefinition, ToolDefinition

__all__ = ["MAX_ROUNDS", "run_tools"]

MAX_ROUNDS = 25


async def run_tools(
    ask: Callable[[QueryRequest], AsyncGenerator[PartialResponse, None]],
    request: QueryRequest,
    *,
    tools: Iterable[ToolDefinition],
    tool_executables: Iterable[Callable[..., Any]] | None = None,
    max_rounds: int = MAX_ROUNDS,
) -> AsyncGenerator[PartialResponse, None]:
    """Give a bot's answer with the contents of its chunks as text, calling the functions that it asks for.

    A function is called by its ``__name__``, and what it returns goes back as JSON. Without ``tool_executables`` the
    pieces of the calls are handed on as ``tool_calls``. Raises ``BotErrorNoRetry`` if the bot still calls functions
    after ``max_rounds`` rounds of results.
    """
    functions = functions_by_name(tool_executables or ())
    request = request.model_copy(update={"tools": [ToolDefinition.model_validate(tool) for tool in tools]})
    texts = _Texts()
    for results_left in range(max_rounds, -1, -1):
        answer = _Answer(texts, is_first=results_left == max_rounds, hands_on=not functions)
        async with aclosing(ask(request)) as responses:
            async for response in responses:
                for given in answer.take(response):
                    yield given
        calls = answer.calls.whole(earlier=len(request.tool_calls or ()))
        if not calls:
            return
        if not results_left:
            raise _endless(calls, max_rounds)
        results = [*(request.tool_results or ()), *await results_of(calls, functions)]
        request = request.model_copy(
            update={"tool_calls": [*(request.tool_calls or ()), *calls], "tool_results": results}
        )
        texts.begin_round()


def _endless(calls: list[ToolCallDefinition], max_rounds: int) -> BotErrorNoRetry:
    names = ", ".join(call.function.name for call in calls)
    return BotErrorNoRetry(
        f"The bot still calls functions ({names}) after {max_rounds} rounds of results.",
        why="The rounds are bounded, since each of them is a query that costs points.",
        now="See what the functions return: an error that the bot cannot mend makes it ask again and again.",
    )


class _Texts:
    """The text that the rounds have given to the reader so far, for each of the parallel answers."""

    def __init__(self) -> None:
        self._parts: dict[int | None, list[str]] = {}
        self._former: dict[int | None, str] = {}

    def begin_round(self) -> None:
        self._former = {index: "".join(parts) for index, parts in self._parts.items()}

    def take(self, response: PartialResponse) -> None:
        if not response.is_suggested_reply:
            parts = self._parts.setdefault(response.index, [])
            if response.is_replace_response:
                parts.clear()
            parts.append(response.text)

    def restarted(self, restart: Restart) -> Restart:
        """Give the restart with the text that stands: what the former rounds gave will not come again."""
        return Restart(text=self._former.get(restart.index, ""), index=restart.index)


class _Answer:
    """One round's answer on its way to the reader."""

    def __init__(self, texts: _Texts, *, is_first: bool, hands_on: bool) -> None:
        self.calls = CallPieces()
        self._texts, self._is_first, self._hands_on = texts, is_first, hands_on

    def take(self, response: PartialResponse) -> list[PartialResponse]:
        """Take a response in and give what the reader gets for it."""
        if type(response) is MetaResponse and not self._is_first:
            return []  # it counts only as the first of all
        if type(response) is Restart:
            self.calls.clear()
            given: list[PartialResponse] = [self._texts.restarted(response)]
        else:
            choice = _choice(response)
            given = [response] if choice is None else self._from_choice(choice, response.index)
        for each in given:
            self._texts.take(each)
        return given

    def _from_choice(self, choice: dict[str, Any], index: int | None) -> list[PartialResponse]:
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return []
        given: list[PartialResponse] = []
        if isinstance(delta.get("content"), str):
            given.append(PartialResponse(text=delta["content"], index=index))
        pieces = deltas_in(delta)
        if pieces and self._hands_on:
            given.append(PartialResponse(text="", tool_calls=pieces, index=index))
        elif pieces:
            for piece in pieces:
                self.calls.add(piece, answer=index)
        return given


def _choice(response: PartialResponse) -> dict[str, Any] | None:
    """Give the first choice of a chat-completion chunk; none of anything else, a chunk without choices included."""
    choices = response.data.get("choices") if response.data else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else None
