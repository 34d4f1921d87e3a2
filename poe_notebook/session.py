"""One session per kernel: it builds the rooms and owns their lifetimes. What can be asked for is asked of its parts.

The first use starts the toolkit's thread; ``close`` leaves no port, thread, process or stream behind.
"""

from __future__ import annotations

import atexit

from poe_notebook.cell import cell_label
from poe_notebook.chats import Chats
from poe_notebook.client.pool import close_clients_of_this_loop
from poe_notebook.errors import CommandError
from poe_notebook.keys import Redactor
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.serving import Serving
from poe_notebook.tracing.exchange import Exchange
from poe_notebook.tracing.recorder import Trace

__all__ = ["Session", "close_session", "current_session", "has_session"]


class Session:
    """Everything that a kernel serves (``serving``), asks (``chats``) and records (``trace``)."""

    def __init__(self) -> None:
        self.redactor = Redactor()
        self.trace = Trace(self.redactor, label=cell_label)
        self.thread = LoopThread("poe-notebook")
        self.serving = Serving(self.trace, thread=self.thread)
        self.chats = Chats(self.serving, self.trace, thread=self.thread)
        self._is_closed = False

    def exchange(self, selector: str | int | None = None) -> Exchange:
        """Find an exchange: the latest, the latest of a bot, or by number (negative ones count from the latest)."""
        found = self._exchange(selector)
        if found is None:
            what = "Nothing has been asked yet." if selector is None else f"There is no exchange {selector!r} to show."
            raise CommandError(what, why=f"Kept: {self.trace!r}.", now="Ask a bot first: %poe chat BOT hello")
        return found

    def close(self) -> None:
        """End everything; again is no harm."""
        if self._is_closed:
            return
        self._is_closed = True
        self.serving.close()
        self.thread.run(close_clients_of_this_loop())
        self.thread.close()

    def _exchange(self, selector: str | int | None) -> Exchange | None:
        if selector is None:
            return self.trace.last()
        try:
            number = int(selector)
        except ValueError:
            bot = str(selector)
            if bot not in self.serving.slots and self.trace.last(bot) is None:
                raise self.serving.slots.not_found(bot) from None
            return self.trace.last(bot)
        if number >= 0:
            return self.trace.numbered(number)
        return self.trace[number] if -number <= len(self.trace) else None


_session: Session | None = None


def current_session() -> Session:
    """Give the kernel's session, starting it at the first call."""
    global _session
    if _session is None:
        _session = Session()
        atexit.register(close_session)
    return _session


def close_session() -> None:
    """End the kernel's session, if there is one; the next use starts another."""
    global _session
    session, _session = _session, None
    if session is not None:
        atexit.unregister(close_session)
        session.close()


def has_session() -> bool:
    """Whether a session has been started."""
    return _session is not None
