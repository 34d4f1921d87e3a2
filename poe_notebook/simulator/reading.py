"""What the simulated Poe has read of a file that goes to a bot, and the address under which the bot gets it.

A file is read once, off the loop, whoever asks for it; the address of one of Poe's own files is made anew for each
query, since it expires. What an asking bot says of a file's content is not believed: Poe reads the file itself, at
whatever address it is (server-bot-quick-start issue 95).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.simulator.fetching import fetched
from poe_notebook.simulator.file_names import content_type_of
from poe_notebook.simulator.files import FileError, FileStore, StoredFile
from poe_notebook.simulator.memory import Kept
from poe_notebook.simulator.parsing import describe_image, parsed_content

__all__ = ["Reader"]

Known: TypeAlias = tuple[str | None]
"""What is known of a file's content: its text, or that there is none to be read."""

_KEPT_CHARS = 32 * 1024 * 1024
_FETCH_S = 5.0


class Reader:
    """Reads the files of a store, and those elsewhere. ``address`` gives the simulator's own."""

    def __init__(self, files: FileStore, address: Callable[[], str]) -> None:
        self._files, self._address = files, address
        self._known: Kept[Known] = Kept(_KEPT_CHARS, weigh=lambda known: 100 + len(known[0] or ""))
        self._reading: dict[str, asyncio.Task[Known | None]] = {}

    async def read(self, attachment: Attachment, settings: SettingsResponse) -> Attachment:
        """Give an attachment as a bot with these settings gets it."""
        file = self._files.file_at(attachment.url)
        kind = attachment.content_type if file is None else file.content_type
        if not (settings.enable_image_comprehension if _is_image(kind) else settings.expand_text_attachments):
            content = None
        elif file is None:
            content = await self._once(attachment.url, lambda: _parsed_elsewhere(attachment))
        else:
            stored = file
            content = await self._once(stored.file_id, lambda: asyncio.to_thread(self._parsed, stored))
        url = attachment.url if file is None else self._files.url(file, self._address())
        return attachment.model_copy(update={"url": url, "parsed_content": content})

    async def _once(self, name: str, read: Callable[[], Coroutine[Any, Any, Known | None]]) -> str | None:
        """Read a file if it has not been read yet; one that could not be had is tried again the next time."""
        known = self._known.get(name)
        if known is None:
            reading = self._reading.get(name)
            if reading is None:
                reading = self._reading[name] = asyncio.create_task(read())
                reading.add_done_callback(lambda task: self._reading.pop(name, None))
            known = await asyncio.shield(reading)  # of which others may be waiting when one gives up
        if known is None:
            return None
        self._known.put(name, known)
        return known[0]

    def _parsed(self, file: StoredFile) -> Known | None:
        try:
            content = self._files.read(file.file_id)
        except FileError:
            return None  # it had to make room meanwhile
        return (_parsed(content, kind=file.content_type, name=file.name),)


async def _parsed_elsewhere(attachment: Attachment) -> Known | None:
    try:
        found = await fetched(attachment.url, within_s=_FETCH_S)
    except FileError:
        return None
    name = attachment.name or found.name
    kind = content_type_of(found.content, name, given=found.content_type)
    return (await asyncio.to_thread(_parsed, found.content, kind=kind, name=name),)


def _parsed(content: bytes, *, kind: str, name: str) -> str | None:
    if _is_image(kind):
        return describe_image(content, name=name)
    return parsed_content(content, content_type=kind, name=name)


def _is_image(kind: str) -> bool:
    return kind.startswith("image/")
