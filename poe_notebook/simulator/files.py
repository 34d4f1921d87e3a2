"""The files of the simulated Poe: kept in a private folder, bounded, and reached by addresses that expire.

An address is signed, so nobody can guess or prolong one; the name in it is for readers and is not looked at. Files that
had to make room for newer ones, and expired addresses, are told apart from what never was.
May be used from several threads, without a lock: every file has a path of its own, each step on the table is atomic.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from poe_notebook.errors import PoeNotebookError
from poe_notebook.protocol.identifiers import new_identifier
from poe_notebook.protocol.limits import ATTACHMENT_BYTES, ATTACHMENT_URL_VALID_S
from poe_notebook.simulator.file_names import clean_name, content_type_of
from poe_notebook.simulator.private_folder import PrivateFolder

__all__ = ["FILES_PATH", "FileError", "FileStore", "StoredFile"]

FILES_PATH = "/files"
"""Under which path of the simulator the files stand."""
_MAX_BYTES = 512 * 1024 * 1024
_MAX_FILES = 10_000
_STEP_SHARE = 64
"""The bound is checked each time that this part of it was added, and makes this much room."""


class FileError(PoeNotebookError):
    """A file cannot be kept or given. ``status`` is what HTTP answers for it."""

    def __init__(self, what: str = "", *, status: int, why: str = "", now: str = "") -> None:
        super().__init__(what, why=why, now=now)
        self.status = status


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as the store knows it; the name has been cleaned."""

    file_id: str
    name: str
    content_type: str
    size_bytes: int


