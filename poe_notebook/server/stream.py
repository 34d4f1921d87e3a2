"""One answer as an HTTP response: bytes out as they come, a comment after a long silence, an end when the reader goes.

Starlette's own streaming response learns of a reader's leaving only at its next write when the server speaks newer ASGI
versions; a slow bot must hear of it at once, so this one listens while it writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["AnswerResponse"]

_PING = b": ping\n\n"


class AnswerResponse(Response):
    """Streams ``text/event-stream``; closing the answer, which stops the handler, when the reader leaves."""

    media_type = "text/event-stream"

    def __init__(self, answer: AsyncGenerator[bytes, None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        writing = asyncio.create_task(self._write(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not writing.done():
                writing.cancel()
            await asyncio.wait((writing,))
        if not writing.cancelled():
            writing.result()

    async def _write(self, send: Send) -> None:
        async with aclosing(self._answer) as answer:
            async for batch in answer:
                await send({"type": "http.response.body", "body": batch or _PING, "more_body": True})
                await asyncio.sleep(0)  # so that a lost connection is heard of: asyncio logs writes that come after it
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
