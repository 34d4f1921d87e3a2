"""The files of a turn: which are at hand, and which of them a page or a saved notebook has room for.

Nothing is fetched. The bytes of a ``data:`` address are in it; for others a resolver is asked, once for each address.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from poe_notebook.protocol.limits import ATTACHMENT_BYTES
from poe_notebook.protocol.messages import Attachment
from poe_notebook.reply import Reply
from poe_notebook.views.markdown.clean import MEDIA
from poe_notebook.views.markdown.links import ShownImage
from poe_notebook.views.media.kinds import Look, look_of
from poe_notebook.views.turn_redaction import Redact, redacted_file
from poe_notebook.views.wording import size

__all__ = ["LATER", "LIVE", "SAVED", "File", "Resolve", "Room", "TurnFiles", "files_of"]

Resolve = Callable[[str], bytes | None]
"""Gives the bytes behind an address, if they are at hand without asking a network."""

_DATA = re.compile(r"data:[^,;]{0,100}(?:;[^,;]{0,100}){0,5}?(;base64)?,", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Room:
    """How many bytes of files there is room for: of one file, and of all files of a turn; and which place that is."""

    each_bytes: int
    all_bytes: int
    place: str

    def why_not(self, size_bytes: int) -> str:
        """Say why there is no room for a file of this size."""
        if not self.all_bytes:
            return self.place
        if size_bytes > self.each_bytes:
            return f"not {self.place}: larger than {size(self.each_bytes)}"
        return f"not {self.place}: the files of this turn have more than {size(self.all_bytes)} together"


LIVE = Room(10_000_000, 40_000_000, "shown here")  # sent to an open page, and held by it until it is closed
LATER = Room(0, 0, "shown once the answer is done")  # for front ends where each update carries everything
PREVIEW_BYTES = 20_000  # of a text
SAVED = Room(
    2_000_000, 6_000_000, "kept in the notebook"
)  # kept in the notebook, which is opened as a whole, and takes a third more there


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """An attachment as views see it.

    ``number`` counts the files of the turn; ``data`` is none if the file is not at hand; ``text`` is its beginning, if
    it is one to be read. No secret is in any of it.
    """

    number: int
    attachment: Attachment
    data: bytes | None
    look: Look
    text: str = ""

    @property
    def source(self) -> str:
        """What stands for the bytes in HTML."""
        return f"{MEDIA}{self.number}"

    @property
    def image(self) -> ShownImage | None:
        """The file as an image in the text, if it is one."""
        if self.look.kind != "image":
            return None
        return ShownImage(self.source, self.attachment.name, self.look.width, self.look.height)


class TurnFiles:
    """The files of one turn, those of the message first; more come while the answer grows."""

    def __init__(self, resolve: Resolve | None = None, *, redact: Redact | None = None) -> None:
        self._resolve, self._redact = resolve or (lambda url: None), redact or (lambda text: text)
        self.of_message: list[File] = []
        self.of_answer: list[File] = []

    def take(self, reply: Reply) -> bool:
        """Take in the attachments that a reply has now; says whether the answer has new ones."""
        before = len(self.of_answer)
        for files, attachments in ((self.of_message, reply.message.attachments), (self.of_answer, reply.attachments)):
            for attachment in attachments[len(files) :]:
                files.append(self._file(attachment, len(self.of_message) + len(self.of_answer)))
        return len(self.of_answer) > before

    def __iter__(self) -> Iterator[File]:
        return iter([*self.of_message, *self.of_answer])

    def kept(self, room: Room) -> frozenset[int]:
        """Give the numbers of the files that there is room for, the first ones first."""
        kept, left = set(), room.all_bytes
        for file in self:
            if file.data is not None and len(file.data) <= min(room.each_bytes, left):
                kept.add(file.number)
                left -= len(file.data)
        return frozenset(kept)

    def _file(self, attachment: Attachment, number: int) -> File:
        url = attachment.url
        data = self._clean(data_of(url) if url[:5].lower() == "data:" else self._resolve(url))
        look = look_of(attachment.content_type, data) if data is not None else Look("other")
        text = ""
        if data is not None and look.kind == "text":
            text = data[:PREVIEW_BYTES].decode("utf-8", "replace")
        return File(number, redacted_file(attachment, self._redact), data, look, text)

    def _clean(self, data: bytes | None) -> bytes | None:
        """Take keys out of a file's bytes, which Latin-1 gives as characters one by one."""
        if data is None:
            return None
        text = data.decode("latin-1")
        clean = self._redact(text)
        return data if clean == text else clean.encode("latin-1", "replace")


def files_of(reply: Reply) -> TurnFiles:
    """Give the files that a reply has now, of which those are at hand that it holds itself."""
    files = TurnFiles()
    files.take(reply)
    return files


def data_of(url: str) -> bytes | None:
    """Give the bytes that a ``data:`` address holds; none if it is malformed or too long."""
    head = _DATA.match(url)
    if head is None or len(url) > 2 * ATTACHMENT_BYTES:
        return None
    body = url[head.end() :]
    if not head.group(1):
        return unquote_to_bytes(body)
    try:
        return base64.b64decode(unquote_to_bytes(body), validate=True)
    except (binascii.Error, ValueError):
        return None
