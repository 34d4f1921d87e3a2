"""What the simulated Poe has read of a file that goes to a bot, and the address under which the bot gets it.

A file is read once, off the loop, whoever asks for it; the address is made anew for each query, since it expires.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.simulator.files import FileStore, StoredFile
from poe_notebook.simulator.parsing import describe_image, parsed_content

__all__ = ["Reader"]

_KEPT_CHARS = 32 * 1024 * 1024


class Reader:
    """Reads the files of a store. ``address`` gives the simulator's own."""

    def __init__(self, files: FileStore, address: Callable[[], str]) -> None:
        self._files, self._address = files, address
        self._known: OrderedDict[str, str | None] = OrderedDict()
        self._kept_chars = 0

    async def read(self, attachment: Attachment, settings: SettingsResponse) -> Attachment:
        """Give an attachment as a bot with these settings gets it; one that is stored elsewhere stays as it is."""
        file = self._files.file_at(attachment.url)
        if file is None:
            return attachment
        url = self._files.url(file, self._address())
        wanted = settings.enable_image_comprehension if _is_image(file) else settings.expand_text_attachments
        content = await self._content(file) if wanted else None
        return attachment.model_copy(update={"url": url, "parsed_content": content})

    async def _content(self, file: StoredFile) -> str | None:
        if file.file_id not in self._known:
            self._keep(file.file_id, await asyncio.to_thread(self._parse, file))
        return self._known.get(file.file_id)

    def _parse(self, file: StoredFile) -> str | None:
        content = self._files.read(file.file_id)
        if _is_image(file):
            return describe_image(content, name=file.name)
        return parsed_content(content, content_type=file.content_type, name=file.name)

    def _keep(self, file_id: str, text: str | None) -> None:
        self._known[file_id] = text
        self._kept_chars += len(text or "")
        while self._kept_chars > _KEPT_CHARS and len(self._known) > 1:
            _, old = self._known.popitem(last=False)
            self._kept_chars -= len(old or "")


def _is_image(file: StoredFile) -> bool:
    return file.content_type.startswith("image/")
