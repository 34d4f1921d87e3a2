"""The files that are on their way into a message: they come in pieces, are bounded, and wait until they are sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from poe_notebook.attaching import File
from poe_notebook.errors import CommandError
from poe_notebook.protocol.limits import ATTACHMENT_BYTES, ATTACHMENTS_PER_RESPONSE
from poe_notebook.views.panel.wishes import Piece
from poe_notebook.views.wording import size

__all__ = ["FILES_PER_MESSAGE", "Uploads"]

FILES_PER_MESSAGE = ATTACHMENTS_PER_RESPONSE
"""Poe gives a number for answers only; the same holds for messages here."""
_WAITING_BYTES = 512 * 1024 * 1024  # of all files that wait: what the simulator's store holds
_MEDIA_TYPE_CHARS = 100


@dataclass(slots=True)
class _Coming:
    piece: Piece
    content: bytearray = field(default_factory=bytearray)


class Uploads:
    """Files by the ids that the page gave them."""

    def __init__(self) -> None:
        self._coming: dict[str, _Coming] = {}
        self._files: dict[str, File] = {}

    def __len__(self) -> int:
        return len(self._coming) + len(self._files)

    @property
    def size_bytes(self) -> int:
        """What all files take, the parts that have not come yet included."""
        coming = sum(each.piece.size_bytes for each in self._coming.values())
        return coming + sum(len(file.content) for file in self._files.values())

    def add(self, piece: Piece) -> int | None:
        """Take a piece in; gives how many bytes have come, or none once the file is whole. Raises ``CommandError``.

        A piece that was repeated or is out of order is refused by giving what has come so far.
        """
        if piece.id in self._files:
            return None
        coming = self._coming.get(piece.id)
        if coming is None:
            self._check(piece.name, piece.size_bytes)
            coming = self._coming[piece.id] = _Coming(piece)
        if piece.at == len(coming.content) and piece.size_bytes == coming.piece.size_bytes:
            coming.content += piece.content
        if len(coming.content) < coming.piece.size_bytes:
            return len(coming.content)
        del self._coming[piece.id]
        kind = piece.content_type[:_MEDIA_TYPE_CHARS] or None
        self._files[piece.id] = File(piece.name or "file", bytes(coming.content), kind)
        return None

    def put(self, file_id: str, file: File) -> None:
        """Take a whole file in. Raises ``CommandError``."""
        self._check(file.name, len(file.content))
        self._files[file_id] = file

    def drop(self, file_id: str) -> None:
        """Forget a file."""
        self._coming.pop(file_id, None)
        self._files.pop(file_id, None)

    def take(self, file_ids: tuple[str, ...]) -> list[File]:
        """Give files to send; they no longer wait here. Raises ``CommandError`` if one has not come."""
        if any(file_id not in self._files for file_id in file_ids):
            raise CommandError("A file has not arrived in the kernel yet.", now="Wait until its mark says so.")
        return [self._files.pop(file_id) for file_id in file_ids]

    def put_back(self, file_ids: tuple[str, ...], files: list[File]) -> None:
        """Keep files for another try: their message was not sent."""
        self._files.update(zip(file_ids, files, strict=True))

    def _check(self, name: str, size_bytes: int) -> None:
        if size_bytes > ATTACHMENT_BYTES:
            raise CommandError(
                f"{name} has {size(size_bytes)}, and {size(ATTACHMENT_BYTES)} is the most that Poe takes as one file."
            )
        if len(self) >= FILES_PER_MESSAGE:
            raise CommandError(f"A message carries {FILES_PER_MESSAGE} files at the most.")
        if self.size_bytes + size_bytes > _WAITING_BYTES:
            raise CommandError(f"The files of this message would be more than {size(_WAITING_BYTES)} together.")
