"""What the simulator says of an image where Poe would let a model describe it: its format, size and colours.

It says of itself that no model looked. Nothing of a file's metadata (place, camera, author) is told. Pillow reads the
image; one that would take too much memory is refused by its size, before any of its pixels is read.
"""

from __future__ import annotations

import io
from typing import Any

from poe_notebook.simulator.colours import colour_name
from poe_notebook.simulator.file_names import content_type_of

__all__ = ["describe_image"]

_MOST_PIXELS = 50_000_000
_SAMPLE_PIXELS = 96
_COLOURS, _LEAST_SHARE = 4, 0.06
_SEPARATOR = "***"


def describe_image(content: bytes, *, name: str) -> str:
    """Give ``<file name>***<description>``, as Poe fills ``parsed_content`` of an image. Blocks. Never fails."""
    described = _described(content)
    label = "Described by the Poe simulator, without a model, from the file alone: "
    return f"{name.replace(_SEPARATOR, '* * *')}{_SEPARATOR}{label}{described}"


def _described(content: bytes) -> str:
    try:
        with _opened(content) as image:
            width, height = image.size
            if width * height > _MOST_PIXELS:
                return f"an image of {width:,} × {height:,} pixels, which is too large to be looked at."
            frames = getattr(image, "n_frames", 1) if getattr(image, "is_animated", False) else 1
            return _sentence(image, frames)
    except Exception:  # Pillow raises whatever its own code meets in a broken file
        return "a file that the simulator cannot read as an image."


def _opened(content: bytes) -> Any:
    """Open an image by its own class: ``Image.open`` would warn on standard error of what is refused here anyway."""
    from PIL import GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

    classes: dict[str, Any] = {
        "image/png": PngImagePlugin.PngImageFile,
        "image/jpeg": JpegImagePlugin.JpegImageFile,
        "image/gif": GifImagePlugin.GifImageFile,
        "image/webp": WebPImagePlugin.WebPImageFile,
    }
    return classes[content_type_of(content, "")](io.BytesIO(content))


def _sentence(image: Any, frames: int) -> str:
    width, height = image.size
    kind = f"an animated {image.format} image of {frames} frames" if frames > 1 else f"a {image.format} image"
    kind = kind.replace("WEBP", "WebP")
    return f"{kind}, {width} × {height} pixels ({_shape(width, height)}), {_colours(image)}."


def _shape(width: int, height: int) -> str:
    if width == height:
        return "square"
    return "landscape" if width > height else "portrait"


def _colours(image: Any) -> str:
    """Name the colours that fill the most of the first frame."""
    image.draft("RGB", (_SAMPLE_PIXELS, _SAMPLE_PIXELS))  # lets a JPEG be read at a fraction of its size
    if image.mode in ("L", "RGB", "RGBA"):
        image = image.reduce(max(1, min(image.size) // _SAMPLE_PIXELS))
    raw = image.convert("RGBA").resize((_SAMPLE_PIXELS, _SAMPLE_PIXELS)).tobytes()
    seen = [raw[start : start + 3] for start in range(0, len(raw), 4) if raw[start + 3] > 127]
    if not seen:
        return "wholly transparent"
    shares: dict[str, int] = {}
    for pixel in seen:
        colour = colour_name(*pixel)
        shares[colour] = shares.get(colour, 0) + 1
    largest = sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:_COLOURS]
    named = [f"{name} ({count / len(seen):.0%})" for name, count in largest if count >= _LEAST_SHARE * len(seen)]
    transparent = 1 - len(seen) / _SAMPLE_PIXELS**2
    rest = f"; {transparent:.0%} of it is transparent" if transparent >= 0.01 else ""
    return f"mostly {', '.join(named)}{rest}" if named else f"of many colours{rest}"
