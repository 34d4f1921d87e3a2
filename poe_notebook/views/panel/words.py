"""What stands for the panel where there are no widgets: what to type instead, and what the bot says of itself. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.views.html import Bundle, bundle
from poe_notebook.views.settings import settings_bundle
from poe_notebook.views.status import message_bundle

__all__ = ["panel_bundle"]


def panel_bundle(bot: str, settings: SettingsResponse | None, parameters: Mapping[str, object]) -> Bundle:
    """Say how to chat with a bot by typing, and show its introduction and settings as far as they are known."""
    name = shlex.quote(bot)
    message = message_bundle(
        f"The chat panel needs a front end with widgets, as JupyterLab is. Here, type a message behind the name: "
        f"`%poe chat {name} hello`; or in Python: `fp.ask({bot!r}, 'hello')`."
    )
    if settings is None:
        return message
    known = settings_bundle(bot, settings, dropped=(), parameters=parameters)
    return bundle(message["text/html"] + known["text/html"], f"{message['text/plain']}\n\n{known['text/plain']}")
