"""A folder of this process alone, gone when it ends, and swept up by the next one if it was killed.

Its lock file tells the living from the dead: the system lets go of the lock with the process, however that ended.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import weakref
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":  # where nothing is swept up
    import fcntl

__all__ = ["PrivateFolder"]

_PREFIX = "poe-notebook-files-"
_LOCK = ".in-use"
_SETTLED_S = 60.0
"""A younger folder is left alone: its process may be about to lock it."""


class PrivateFolder:
    """Makes a folder that only this user can enter. Raises ``OSError``."""

    def __init__(self) -> None:
        _sweep()
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))  # with mode 0700
        self._lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        _is_locked(self._lock)
        self._end = weakref.finalize(self, _remove, self.path, self._lock, os.getpid())  # at exit too

    def close(self) -> None:
        """Remove the folder and what is in it."""
        self._end()


def _remove(path: Path, lock: int, owner: int) -> None:
    if os.getpid() != owner:
        return  # a fork's end is not the end of the folder
    os.close(lock)
    shutil.rmtree(path, ignore_errors=True)


def _sweep() -> None:
    """Remove the folders of this user whose processes are dead."""
    if sys.platform == "win32":
        return
    with suppress(OSError):
        for path in Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
            with suppress(OSError):
                _sweep_one(path)


def _sweep_one(path: Path) -> None:
    if path.lstat().st_uid != os.getuid() or time.time() - path.lstat().st_mtime < _SETTLED_S:
        return
    lock = os.open(path / _LOCK, os.O_RDWR)
    try:
        if _is_locked(lock):
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)


def _is_locked(lock: int) -> bool:
    """Whether the lock could be taken."""
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False
