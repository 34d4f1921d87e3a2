"""Small pictures and first lines of attached files, out of bytes that somebody has at hand: nothing is fetched here.

Pictures are shown only in the forms that browsers decode without running anything, and only with a bounded number of
pixels, since what is small as a file can fill a page's memory.
"""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from poe_notebook.views.html import escape
from poe_notebook.views.wording import excerpt, size

__all__ = ["Previews", "bytes_at", "picture_size", "preview_html", "preview_text"]

Previews = Mapping[str, bytes]
"""The bytes behind addresses, as far as they are at hand."""

_PICTURE_BYTES, _PICTURE_PIXELS = 1_500_000, 40_000_000
_TEXT_CHARS = 400
_DATA_CHARS = 4_000_000
_TEXTUAL = ("text/", "application/json", "application/xml", "application/csv")


def bytes_at(url: str, previews: Previews) -> bytes | None:
    """Give the bytes behind an address: at hand, or in the address itself."""
    if url in previews:
        return previews[url]
    if not url.startswith("data:") or len(url) > _DATA_CHARS:
        return None
    head, _, body = url.partition(",")
    try:
        return base64.b64decode(body, validate=True) if head.endswith(";base64") else unquote_to_bytes(body)
    except (binascii.Error, ValueError):
        return None


def preview_html(name: str, content_type: str, raw: bytes) -> str:
    """Give a picture as HTML; nothing for what is no picture to be shown."""
    found = picture_size(raw)
    if found is None or len(raw) > _PICTURE_BYTES or found[1] * found[2] > _PICTURE_PIXELS:
        return ""
    mime, wide, high = found
    words = f"{excerpt(name, 80)}: {wide:,} × {high:,} pixels, {size(len(raw))}"
    source = f"data:{mime};base64,{base64.b64encode(raw).decode('ascii')}"
    return (
        f'<figure class="poe-inspect-picture"><img src="{source}" alt="{escape(words)}">'
        f'<figcaption class="poe-muted">{escape(words)}</figcaption></figure>'
    )


def preview_text(name: str, content_type: str, raw: bytes) -> str:
    """Give the first lines of a file that is text, and the measures of any other."""
    found = picture_size(raw)
    if found is not None:
        return f"{found[1]:,} × {found[2]:,} pixels, {size(len(raw))}"
    if content_type.startswith(_TEXTUAL):
        text = raw[: 4 * _TEXT_CHARS].decode("utf-8", "replace")
        rest = "…" if len(raw) > 4 * _TEXT_CHARS or len(text) > _TEXT_CHARS else ""
        return excerpt(text[:_TEXT_CHARS], _TEXT_CHARS, lines=True) + rest
    return size(len(raw))


def picture_size(raw: bytes) -> tuple[str, int, int] | None:
    """Tell a picture's type, width and height from its head: PNG, GIF, JPEG or WebP; none for anything else."""
    form = next((form for begin, form in _FORMS.items() if raw.startswith(begin)), None)
    if form is None or (form == "WEBP" and raw[8:12] != b"WEBP"):
        return None
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # nothing is decoded here
            with Image.open(io.BytesIO(raw), formats=[form]) as picture:
                return f"image/{form.lower()}", *picture.size
    except Exception:  # Pillow raises whatever its own code meets in a broken file
        return None


_FORMS = {b"\x89PNG\r\n\x1a\n": "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF", b"\xff\xd8\xff": "JPEG", b"RIFF": "WEBP"}
"""How the files begin, and what Pillow calls their form."""
