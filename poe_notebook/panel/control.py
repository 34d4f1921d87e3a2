"""A chat with one bot, on the screen and for Python: one answer at a time, run on the toolkit's loop.

Everything a panel knows changes on that loop alone. Cells hand work to it and wait; pages hand work to it and do not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from poe_notebook.attaching import File, as_files
from poe_notebook.chats import Chats
from poe_notebook.conversation import Conversation, Failure, Reply
from poe_notebook.errors import CommandError, Interrupted, PoeNotebookError
from poe_notebook.panel.bot import BotOfPanel
from poe_notebook.panel.pages import Pages
from poe_notebook.panel.record import Record
from poe_notebook.protocol.messages import Attachment
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.turn import Turn
from poe_notebook.views.panel.exports import transcript_json, transcript_markdown

__all__ = ["Panel"]

_TICK_S = 0.02
"""How often a page is looked after while an answer streams; the view itself sends 20 messages a second at the most."""
_SAVED_CHARS_PER_S = 400_000
"""The saved form is written anew no faster than this, so that a long conversation does not fill the connection."""
_ANSWERING_SAVE_S = 5.0
"""While an answer streams, what has come of it is saved now and then, in case the kernel dies."""
_WAITING_SAVE_S = 1.0
"""An unanswered message is saved after this; most answers have ended by then, and are saved with it."""


class Panel:
    """A chat with a bot. ``send`` asks and gives the reply; as a cell's last value it shows itself, with a composer."""

    def __init__(
        self,
        bot: str,
        *,
        chats: Chats,
        thread: LoopThread,
        redact: Callable[[str], str],
        generation_of: Callable[[str], int | None],
        resolve: Callable[[str], bytes | None] | None = None,
        via: str | None = None,
        system: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self.route = chats.route(bot, via)
        self._chats, self._thread, self._redact, self._options = chats, thread, redact, options
        self._record = Record()
        self._one_at_a_time = asyncio.Lock()
        self._answering: asyncio.Task[Reply] | None = None
        self._save_at_s = 0.0
        self._save_handle: asyncio.TimerHandle | None = None
        self._system, self._parameters = system or "", dict(parameters or {})
        self._begin_conversation(bot)
        self._about = BotOfPanel(bot, self.route, chats=chats, generation_of=generation_of, parameters=self._parameters)
        self.pages = Pages(self, self._about, chats=chats, thread=thread, redact=redact, resolve=resolve)
        self.closed = ""

    @property
    def bot(self) -> str:
        """The bot's name."""
        return self._conversation.bot

    @property
    def replies(self) -> list[Reply]:
        """The turns of the conversation so far, without what was set aside."""
        return self._record.replies

    @property
    def record(self) -> Record:
        """Everything that was said here."""
        return self._record

    @property
    def is_answering(self) -> bool:
        """Whether an answer is under way."""
        return self._answering is not None

    # For cells.

    def send(
        self,
        text: str,
        *,
        attach: Sequence[Any] = (),
        parameters: Mapping[str, Any] | None = None,
        bot: str | None = None,
    ) -> Reply:
        """Ask and wait for the answer; an interrupt stops it. ``bot`` lets another one answer in this conversation.

        ``attach`` are paths and objects. Raises ``BotNotFound``, ``CommandError``; a failed answer is in the reply.
        """
        __tracebackhide__ = True
        files = as_files(attach)
        called = bot or self._chats.mentioned(text)
        asking = self.ask(text, files=files, parameters=dict(parameters or {}), bot=called, is_from_page=False)
        try:
            return self._thread.run(asking)
        except KeyboardInterrupt:
            raise Interrupted(f"{called or self.bot} was stopped") from None

    def stop(self) -> None:
        """End the answer that is under way, if there is one."""
        self._thread.call(self.stop_now)

    def new(self) -> None:
        """Begin a new conversation; what was said stays on the screen, set aside."""
        self._thread.run(self.begin_anew())

    def transcript(self, format: Literal["markdown", "json"] = "markdown") -> str:
        """Give all that was said, as Markdown or as JSON."""
        write = {"markdown": transcript_markdown, "json": transcript_json}.get(format)
        if write is None:
            raise CommandError(f"There is no transcript as {format!r}.", now="Formats are: markdown, json.")
        return self._redact(write(self.bot, self._record.parts))

    def show(self) -> None:
        """Show the panel in the running cell; where there are no widgets, what to type instead."""
        self.pages.show()

    def close(self, words: str) -> None:
        """End the panel; its pages say why."""
        self.closed = words
        self._thread.call(self.pages.gone, words)

    def bot_changed(self, name: str) -> None:
        """Hear, on any thread, that a bot of this kernel has changed."""
        if name == self.bot:
            self._thread.call(self.pages.look_again)

    def _ipython_display_(self) -> None:
        self.show()

    def __repr__(self) -> str:
        return f"<Panel: chat with {self.bot}, {len(self.replies)} turns>"

    # On the loop.

    async def ask(
        self,
        text: str,
        *,
        files: Sequence[File] = (),
        attachments: Sequence[Attachment] = (),
        parameters: Mapping[str, Any],
        bot: str | None = None,
        ask: int | None = None,
        is_from_page: bool = True,
    ) -> Reply:
        """Send a message and see its answer to the end. Raises what keeps it from being sent."""
        if is_from_page and self.is_answering:
            raise CommandError(f"{self.bot} is still answering.", now="Stop it first, or wait.")
        sent = {**(self._parameters if bot in (None, self.bot) else {}), **parameters}
        async with self._one_at_a_time:
            answering = self._answering = asyncio.create_task(
                self._answer(text, ask=ask, bot=bot, attach=files, attachments=attachments, parameters=sent)
            )
            try:
                await asyncio.wait([answering])
            except asyncio.CancelledError:
                answering.cancel()
                await asyncio.wait([answering])
                raise
            finally:
                self._answering = None
            return answering.result()

    async def again(self, reply: Reply, *, text: str | None = None, ask: int | None = None) -> Reply:
        """Send a turn's request again, or another text in its place; that turn and all after it are set aside."""
        if self.is_answering:
            raise CommandError(f"{self.bot} is still answering.", now="Stop it first, or wait.")
        words = "Set aside: asked again" if text is None else "Set aside: the message was edited"
        self._set_aside(self._conversation.take_back(reply), words)
        message = reply.message
        return await self.ask(
            message.content if text is None else text,
            attachments=message.attachments,
            parameters=message.parameters,
            bot=reply.bot,
            ask=ask,
        )

    def stop_now(self) -> None:
        """End the answer under way."""
        if self._answering is not None:
            self._answering.cancel()

    async def begin_anew(self) -> None:
        """Set all aside and begin a new conversation."""
        self.stop_now()
        async with self._one_at_a_time:
            if self.replies:
                self._set_aside(self.replies, "Earlier conversation")
            self._begin_conversation(self.bot)

    def _begin_conversation(self, bot: str) -> None:
        self._conversation = self._chats.conversation(bot, route=self.route)
        self._conversation.system = self._system

    def _set_aside(self, replies: Sequence[Reply], words: str) -> None:
        self._record.set_aside(replies, words)
        self.pages.set_aside(replies, words)
        self.save_soon(0.0)

    async def _answer(self, text: str, *, ask: int | None, bot: str | None, **request: Any) -> Reply:
        turn = await self._begun(text, bot=bot, **request)
        self._record.add(turn.reply)
        self.pages.begin(turn.reply, ask=ask)
        self.save_soon(_WAITING_SAVE_S)
        answer = asyncio.create_task(turn.arun())
        try:
            while not answer.done():
                await asyncio.wait([answer], timeout=_TICK_S)
                self.pages.update(turn.reply)
                if self._save_handle is None:
                    self.save_soon(_ANSWERING_SAVE_S)
        except asyncio.CancelledError:
            answer.cancel()
            await asyncio.wait([answer])
        fault = _settle(turn.reply, answer)
        self.pages.end(turn.reply)
        self.save_soon(0.0)
        if fault is not None:
            raise fault
        return turn.reply

    async def _begun(self, text: str, *, bot: str | None, **request: Any) -> Turn:
        """Begin the turn beside the loop: files may have to be uploaded first. Cancelled, it sends nothing."""
        called, conversation = bot or self.bot, self._conversation
        route = self._chats.route(called, self.route if called == self.bot else None)
        options = {**self._options, **request}
        begin = partial(self._chats.next_turn, conversation, text, route=route, bot=called, **options)
        beginning = asyncio.ensure_future(asyncio.to_thread(begin))
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            beginning.add_done_callback(lambda done: _take_back(done, conversation))
            raise CommandError("Stopped before the message was sent.") from None

    def save_soon(self, wait_s: float) -> None:
        """Bring the saved form up to date after a while; if that is planned already, at the earlier of both times."""
        loop = asyncio.get_running_loop()
        due_s = max(loop.time() + wait_s, self._save_at_s)
        if self._save_handle is not None:
            if self._save_handle.when() <= due_s:
                return
            self._save_handle.cancel()
        self._save_handle = loop.call_at(due_s, self._save)

    def _save(self) -> None:
        self._save_handle = None
        chars = self.pages.save()
        self._save_at_s = asyncio.get_running_loop().time() + chars / _SAVED_CHARS_PER_S


def _settle(reply: Reply, answer: asyncio.Task[Reply]) -> BaseException | None:
    """Say in the reply what kept it from coming; gives the error if it is a fault of ours."""
    error = None if answer.cancelled() else answer.exception()
    if error is None:
        return None
    reply.state = "failed"
    if isinstance(error, PoeNotebookError):
        reply.failure = Failure(error.what, hint=error.now or error.why)
        return None
    reply.failure = Failure(f"{type(error).__name__}: {error}", hint="This is a fault of poe_notebook's own.")
    return error


def _take_back(beginning: asyncio.Future[Turn], conversation: Conversation) -> None:
    if beginning.exception() is None:
        turn = beginning.result()
        conversation.take_back(turn.reply)
        asyncio.get_running_loop().run_in_executor(None, turn.stop)  # which may wait for a moment
