"""Identifiers of the Poe protocol: a tag of one to three letters, a hyphen, and 32 characters of ``a-z0-9=``.

Ours are random, 160 bits in lower-case base32. Incoming ones are never refused by their form: the library allows any
string, and scripts send empty ones. Source: Poe protocol specification, "Identifiers" (since 2023-08, read 2025-03).
"""

from __future__ import annotations

import re
import secrets
from base64 import b32encode
from typing import TypeAlias

from poe_notebook.errors import PoeNotebookError

__all__ = ["Identifier", "is_identifier", "new_identifier"]

Identifier: TypeAlias = str

_FORM = re.compile(r"[a-z]{1,3}-[a-z0-9=]{32}")
_TAG = re.compile(r"[a-z]{1,3}")


def new_identifier(tag: str) -> Identifier:
    """Make a new identifier; tags in use are ``m`` message, ``u`` user, ``c`` conversation, ``d`` request metadata."""
    if not _TAG.fullmatch(tag):
        raise PoeNotebookError(
            f"{tag!r} cannot be the tag of an identifier.", why="A tag is one to three lower-case letters."
        )
    return f"{tag}-{b32encode(secrets.token_bytes(20)).decode('ascii').lower()}"


def is_identifier(text: object) -> bool:
    """Tell whether a value has the form that Poe gives its identifiers."""
    return isinstance(text, str) and _FORM.fullmatch(text) is not None
