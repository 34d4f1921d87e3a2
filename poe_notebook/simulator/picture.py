"""A picture drawn from the words of a prompt: the same words give the same picture, byte for byte.

Words that name a colour choose the palette, some nouns choose a motif, all others decide where things stand.
"""

from __future__ import annotations

import colorsys
import hashlib
import io
import math
import random
import textwrap
import unicodedata
from typing import Any, TypeAlias

from poe_notebook.simulator.words import bare, words

__all__ = ["draw", "size_of"]

Colour: TypeAlias = tuple[int, int, int]

_LONG_SIDE, _LEAST_SIDE = 768, 256
_OVERSAMPLED = 2
"""Drawn twice as large and scaled down, since Pillow draws edges without smoothing."""
_HUES = {
    "red": 0, "crimson": 350, "orange": 28, "autumn": 24, "fire": 18, "sunset": 20, "gold": 46, "yellow": 52,
    "desert": 38, "green": 120, "forest": 140, "spring": 95, "turquoise": 178, "sea": 200, "ocean": 205, "blue": 218,
    "sky": 208, "winter": 205, "night": 240, "violet": 270, "purple": 282, "pink": 330, "rose": 340,
}  # fmt: skip
_WATER = frozenset(
    {"sea", "ocean", "lake", "river", "beach", "boat", "ship", "water", "heron", "fish", "whale", "island"}
)
_TOWN = frozenset({"city", "town", "house", "street", "tower", "castle", "skyline", "building", "village", "robot"})
_NIGHT = frozenset({"night", "moon", "star", "space", "dark", "galaxy", "midnight", "planet"})


def size_of(width: float, height: float) -> tuple[int, int]:
    """Give the size in pixels of a picture of these proportions, which are bounded."""
    ratio = min(max(width / height, 1 / 3), 3.0)
    short = max(_LEAST_SIDE, round(_LONG_SIDE / max(ratio, 1 / ratio) / 8) * 8)
    return (_LONG_SIDE, short) if ratio >= 1 else (short, _LONG_SIDE)


def draw(prompt: str, *, size: tuple[int, int], label: str) -> bytes:
    """Draw a PNG with the prompt as its caption and ``label`` below it. Blocks, for a tenth of a second or so."""
    from PIL import Image, ImageDraw

    said = {bare(word) for word in words(prompt)}
    chance = random.Random(hashlib.sha256(" ".join(words(prompt)).encode()).digest())
    is_night = bool(said & _NIGHT)
    hue = _hue(prompt, chance)
    large = (size[0] * _OVERSAMPLED, size[1] * _OVERSAMPLED)
    image = _gradient(large, *_sky(hue, is_night=is_night))
    pen = ImageDraw.Draw(image, "RGBA")
    _draw_light(pen, large, chance, is_night=is_night)
    _draw_land(pen, large, chance, hue, is_night=is_night)
    if said & _TOWN:
        _draw_town(pen, large, chance, hue, is_night=is_night)
    elif not said & _WATER:
        _draw_trees(pen, large, chance, hue, is_night=is_night)
    if said & _WATER:
        _draw_water(pen, large, chance, hue, is_night=is_night)
    image = image.resize(size, Image.Resampling.BOX)
    _write(image, prompt, label)
    written = io.BytesIO()
    image.save(written, "PNG", optimize=False)
    return written.getvalue()


def _hue(prompt: str, chance: random.Random) -> float:
    named = [_HUES[word] for word in words(prompt) if word in _HUES]
    return (named[0] if named else chance.randrange(360)) / 360


def _colour(hue: float, saturation: float, lightness: float) -> Colour:
    parts = colorsys.hls_to_rgb(hue % 1, min(max(lightness, 0), 1), min(max(saturation, 0), 1))
    red, green, blue = (round(part * 255) for part in parts)
    return red, green, blue


def _sky(hue: float, *, is_night: bool) -> tuple[Colour, Colour]:
    if is_night:
        return _colour(hue, 0.55, 0.08), _colour(hue + 0.06, 0.5, 0.28)
    return _colour(hue, 0.62, 0.58), _colour(hue + 0.1, 0.8, 0.87)


def _gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Any:
    from PIL import Image

    column = Image.new("RGB", (1, 256))
    for row in range(256):
        column.putpixel((0, row), tuple(round(a + (b - a) * row / 255) for a, b in zip(top, bottom, strict=True)))
    return column.resize(size, Image.Resampling.BILINEAR)


def _draw_light(pen: Any, size: tuple[int, int], chance: random.Random, *, is_night: bool) -> None:
    """Draw the sun with its glow, or the moon among stars."""
    width, height = size
    x, y = width * chance.uniform(0.18, 0.82), height * chance.uniform(0.16, 0.36)
    radius = min(size) * chance.uniform(0.07, 0.11)
    if is_night:
        for _ in range(90):
            star = chance.uniform(1, 3.2)
            at = (chance.uniform(0, width), chance.uniform(0, height * 0.7))
            pen.ellipse(_box(*at, star), fill=(255, 255, 245, chance.randrange(120, 255)))
    for ring in range(6, 0, -1):
        pen.ellipse(_box(x, y, radius * (1 + ring * 0.42)), fill=(255, 250, 225, 14))
    pen.ellipse(_box(x, y, radius), fill=(255, 252, 236, 255) if not is_night else (236, 238, 246, 255))
    if is_night:
        pen.ellipse(_box(x - radius * 0.3, y - radius * 0.2, radius * 0.18), fill=(210, 214, 228, 255))
        pen.ellipse(_box(x + radius * 0.25, y + radius * 0.3, radius * 0.25), fill=(214, 218, 230, 255))


