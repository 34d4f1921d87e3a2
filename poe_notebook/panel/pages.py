"""The pages of a panel: what they wish for, done; what happens, shown. A page's wishes may come late and on any thread,
so all that is done with one there is to hand it to the toolkit's loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from poe_notebook.attaching import file_named
from poe_notebook.chats import Chats
from poe_notebook.conversation import Reply
from poe_notebook.errors import CommandError, PoeNotebookError, ServerError
from poe_notebook.panel.bot import BotOfPanel
from poe_notebook.panel.kernel_names import attachable_names
from poe_notebook.panel.uploads import Uploads
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.views.panel import wishes
from poe_notebook.views.panel.wishes import read_wish

if TYPE_CHECKING:
    from poe_notebook.panel.control import Panel
    from poe_notebook.views.panel.view import PanelView

__all__ = ["Pages"]

_FIRST_LOOK_S = 0.3
"""So long a cell waits for the bot's settings, to show the introduction at once; then the panel comes without."""
_WAITING_WISHES = 300
"""A page that sends more than this before one is looked at is not heard; a large file has one piece under way."""
_TASKS = 50


class Pages:
    """The view of a panel, made when it is first shown, and the way of wishes to the panel."""

    def __init__(
        self,
        panel: Panel,
        about: BotOfPanel,
        *,
        chats: Chats,
        thread: LoopThread,
        redact: Callable[[str], str],
        resolve: Callable[[str], bytes | None] | None = None,
    ) -> None:
        self._panel, self._about, self._chats, self._thread, self._redact = panel, about, chats, thread, redact
        self._resolve = resolve
        self._view: PanelView | None = None
        self._uploads = Uploads()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sending: asyncio.Task[Any] | None = None
        self._waiting = 0
        self._namespace: dict[str, Any] = {}

    def show(self) -> None:
        """Show the panel in the running cell."""
        from IPython import get_ipython

        from poe_notebook.views.live import form_of

        shell = get_ipython()
        self._thread.run(self._first_look())
        if form_of(shell) != "widget":
            self._show_in_words()
            return
        self._namespace = shell.user_ns
        view = self._thread.run(self.open())
        view.show(snapshot=self._snapshot, take=self.take)

    def take(self, content: object, buffers: Sequence[Any]) -> None:
        """Take what a page sent, on any thread; it is done on the loop."""
        wish = read_wish(content, buffers)
        if wish is not None and self._waiting < _WAITING_WISHES:
            self._waiting += 1
            self._thread.call(self._do, wish)

    # What happens, shown.

    def begin(self, reply: Reply, *, ask: int | None) -> None:
        """Show a turn that begins."""
        if self._view is not None:
            self._view.begin(reply, ask=ask)

    def update(self, reply: Reply) -> None:
        """Show what came."""
        turn = self._view.turn(reply.message_id) if self._view is not None else None
        if turn is not None:
            turn.update()

    def end(self, reply: Reply) -> None:
        """Show how a turn has ended."""
        turn = self._view.turn(reply.message_id) if self._view is not None else None
        if self._view is not None and turn is not None:
            self._view.end(turn)

    def set_aside(self, replies: Sequence[Reply], words: str) -> None:
        """Show that turns no longer count."""
        if self._view is not None:
            self._view.set_aside(replies, words)

    def save(self) -> int:
        """Bring the saved form up to date; gives its length in characters."""
        return self._view.save() if self._view is not None else 0

    def look_again(self) -> None:
        """Show how the bot stands now; it has changed."""
        if self._view is not None:
            self._spawn(self._look())

    def gone(self, words: str) -> None:
        """Tell pages that nothing will answer them any more."""
        if self._view is not None:
            self._view.answer("gone", words=words)

    # Wishes, done on the loop.

    def _do(self, wish: wishes.Wish) -> None:
        self._waiting -= 1
        doing = self._DO[type(wish)](self, wish)
        if doing is not None:
            task = self._spawn(doing, ask=getattr(wish, "ask", None))
            if isinstance(wish, wishes.Send | wishes.Edit | wishes.Retry):
                self._sending = task

    async def _send(self, wish: wishes.Send) -> None:
        files = self._uploads.take(wish.files)
        called = self._chats.mentioned(wish.text)
        parameters = self._about.fitting(wish.parameters) if called in (None, self._panel.bot) else {}
        try:
            await self._panel.ask(wish.text, files=files, parameters=parameters, bot=called, ask=wish.ask)
        except (PoeNotebookError, asyncio.CancelledError):
            self._uploads.put_back(wish.files, files)
            raise

    async def _again(self, wish: wishes.Retry | wishes.Edit) -> None:
        await self._panel.again(self._found(wish.turn), text=getattr(wish, "text", None), ask=wish.ask)

    def _stop(self, wish: wishes.Stop) -> None:
        if self._panel.is_answering:
            self._panel.stop_now()
        elif self._sending is not None:
            self._sending.cancel()  # it came a moment ago and has not begun

    def _new(self, wish: wishes.New) -> Coroutine[Any, Any, None]:
        return self._panel.begin_anew()

    async def _react(self, wish: wishes.React) -> None:
        reply = self._found(wish.turn)
        if reply.exchange is None:
            raise CommandError("This answer is not in the trace, or no longer, so its bot cannot be told.")
        await asyncio.to_thread(self._chats.react, reply.exchange, wish.reaction)
        if self._view is not None:
            self._view.reacted(reply, wish.reaction)

    def _piece(self, wish: wishes.Piece) -> None:
        try:
            got = self._uploads.add(wish)
        except CommandError as error:
            self._answer("file", id=wish.id, refused=str(error))
        else:
            self._answer("file", id=wish.id, got=got)

    def _drop(self, wish: wishes.Drop) -> None:
        self._uploads.drop(wish.id)

    async def _attach(self, wish: wishes.Attach) -> None:
        try:
            file = await asyncio.to_thread(file_named, wish.name, self._namespace)
            self._uploads.put(wish.id, file)
        except PoeNotebookError as error:
            self._answer("file", id=wish.id, refused=str(error))
        except Exception as error:  # of the object's own to_csv, savefig or save
            self._answer("file", id=wish.id, refused=f"{wish.name} gave {type(error).__name__}: {error}")
        else:
            self._answer("file", id=wish.id, got=None, name=file.name, size=len(file.content))

    async def _find_names(self, wish: wishes.FindNames) -> None:
        names = await asyncio.to_thread(attachable_names, self._namespace, wish.start)
        self._answer("names", ask=wish.ask, names=[list(each) for each in names])

    async def _fetch(self, wish: wishes.Fetch) -> None:
        if wish.what == "answer":
            text = self._found(wish.turn).text
        else:
            text = self._panel.transcript("json" if wish.what == "json" else "markdown")
        self._answer("text", ask=wish.ask, text=text)

    def _sync(self, wish: wishes.Sync) -> None:
        if self._view is not None:
            self._view.sync()

    def _to_turn(self, wish: wishes.ToTurn) -> None:
        turn = self._view.turn(wish.turn) if self._view is not None else None
        if turn is not None:
            turn.hear(wish.message, wish.buffers)

    _DO: ClassVar[dict[type, Callable[[Any, Any], Coroutine[Any, Any, None] | None]]] = {
        wishes.Send: _send,
        wishes.Edit: _again,
        wishes.Retry: _again,
        wishes.Stop: _stop,
        wishes.New: _new,
        wishes.React: _react,
        wishes.Piece: _piece,
        wishes.Drop: _drop,
        wishes.Attach: _attach,
        wishes.FindNames: _find_names,
        wishes.Fetch: _fetch,
        wishes.Sync: _sync,
        wishes.ToTurn: _to_turn,
    }

    def _found(self, turn: str) -> Reply:
        reply = self._panel.record.find(turn)
        if reply is None:
            raise CommandError("This turn is no longer part of the conversation.")
        return reply

    def _answer(self, kind: str, **fields: Any) -> None:
        if self._view is not None:
            self._view.answer(kind, **fields)

    def _spawn(self, doing: Coroutine[Any, Any, Any], *, ask: int | None = None) -> asyncio.Task[Any] | None:
        if len(self._tasks) >= _TASKS:
            doing.close()
            self._answer("notice", words="Too much was asked for at once; this was left out.", tone="warn", ask=ask)
            return None
        task = asyncio.get_running_loop().create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._done(done, ask))
        return task

    def _done(self, task: asyncio.Task[Any], ask: int | None) -> None:
        """Say in the panel what did not come about: there is no cell to raise it in."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if task.cancelled() and ask is not None:
            self._answer("notice", words="Stopped before the message was sent.", tone="info", ask=ask)
        elif error is not None:
            is_known = isinstance(error, PoeNotebookError)
            words = str(error) if is_known else f"A fault of poe_notebook: {type(error).__name__}: {error}"
            self._answer("notice", words=words, tone="bad", ask=ask)

    # The view and the bot.

    async def open(self) -> PanelView:
        """Give the view, which is made for the first show."""
        from poe_notebook.views.panel.view import PanelView

        if self._view is None:
            self._view = PanelView(
                self._about.name,
                parts=lambda: self._panel.record.parts,
                redact=self._redact,
                resolve=self._resolve,
            )
            self._view.introduce(self._about.head(), self._about.introduction)
        return self._view

    async def _first_look(self) -> None:
        looking = asyncio.ensure_future(self._about.look())
        await asyncio.wait([looking], timeout=_FIRST_LOOK_S)
        if not looking.done():
            self._spawn(self._look(after=looking))

    async def _look(self, after: asyncio.Future[None] | None = None) -> None:
        await (after if after is not None else self._about.look())
        if self._view is not None and self._view.introduce(self._about.head(), self._about.introduction):
            self._panel.save_soon(0.0)

    def _snapshot(self) -> dict[str, Any]:
        """Give everything as it stands; on any thread."""
        view = self._view
        assert view is not None
        if self._thread.is_current:
            return view.snapshot()

        async def on_loop() -> dict[str, Any]:
            return view.snapshot()

        try:
            return self._thread.run(on_loop())
        except ServerError:  # the session is closed, and nothing changes any more
            return view.snapshot()

    def _show_in_words(self) -> None:
        from IPython.display import display

        from poe_notebook.views.panel.words import panel_bundle

        display(panel_bundle(self._about.name, self._about.settings, self._about.parameters), raw=True)
