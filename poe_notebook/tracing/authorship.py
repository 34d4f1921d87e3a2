"""Which code an author wrote, and by which name the author knows its file."""

from __future__ import annotations

import os
import re
import sysconfig
from collections.abc import Callable
from types import FrameType, TracebackType

__all__ = ["Label", "has_authors_line", "is_authors", "is_ours", "with_known_names"]

Label = Callable[[str], str | None]
"""Gives the name that a reader knows a code file by, ``Cell In[3]`` for a notebook's; none if it has no other."""

_PACKAGE = __name__.partition(".")[0]
_OURS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_OTHERS = tuple({os.path.join(sysconfig.get_path(name), "") for name in ("stdlib", "platstdlib", "purelib", "platlib")})
"""Where Python's own modules and installed packages lie: what is there was not written by the bot's author."""
_FILE = re.compile(r'File "([^"\n]{1,1000})"(?=, line \d)')


def is_authors(frame: FrameType, label: Label) -> bool:
    """Whether the author wrote the code of a frame, in a cell or in a module beside the notebook."""
    file = frame.f_code.co_filename
    if label(file) is not None:
        return True
    is_of_package = str(frame.f_globals.get("__name__", "")).partition(".")[0] == _PACKAGE
    return not is_of_package and not file.startswith(("<", *_OTHERS))


def is_ours(file: str) -> bool:
    """Whether a file of code is one of this package's."""
    return file.startswith(_OURS)


def has_authors_line(frames: TracebackType | None, label: Label) -> bool:
    """Whether a traceback goes through a line that the author wrote."""
    while frames is not None:
        if is_authors(frames.tb_frame, label):
            return True
        frames = frames.tb_next
    return False


def with_known_names(text: str, label: Label) -> str:
    """Write the names that a reader knows into the lines of a traceback, wherever in it they stand."""
    return _FILE.sub(lambda found: label(found[1]) or found[0], text) if 'File "' in text else text
