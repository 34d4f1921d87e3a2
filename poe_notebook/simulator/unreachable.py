"""Files that stand in for addresses that cannot be reached from here, so that a guide that names one runs offline.

Only for what has no answer at all (no network, no such host) on the web outside this machine, and each says in itself
what it is: images and videos in their pictures, a text in its words, a sound in its file name.
"""

from __future__ import annotations

import io
import math
import mimetypes
import struct
import wave
from importlib.resources import files
from urllib.parse import urlsplit

__all__ = ["file_for_unreachable"]

_SIZE = (640, 360)
_PAPER, _INK, _LINE = (238, 240, 243), (60, 64, 72), (150, 156, 166)
_RATE_HZ, _TONE_HZ, _TONE_S = 16_000, 440.0, 1.0


def file_for_unreachable(url: str) -> tuple[str, bytes] | None:
    """Give a labelled file, its name and content, of the kind that the address's name says; none for other kinds."""
    name = urlsplit(url).path.rpartition("/")[2] or "file"
    kind = mimetypes.guess_type(name)[0] or ""
    words = f"Stand-in for {url[:200]}, which the simulator cannot reach from here."
    if kind.startswith("image/") and kind != "image/svg+xml":
        return name.rpartition(".")[0] + ".png", _picture(words)
    if kind.startswith("audio/"):
        return f"stand-in for {name.rpartition('.')[0]}.wav", _tone()
    if kind.startswith("video/"):
        return name.rpartition(".")[0] + ".mp4", files(__package__).joinpath("media/unreachable.mp4").read_bytes()
    return (name, words.encode()) if kind.startswith("text/") else None


def _picture(words: str) -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", _SIZE, _PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((8, 8, _SIZE[0] - 9, _SIZE[1] - 9), outline=_LINE)
    lines = [words[start : start + 60] for start in range(0, len(words), 60)]
    pen.multiline_text((32, _SIZE[1] // 2 - 10 * len(lines)), "\n".join(lines), fill=_INK, spacing=8)
    raw = io.BytesIO()
    image.save(raw, format="PNG")
    return raw.getvalue()


def _tone() -> bytes:
    count = int(_RATE_HZ * _TONE_S)
    steps = (
        math.sin(2 * math.pi * _TONE_HZ * n / _RATE_HZ) * min(1.0, n / 800, (count - n) / 800) for n in range(count)
    )
    raw = io.BytesIO()
    with wave.open(raw, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE_HZ)
        sound.writeframes(b"".join(struct.pack("<h", int(8_000 * step)) for step in steps))
    return raw.getvalue()
