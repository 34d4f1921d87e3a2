"""What the simulator says of an image."""

from __future__ import annotations

import io
import warnings

import pytest
from files_to_read import image
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from poe_notebook.bot.attachments import insert_attachment_messages
from poe_notebook.protocol.messages import Attachment, ProtocolMessage
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.simulator.colours import colour_name
from poe_notebook.simulator.parsing import describe_image

LABEL = "Described by the Poe simulator, without a model, from the file alone: "


def described(content: bytes) -> str:
    name, separator, text = describe_image(content, name="x.png").partition("***")
    assert (name, separator) == ("x.png", "***")
    return text.removeprefix(LABEL)


def test_a_description_says_what_the_file_shows_and_who_says_it() -> None:
    assert describe_image(image("navy"), name="sea.png") == (
        f"sea.png***{LABEL}a PNG image, 64 × 48 pixels (landscape), mostly dark blue (100%)."
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (image("red", size=(9, 20), format="JPEG"), "a JPEG image, 9 × 20 pixels (portrait), mostly red (100%)."),
        (image("white", size=(9, 9), format="WEBP"), "a WebP image, 9 × 9 pixels (square), mostly white (100%)."),
        (image("gray", format="GIF"), "a GIF image, 64 × 48 pixels (landscape), mostly grey (100%)."),
        (image((0, 0, 0, 0), mode="RGBA"), "a PNG image, 64 × 48 pixels (landscape), wholly transparent."),
        (image(0, mode="1"), "a PNG image, 64 × 48 pixels (landscape), mostly black (100%)."),
        (
            image((0, 0, 0, 0), mode="CMYK", format="JPEG"),
            "a JPEG image, 64 × 48 pixels (landscape), mostly white (100%).",
        ),
    ],
)
def test_each_format_and_mode_is_described(content: bytes, said: str) -> None:
    assert described(content) == said


def test_several_colours_are_named_by_their_shares() -> None:
    drawn = Image.new("RGBA", (100, 100), "teal")
    drawn.paste((255, 255, 0, 255), (0, 0, 100, 25))
    drawn.paste((0, 0, 0, 0), (0, 80, 100, 100))
    written = io.BytesIO()
    drawn.save(written, "PNG")
    text = described(written.getvalue())
    assert "mostly dark turquoise (69%), yellow (31%); 20% of it is transparent." in text


def test_an_animation_is_described_by_its_first_frame() -> None:
    frames = [Image.new("RGB", (9, 9), color) for color in ("red", "lime", "blue")]
    for format in ("GIF", "WEBP"):
        written = io.BytesIO()
        frames[0].save(written, format, save_all=True, append_images=frames[1:])
        assert "3 frames, 9 × 9 pixels (square), mostly red" in described(written.getvalue())


def test_an_image_too_large_for_memory_is_refused_by_its_size_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "20,000 × 10,000 pixels, which is too large" in described(image(0, mode="1", size=(20_000, 10_000)))


def test_nothing_of_the_metadata_is_told() -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x013B], exif[0x0110] = "at home", "Ada", "Camera 9"
    text = described(image(format="JPEG", exif=exif))
    assert not {"home", "Ada", "Camera"} & set(text.split())


@pytest.mark.parametrize("content", [b"", b"junk", image()[:40], image(format="JPEG")[:100], b"<svg/>"])
def test_what_is_no_image_is_said_to_be_none(content: bytes) -> None:
    assert described(content) == "a file that the simulator cannot read as an image."


@settings(deadline=None)
@given(st.integers(8, 80), st.binary(min_size=1, max_size=8))
def test_an_image_with_any_damage_is_described_or_refused(at: int, junk: bytes) -> None:
    whole = image()
    assert described(whole[:at] + junk + whole[at + len(junk) :])


def test_the_bots_message_about_an_image_reads_the_description_whatever_its_name() -> None:
    file = Attachment(
        url="u", content_type="image/png", name="x", parsed_content=describe_image(image(), name="a***b.png")
    )
    ids = {"user_id": "u", "conversation_id": "c", "message_id": "m"}
    message = ProtocolMessage(role="user", content="look", attachments=[file])
    request = QueryRequest(version="1.2", type="query", query=[message], **ids)
    told = insert_attachment_messages(request).query[0].content
    assert "a* * *b.png" in told
    assert f"<image_analysis>{LABEL}a PNG image" in told


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((0, 0, 0), "black"),
        ((255, 255, 255), "white"),
        ((128, 128, 128), "grey"),
        ((255, 0, 0), "red"),
        ((139, 69, 19), "brown"),
        ((255, 165, 0), "orange"),
        ((255, 255, 0), "yellow"),
        ((0, 128, 0), "dark green"),
        ((0, 255, 255), "turquoise"),
        ((173, 216, 230), "light turquoise"),
        ((0, 0, 255), "blue"),
        ((128, 0, 128), "dark violet"),
        ((255, 192, 203), "light pink"),
    ],
)
def test_colours_have_plain_names(colour: tuple[int, int, int], name: str) -> None:
    assert colour_name(*colour) == name
