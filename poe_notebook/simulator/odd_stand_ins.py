"""Stand-ins named after what they do: repeat, list files, answer several times at once, be slow, broken, too long.

They show what a bot meets in production when it asks another one. Which fault it is goes by a word of the message.
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

from poe_notebook.errors import PoeNotebookError
from poe_notebook.protocol.events import ServerSentEvent
from poe_notebook.protocol.limits import EVENTS_PER_RESPONSE, LIMITS_2025, LIMITS_2026
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import ErrorResponse, PartialResponse
from poe_notebook.simulator.chat_words import about_attachments, counted
from poe_notebook.simulator.standing_in import StandIn, cut_at_stop, last_user_message, pieces
from poe_notebook.simulator.words import words

__all__ = [
    "AttachmentsStandIn",
    "BrokenStandIn",
    "EchoStandIn",
    "OverlongStandIn",
    "ParallelStandIn",
    "SlowStandIn",
    "StandInFailure",
]

_SLOW_S, _SLOWEST_S = 6.0, 3600.0
"""Over the 5 s in which Poe wants to hear something, unless the message or a parameter says another time."""
_ANSWERS, _MOST_ANSWERS = 3, 8
_PIECE_CHARS = 1_000


class StandInFailure(PoeNotebookError):
    """What the stand-in ``Broken`` raises when it is asked to."""


class EchoStandIn(StandIn):
    """Says the message again."""

    about = "says your message again"

    async def get_response(self, request: QueryRequest) -> AsyncIterator[PartialResponse]:
        """Echo the message."""
        async for response in self.say(last_user_message(request).content, request):
            yield response


class AttachmentsStandIn(StandIn):
    """Lists the files that came with each message."""

    about = "lists the files that you send, and what Poe read of them"

    async def get_response(self, request: QueryRequest) -> AsyncIterator[PartialResponse]:
        """List the last message's files, and count the earlier ones."""
        message = last_user_message(request)
        earlier = sum(len(each.attachments) for each in request.query if each is not message)
        text = about_attachments(message.attachments) or "No file came with your message."
        text += f"\n\nThe messages before it have {counted(earlier, 'file')}." if earlier else ""
        async for response in self.say(text, request):
            yield response


class ParallelStandIn(StandIn):
    """Gives several answers at once, a word of each in turn."""

    about = "gives several answers at once; a number in your message says how many"

    async def get_response(self, request: QueryRequest) -> AsyncIterator[PartialResponse]:
        """Give the answers, told apart by ``index``."""
        message = last_user_message(request).content
        count = max(1, min(_MOST_ANSWERS, int(_number(message, float(_ANSWERS)))))
        left = [pieces(f"{_answer(number, message, request)}\n\n{self.label}") for number in range(count)]
        for place in range(max(map(len, left))):
            for index, words_left in enumerate(left):
                if place < len(words_left):
                    await self.pace.wait()
                    yield PartialResponse(text=words_left[place], index=index)


def _answer(number: int, message: str, request: QueryRequest) -> str:
    order = (message.split(), sorted(message.split(), key=str.lower), message.split()[::-1])[number % 3]
    how = ("as it came", "in the order of the alphabet", "from its end")[number % 3]
    return cut_at_stop(
        f"**Answer {number + 1}**: your message {how}: {' '.join(order)}", request.stop_sequences
    ).rstrip()


class SlowStandIn(StandIn):
    """Keeps silent before its first text, and takes its time between the next ones if asked."""

    about = f"keeps silent for {_SLOW_S:g} s first, or for as many seconds as your message says"

    async def get_response(self, request: QueryRequest) -> AsyncIterator[PartialResponse]:
        """Wait, then answer."""
        message = last_user_message(request)
        seconds = _seconds(message.parameters.get("seconds"), _number(message.content, _SLOW_S))
        await self.pace.sleep(seconds)
        wanted = f"Poe wants the first answer within {LIMITS_2025.first_response_s:g} s."
        text = f"This comes after {seconds:g} s of silence. {wanted}"
        async for response in self.say(text, request):
            yield response


def _seconds(given: Any, otherwise: float) -> float:
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        seconds = math.nan
    return min(max(otherwise if math.isnan(seconds) else seconds, 0.0), _SLOWEST_S)


class OverlongStandIn(StandIn):
    """Says more than Poe takes: signs by default, events if the message has that word."""

    about = "says more than Poe takes; write `events`, or a number of signs"

    async def get_response(self, request: QueryRequest) -> AsyncIterator[PartialResponse]:
        """Go over the limit, without any pace."""
        message = last_user_message(request).content
        yield PartialResponse(text=f"{self.label}\n\n")
        if "events" in words(message):
            for number in range(int(_number(message, EVENTS_PER_RESPONSE + 100))):
                yield PartialResponse(text=f"{number} ")
            return
        most = LIMITS_2026 if "2026" in message else LIMITS_2025
        chars = most.response_chars + 5_000 if "2026" in message else int(_number(message, most.response_chars + 5_000))
        line = "This line is one of very many. "
        for _ in range(-(-chars // _PIECE_CHARS)):
            yield PartialResponse(text=(line * (_PIECE_CHARS // len(line) + 1))[:_PIECE_CHARS])


class BrokenStandIn(StandIn):
    """Fails, in the way that a word of the message names."""

    about = "fails: write `raise`, `error`, `retry`, `empty`, `early`, `garbage`, `unknown` or `object`"

    async def get_response(self, request: QueryRequest) -> AsyncIterator[PartialResponse | ServerSentEvent]:
        """Answer for a while, then fail."""
        said = words(last_user_message(request).content)
        how = next((word for word in said if word in _FAULTS or word == "empty"), "raise")
        if how == "empty":
            return
        async for response in self.say(f"This answer fails soon, as `{how}` says.", request, label_first=True):
            yield response
        for item in _FAULTS[how](self):
            yield item


def _raise(bot: StandIn) -> Any:
    raise StandInFailure(f"The stand-in {bot.name} failed, as it was asked to.", why="That is what it is for.")


def _error(bot: StandIn) -> list[Any]:
    return [ErrorResponse(text=f"{bot.name} failed, and asking again will not help.", allow_retry=False)]


def _retry(bot: StandIn) -> list[Any]:
    return [ErrorResponse(text=f"{bot.name} failed this time.", allow_retry=True)]


def _early(bot: StandIn) -> list[Any]:
    return [PartialResponse(text=" And in the middle of a sen"), bot.done_event(), PartialResponse(text="tence")]


_FAULTS: dict[str, Callable[[StandIn], Any]] = {
    "raise": _raise,
    "error": _error,
    "retry": _retry,
    "early": _early,
    "garbage": lambda bot: [ServerSentEvent(event="text", data='{"text": "no JSON')],
    "unknown": lambda bot: [ServerSentEvent(event="sparkle", data='{"colour":"gold"}')],
    "object": lambda bot: [ServerSentEvent(event="text", data='["a list, where an object belongs"]')],
}


def _number(message: str, otherwise: float) -> float:
    """Give the first number in a message that is written in digits."""
    found = re.search(r"(?<![\w.])\d{1,7}(?:\.\d+)?(?![\w.])", message)
    return float(found[0]) if found else otherwise