def _draw_land(pen: Any, size: tuple[int, int], chance: random.Random, hue: float, *, is_night: bool) -> None:
    """Draw ridges, the nearer the darker."""
    width, height = size
    for layer in range(4):
        base = height * (0.5 + 0.11 * layer)
        waves = [(chance.uniform(0.6, 2.6), chance.uniform(0, math.tau), chance.uniform(0.02, 0.07)) for _ in range(3)]
        points = [(x, base + height * _wave(x / width, waves)) for x in range(0, width + 1, 8)]
        lightness = (0.2 - 0.045 * layer) if is_night else (0.66 - 0.13 * layer)
        colour = _colour(hue + 0.03 + 0.035 * layer, 0.34, lightness)
        pen.polygon([(0, height), *points, (width, height)], fill=(*colour, 255))


def _wave(x: float, waves: list[tuple[float, float, float]]) -> float:
    return sum(depth * math.sin(math.tau * frequency * x + phase) for frequency, phase, depth in waves)


def _draw_trees(pen: Any, size: tuple[int, int], chance: random.Random, hue: float, *, is_night: bool) -> None:
    width, height = size
    for _ in range(16):
        x, foot = chance.uniform(0, width), height * chance.uniform(0.78, 0.95)
        tall = height * chance.uniform(0.07, 0.15)
        colour = _colour(hue + 0.12, 0.36, 0.1 if is_night else chance.uniform(0.19, 0.27))
        for step in range(3):
            top = foot - tall + tall * 0.25 * step
            half = tall * (0.16 + 0.07 * step)
            pen.polygon([(x, top), (x - half, top + tall * 0.42), (x + half, top + tall * 0.42)], fill=(*colour, 255))
        pen.rectangle((x - tall * 0.03, foot - tall * 0.1, x + tall * 0.03, foot + tall * 0.05), fill=(*colour, 255))


def _draw_town(pen: Any, size: tuple[int, int], chance: random.Random, hue: float, *, is_night: bool) -> None:
    width, height = size
    x = 0.0
    while x < width:
        wide, tall = width * chance.uniform(0.05, 0.1), height * chance.uniform(0.16, 0.42)
        colour = _colour(hue + 0.05, 0.2, chance.uniform(0.07, 0.12) if is_night else chance.uniform(0.24, 0.36))
        top = height * 0.9 - tall
        pen.rectangle((x, top, x + wide * 0.92, height * 0.95), fill=(*colour, 255))
        for row in range(int(tall / (height * 0.045))):
            for place in range(3):
                if chance.random() < 0.55:
                    left, upper = x + wide * (0.14 + 0.26 * place), top + height * (0.02 + 0.045 * row)
                    pen.rectangle((left, upper, left + wide * 0.13, upper + height * 0.02), fill=(255, 226, 150, 210))
        x += wide


_BOAT = (
    (((-2.0, 0.0), (2.0, 0.0), (1.3, 0.8), (-1.3, 0.8)), (70, 42, 34, 255)),
    (((0.0, -3.4), (0.0, -0.2), (1.6, -0.2)), (250, 247, 240, 255)),
    (((-0.2, -2.8), (-0.2, -0.2), (-1.3, -0.2)), (232, 226, 214, 255)),
)
"""Hull, mainsail and jib, in units of the boat's own."""


def _draw_water(pen: Any, size: tuple[int, int], chance: random.Random, hue: float, *, is_night: bool) -> None:
    """Draw water with glints on it, and a boat with a sail."""
    width, height = size
    shore = height * 0.74
    pen.rectangle((0, shore, width, height), fill=(*_colour(hue + 0.02, 0.5, 0.16 if is_night else 0.45), 255))
    for _ in range(70):
        y = chance.uniform(shore + 4, height)
        x, long = chance.uniform(-0.1, 1) * width, width * chance.uniform(0.02, 0.1)
        pen.line((x, y, x + long, y), fill=(255, 255, 255, chance.randrange(25, 70)), width=3)
    x, y, unit = width * chance.uniform(0.3, 0.7), height * 0.8, min(size) * 0.05
    for shape, colour in _BOAT:
        pen.polygon([(x + right * unit, y + down * unit) for right, down in shape], fill=colour)


def _write(image: Any, prompt: str, label: str) -> None:
    """Write the caption and the label on a dark band at the foot."""
    from PIL import ImageDraw, ImageFont

    width, height = image.size
    large, small = max(13, width // 36), max(10, width // 62)
    lines = textwrap.wrap(_drawable(prompt), max(16, int(width / (large * 0.52))), max_lines=2, placeholder=" ...")
    pen = ImageDraw.Draw(image, "RGBA")
    step = round(large * 1.3)
    band = step * len(lines) + round(small * 2.2) + 10
    pen.rectangle((0, height - band, width, height), fill=(12, 14, 22, 168))
    for number, line in enumerate(lines):
        at = (14, height - band + 8 + step * number)
        pen.text(at, line, font=ImageFont.load_default(large), fill=(255, 255, 255, 240))
    at = (14, height - round(small * 1.9))
    pen.text(at, _drawable(label), font=ImageFont.load_default(small), fill=(255, 255, 255, 170))


def _drawable(text: str) -> str:
    """Give a text in the signs that Pillow's own font has."""
    return " ".join(unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().split()) or "Untitled"


def _box(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return x - radius, y - radius, x + radius, y + radius
