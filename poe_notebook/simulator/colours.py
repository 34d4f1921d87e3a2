"""Names for colours, by hue, lightness and saturation; plain words, the same for the same colour always."""

from __future__ import annotations

import colorsys
from functools import lru_cache

__all__ = ["colour_name"]

_HUES = (
    (15, "red"),
    (42, "orange"),
    (68, "yellow"),
    (165, "green"),
    (195, "turquoise"),
    (258, "blue"),
    (310, "violet"),
    (345, "pink"),
    (361, "red"),
)
_GREY_SATURATION = 0.12


@lru_cache(maxsize=4096)
def colour_name(red: int, green: int, blue: int) -> str:
    """Name a colour given by its parts, 0 to 255."""
    hue, lightness, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    if lightness < 0.08:
        return "black"
    if lightness > 0.95:
        return "white"
    if saturation < _GREY_SATURATION:
        return _shaded("grey", lightness)
    name = next(name for end, name in _HUES if hue * 360 < end)
    if name == "orange" and lightness < 0.4:
        return "brown"
    if name == "red" and lightness > 0.72:
        name = "pink"
    return _shaded(name, lightness)


def _shaded(name: str, lightness: float) -> str:
    if lightness < 0.3:
        return f"dark {name}"
    return f"light {name}" if lightness > 0.72 else name
