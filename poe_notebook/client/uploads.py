"""Uploading a file to Poe, from memory, from disk or from an address, for an answer or a message to refer to.

The file is read once and off the loop, so that every try sends all of it; nothing that the caller opened is closed.
Wire format and names as in fastapi_poe 0.0.83; the size limit is that of Poe's guides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from poe_notebook.client.decoding import json_object
from poe_notebook.client.endpoints import (
    MALFORMED,
    base_address,
    failure,
    is_local,
    key_fault,
    refusal,
)
from poe_notebook.client.file_content import AttachmentUploadError, File, content_of, name_of
from poe_notebook.client.pool import client_for_this_loop
from poe_notebook.client.retries import OnError
from poe_notebook.client.sync import refuse_session_of_running_loop, run
from poe_notebook.errors import InvalidParameterError
from poe_notebook.protocol.messages import Attachment

__all__ = ["UPLOAD_HOST", "AttachmentUploadError", "upload_file", "upload_file_sync"]

UPLOAD_HOST = "https://www.quora.com"
_UNDER, _ENDPOINT = "/poe_api", "file_upload_3RD_PARTY_POST"
_TIMEOUT = httpx.Timeout(120.0, connect=10.0)
_UNNAMED = "file"
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})


async def upload_file(
    file: File | None = None,
    file_url: str | None = None,
    file_name: str | None = None,
    api_key: str = "",
    *,
    session: httpx.AsyncClient | None = None,
    on_error: OnError | None = None,
    num_tries: int = 2,
    retry_sleep_time: float = 0.5,
    base_url: str | None = None,
    extra_headers: Mapping[str, str] | None = None,
) -> Attachment:
    """Upload a file to Poe, or have Poe download it from ``file_url``, and give the attachment to yield or to send.

    ``api_key`` is your API key, or in a handler ``request.access_key``. A path or an opened file has a name of its
    own; with bytes or a text ``file_name`` is needed. Tried again, up to ``num_tries`` times and ``retry_sleep_time``
    seconds apart, unless Poe refuses the file; ``on_error`` hears of each failed try.

    Raises ``InvalidParameterError`` (a ``ValueError``) for arguments that do not go together,
    ``AttachmentUploadError`` for all else.
    """
    _check_key(api_key)
    form = await _form(file, file_url, name=file_name)
    address = f"{base_address(base_url, under=_UNDER, host=UPLOAD_HOST)}/{_ENDPOINT}"
    call = _Call(address, form=form, key=api_key.strip(), extra_headers=extra_headers or {}, session=session)
    attempt = 1
    while True:
        try:
            return await _upload(call)
        except AttachmentUploadError as error:
            if on_error is not None:
                on_error(error, f"upload attempt {attempt}/{max(num_tries, 1)} failed")
            if attempt >= num_tries or not error.allow_retry:
                raise
        await asyncio.sleep(retry_sleep_time)
        attempt += 1


def upload_file_sync(
    file: File | None = None,
    file_url: str | None = None,
    file_name: str | None = None,
    api_key: str = "",
    *,
    session: httpx.AsyncClient | None = None,
    on_error: OnError | None = None,
    num_tries: int = 2,
    retry_sleep_time: float = 0.5,
    base_url: str | None = None,
    extra_headers: Mapping[str, str] | None = None,
) -> Attachment:
    """Do what ``upload_file`` does, and wait for it: in a script, in a thread, in a cell.

    Raises ``InvalidParameterError`` (a ``ValueError``) for a ``session`` given where a loop runs.
    """
    refuse_session_of_running_loop(session)
    return run(
        upload_file(
            file,
            file_url,
            file_name,
            api_key,
            session=session,
            on_error=on_error,
            num_tries=num_tries,
            retry_sleep_time=retry_sleep_time,
            base_url=base_url,
            extra_headers=extra_headers,
        )
    )


def _check_key(api_key: str) -> None:
    fault = key_fault(api_key)
    if fault:
        raise InvalidParameterError(
            f"An upload needs a key, and {fault}.",
            why="In a handler that is request.access_key, elsewhere your API key: https://poe.com/api_key",
            now="Pass api_key=...",
        )


@dataclass(frozen=True, slots=True)
class _Form:
    """The attachment's name, and what httpx is to make the body of."""

    name: str
    fields: Mapping[str, Any] = field(repr=False)


async def _form(file: File | None, file_url: str | None, *, name: str | None) -> _Form:
    if file is not None and file_url:
        raise InvalidParameterError("Both file and file_url are given.", now="Pass one of the two.")
    if file is not None:
        sent_name = name_of(file, given=name)
        content = await asyncio.to_thread(content_of, file, name=sent_name)
        return _Form(sent_name, {"files": {"file": (sent_name, content)}})
    if not file_url:
        raise InvalidParameterError("There is nothing to upload: neither file nor file_url is given.")
    fields = {"download_url": file_url}
    if name:
        fields["download_filename"] = name
    return _Form(name or _UNNAMED, {"data": fields})


class _Call:
    """One upload, to be tried as often as need be."""

    def __init__(
        self,
        address: str,
        *,
        form: _Form,
        key: str,
        extra_headers: Mapping[str, str],
        session: httpx.AsyncClient | None,
    ) -> None:
        self.address, self.form, self.key, self.session = address, form, key, session
        # Raw, without a scheme. httpx.Headers, since it hides the key when a traceback shows a frame's variables.
        self.headers = httpx.Headers({"Authorization": key})
        self.headers.update(extra_headers)

    @property
    def options(self) -> dict[str, Any]:
        return {"timeout": _TIMEOUT} if self.session is None else {}


async def _upload(call: _Call) -> Attachment:
    http = call.session or client_for_this_loop(is_local=is_local(call.address))
    try:
        response = await http.post(call.address, headers=call.headers, **call.form.fields, **call.options)
    except MALFORMED:
        raise AttachmentUploadError(
            f"{call.form.name} cannot be uploaded to {call.address}.", why="The address or a header is malformed."
        ) from None
    except httpx.HTTPError as error:
        raise AttachmentUploadError(
            f"{call.form.name} was not uploaded to {call.address}: {failure(error, key=call.key)}.", allow_retry=True
        ) from error
    return _attachment(response, call)


def _attachment(response: httpx.Response, call: _Call) -> Attachment:
    status = response.status_code
    if status != 200:
        raise AttachmentUploadError(
            f"{call.form.name} was not uploaded. Poe answered {refusal(response, key=call.key)}",
            why="The key was not accepted." if status in (401, 403) else "",
            allow_retry=not 400 <= status < 500 or status in _WORTH_ANOTHER_TRY,
        )
    uploaded = json_object(response.content)
    url, content_type = uploaded.get("attachment_url"), uploaded.get("mime_type")
    if not (isinstance(url, str) and isinstance(content_type, str)):
        raise AttachmentUploadError(
            f"Poe answered the upload of {call.form.name} with {refusal(response, key=call.key)}",
            why="The answer to an upload is a JSON object with attachment_url and mime_type.",
            allow_retry=True,
        )
    return Attachment(url=url, content_type=content_type, name=call.form.name)
