"""The stand-ins by name: who answers, offline, for the bots that Poe's guides ask.

A name is looked up whatever its case. Names of the well-known families of models have a stand-in too, those that are
still to come included; any other name has none, so that a misspelt one is an error and no answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from poe_notebook.simulator.backend import Backend, BackendStandIn
from poe_notebook.simulator.backend_messages import ReadFile
from poe_notebook.simulator.chat_stand_in import ChatStandIn
from poe_notebook.simulator.image_stand_in import ImageStandIn, Upload
from poe_notebook.simulator.odd_stand_ins import (
    AttachmentsStandIn,
    BrokenStandIn,
    EchoStandIn,
    OverlongStandIn,
    ParallelStandIn,
    SlowStandIn,
)
from poe_notebook.simulator.prose_stand_in import ProseStandIn
from poe_notebook.simulator.standing_in import HUMAN_PACE, NO_PACE, Pace, StandIn

__all__ = ["HUMAN_PACE", "NO_PACE", "Pace", "StandIn", "Upload", "stand_in", "stand_in_names"]

Kind: TypeAlias = Callable[..., StandIn]

_CHATS = (
    "GPT-3.5-Turbo",
    "GPT-4o",
    "GPT-4o-Mini",
    "GPT-4",
    "Claude-Instant",
    "Claude-3-Haiku",
    "Claude-3.5-Sonnet",
    "Claude-3.7-Sonnet",
    "Gemini-1.5-Pro",
    "Gemini-2.0-Flash",
    "Llama-3-70B-T",
    "Llama-3.1-405B",
    "Mixtral-8x7B-Chat",
    "Assistant",
)
_IMAGES = ("StableDiffusionXL", "DALL-E-3", "FLUX-pro", "FLUX-schnell", "Playground-v2.5")
_BEHAVIOURS: dict[str, Kind] = {
    "Echo": EchoStandIn,
    "Prose": ProseStandIn,
    "ToolCaller": ChatStandIn,
    "Painter": ImageStandIn,
    "Slow": SlowStandIn,
    "Broken": BrokenStandIn,
    "Overlong": OverlongStandIn,
    "Parallel": ParallelStandIn,
    "Attachments": AttachmentsStandIn,
}
_KINDS: dict[str, Kind] = {**dict.fromkeys(_CHATS, ChatStandIn), **dict.fromkeys(_IMAGES, ImageStandIn), **_BEHAVIOURS}
_BY_NAME = {name.lower(): name for name in _KINDS}
_IMAGE_FAMILIES = re.compile(
    r"(gpt-image|dall-?e|flux|stable-?diffusion|sdxl|imagen|ideogram|playground)[-\w.]*", re.IGNORECASE
)
_CHAT_FAMILIES = re.compile(
    r"(gpt|chatgpt|claude|gemini|gemma|llama|mi[sx]tral|qwen|deepseek|grok)-[-\w.]+|o[1-9](-[-\w.]+)?", re.IGNORECASE
)


def stand_in_names() -> list[str]:
    """Give the names that are sure to have a stand-in: models of chats, of images, and what the others do."""
    return list(_KINDS)


def stand_in(
    name: str,
    *,
    upload: Upload | None = None,
    pace: Pace = HUMAN_PACE,
    backend: Backend | None = None,
    read_file: ReadFile | None = None,
) -> StandIn | None:
    """Make the stand-in for a bot's name; none if nobody stands in for it.

    ``upload`` keeps the pictures that are drawn; without it they are in the attachments' addresses themselves. With a
    ``backend``, chat models are stood in for by that server, and ``read_file`` gives it the images of messages. The
    name that a stand-in goes by, as Poe writes it, is its ``bot_name``.
    """
    known = _BY_NAME.get(name.lower(), name)
    kind = _kind(known)
    if kind is None:
        return None
    if kind is ImageStandIn:
        return ImageStandIn(known, pace=pace, upload=upload)
    if backend is not None and kind is ChatStandIn and known not in _BEHAVIOURS:
        return BackendStandIn(known, backend=backend, read_file=read_file)
    return kind(known, pace=pace)


def _kind(name: str) -> Kind | None:
    if name in _KINDS:
        return _KINDS[name]
    if _IMAGE_FAMILIES.fullmatch(name):
        return ImageStandIn
    return ChatStandIn if _CHAT_FAMILIES.fullmatch(name) else None
