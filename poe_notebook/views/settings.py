"""A bot's settings as Poe understands them: the introduction as users see it, what is in force, what was left out.

Pure; the working parameter controls are the chat panel's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.views.blocks import Block, Column, Drawing, Facts, Prose, Table
from poe_notebook.views.blocks_html import blocks_html
from poe_notebook.views.blocks_text import blocks_text
from poe_notebook.views.html import Bundle, bundle, framed
from poe_notebook.views.markdown import render
from poe_notebook.views.wording import excerpt

__all__ = ["settings_bundle"]

_CHARS = 2_000
_FLAGS = {
    "allow_attachments": "users may attach files",
    "expand_text_attachments": "Poe reads text files and PDFs for the bot",
    "enable_image_comprehension": "Poe describes images for the bot",
    "enforce_author_role_alternation": "Poe merges neighbouring messages of one role",
    "enable_multi_entity_prompting": "Poe tells the bot who else is in the chat",
}


def settings_bundle(
    bot: str, settings: SettingsResponse, *, dropped: Sequence[str], parameters: Mapping[str, object]
) -> Bundle:
    """Show settings; ``dropped`` are sentences on what Poe left out, ``parameters`` what the controls begin with."""
    blocks = list(_blocks(settings, dropped, parameters))
    return bundle(framed(blocks_html(blocks), label=f"Settings of {excerpt(bot, 100)}"), blocks_text(blocks))


def _blocks(settings: SettingsResponse, dropped: Sequence[str], parameters: Mapping[str, object]) -> Iterator[Block]:
    for sentence in dropped:
        yield Prose(excerpt(sentence, _CHARS), "warn")
    if settings.introduction_message:
        text = excerpt(settings.introduction_message, _CHARS, lines=True)
        yield Drawing(f'<div class="poe-settings-introduction">{render(text)}</div>', text)
    yield Facts([("response version", str(settings.response_version or 0))])
    rows = [[name, _said(getattr(settings, name)), meaning] for name, meaning in _FLAGS.items()]
    yield Table("Settings in force", [Column("setting", "code"), Column("is", "label"), Column("meaning")], rows)
    if settings.server_bot_dependencies:
        calls = [[excerpt(name, 100), f"{times:,}"] for name, times in settings.server_bot_dependencies.items()]
        yield Table("May ask", [Column("bot"), Column("times a message", "number")], calls)
    if parameters:
        given = [[excerpt(name, 100), excerpt(repr(value), 200)] for name, value in parameters.items()]
        yield Table("Parameters", [Column("parameter", "code"), Column("begins with", "code")], given)
    costs = [("rate card", settings.rate_card), ("cost label", settings.cost_label)]
    yield Facts([(label, excerpt(text, _CHARS)) for label, text in costs if text])


def _said(value: bool | None) -> str:
    return "Poe's default" if value is None else "on" if value else "off"
