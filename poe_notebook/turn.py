"""One chat turn under way: the query goes out on the toolkit's loop, the reply fills in the thread that shows it.

Whatever happens, the turn ends in a state of its own (done, failed, stopped) and keeps the text that came.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from types import TracebackType

from poe_notebook.conversation import Failure, Reply
from poe_notebook.errors import BotError, BotProtocolError
from poe_notebook.protocol.events import Event
from poe_notebook.reply import nested_calls
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.tracing.exchange import Exchange, Raised
from poe_notebook.tracing.recorder import Recording

__all__ = ["Turn", "explain"]

_STOP_S = 0.3
"""How long Stop waits to say what the handler did; Stop itself has to be done within half a second."""
_POLL_S = 0.005


class Turn:
    """Iterate it to let the reply grow: it gives the reply after each batch of events and at least 20 times a second.

    As a context manager it stops the answer if the block is left early, by an interrupt above all.
    """

    def __init__(
        self,
        reply: Reply,
        events: AsyncGenerator[Event, None],
        recording: Recording,
        *,
        thread: LoopThread,
        timeout_s: float | None = None,
        calls_of: Callable[[Exchange], Sequence[Exchange]] | None = None,
    ) -> None:
        self.reply, self._events, self._recording = reply, events, recording
        self._calls_of = calls_of or (lambda exchange: ())
        self._thread, self._timeout_s = thread, timeout_s
        self._batches = thread.iterate(events)
        self._known_calls = 0
        reply.exchange, reply.redact = recording.exchange, recording.clean

    def __iter__(self) -> Iterator[Reply]:
        try:
            for batch in self._batches:
                for event in batch:
                    self.reply.add(event)
                self._look_at_calls()
                self.reply.generation = self._recording.exchange.generation
                if self._is_late():
                    self._give_up()
                    return
                yield self.reply
        except (BotError, BotProtocolError) as error:
            self._fail(error)
        self._finish()

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if not self.reply.is_finished:
            self.stop()

    def run(self) -> Reply:
        """Let the reply grow to its end, and give it."""
        with self:
            for _ in self:
                pass
        return self.reply

    async def arun(self) -> Reply:
        """Let the reply grow to its end from a coroutine; cancelling that stops the answer."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await asyncio.wrap_future(self._thread.submit(self._fill()))
        except TimeoutError:
            await asyncio.to_thread(self._give_up)  # which may wait a moment for the handler
            return self.reply
        except asyncio.CancelledError:
            await asyncio.to_thread(self.stop)
            raise
        except (BotError, BotProtocolError) as error:
            self._fail(error)
        self._finish()
        return self.reply

    async def _fill(self) -> None:
        async with aclosing(self._events) as events:
            async for event in events:
                self.reply.add(event)
                self._look_at_calls()

    def stop(self) -> None:
        """End the answer here, and note what its handler did about it."""
        self._batches.close()
        self.reply.state = "stopped"
        self._recording.end("stopped")
        self._wait_for_handler()
        self.reply.note = _what_the_handler_did(self._recording.exchange, self._recording.now_s())
        self._look_at_calls(is_last=True)
        self.reply.duration_s = self._recording.now_s()

    def _look_at_calls(self, *, is_last: bool = False) -> None:
        """Note the bots that the handler has asked, when there are new ones, and how they answered at the end."""
        exchange = self._recording.exchange
        if len(exchange.children) != self._known_calls or (is_last and exchange.children):
            self._known_calls = len(exchange.children)
            self.reply.nested = nested_calls(exchange, self._calls_of)

    def _is_late(self) -> bool:
        return self._timeout_s is not None and self._recording.now_s() > self._timeout_s

    def _give_up(self) -> None:
        text = f"No end of the answer within {self._timeout_s:g} s."
        self._recording.end("failed", text)
        self.stop()
        self.reply.state = "failed"
        self.reply.failure = Failure(
            text=text,
            hint="Give it longer with --timeout, or see where the time went: `%poe inspect`",
        )

    def _fail(self, error: BotError | BotProtocolError) -> None:
        self._recording.end("failed" if self.reply.events else "refused", error.what)
        self._batches.close()
        self.reply.state = "failed"
        self.reply.duration_s = self._recording.now_s()
        if not self.reply.events:
            raise error
        self.reply.failure = Failure(text=error.what, hint=error.now or error.why)

    def _finish(self) -> None:
        reply, exchange = self.reply, self._recording.exchange
        reply.generation = exchange.generation
        self._look_at_calls(is_last=True)
        if reply.duration_s is None:
            reply.duration_s = self._recording.now_s()
        if reply.state == "failed":
            self._recording.end("failed", _untold(reply, exchange))
        elif reply.state != "stopped":
            self._recording.end("done")
        reply.failure = explain(reply, exchange)
        if reply.failure is not None:
            reply.state = "failed"

    def _wait_for_handler(self) -> None:
        until = time.monotonic() + _STOP_S
        while time.monotonic() < until:
            tap = self._recording.exchange.server
            if tap is None or tap.ended_s is not None:
                return
            time.sleep(_POLL_S)


def _untold(reply: Reply, exchange: Exchange) -> str:
    """Give why an answer failed, if it was not its bot that said so."""
    is_told = exchange.server is not None and "error" in exchange.server.events.types
    return "" if is_told or reply.failure is None else reply.failure.text


def explain(reply: Reply, exchange: Exchange) -> Failure | None:
    """Say why an answer failed and what its author can do, with what this kernel knows of the handler."""
    raised = exchange.raised
    if raised is not None and reply.state == "failed":
        return _of_exception(reply, raised, debug=f"`%poe debug {exchange.number}`")
    if reply.failure is not None:
        return reply.failure
    is_empty = not any(event.type in _SHOWN for event in reply.events)
    if reply.state == "done" and is_empty:
        return Failure(
            text=f"{reply.bot} ended its answer without giving anything.",
            hint="Poe shows users an error for that. Let the handler yield some text at least once: `yield 'hello'`",
        )
    return None


_SHOWN = frozenset({"text", "replace_response", "file", "json"})


def _of_exception(reply: Reply, raised: Raised, *, debug: str) -> Failure:
    shown = reply.failure.text if reply.failure is not None else ""
    return Failure(
        text=shown,
        error_type=raised.type,
        hint=_next_step(raised, debug),
        traceback="\n".join(raised.lines),
    )


def _next_step(raised: Raised, debug: str) -> str:
    if raised.type == "HandlerMistake":
        return raised.message.rpartition("\n")[2]
    if "call count" in raised.message or "times in its settings" in raised.message:
        return (
            "A bot may ask only the bots that its settings declare, and so often for each message. Declare it: "
            "`settings = fp.SettingsResponse(server_bot_dependencies={'GPT-3.5-Turbo': 1})`, or in `get_settings`."
        )
    look = f"{debug} opens the debugger at that line. " if raised.at is not None else ""
    return (
        f"{look}Mend the handler, run its cell again, and send the same again: "
        "`%poe replay`. All of this exchange: `%poe inspect`"
    )


def _what_the_handler_did(exchange: Exchange, now_s: float) -> str:
    tap = exchange.server
    if tap is None:
        return "The connection was closed."
    if tap.ended_s is not None:
        return exchange.note or "The handler had ended by itself."
    if any(now_s - blocked.at_s - blocked.length_s < _STOP_S for blocked in list(exchange.blocked)):
        return "The handler has not come back yet: it is in blocking code, and will be cancelled when that returns."
    return (
        "The handler has not come back yet: it may be cleaning up, in a `finally` or an `except`, "
        "or be in code that nothing can interrupt."
    )
