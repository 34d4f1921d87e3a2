"""How a file that Poe has read for the bot is worded as a message, for a model to read.

Three ``str.format`` templates under the names and with the fields of fastapi_poe 0.0.83; the wording is our own. A bot
that wants other words overrides ``insert_attachment_messages``.
"""

from __future__ import annotations

__all__ = ["IMAGE_VISION_ATTACHMENT_TEMPLATE", "TEXT_ATTACHMENT_TEMPLATE", "URL_ATTACHMENT_TEMPLATE"]

TEXT_ATTACHMENT_TEMPLATE = "The file {attachment_name} is attached. It reads:\n\n{attachment_parsed_content}"

URL_ATTACHMENT_TEMPLATE = (
    "The web page {attachment_name} is attached. Treat it as a page that you have just opened yourself, and answer "
    "from what stands on it:\n\n{content}"
)

IMAGE_VISION_ATTACHMENT_TEMPLATE = (
    "The image {filename} is attached. What can be seen on it is described here; take it as what you see yourself:\n\n"
    "<image_analysis>{parsed_image_description}</image_analysis>\n\n"
    "Use of it what helps to answer, never mention that there is a description, and write in the language of my next "
    "message."
)
