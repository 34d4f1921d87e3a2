"""``POST /poe_api/file_upload_3RD_PARTY_POST`` of the simulated Poe: a file by its bytes, or by an address to fetch.

Wire format: fastapi_poe 0.0.83; ``message_id`` and ``is_inline``, which clients before 0.0.63 send, are accepted and
mean nothing.
"""

from __future__ import annotations

import asyncio
from urllib.parse import unquote, urlsplit

import httpx
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from poe_notebook.client.endpoints import is_local
from poe_notebook.client.pool import client_for_this_loop
from poe_notebook.protocol.limits import ATTACHMENT_BYTES
from poe_notebook.simulator.accounts import Accounts
from poe_notebook.simulator.files import FileError, FileStore
from poe_notebook.simulator.requests import raw_key, refusal
from poe_notebook.simulator.unreachable import file_for_unreachable

__all__ = ["Uploads"]

_FETCH_S = 30.0
_MAX_FIELDS = 20


class Uploads:
    """Takes files. ``address`` is the simulator's own."""

    def __init__(self, files: FileStore, accounts: Accounts) -> None:
        self._files, self._accounts = files, accounts

    async def __call__(self, request: Request) -> Response:
        """Take one file."""
        if not self._accounts.is_known(raw_key(request)):
            return refusal(401, "The key in the header Authorization is no API key and no bot's access key.")
        try:
            async with request.form(max_files=1, max_fields=_MAX_FIELDS) as form:
                name, content, content_type = await _content(form)
            file = await asyncio.to_thread(self._files.add, content, name=name, content_type=content_type)
        except HTTPException as error:
            return refusal(error.status_code, f"The form cannot be read: {error.detail}")
        except FileError as error:
            return refusal(error.status, str(error))
        base = str(request.base_url).rstrip("/")
        url = self._files.url(file, base)
        return JSONResponse({"attachment_url": url, "mime_type": file.content_type, "file_id": file.file_id})


async def _content(form: FormData) -> tuple[str, bytes, str | None]:
    file, url = form.get("file"), form.get("download_url")
    if isinstance(file, UploadFile):
        content = await file.read(ATTACHMENT_BYTES + 1)
        return file.filename or "file", content, None
    if isinstance(url, str) and url:
        given = form.get("download_filename")
        own, content, content_type = await _fetched(url)
        return (given if isinstance(given, str) and given else own) or "file", content, content_type
    raise FileError("There is no file and no download_url in the form.", status=400)


async def _fetched(url: str) -> tuple[str, bytes, str | None]:
    """Download a file; gives the name in its address, its content and its content type."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise FileError("The download_url is no address of the web.", status=400)
    content, is_here = bytearray(), is_local(url)
    try:
        async with asyncio.timeout(_FETCH_S), client_for_this_loop(is_local=is_here).stream("GET", url) as got:
            if got.status_code != 200:
                raise FileError(f"The download_url answers {got.status_code}.", status=400)
            async for piece in got.aiter_bytes():
                content += piece
                if len(content) > ATTACHMENT_BYTES:
                    break
            return unquote(urlsplit(url).path.rpartition("/")[2]), bytes(content), got.headers.get("content-type")
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
        instead = None if is_here else await asyncio.to_thread(file_for_unreachable, url)
        if instead is not None and isinstance(error, httpx.ConnectError | httpx.ProxyError | httpx.ConnectTimeout):
            return *instead, None
        raise FileError(
            f"The download_url cannot be fetched: {type(error).__name__}.",
            status=400,
            why="The simulator downloads it as Poe would, from this machine.",
        ) from None
