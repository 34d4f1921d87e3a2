"""What calls to Poe's own endpoints share, queries aside: where they go, which key they take, how a failure reads.

Nothing here sends anything, and no text that comes out of here holds the key that it was given. Endpoints: Poe protocol
specification (read 2025-03) and fastapi_poe 0.0.83.
"""

from __future__ import annotations

import os
from urllib.parse import quote

import httpx

from poe_notebook.keys import Redactor, Secret
from poe_notebook.protocol.requests import MISSING_KEY
from poe_notebook.tracing.recorder import CURRENT

__all__ = [
    "MALFORMED",
    "base_address",
    "failure",
    "is_local",
    "key_fault",
    "refusal",
    "segment",
    "without_key",
]

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SHOWN_CHARS = 500

MALFORMED = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)
"""What httpx raises for an address or a header that cannot be sent; in words that may quote the header."""


def base_address(given: str | None, *, under: str, host: str = "https://api.poe.com") -> str:
    """Give the address that an endpoint's path is put behind, without a slash at its end.

    The one that was given; in a handler ``under`` of the Poe that asked it, if this kernel plays it; else of
    ``POE_BASE_URL`` (with or without ``/bot/``); else of ``host``.
    """
    if given:
        return given.rstrip("/")
    answering = CURRENT.get()
    root = answering.poe_url if answering is not None else ""
    root = root or os.environ.get("POE_BASE_URL", "").strip().rstrip("/").removesuffix("/bot")
    return (root or host) + under


def segment(text: str) -> str:
    """Quote a name so that it stays one part of a path."""
    quoted = quote(text, safe="", errors="replace")
    return quoted.replace(".", "%2E") if set(quoted) == {"."} else quoted  # httpx would resolve . and ..


def is_local(url: str) -> bool:
    """Whether an address is on this machine, so that no proxy is asked."""
    try:
        return httpx.URL(url).host in _LOOPBACK
    except httpx.InvalidURL:
        return False  # told when it is sent


def key_fault(key: str) -> str:
    """Say why a key cannot be used, without showing it; an empty text if it can."""
    key = key.strip()
    if not key or key == MISSING_KEY:
        return "none was given"
    return "" if key.isascii() and key.isprintable() else "the one given holds a character that no key has"


def without_key(text: str, key: str) -> str:
    """Take the key out of a text, as it is and as addresses write it."""
    redactor = Redactor()
    for form in {key, quote(key, safe="")}:
        redactor.add(Secret(form))
    return redactor.text(text)


def refusal(response: httpx.Response, *, key: str, said: str | None = None) -> str:
    """Give the status of an answer and the start of what came with it."""
    text = without_key(response.text if said is None else said, key).strip()
    return f"{response.status_code} {response.reason_phrase}: {text[:_SHOWN_CHARS] or 'no text'}"


def failure(error: httpx.HTTPError, *, key: str) -> str:
    """Say what became of a call that got no answer."""
    if isinstance(error, httpx.TimeoutException):
        return "it took longer than it may"
    if isinstance(error, httpx.ConnectError):
        return "nothing answers there"
    return without_key(str(error), key) or type(error).__name__
