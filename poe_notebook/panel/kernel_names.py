"""Names in the kernel that could be attached to a message: objects of the notebook by their shape, and files."""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Any

from poe_notebook.attaching import can_be_file

__all__ = ["attachable_names"]

_MOST = 50
_LOOKED_AT = 2_000


def attachable_names(namespace: Mapping[str, Any], start: str) -> list[tuple[str, str]]:
    """Give names that begin so, each with what it is; objects first. Reads the disk."""
    return [*_objects(namespace, start), *_files(start)][:_MOST]


def _objects(namespace: Mapping[str, Any], start: str) -> Iterator[tuple[str, str]]:
    for name, value in sorted(namespace.copy().items() if isinstance(namespace, dict) else namespace.items()):
        if name.startswith(start) and not name.startswith("_") and can_be_file(value):
            yield name, type(value).__name__


def _files(start: str) -> Iterator[tuple[str, str]]:
    pattern = glob.escape(os.path.expanduser(start)) + "*"
    for path in sorted(itertools.islice(glob.iglob(pattern), _LOOKED_AT)):
        if os.path.isdir(path):
            yield path + os.sep, "folder"
        else:
            yield path, "file"
