"""A panel as it is saved: the whole conversation as clean HTML and as text, readable for ever and without a kernel.

It stands in an output of its own, below the live panel's, and style rules alone decide which of the two is seen: the
live panel while there is one, else this. JupyterLab shows "model not found" for a widget whose kernel has ended
(measured, jupyterlab_widgets 3.0.17, fallback ignored), so the rules hide that output too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files

from poe_notebook.views.html import Bundle, bundle, escape, framed
from poe_notebook.views.panel.turns import SharedTurn
from poe_notebook.views.wording import count

__all__ = ["saved_bundle"]

_STYLE = files("poe_notebook.views").joinpath("static/panel/saved.css").read_text("utf-8")


def saved_bundle(
    bot: str, groups: Iterable[tuple[str, Sequence[SharedTurn]]], *, panel: str, introduction: tuple[str, str]
) -> Bundle:
    """Show a conversation. ``groups`` are turns that stand together, with words if they were set aside and why;
    ``panel`` is the panel's id, ``introduction`` the bot's, rendered and as text.
    """
    html, text = introduction
    parts = [f'<div class="poe-turn poe-turn-answer">{html}</div>'] if html else []
    texts = [f"{bot}\n{text}"] if text else []
    for words, turns in groups:
        saved = [turn.saved for turn in turns]
        inner = "".join(turn for turn, _ in saved)
        parts.append(_folded(f"{words} · {count(len(saved), 'turn')}", inner) if words and saved else inner)
        texts += [f"[{words}]"] if words and saved else []
        texts += [turn for _, turn in saved]
    if not texts:
        parts, texts = ['<p class="poe-muted">Nothing has been said yet.</p>'], ["Nothing has been said yet."]
    whole = f'<div class="poe-panel-saved" data-poe-panel="{escape(panel)}">{"".join(parts)}</div>'
    title = f"Chat with {bot}"
    return bundle(framed(f"<style>{_STYLE}</style>{whole}", label=title), "\n\n".join([title, *texts]))


def _folded(words: str, inner: str) -> str:
    return f'<details class="poe-saved-aside"><summary class="poe-muted">{escape(words)}</summary>{inner}</details>'
