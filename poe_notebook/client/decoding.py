"""The body of a response as a bot's events, as they come, each with its bytes on the wire; and what the trace keeps.

Source: WHATWG HTML §9.2.5 and 9.2.6. Fields that mean nothing to the Poe protocol (``id``, ``retry``) are passed over,
and so is what the standard does not dispatch, an event without data, but for ``done`` and ``error``: their names alone
say what a reader has to know. Not httpx-sse, which gives no raw bytes (the trace shows them), takes the character set
from the header, keeps a byte order mark, and holds an event that ends in CR back until the next byte comes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

import httpx

from poe_notebook.errors import BotError, BotProtocolError
from poe_notebook.protocol.events import KNOWN_TYPES, Event, decode
from poe_notebook.tracing.recorder import Recording

__all__ = ["Decoder", "RawEvent", "decoded", "is_event_stream", "json_object", "start_of"]

_BOM = b"\xef\xbb\xbf"
_LINE_ENDS = b"\r\n"
_MAX_EVENT_BYTES = 64 * 1024 * 1024
_ENDS = frozenset({"done", "error"})
_TYPES = {name.encode(): name for name in KNOWN_TYPES}
_END_OF_BODY_S = 0.05
"""How long the end of the body is waited for after the last event, so that the connection can be used again."""


class RawEvent(NamedTuple):
    """An event as it stood in the stream: its type (``message`` if it had none), its data, and its bytes."""

    type: str
    data: str
    raw: bytes


class Decoder:
    """Takes the bytes of one event stream, cut anywhere, and gives each event as soon as its blank line is there."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._lines: list[bytes] = []
        self._held_bytes = 0
        self._is_first_line = True
        self._ended_in_cr = False

    def feed(self, chunk: bytes) -> Iterator[RawEvent]:
        """Give the events that are complete with this chunk. Raises ``BotError`` if one is beyond all measure."""
        self._held_bytes += len(chunk)
        for line in self._complete_lines(chunk):
            self._lines.append(line)
            if line[0] in _LINE_ENDS:
                event = _event(self._lines)
                self._lines.clear()
                self._held_bytes = 0
                if event is not None:
                    yield event
        if self._held_bytes > _MAX_EVENT_BYTES:
            raise BotError(f"The bot sent {self._held_bytes} bytes without ending an event.")

    def _complete_lines(self, chunk: bytes) -> list[bytes]:
        """Cut off the lines that are complete with this chunk, each with its end."""
        if self._ended_in_cr and chunk:
            self._ended_in_cr = False
            chunk = chunk.removeprefix(b"\n")  # of a CRLF that was cut in two
        self._rest.append(chunk)
        if b"\n" not in chunk and b"\r" not in chunk:
            return []
        lines = b"".join(self._rest).splitlines(keepends=True)  # of bytes: at CR, LF and CRLF, at nothing else
        self._ended_in_cr = lines[-1].endswith(b"\r")
        self._rest = [] if lines[-1][-1] in _LINE_ENDS else [lines.pop()]
        if self._is_first_line:
            self._is_first_line = False
            lines[0] = lines[0].removeprefix(_BOM)
        return lines


def _event(lines: list[bytes]) -> RawEvent | None:
    type_, data = "", []
    for line in lines:
        name, _, value = line.rstrip(_LINE_ENDS).partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
        elif name == b"event":
            value = value.removeprefix(b" ")
            type_ = _TYPES.get(value) or value.decode("utf-8", "replace")
    if not data and type_ not in _ENDS:
        return None
    return RawEvent(type_ or "message", b"\n".join(data).decode("utf-8", "replace"), b"".join(lines))


def is_event_stream(response: httpx.Response) -> bool:
    """Whether the response says that its body is a stream of events."""
    media_type: str = response.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == "text/event-stream"


async def decoded(
    chunks: AsyncIterator[bytes], recording: Recording | None, *, clean: Callable[[str], str]
) -> AsyncGenerator[Event, None]:
    """Give the events in an answer's bytes up to ``done`` or ``error``. Raises ``BotError`` if it breaks off before.

    ``clean`` takes keys out of what an error quotes.
    """
    now_s = asyncio.get_running_loop().time
    start_s, decoder = now_s(), Decoder()
    async for chunk in chunks:
        if recording is not None:
            recording.chunk(len(chunk))
        for type_, data, raw in decoder.feed(chunk):
            at_s = recording.event(type_, raw) if recording is not None else now_s() - start_s
            yield _decode(type_, data, at_s, clean=clean)
            if type_ in _ENDS:
                await _read_to_the_end(chunks)
                return
    raise BotError(
        "The bot's answer broke off without a done event.", why="An answer ends with done, or with error and done."
    )


def _decode(type_: str, data: str, at_s: float, *, clean: Callable[[str], str]) -> Event:
    try:
        return decode(type_, data, at_s)
    except BotProtocolError:
        return decode(type_, clean(data), at_s)  # raises again, and quotes what is clean


async def _read_to_the_end(chunks: AsyncIterator[bytes]) -> None:
    try:
        async with asyncio.timeout(_END_OF_BODY_S):
            async for _ in chunks:
                pass
    except (TimeoutError, httpx.HTTPError):
        pass  # the answer is complete; the connection is closed instead of kept


async def start_of(response: httpx.Response, *, most_bytes: int) -> str:
    """Read the beginning of a body that is no event stream, and no more than a chunk beyond ``most_bytes`` of it."""
    raw = bytearray()
    async for piece in response.aiter_bytes():
        raw += piece
        if len(raw) > most_bytes:
            break
    return raw.decode("utf-8", "replace")


def json_object(text: str | bytes) -> dict[str, Any]:
    """Read a JSON object; an empty one for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
