"""The files of running answers, from their upload until they are sent as ``file`` events.

A context variable says which answer a handler is giving; called from a thread without it, the answer is found by its
bot and message id. What an answer has not sent when it ends is dropped with it, so that no later answer can send it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from poe_notebook.errors import InvalidParameterError
from poe_notebook.protocol.events import encode, raw_bytes
from poe_notebook.protocol.limits import ATTACHMENTS_PER_RESPONSE
from poe_notebook.protocol.requests import MISSING_KEY, QueryRequest

__all__ = ["AnswerFiles", "answer_files", "files_of", "key_of_current_answer"]


class AnswerFiles:
    """The files of one running answer, from their upload until they are sent."""

    def __init__(self, bot: Any, request: QueryRequest) -> None:
        self.bot, self.message_id = bot, request.message_id
        self.access_key = request.access_key if request.access_key != MISSING_KEY else None
        self.is_open = True
        self._ready: deque[tuple[str, bytes]] = deque()  # filled from any thread
        self._count = 0
        # Where a bot of the fastapi_poe package, which uploads by itself, puts its events.
        self._theirs: dict[str, list[Any]] | None = getattr(bot, "_file_events_to_yield", None)

    @property
    def are_there(self) -> bool:
        """Whether there is something to send; asked before each item of the answer."""
        return bool(self._ready or self._theirs)

    def take(self) -> list[tuple[str, bytes]]:
        """Give the events, type and bytes, that have not been sent."""
        ready = []
        while self._ready:
            ready.append(self._ready.popleft())
        if self._theirs:
            ready += [("file", raw_bytes(event)) for event in self._theirs.pop(self.message_id, ())]
        return ready

    def add(self, data: dict[str, Any]) -> None:
        """Send a file with the answer, ahead of what the handler yields next."""
        self._ready.append(("file", encode("file", data)))

    @contextmanager
    def room(self) -> Iterator[None]:
        """Hold room for one file; given back if the upload fails. Raises ``InvalidParameterError`` if there is none."""
        if self._count >= ATTACHMENTS_PER_RESPONSE:
            raise InvalidParameterError(
                f"This answer has {self._count} files, so no other can be attached.",
                why=f"Poe takes {ATTACHMENTS_PER_RESPONSE} files with an answer at most.",
                now="Put several files into one archive, or send the rest with the next answer.",
            )
        self._count += 1
        try:
            yield
        except BaseException:
            self._count -= 1
            raise

    def close(self) -> None:
        """Drop what has not been sent."""
        self.is_open = False
        self.take()


_current: ContextVar[AnswerFiles | None] = ContextVar("poe_notebook_answer_files", default=None)
_running: dict[AnswerFiles, None] = {}
"""All running answers, in the order they began; for the calls that come from outside of their context."""


@contextmanager
def answer_files(bot: Any, request: QueryRequest) -> Iterator[AnswerFiles]:
    """Keep the files of one answer while it runs."""
    files = AnswerFiles(bot, request)
    _running[files] = None
    token = _current.set(files)
    try:
        yield files
    finally:
        files.close()
        _running.pop(files, None)
        with suppress(ValueError):  # closed from another context, which never saw the variable
            _current.reset(token)


def files_of(bot: Any, message_id: str | None) -> AnswerFiles | None:
    """Give the running answer that a bot means by a message id, its own if it names none; none if none is running.

    Raises ``InvalidParameterError`` if a handler names another answer than the one it is giving.
    """
    current = _current.get()
    current = current if current is not None and current.is_open else None
    if message_id is None:
        if current is None:
            raise InvalidParameterError(
                "message_id is missing, and no answer is being given that it could be taken from.",
                why="A file goes with one answer, and message_id says with which.",
                now="Pass message_id=request.message_id",
            )
        return current
    if current is not None and current.bot is bot and current.message_id == message_id:
        return current
    for files in reversed(list(_running)):
        if files.bot is bot and files.message_id == message_id:
            return files
    if current is None or current.message_id == message_id:  # the latter: another bot's handler does the work of this
        return current
    raise InvalidParameterError(
        f"message_id is {message_id!r}, but the answer being given is {current.message_id!r}.",
        why="A file can go only with the answer that is being given.",
        now="Pass message_id=request.message_id, which is not the id of a message in request.query.",
    )


def key_of_current_answer() -> str | None:
    """Give the access key that the server demanded for the answer being given, if there is one."""
    current = _current.get()
    return None if current is None else current.access_key
