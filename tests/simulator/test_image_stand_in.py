"""The stand-in for image models: a real picture, placed in the answer."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from asking_stand_ins import ask, events_of, query_of, said
from PIL import Image

from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.requests import SettingsRequest
from poe_notebook.simulator.picture import draw, size_of
from poe_notebook.simulator.stand_ins import NO_PACE, stand_in


class Uploads:
    """Keeps what is uploaded."""

    def __init__(self) -> None:
        self.files: list[tuple[bytes, str, str]] = []

    async def __call__(self, content: bytes, name: str, content_type: str) -> Attachment:
        self.files.append((content, name, content_type))
        return Attachment(url=f"http://files/{len(self.files)}", name=name, content_type=content_type)


def painted(content: str, **fields: Any) -> tuple[list[Any], Uploads]:
    uploads = Uploads()
    bot = stand_in("StableDiffusionXL", upload=uploads, pace=NO_PACE)
    assert bot is not None
    return events_of(bot, query_of(content, **fields)), uploads


def size_in(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert image.format == "PNG"
        return image.size


def test_a_picture_is_uploaded_attached_and_placed_in_the_text() -> None:
    events, uploads = painted("A heron at the [sea]!")
    (content, name, kind), *others = uploads.files
    assert (name, kind, others) == ("a-heron-at-the-sea.png", "image/png", [])
    assert size_in(content) == (768, 512)
    assert [event.type for event in events[:2]] == ["file", "text"]
    file = events[0].data
    assert (file["url"], file["name"]) == ("http://files/1", name)
    assert events[1].data["text"] == f"![A heron at the sea][{file['inline_ref']}]\n\n"


@pytest.mark.parametrize(
    ("content", "parameters", "size"),
    [
        ("x", {"aspect": "1:1"}, (768, 768)),
        ("x", {"aspect": "9:16"}, (432, 768)),
        ("x", {"aspect_ratio": "square"}, (768, 768)),
        ("x", {"size": "1024x512"}, (768, 384)),
        ("x", {"width": 100, "height": 200}, (384, 768)),
        ("x --aspect 16:9 --no people", {}, (768, 432)),
        ("x --ar 16:9", {"aspect": "1:1"}, (768, 432)),
        ("x", {"aspect": "0:0"}, (768, 512)),
        ("x", {"aspect": "100000:1"}, (768, 512)),
        ("x", {"aspect": "99999:1"}, (768, 256)),
        ("x", {"aspect": None, "size": []}, (768, 512)),
    ],
)
def test_the_proportions_are_those_that_are_asked_for(
    content: str, parameters: dict[str, Any], size: tuple[int, int]
) -> None:
    events, uploads = painted(content, message={"parameters": parameters})
    assert size_in(uploads.files[0][0]) == size
    assert "--" not in events[1].data["text"]
    assert f"{size[0]} × {size[1]} pixels" in said(events)


def test_the_same_words_give_the_same_picture_and_others_another() -> None:
    pictures = [draw(prompt, size=(400, 300), label="x") for prompt in ("red sea", "red sea", "blue castle", "")]
    assert pictures[0] == pictures[1]
    assert len(set(pictures)) == 3


@pytest.mark.parametrize("prompt", ["猫", "\ud800", "word " * 500, "a" * 5000, "night city sea", "\n\t", "é" * 40])
def test_any_words_can_be_drawn(prompt: str) -> None:
    assert size_in(draw(prompt, size=size_of(2, 3), label="x")) == (512, 768)


def test_without_an_upload_the_picture_is_in_the_address() -> None:
    assert ask("Painter")[0].data["url"].startswith("data:image/png;base64,")


def test_its_settings_offer_the_proportions() -> None:
    bot = stand_in("DALL-E-3")
    assert bot is not None
    settings = asyncio.run(bot.get_settings(SettingsRequest(version="1.2", type="settings")))
    assert settings.parameter_controls is not None
    assert [control.parameter_name for control in settings.parameter_controls.parameters()] == ["aspect"]
