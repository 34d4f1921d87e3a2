"""Posting a file with an answer: what is meant found out, the file uploaded, and its answer told of it.

Rules: fastapi_poe 0.0.83, ``PoeBot.post_message_attachment``, and Poe's functional guides, "Sending files with your
response" (2023-12 to 2026). More is taken than there: whatever ``upload_file`` takes, texts and paths among it.
"""

from __future__ import annotations

import logging
import secrets
import string
import warnings
from contextlib import nullcontext
from typing import Any
from urllib.parse import unquote, urlsplit

from poe_notebook.bot.files import AnswerFiles, files_of
from poe_notebook.errors import InvalidParameterError
from poe_notebook.protocol.responses import AttachmentUploadResponse

__all__ = ["generate_inline_ref", "get_filename_from_url", "post_file"]

_REFERENCE_CHARS = 8
_UNNAMED = "downloaded_file"
_logger = logging.getLogger(__name__)


async def post_file(
    bot: Any,
    message_id: str | None,
    *,
    access_key: str | None = None,
    download_url: str | None = None,
    download_filename: str | None = None,
    file_data: Any = None,
    filename: str | None = None,
    content_type: str | None = None,
    is_inline: bool = False,
    base_url: str | None = None,
) -> AttachmentUploadResponse:
    """Upload a file by the bot's ``_upload_file`` and attach it to the answer of that message id.

    Raises ``InvalidParameterError`` for arguments that do not go together and for the twenty-first file of an answer,
    ``AttachmentUploadError`` if the upload fails or the file is too large.
    """
    files = files_of(bot, message_id)
    _check_source(download_url, file_data)
    key = _key(bot, access_key, files)
    _warn(bot, access_key=access_key, content_type=content_type)
    name = filename or download_filename
    with nullcontext() if files is None else files.room():
        uploaded = await bot._upload_file(
            file=file_data, file_url=download_url, file_name=name, api_key=key, base_url=base_url
        )
    name = name or (get_filename_from_url(download_url) if download_url else uploaded.name)
    reference = generate_inline_ref() if is_inline else None
    data = {"url": uploaded.url, "content_type": uploaded.content_type, "name": name, "inline_ref": reference}
    if files is None or not files.is_open:
        _logger.warning("%s was uploaded but goes with no answer: none is being given as %r.", name, message_id)
    else:
        files.add(data)
    return AttachmentUploadResponse(attachment_url=uploaded.url, mime_type=uploaded.content_type, inline_ref=reference)


def generate_inline_ref() -> str:
    """Make a reference by which an answer's Markdown can place a file."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_REFERENCE_CHARS))


def get_filename_from_url(url: str) -> str:
    """Give the last part of a URL's path as a file's name."""
    return unquote(urlsplit(url).path.rpartition("/")[2]) or _UNNAMED


def _check_source(download_url: str | None, file_data: Any) -> None:
    if download_url and file_data is not None:
        raise InvalidParameterError("Both download_url and file_data are given.", now="Pass one of the two.")
    if not download_url and file_data is None:
        raise InvalidParameterError("There is no file: neither download_url nor file_data is given.")


def _key(bot: Any, given: str | None, files: AnswerFiles | None) -> str:
    """Find the key to upload with: the one given, the bot's own, the one that the query's server demands."""
    asked = files.access_key if files is not None else None
    key = given or getattr(bot, "access_key", None) or asked
    if not key:
        raise InvalidParameterError(
            "Uploading a file takes the bot's access key, and the bot has none.",
            why="Poe must know whose file it is.",
            now="Pass access_key=... to make_app or to the bot, or set POE_ACCESS_KEY.",
        )
    return str(key)


def _warn(bot: Any, *, access_key: str | None, content_type: str | None) -> None:
    if access_key and getattr(bot, "access_key", None):
        warnings.warn("The bot has an access key, so it need not be given.", DeprecationWarning, stacklevel=4)
    if content_type is not None:
        warnings.warn("content_type is not used: Poe finds out what a file is.", DeprecationWarning, stacklevel=4)
