"""What stands in for an address that cannot be reached: a real file of its kind, which says what it is."""

from __future__ import annotations

import io
import wave

import pytest
from PIL import Image

from poe_notebook.simulator.unreachable import file_for_unreachable


def test_an_image_is_a_picture() -> None:
    name, content = file_for_unreachable("https://example.com/a/heron.jpeg?x=1") or ("", b"")
    assert name == "heron.png"
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (640, 360)
        assert len(picture.getcolors(10_000) or []) > 2  # the words on it


def test_a_sound_is_one_second_that_can_be_played() -> None:
    name, content = file_for_unreachable("https://example.com/song.mp3") or ("", b"")
    assert name == "stand-in for song.wav"
    with wave.open(io.BytesIO(content)) as sound:
        assert sound.getnframes() == sound.getframerate()


def test_a_video_is_an_mp4() -> None:
    name, content = file_for_unreachable("https://example.com/tide.mov") or ("", b"")
    assert name == "tide.mp4"
    assert content[4:8] == b"ftyp"


def test_a_text_says_what_it_is() -> None:
    name, content = file_for_unreachable("https://example.com/notes.txt") or ("", b"")
    assert (name, content[:9]) == ("notes.txt", b"Stand-in ")


@pytest.mark.parametrize("url", ["https://example.com/a.zip", "https://example.com/", "https://example.com/x.svg", ""])
def test_nothing_stands_in_for_other_kinds(url: str) -> None:
    assert file_for_unreachable(url) is None
