"""What files are shown as: by what they claim and what they are, and never under a type that could run."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from views_media import a_chunk, a_png

from poe_notebook.views.media.kinds import IMAGE_SIDE, look_of


@pytest.mark.parametrize(
    ("claimed", "data", "kind", "mime"),
    [
        ("image/png", a_png(3, 2), "image", "image/png"),
        ("image/jpeg", a_png(3, 2), "image", "image/png"),
        ("image/gif", b"GIF89a" + struct.pack("<HH", 3, 2), "image", "image/gif"),
        ("image/png", b"<script>alert(1)</script>", "other", "application/octet-stream"),
        ("image/png", b"", "other", "application/octet-stream"),
        ("image/svg+xml", b"<svg onload=alert(1)>", "drawing", "application/octet-stream"),
        ("audio/mp3", b"ID3", "audio", "audio/mpeg"),
        ("Audio/X-WAV; codecs=1", b"RIFF", "audio", "audio/wav"),
        ("video/quicktime", b"", "video", "video/mp4"),
        ("video/x-flv", b"", "video", "video/x-flv"),
        ("application/pdf", b"%PDF-1.7", "pdf", "application/pdf"),
        ("application/pdf", b"<html>", "other", "application/octet-stream"),
        ("text/html", b"<script>", "text", "application/octet-stream"),
        ("text/csv", b"a,b\n", "text", "application/octet-stream"),
        ("text/plain", b"a\0b", "other", "application/octet-stream"),
        ("application/json", b"{}", "text", "application/octet-stream"),
        ("application/zip", b"PK", "other", "application/octet-stream"),
        ("", b"anything", "other", "application/octet-stream"),
    ],
)
def test_a_file_is_shown_as_what_it_is(claimed: str, data: bytes, kind: str, mime: str) -> None:
    assert look_of(claimed, data)[:2] == (kind, mime)


@pytest.mark.parametrize("sides", [(IMAGE_SIDE + 1, 1), (1, IMAGE_SIDE + 1), (16_000, 16_000), (0, 5), (2**31, 2**31)])
def test_an_image_that_would_take_the_page_down_is_only_offered(sides: tuple[int, int]) -> None:
    assert look_of("image/png", a_png(*sides)).kind == "other"
    assert look_of("image/png", a_png(1_200, 800)) == ("image", "image/png", 1_200, 800)


@given(st.sampled_from(["image/png", "image/gif", "application/pdf", "text/x", "audio/wav"]) | st.text(), st.binary())
def test_no_bytes_raise_and_none_are_told_to_be_a_page(claimed: str, data: bytes) -> None:
    for head in (b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"RIFF0000WEBP", b"0000ftypavif"):
        assert look_of(claimed, head + data).mime not in ("text/html", "image/svg+xml", "application/xhtml+xml")


def test_a_png_without_a_row_of_pixels_is_no_image() -> None:
    whole = a_png(300, 200)
    head, rows = whole[:33], zlib.compress(bytes(100))
    assert look_of("image/png", whole).kind == "image"
    for png in (head, head + a_chunk(b"IDAT", rows), head + a_chunk(b"IDAT", b"nonsense"), head + b"\0\0\xff\xffIDAT"):
        assert look_of("image/png", png) == ("other", "image/png", 300, 200)
    row = zlib.compress(bytes(1201))
    assert look_of("image/png", head + a_chunk(b"IDAT", row[:5]) + a_chunk(b"IDAT", row[5:])).kind == "image"
