"""Keys: finding them, holding them without showing them, and taking them out of whatever is written down.

An *access key* is the secret between Poe and a bot server, an *API key* a user's own. Neither ever appears in a
repr, an error or a trace: ``Secret`` hides itself and ``Redactor`` removes every key it was told of, by value.
"""

from __future__ import annotations

import base64
import hmac
import html
import json
import os
import secrets
import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from poe_notebook.errors import KeyMissing

__all__ = ["HIDDEN", "Redactor", "Secret", "environment_keys", "find_access_key", "find_api_key", "new_access_key"]

HIDDEN = "[key hidden]"
_MADE = "made for this session"

_ALPHABET = string.ascii_letters + string.digits
_ACCESS_KEY_CHARS = 32
_SHORTEST_REDACTED_CHARS = 6
"""Shorter values are ordinary words as often as keys; removing them would make a trace unreadable."""


_SHORTEST_ENCODED_BYTES = 16
"""In base64 shorter ones are too likely to be a part of something else."""


class Secret:
    """A key that shows itself only to ``reveal``."""

    __slots__ = ("_value", "origin")

    def __init__(self, value: str, *, origin: str = "given") -> None:
        self._value = value
        self.origin = origin

    def reveal(self) -> str:
        """Give the key's characters, for a header and nothing else."""
        return self._value

    @property
    def is_made(self) -> bool:
        """Whether the key was made here, so that poe.com knows nothing of it."""
        return self.origin == _MADE

    def matches(self, other: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self._value.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))

    def __repr__(self) -> str:
        return f"<Secret, {self.origin}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("A Secret cannot be pickled or copied to disk; pass its value by an environment variable.")


def new_access_key() -> Secret:
    """Make an access key of the 32 characters that Poe uses."""
    value = "".join(secrets.choice(_ALPHABET) for _ in range(_ACCESS_KEY_CHARS))
    return Secret(value, origin=_MADE)


def find_access_key(variable: str | None = None, *, given: str | None = None) -> Secret | None:
    """Find a bot's access key: the one given, the named environment variable, ``POE_ACCESS_KEY``; else none.

    Blanks and line ends around a key, as copying leaves them, are no part of it. Raises ``KeyMissing`` if a variable
    was named and is empty.
    """
    if given and given.strip():
        return Secret(given.strip(), origin="given by the bot")
    if variable is not None:
        return Secret(_from_environment(variable), origin=f"from {variable}")
    value = os.environ.get("POE_ACCESS_KEY", "").strip()
    return Secret(value, origin="from POE_ACCESS_KEY") if value else None


def find_api_key(given: str | None = None) -> Secret | None:
    """Find the user's API key: the one given, or ``POE_API_KEY``; else none."""
    if given and given.strip():
        return Secret(given.strip())
    value = os.environ.get("POE_API_KEY", "").strip()
    return Secret(value, origin="from POE_API_KEY") if value else None


def environment_keys() -> list[Secret]:
    """Give every key that the environment holds, whatever it is for, so that none of them is shown."""
    found = {name: os.environ.get(name, "").strip() for name in _VARIABLES}
    return [Secret(value, origin=f"from {name}") for name, value in found.items() if value]


_VARIABLES = ("POE_API_KEY", "POE_ACCESS_KEY", "NGROK_AUTHTOKEN")


def _from_environment(variable: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise KeyMissing(
            f"The environment variable {variable} is not set, so there is no access key to take from it.",
            now=f'Set it before the kernel starts, or in a cell: import os, getpass; os.environ["{variable}"] = '
            "getpass.getpass()",
        )
    return value


class Redactor:
    """Takes every key it knows out of text, bytes and JSON values; may be used from any thread.

    It sees one piece at a time: whoever puts pieces together has the whole looked through again.
    """

    def __init__(self) -> None:
        self.plain: tuple[bytes, ...] = ()
        """The keys as they are, and as JSON writes them, the longest first."""
        self._texts: tuple[str, ...] = ()
        self._shortest_chars = 0
        self._raws: tuple[bytes, ...] = ()

    def add(self, secret: Secret | None) -> None:
        """Learn a key, as it is and as JSON, HTML, addresses and base64 write it; very short ones are left alone."""
        if secret is None or len(secret.reveal()) < _SHORTEST_REDACTED_CHARS:
            return
        key = secret.reveal()
        plain = {key, json.dumps(key)[1:-1], json.dumps(key, ensure_ascii=False)[1:-1]}
        written = {*plain, html.escape(key), quote(key, safe="", errors="replace"), *_in_base64(key)}
        # The longest first, so that of keys that begin alike no rest is left; new tuples, since others may be reading.
        self._texts = tuple(sorted({*self._texts, *written}, key=len, reverse=True))
        self._shortest_chars = len(self._texts[-1])
        self._raws = tuple(text.encode("utf-8", "replace") for text in self._texts)
        quick = {*self.plain, *(text.encode("utf-8", "replace") for text in plain)}
        self.plain = tuple(sorted(quick, key=len, reverse=True))

    def text(self, text: str) -> str:
        """Give the text with every known key replaced."""
        if len(text) < self._shortest_chars:
            return text
        for key in self._texts:
            if key in text:
                text = text.replace(key, HIDDEN)
        return text

    def event_bytes(self, raw: bytes) -> bytes:
        """Give the bytes without keys as they are or as JSON writes them: quicker, since every event comes here.

        What else may stand in an event is looked for when it is shown or saved.
        """
        return _without(self.plain, raw)

    def bytes(self, raw: bytes) -> bytes:
        """Give the bytes with every known key replaced."""
        return _without(self._raws, raw)

    def places(self, text: str) -> list[tuple[int, int]]:
        """Tell where keys stand in a text: the first character of each, and the one after its last, in order."""
        found: list[tuple[int, int]] = []
        for key in self._texts:
            at = text.find(key)
            while at >= 0:
                if not any(first < at + len(key) and at < last for first, last in found):
                    found.append((at, at + len(key)))
                at = text.find(key, at + len(key))
        return sorted(found)

    def value(self, value: Any) -> Any:
        """Give a JSON value with every known key replaced, keys of objects included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(name)): self.value(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value


def _without(keys: tuple[bytes, ...], raw: bytes) -> bytes:
    for key in keys:
        if raw.find(key) >= 0:  # on short bytes twice as fast as ``in``
            raw = raw.replace(key, HIDDEN.encode())
    return raw


def _in_base64(key: str) -> list[str]:
    """Give what base64 makes of a key, wherever it stands among the three bytes that are written as four letters."""
    raw = key.encode("utf-8", "replace")
    if len(raw) < _SHORTEST_ENCODED_BYTES:
        return []
    inner = []
    for before in range(3):
        whole = len(raw) - (3 - before) % 3
        first = len(raw) - whole
        inner.append(base64.b64encode(raw[first : first + whole // 3 * 3]).decode("ascii"))
    return inner
