"""The stand-in for image models: it draws a picture from the words of the prompt and attaches it.

Where the picture is kept is the simulator's business: ``upload`` is given by it. The proportions come from a parameter
or from the prompt, as the image bots on Poe take them.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from poe_notebook.protocol.controls import AspectRatio, AspectRatioOption, ParameterControls, Section
from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.requests import QueryRequest, SettingsRequest
from poe_notebook.protocol.responses import PartialResponse
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.simulator.chat_words import quoted
from poe_notebook.simulator.picture import draw, size_of
from poe_notebook.simulator.standing_in import HUMAN_PACE, Pace, StandIn, last_user_message

__all__ = ["ImageStandIn", "Upload", "as_data_url"]

Upload: TypeAlias = Callable[[bytes, str, str], Awaitable[Attachment]]
"""Keeps a file, given its content, name and content type, and gives the attachment that refers to it."""

_PARAMETERS = ("aspect", "aspect_ratio", "ratio", "shape", "size")
_NAMED = {"square": (1.0, 1.0), "portrait": (2.0, 3.0), "landscape": (3.0, 2.0), "wide": (16.0, 9.0)}
_PROPORTIONS = re.compile(r"(\d{1,5}(?:\.\d+)?)\s*[:x×/]\s*(\d{1,5}(?:\.\d+)?)", re.I)
_OPTION = re.compile(r"--(?:ar|aspect)[ =]+(\S+)", re.I)
_OPTIONS = re.compile(r"--\w+(?:[ =]+(?!--)\S+)?")
_ALT_CHARS = 120


async def as_data_url(content: bytes, name: str, content_type: str) -> Attachment:
    """Make an attachment that holds the file itself, for a stand-in without a simulator around it."""
    return Attachment(
        url=f"data:{content_type};base64,{base64.b64encode(content).decode()}", content_type=content_type, name=name
    )


class ImageStandIn(StandIn):
    """Draws one picture for each message."""

    about = "draws a picture from the words of your message"

    def __init__(self, name: str, *, pace: Pace = HUMAN_PACE, upload: Upload | None = None) -> None:
        super().__init__(name, pace=pace)
        self.upload = upload or as_data_url

    async def get_settings(self, setting: SettingsRequest) -> SettingsResponse:
        """Give settings with a control for the proportions."""
        options = [AspectRatioOption(width=w, height=h) for w, h in ((1, 1), (3, 2), (2, 3), (16, 9), (9, 16))]
        control = AspectRatio(label="Proportions", parameter_name="aspect", options=options, default_value="3:2")
        return SettingsResponse(
            introduction_message=self.introduction_message,
            allow_attachments=True,
            parameter_controls=ParameterControls(sections=[Section(name="Picture", controls=[control])]),
        )

    async def get_response(self, request: QueryRequest) -> AsyncIterator[PartialResponse]:
        """Draw the picture and place it in the answer."""
        message = last_user_message(request)
        prompt = " ".join(_OPTIONS.sub(" ", message.content).split())
        size = size_of(*_proportions(message.parameters, message.content))
        label = f"Stand-in for {self.name}: drawn by the Poe simulator, no model was asked."
        content = await asyncio.to_thread(draw, prompt, size=size, label=label)
        file = await self.upload(content, _file_name(prompt), "image/png")
        reference = hashlib.sha256(f"{request.message_id} {prompt}".encode("utf-8", "replace")).hexdigest()[:8]
        placed = file.model_copy(update={"inline_ref": reference})
        await self.pace.wait()
        yield PartialResponse(text=f"![{_alternative(prompt)}][{reference}]\n\n", attachment=placed)
        async for response in self.say(f"{size[0]} × {size[1]} pixels, drawn from the words alone.", request):
            yield response


def _proportions(parameters: Mapping[str, Any], prompt: str) -> tuple[float, float]:
    """Find the proportions that are asked for, as width and height."""
    option = _OPTION.search(prompt)
    width, height = parameters.get("width"), parameters.get("height")
    stated = [option[1]] if option else []
    stated += [str(parameters[name]) for name in _PARAMETERS if name in parameters]
    stated += [f"{width}x{height}"] if width is not None and height is not None else []
    for text in stated:
        if text.strip().lower() in _NAMED:
            return _NAMED[text.strip().lower()]
        found = _PROPORTIONS.search(text)
        if found and float(found[1]) > 0 and float(found[2]) > 0:
            return float(found[1]), float(found[2])
    return _NAMED["landscape"]


def _file_name(prompt: str) -> str:
    kept = re.sub(r"[^\w]+", "-", prompt.lower())[:40].strip("-_")
    return f"{kept or 'picture'}.png"


def _alternative(prompt: str) -> str:
    """Give the picture's text for those who cannot see it, without signs that would end it."""
    return quoted(re.sub(r"[\[\]\\!`<>]", " ", prompt), most=_ALT_CHARS) or "a picture"
