"""What every stand-in shares: its name, its pace, and that it says what it is.

A stand-in is a plain ``PoeBot``, so whatever answers the user's bots answers these. Each answer carries the label, in
its first or last line; a stop sequence cuts what the stand-in says and never the label.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from poe_notebook.bot.base import PoeBot
from poe_notebook.protocol.messages import ProtocolMessage
from poe_notebook.protocol.requests import QueryRequest, SettingsRequest
from poe_notebook.protocol.responses import PartialResponse
from poe_notebook.protocol.settings import SettingsResponse

__all__ = ["HUMAN_PACE", "NO_PACE", "Pace", "StandIn", "cut_at_stop", "last_user_message", "pieces"]

_PIECE = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a stand-in writes: ``gap_s`` seconds before each event. ``sleep`` is what waits, in slow ones too."""

    gap_s: float = 0.025
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def wait(self) -> None:
        """Wait before the next event."""
        if self.gap_s > 0:
            await self.sleep(self.gap_s)


HUMAN_PACE = Pace()
"""40 words a second: a fast model of 2025, and slow enough to see that an answer streams."""
NO_PACE = Pace(gap_s=0.0)


class StandIn(PoeBot):
    """Base of the stand-ins. ``about`` says in a few words what the one at hand does."""

    is_stand_in = True
    about = "answers from the simulator"

    def __init__(self, name: str, *, pace: Pace = HUMAN_PACE) -> None:
        super().__init__(bot_name=name, should_insert_attachment_messages=False)
        self.name, self.pace = name, pace

    @property
    def label(self) -> str:
        """The line that every answer carries."""
        return f"*Stand-in for {self.name}: the Poe simulator made this, and no model was asked.*"

    @property
    def introduction_message(self) -> str:
        """What the stand-in says before it is asked anything."""
        return (
            f"**{self.name}** is a stand-in here: no model is asked, and nothing leaves this machine. It {self.about}."
        )

    async def get_settings(self, setting: SettingsRequest) -> SettingsResponse:
        """Give settings that take everything a user may send."""
        return SettingsResponse(
            introduction_message=self.introduction_message,
            allow_attachments=True,
            expand_text_attachments=True,
            enable_image_comprehension=True,
        )

    async def say(
        self, text: str, request: QueryRequest, *, label_first: bool = False
    ) -> AsyncIterator[PartialResponse]:
        """Give a text and the label, word by word at the stand-in's pace."""
        said = cut_at_stop(text, request.stop_sequences).rstrip()
        for piece in pieces(f"{self.label}\n\n{said}" if label_first else f"{said}\n\n{self.label}"):
            await self.pace.wait()
            yield PartialResponse(text=piece)


def pieces(text: str) -> list[str]:
    """Cut a text into its words, each with the blanks behind it; put together they are the text."""
    return _PIECE.findall(text)


def cut_at_stop(text: str, stop_sequences: Iterable[str]) -> str:
    """Give the text up to the first of the stop sequences, without it."""
    ends = [text.find(stop) for stop in stop_sequences if stop]
    return text[: min((end for end in ends if end >= 0), default=len(text))]


def last_user_message(request: QueryRequest) -> ProtocolMessage:
    """Give the message that is to be answered; an empty one if there is none."""
    users = (message for message in reversed(request.query) if message.role == "user")
    return next(users, ProtocolMessage(role="user", content=""))
