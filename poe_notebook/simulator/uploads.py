"""``POST /poe_api/file_upload_3RD_PARTY_POST`` of the simulated Poe: a file by its bytes, or by an address to fetch.

Wire format: fastapi_poe 0.0.83; ``message_id`` and ``is_inline``, which clients before 0.0.63 send, are accepted and
mean nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from poe_notebook.protocol.limits import ATTACHMENT_BYTES
from poe_notebook.simulator.accounts import Accounts
from poe_notebook.simulator.fetching import Fetched, fetched
from poe_notebook.simulator.files import FileError, FileStore
from poe_notebook.simulator.requests import json_response, raw_key, refusal

__all__ = ["Uploads"]

_FETCH_S, _BODY_S = 30.0, 120.0
_MAX_FIELDS, _FORM_BYTES = 20, 100_000
_UNNAMED = "file"

# What it says of malformed forms would stand in a cell; who sent one is answered instead.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())


class Uploads:
    """Takes files. ``address`` gives the simulator's own."""

    def __init__(self, files: FileStore, accounts: Accounts, *, address: Callable[[], str]) -> None:
        self._files, self._accounts, self._address = files, accounts, address

    async def __call__(self, request: Request) -> Response:
        """Take one file."""
        if not self._accounts.is_known(raw_key(request)):
            return refusal(401, "The key in the header Authorization is no API key and no bot's access key.")
        try:
            found = await _read(request)
            file = await asyncio.to_thread(
                self._files.add, found.content, name=found.name, content_type=found.content_type
            )
        except HTTPException as error:
            return refusal(error.status_code, f"The form cannot be read: {error.detail}")
        except TimeoutError:
            return refusal(408, f"The form did not come within {_BODY_S:g} s.")
        except FileError as error:
            return refusal(error.status, str(error))
        url = self._files.url(file, self._address())
        return json_response({"attachment_url": url, "mime_type": file.content_type, "file_id": file.file_id})


async def _read(request: Request) -> Fetched:
    """Read the form, which can be no larger than a file and little more, and the file in it or at its address."""
    bounded = Request(request.scope, _Bounded(request, ATTACHMENT_BYTES + _FORM_BYTES).receive)
    async with asyncio.timeout(_BODY_S), bounded.form(max_files=1, max_fields=_MAX_FIELDS) as form:
        return await _content(form)


class _Bounded:
    """A request's body, up to so many bytes."""

    def __init__(self, request: Request, most_bytes: int) -> None:
        self._request, self._left_bytes = request, most_bytes

    async def receive(self) -> Message:
        message = await self._request.receive()
        self._left_bytes -= len(message.get("body", b""))
        if self._left_bytes < 0:
            raise FileError(
                "The form is too large.", status=413, why=f"Poe takes files of {ATTACHMENT_BYTES / 1e6:g} MB at most."
            )
        return message


async def _content(form: FormData) -> Fetched:
    file, url = form.get("file"), form.get("download_url")
    if isinstance(file, UploadFile):
        return Fetched(file.filename or _UNNAMED, await file.read(ATTACHMENT_BYTES + 1), None)
    if isinstance(url, str) and url:
        given, found = form.get("download_filename"), await fetched(url, within_s=_FETCH_S, may_stand_in=True)
        return found._replace(name=(given if isinstance(given, str) and given else found.name) or _UNNAMED)
    raise FileError("There is no file and no download_url in the form.", status=400)