class FileStore:
    """Keeps files until they have to make room, or until ``close``. Its folder is made at the first ``add``."""

    def __init__(
        self,
        *,
        max_bytes: int = _MAX_BYTES,
        max_files: int = _MAX_FILES,
        max_file_bytes: int = ATTACHMENT_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_bytes, self.max_files, self.max_file_bytes = max_bytes, max_files, max_file_bytes
        self.dropped = 0
        """How many files had to make room."""
        self._clock, self._secret = clock, secrets.token_bytes(32)
        self._files: dict[str, StoredFile] = {}
        self._folders: dict[str, PrivateFolder] = {}
        self._since_check_bytes, self._is_closed = 0, False

    def __len__(self) -> int:
        return len(self._files)

    @property
    def size_bytes(self) -> int:
        """What the files take together."""
        return sum(file.size_bytes for file in list(self._files.values()))

    def add(self, content: bytes, *, name: str | None, content_type: str | None = None) -> StoredFile:
        """Keep a file. Blocks. Raises ``FileError`` if it is too large or cannot be written."""
        name = clean_name(name)
        self._check_size(name, len(content))
        kind = content_type_of(content, name, given=content_type)
        file = StoredFile(new_identifier("f"), name, kind, len(content))
        self._make_room(file.size_bytes)
        try:
            path = self._folder().path / file.file_id
            path.write_bytes(content)
        except OSError as error:
            raise FileError(
                f"{name} could not be kept: {error.strerror or type(error).__name__}.",
                status=507,
                why="The simulator keeps files in the folder for temporary files.",
                now="Make room there, or set TMPDIR to another folder before the kernel starts.",
            ) from error
        self._files[file.file_id] = file
        return file

    def read(self, file_id: str) -> bytes:
        """Give a file's content. Blocks. Raises ``FileError`` if it is not here."""
        path = self.path(file_id)
        try:
            return path.read_bytes()
        except OSError as error:  # dropped in between, or a full disk's other faults
            raise self._gone() from error

    def path(self, file_id: str) -> Path:
        """Give where a file's content stands, for reading only. Raises ``FileError`` if it is not here."""
        if file_id not in self._files or self._is_closed:
            raise self._gone()
        return self._folder().path / file_id

    def url(self, file: StoredFile, base: str, *, valid_s: float = ATTACHMENT_URL_VALID_S) -> str:
        """Give an address of a file below ``base``, the simulator's own, that works for ``valid_s`` seconds."""
        expires = math.ceil(self._clock() + valid_s)
        query = f"expires={expires}&signature={self._signature(file.file_id, expires)}"
        return f"{base.rstrip('/')}{FILES_PATH}/{file.file_id}/{quote(file.name, safe='')}?{query}"

    def file_at(self, url: str) -> StoredFile | None:
        """Give the file that an address of ours stands for, expired or not; none for other addresses."""
        try:
            return self._opened(url, heeds_time=False)
        except FileError:
            return None

    def resolve(self, url: str) -> bytes | None:
        """Give what an address of ours would answer, without HTTP; none for others and for those without an answer."""
        try:
            return self.read(self.open(url).file_id)
        except FileError:
            return None

    def open(self, url: str) -> StoredFile:
        """Give the file of an address that is valid now. Raises ``FileError`` with the status to answer."""
        return self._opened(url, heeds_time=True)

    def close(self) -> None:
        """Remove all files and the folder."""
        self._is_closed = True
        self._files.clear()
        while self._folders:
            self._folders.popitem()[1].close()

    def _opened(self, url: str, *, heeds_time: bool) -> StoredFile:
        file_id, expires = self._verified(url)
        if heeds_time and self._clock() > expires:
            raise FileError(
                "This address of a file has expired.",
                status=410,
                why=f"Poe promises that one works for {ATTACHMENT_URL_VALID_S / 60:g} minutes, no more.",
                now="Download a file while you answer, or keep its content.",
            )
        file = self._files.get(file_id)
        if file is None:
            raise self._gone()
        return file

    def _verified(self, url: str) -> tuple[str, int]:
        """Give the id and the end of an address that we made. Raises ``FileError`` for any other."""
        try:
            parts = urlsplit(url)
            query = parse_qs(parts.query)
            file_id, expires = parts.path.rpartition(f"{FILES_PATH}/")[2].partition("/")[0], query["expires"][0]
            is_ours = hmac.compare_digest(self._signature(file_id, expires).encode(), query["signature"][0].encode())
            if is_ours:
                return file_id, int(expires)
        except (KeyError, ValueError):  # no address of the right form
            pass
        raise FileError("There is no file at this address.", status=404, why="Only addresses made by Poe work.")

    def _signature(self, file_id: str, expires: int | str) -> str:
        text = f"{file_id} {expires}".encode("utf-8", "replace")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:32]

    def _folder(self) -> PrivateFolder:
        if self._is_closed:
            raise FileError("The simulator has ended, and its files with it.", status=410)
        if not self._folders:
            made = PrivateFolder()
            if self._folders.setdefault("", made) is not made:
                made.close()  # another thread was first
        return self._folders[""]

    def _check_size(self, name: str, size_bytes: int) -> None:
        most = min(self.max_file_bytes, self.max_bytes)
        if size_bytes > most:
            raise FileError(
                f"{name} is too large: it has {size_bytes:,} bytes.",
                status=413,
                why=f"Poe takes files of {most / 1e6:g} MB at most.",
                now="Send it in parts, or a link to it.",
            )

    def _make_room(self, coming_bytes: int) -> None:
        self._since_check_bytes += coming_bytes
        step_bytes = self.max_bytes // _STEP_SHARE
        if self._since_check_bytes <= step_bytes and len(self._files) < self.max_files:
            return
        self._since_check_bytes = 0
        left_bytes = max(self.max_bytes - step_bytes - coming_bytes, 0)
        size_bytes = self.size_bytes
        for file_id in list(self._files):  # the oldest first
            if size_bytes <= left_bytes and len(self._files) < self.max_files:
                return
            size_bytes -= self._drop(file_id)

    def _drop(self, file_id: str) -> int:
        file = self._files.pop(file_id, None)
        if file is None:
            return 0  # another thread was first
        self.dropped += 1
        with suppress(OSError):  # opened by a reader on Windows; it goes with the folder
            (self._folder().path / file_id).unlink(missing_ok=True)
        return file.size_bytes

    def _gone(self) -> FileError:
        return FileError(
            "This file is not here.",
            status=410,
            why=f"The simulator keeps the latest {self.max_files:,} files, {self.max_bytes // 2**20} MiB together; "
            f"{self.dropped:,} have made room for newer ones.",
            now="Upload it again.",
        )
