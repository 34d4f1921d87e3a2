"""A panel on the screen: it is told what happens in a chat and brings its pages and the saved form up to date.

All of it runs on one thread, the toolkit's, but for ``show``, which runs in the cell. Everything that goes to a page
passes ``redact``. Messages that change what is shown are numbered; a page that missed one asks for everything anew.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from poe_notebook.reply import Reply
from poe_notebook.views.html import Bundle
from poe_notebook.views.live import CellOutput
from poe_notebook.views.markdown import render
from poe_notebook.views.media.files import Resolve
from poe_notebook.views.panel.saved import saved_bundle
from poe_notebook.views.panel.turns import SharedTurn
from poe_notebook.views.panel.widget import PanelWidget, Take
from poe_notebook.views.patches import packed
from poe_notebook.views.turn_redaction import Redact
from poe_notebook.views.wording import excerpt

__all__ = ["PanelView", "Parts"]

Parts = Callable[[], Sequence[tuple[str, Sequence[Reply]]]]
"""Gives the turns that stand together, those that were set aside with words that say why."""

_INTRODUCTION_CHARS = 20_000
_SHOWN = 8
"""So many outputs of one panel are kept up to date: the latest."""


class PanelView:
    """One panel's view. ``widget`` is made by ``show``; until then nobody is told anything."""

    def __init__(
        self,
        bot: str,
        *,
        parts: Parts,
        redact: Redact,
        resolve: Resolve | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = secrets.token_hex(8)
        self.widget: PanelWidget | None = None
        self.head: dict[str, Any] = {}
        self._bot, self._parts, self._redact, self._clock = bot, parts, redact, clock
        self._resolve = resolve
        self._introduction = ("", "")
        self._turns: dict[str, SharedTurn] = {}
        self._outputs: list[CellOutput] = []
        self._seq = self._shown_times = 0
        for _, replies in parts():
            for reply in replies:
                turn = self._turns[reply.message_id] = self._shared(reply)
                if reply.is_finished:
                    turn.end()

    def show(self, *, snapshot: Callable[[], dict[str, Any]], take: Take) -> None:
        """Show the panel in the running cell, and below it the saved form that takes its place one day."""
        from IPython.display import display

        if self.widget is None:
            self.widget = PanelWidget(snapshot=snapshot, take=take)
            self._shown_times = self.widget.times_given
        display(self.widget.bundle, raw=True)
        output = CellOutput()
        output({**self.saved()})
        self._outputs = [*self._outputs, output][-_SHOWN:]

    def introduce(self, head: Mapping[str, Any], introduction: str) -> bool:
        """Show what is known of the bot now: how it stands, its controls, its introduction. False if that is known."""
        shown = excerpt(self._redact(introduction), _INTRODUCTION_CHARS, lines=True)
        known = self._clean({**head, "introduction": render(shown) if shown else ""})
        if known == self.head:
            return False
        self.head, self._introduction = known, (known["introduction"], shown)
        self._tell("head", head=known)
        return True

    def begin(self, reply: Reply, *, ask: int | None = None) -> SharedTurn:
        """Show a turn that begins; ``ask`` is the page's number of the wish that it answers."""
        turn = self._turns[reply.message_id] = self._shared(reply)
        self._tell("open", ask=ask, turn=turn.state())
        return turn

    def end(self, turn: SharedTurn) -> None:
        """Show how a turn has ended."""
        self._tell("close", **turn.end())

    def set_aside(self, replies: Sequence[Reply], words: str) -> None:
        """Show that turns are no longer part of the conversation."""
        self._tell("aside", turns=[reply.message_id for reply in replies], words=words)

    def reacted(self, reply: Reply, reaction: str) -> None:
        """Show the user's reaction to an answer."""
        self._turns[reply.message_id].reaction = reaction
        self._tell("reacted", turn=reply.message_id, reaction=reaction)

    def say(self, words: str, *, tone: str = "info", ask: int | None = None) -> None:
        """Show a sentence in the panel; with ``ask``, what the page wished for there did not come about."""
        self.answer("notice", words=words, tone=tone, ask=ask)

    def answer(self, kind: str, **fields: Any) -> None:
        """Answer a page; what is lost on the way changes nothing of what is shown."""
        self._send({"kind": kind, **self._clean(fields)})

    def turn(self, turn_id: str) -> SharedTurn | None:
        """Give the view of a turn."""
        return self._turns.get(turn_id)

    def snapshot(self) -> dict[str, Any]:
        """Give everything as it stands, for a page that opens."""
        groups = [
            {"words": words, "turns": [self._turns[reply.message_id].state() for reply in replies if self._has(reply)]}
            for words, replies in self._parts()
        ]
        return {"kind": "state", "id": self.id, "seq": self._seq, "head": self.head, "groups": groups}

    def sync(self) -> None:
        """Send everything as it stands."""
        self._send(self.snapshot())

    def saved(self) -> Bundle:
        """Give the form that is saved."""
        groups = [
            (words, [self._turns[reply.message_id] for reply in replies if self._has(reply)])
            for words, replies in self._parts()
        ]
        return saved_bundle(self._redact(self._bot), groups, panel=self.id, introduction=self._introduction)

    def save(self) -> int:
        """Bring the saved form up to date; gives its length in characters.

        A page that was loaded anew is no longer reached by updates of an output (measured, JupyterLab 4.6), so it gets
        the form to put it into the notebook by itself.
        """
        bundle = self.saved()
        for output in self._outputs:
            output({**bundle})
        if self.widget is not None and self.widget.times_given > self._shown_times:
            self._send({"kind": "saved", "panel": self.id, "bundle": bundle})
        return sum(map(len, bundle.values()))

    def _shared(self, reply: Reply) -> SharedTurn:
        return SharedTurn(reply, send=self._send, redact=self._redact, resolve=self._resolve, clock=self._clock)

    def _has(self, reply: Reply) -> bool:
        return reply.message_id in self._turns

    def _tell(self, kind: str, **fields: Any) -> None:
        self._seq += 1
        self._send({"kind": kind, "seq": self._seq, **self._clean(fields)})

    def _send(self, message: dict[str, Any], buffers: Sequence[Any] | None = None) -> None:
        if self.widget is not None:
            self.widget.send(*((message, buffers) if buffers else packed(message)))

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._redact(value)
        if isinstance(value, dict):
            return {name: self._clean(each) for name, each in value.items()}
        return [self._clean(each) for each in value] if isinstance(value, list) else value
