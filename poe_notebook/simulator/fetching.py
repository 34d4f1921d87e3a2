"""Files at addresses, downloaded as Poe would: within a time, up to Poe's size of a file, by a few redirects.

An address that has no answer at all may be stood in for, so that a guide that names one runs offline.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import httpx

from poe_notebook.client.endpoints import is_local
from poe_notebook.client.pool import client_for_this_loop
from poe_notebook.protocol.limits import ATTACHMENT_BYTES
from poe_notebook.simulator.files import FileError
from poe_notebook.simulator.unreachable import file_for_unreachable

__all__ = ["Fetched", "fetched"]

_MOST_REDIRECTS = 5
_UNREACHED = (httpx.ConnectError, httpx.ProxyError, httpx.ConnectTimeout)


class Fetched(NamedTuple):
    """A file as its server gave it; one byte more than Poe takes stands for all that were left."""

    name: str
    content: bytes
    content_type: str | None


async def fetched(url: str, *, within_s: float, may_stand_in: bool = False) -> Fetched:
    """Download a file. Raises ``FileError``, with a status for whoever gave the address."""
    try:
        async with asyncio.timeout(within_s):
            return await _downloaded(url)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
        instead = None
        if may_stand_in and isinstance(error, _UNREACHED) and not is_local(url):
            instead = await asyncio.to_thread(file_for_unreachable, url)
        if instead is not None:
            return Fetched(*instead, None)
        raise FileError(
            f"{_shown(url)} cannot be fetched: {type(error).__name__}.",
            status=400,
            why="The simulator downloads it as Poe would, from this machine.",
        ) from None


async def _downloaded(url: str) -> Fetched:
    """Follow the redirects, each with the client for where it leads, to a file."""
    for _ in range(_MOST_REDIRECTS + 1):
        if not _is_of_the_web(url):
            raise FileError(f"{_shown(url)} is no address of the web.", status=400)
        async with client_for_this_loop(is_local=is_local(url)).stream("GET", url) as got:
            if got.next_request is not None:
                url = str(got.next_request.url)
                continue
            if got.status_code != 200:
                raise FileError(f"{_shown(url)} answers {got.status_code}.", status=400)
            content = bytearray()
            async for piece in got.aiter_bytes():
                content += piece
                if len(content) > ATTACHMENT_BYTES:
                    break
            name = unquote(urlsplit(url).path.rpartition("/")[2])
            return Fetched(name, bytes(content[: ATTACHMENT_BYTES + 1]), got.headers.get("content-type"))
    raise FileError(f"{_shown(url)} leads on and on.", status=400)


def _is_of_the_web(url: str) -> bool:
    try:
        urlsplit(url)  # takes less than httpx does
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return False
    return parsed.scheme in ("http", "https") and bool(parsed.host) and 0 < (parsed.port or 80) < 65_536


def _shown(url: str) -> str:
    """Give an address without what may be secret in it."""
    return url.partition("?")[0][:200] if "@" not in url else "The address"
