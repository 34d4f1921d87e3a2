"""The names of ``fastapi_poe.templates``, for code that imports them from there."""

from __future__ import annotations

from poe_notebook.bot.templates import (
    IMAGE_VISION_ATTACHMENT_TEMPLATE,
    TEXT_ATTACHMENT_TEMPLATE,
    URL_ATTACHMENT_TEMPLATE,
)

__all__ = ["IMAGE_VISION_ATTACHMENT_TEMPLATE", "TEXT_ATTACHMENT_TEMPLATE", "URL_ATTACHMENT_TEMPLATE"]
