"""Faults on demand: what can go wrong on the way of an answer, for a bot or a reader to be seen to meet it.

Those of an answer transform its bytes; the others are flags for whoever sends the request. Several go together, and
without any an answer stays byte for byte as it is. Events are counted from 1, comments are not; a fault at an event
that never comes does not happen.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

from poe_notebook.errors import PoeNotebookError

__all__ = ["NO_FAULTS", "ConnectionCut", "Faults", "Sleep"]

Sleep: TypeAlias = Callable[[float], Awaitable[None]]

_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
_GARBAGE = {
    "json": b'event: text\ndata: {"text": "this is no JSON\n\n',
    "list": b'event: text\ndata: ["a list, where an object belongs"]\n\n',
    "type": b'event: sparkle\ndata: {"colour": "gold"}\n\n',
    "utf8": b'event: text\ndata: {"text": "\xc3\x28\xff"}\n\n',
}


class ConnectionCut(PoeNotebookError):
    """Raised where the connection is to end, in the middle of an event, without an end of the body."""


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one exchange; all of them together."""

    cut_at: int | None = None
    end_at: int | None = None
    """In place of which event the answer ends; 0 is the ``done`` event."""
    delay_s: float = 0.0
    delay_at: int = 1
    gap_s: float = 0.0
    split_bytes: int | None = None
    garbage: str | None = None
    """``json``, ``list``, ``type`` or ``utf8``."""
    garbage_at: int = 1
    read_gap_s: float = 0.0
    """How long the reader of an answer waits after each piece that it reads."""
    status: int | None = None
    """The HTTP status to answer with, instead of asking."""
    copies: int = 1
    """How often the request is sent."""

    def apply(
        self, stream: AsyncGenerator[bytes, None], *, sleep: Sleep = asyncio.sleep
    ) -> AsyncGenerator[bytes, None]:
        """Give the bytes of an answer with these faults. Closing it closes ``stream``.

        Raises ``ConnectionCut`` where the connection is to be closed; what came before it has been given.
        """
        return _split(_Faulty(self, sleep).answer(_blocks(stream)), self, sleep)

    def describe(self) -> str:
        """Say what goes wrong, in a sentence."""
        said = [
            (self.copies > 1, f"the request is sent {self.copies} times"),
            (self.status is not None, f"the answer is the status {self.status}"),
            (self.delay_s > 0, f"{self.delay_s:g} s pass before event {self.delay_at}"),
            (self.gap_s > 0, f"{self.gap_s:g} s pass between the events"),
            (
                self.garbage is not None,
                f"event {self.garbage_at} is preceded by {_GARBAGE_SAID.get(self.garbage or '')}",
            ),
            (self.end_at == 0, "the answer ends without its done event"),
            (bool(self.end_at), f"the answer ends in place of event {self.end_at}"),
            (self.cut_at is not None, f"the connection is cut in the middle of event {self.cut_at}"),
            (self.split_bytes is not None, f"the bytes come {self.split_bytes} at a time"),
            (self.read_gap_s > 0, f"the reader rests {self.read_gap_s:g} s after each piece"),
        ]
        clauses = [text for holds, text in said if holds] or ["nothing goes wrong"]
        sentence = ", ".join(clauses)
        return f"{sentence[0].upper()}{sentence[1:]}."


_GARBAGE_SAID = {
    "json": "one whose data is no JSON",
    "list": "one whose data is no JSON object",
    "type": "one of an unknown type",
    "utf8": "one with broken UTF-8",
}
NO_FAULTS = Faults()


class _Faulty:
    """Takes an answer block by block and gives what is left of it."""

    def __init__(self, faults: Faults, sleep: Sleep) -> None:
        self._faults, self._sleep, self._number = faults, sleep, 0

    async def answer(self, blocks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        faults = self._faults
        async with aclosing(blocks):
            async for block in blocks:
                if not _is_event(block):
                    yield block
                    continue
                self._number += 1
                await self._wait()
                if self._ends_here(block):
                    return
                if faults.garbage is not None and faults.garbage_at == self._number:
                    yield _GARBAGE[faults.garbage]
                if faults.cut_at == self._number:
                    yield block[: max(1, len(block) // 2)]
                    raise ConnectionCut(f"The connection was cut in event {self._number}, as a fault asked for.")
                yield block

    async def _wait(self) -> None:
        seconds = self._faults.delay_s if self._faults.delay_at == self._number else 0.0
        seconds += self._faults.gap_s if self._number > 1 else 0.0
        if seconds > 0:
            await self._sleep(seconds)

    def _ends_here(self, block: bytes) -> bool:
        end_at = self._faults.end_at
        return end_at == self._number or (end_at == 0 and _type(block) == b"done")


async def _blocks(stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Cut a stream after its blank lines; empty items, which keep a connection alive, are passed on."""
    rest = b""
    async with aclosing(stream):
        async for chunk in stream:
            if not chunk:
                yield chunk
                continue
            rest += chunk
            start = 0
            for blank in _BLANK_LINE.finditer(rest):
                yield rest[start : blank.end()]
                start = blank.end()
            rest = rest[start:]
        if rest:
            yield rest


async def _split(blocks: AsyncGenerator[bytes, None], faults: Faults, sleep: Sleep) -> AsyncGenerator[bytes, None]:
    async with aclosing(blocks):
        async for block in blocks:
            size = faults.split_bytes or len(block) or 1
            for start in range(0, max(1, len(block)), size):
                yield block[start : start + size]
                if faults.split_bytes is not None or faults.read_gap_s > 0:
                    await sleep(faults.read_gap_s)


def _is_event(block: bytes) -> bool:
    return any(line and not line.startswith(b":") for line in block.splitlines())


def _type(block: bytes) -> bytes:
    types = [line.partition(b":")[2].strip() for line in block.splitlines() if line.partition(b":")[0] == b"event"]
    return types[-1] if types else b""
