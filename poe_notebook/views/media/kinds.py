"""What a file is shown as, by its type and, for images, by its first bytes.

A type that a bot names is only a claim: it chooses the player, never what the browser is told, which is one of the
types listed here. Types: Poe's functional guides 2026, and what browsers play besides.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Literal, NamedTuple

import imagesize

__all__ = ["Kind", "Look", "look_of"]

Kind = Literal["image", "drawing", "audio", "video", "pdf", "text", "other"]
"""``drawing`` is SVG, which can hold scripts and take a browser down, and is shown in a frame."""

IMAGE_PIXELS = 50_000_000  # 200 MB once decoded; a photograph of a good camera has 24 to 45 million
IMAGE_SIDE = 16_384  # pixels; what browsers and graphics cards take
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a PNG, by its colour type
_AUDIO = {
    **{f"audio/{name}": f"audio/{name}" for name in ("mpeg", "wav", "mp4", "webm", "ogg", "flac", "aac")},
    **{"audio/mp3": "audio/mpeg", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav", "audio/x-m4a": "audio/mp4"},
}
_VIDEO = {
    **{f"video/{name}": f"video/{name}" for name in ("mp4", "mpeg", "webm", "ogg", "x-msvideo", "x-ms-wmv", "x-flv")},
    **{"video/quicktime": "video/mp4", "video/mpg": "video/mpeg", "video/avi": "video/x-msvideo"},
}
_TEXT = ("application/json", "application/xml", "application/yaml", "application/x-yaml", "application/toml")
_CODE = (
    "application/javascript",
    "application/x-python",
    "application/x-sh",
    "application/sql",
    "application/x-ndjson",
)


class Look(NamedTuple):
    """How to show a file: its kind, the type to tell the browser, and an image's width and height in pixels."""

    kind: Kind
    mime: str = "application/octet-stream"
    width: int = 0
    height: int = 0


def look_of(content_type: str, data: bytes) -> Look:
    """Choose how to show a file."""
    claimed = content_type.partition(";")[0].strip().lower()
    if claimed == "image/svg+xml":
        return Look("drawing")  # under its own type, a page made of its bytes could run its scripts as the notebook's
    if claimed.startswith("image/"):
        return _image(data)
    if claimed in _AUDIO:
        return Look("audio", _AUDIO[claimed])
    if claimed in _VIDEO:
        return Look("video", _VIDEO[claimed])
    if claimed == "application/pdf" and data[:1024].find(b"%PDF-") >= 0:
        return Look("pdf", "application/pdf")
    if (claimed.startswith("text/") or claimed in _TEXT + _CODE) and b"\0" not in data[:4096]:
        return Look("text")
    return Look("other")


def _image(data: bytes) -> Look:
    mime = _image_type(data[:16])
    if not mime:
        return Look("other")
    try:
        width, height = imagesize.get(io.BytesIO(data))
    except (ValueError, LookupError, OverflowError, struct.error):
        return Look("other")
    is_fit = 0 < width <= IMAGE_SIDE and 0 < height <= IMAGE_SIDE and width * height <= IMAGE_PIXELS
    is_fit = is_fit and (mime != "image/png" or _has_a_row(data, int(width)))
    return Look("image" if is_fit else "other", mime, int(width), int(height))


def _has_a_row(png: bytes, width: int) -> bool:
    """Whether a PNG holds at least one row of pixels: a browser shows one that holds none as a black hole."""
    depth, colour = png[24:26] if len(png) > 25 else b"\0\0"
    wanted = (width * depth * _CHANNELS.get(colour, 1) + 7) // 8 + 1
    unpacked, at, got = zlib.decompressobj(), 8, 0
    while at + 8 <= len(png):
        size, name = struct.unpack_from(">I4s", png, at)
        if name == b"IDAT":
            try:
                got += len(unpacked.decompress(png[at + 8 : at + 8 + size], wanted))
            except zlib.error:
                return False
            if got >= wanted:
                return True
        at += size + 12
    return False


def _image_type(head: bytes) -> str:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    return ""
