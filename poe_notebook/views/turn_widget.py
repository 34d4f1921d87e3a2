"""A turn shown live in a notebook: block patches to a small widget, and static HTML in its place when it is done.

Runs on the main thread; sends at most one message each 50 ms and spends at most a tenth of its time on rendering. An
answer that is there at once never needs the widget. What is saved in the notebook never names one: a widget's state
ends with its kernel.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import traitlets

from poe_notebook.reply import Reply
from poe_notebook.views.answer import AnswerBlocks
from poe_notebook.views.html import cleaned
from poe_notebook.views.late_widget import LateWidget, view_of
from poe_notebook.views.media.files import LIVE, SAVED, Resolve, Room, TurnFiles
from poe_notebook.views.media.html import Shelf
from poe_notebook.views.page_widget import enliven, script
from poe_notebook.views.patches import AnswerCopy, packed
from poe_notebook.views.transcript import turn_bundle
from poe_notebook.views.turn_after import after_html, footer
from poe_notebook.views.turn_calls import calls_html
from poe_notebook.views.turn_redaction import Redact, redacted

__all__ = ["TurnWidget", "WidgetTurn"]

AT_ONCE_S = 0.12  # answers done by then are shown without a widget; people take 0.1 s for immediate
INTERVAL_S = 0.05  # at most 20 messages a second; jupyter_server drops those above 1,000, of all cells together
LISTED = 60  # files and suggested replies are drawn anew for each one that comes, up to so many
SHARE = 10  # rendering may take one part in so many


class TurnWidget(LateWidget):
    """The widget: its frame once, its contents by messages; a page that opens late is given all as it stands."""

    _esm = script("page.js", "turn.js")
    frame = traitlets.Unicode().tag(sync=True)

    def __init__(self, frame: str, *, snapshot: Callable[[], dict[str, Any]]) -> None:
        super().__init__(snapshot=snapshot, frame=frame)
        self.on_msg(self._answer)

    def _answer(self, widget: object, content: Any, buffers: object) -> None:
        if isinstance(content, dict) and content.get("kind") == "sync":
            self.send(*packed({"kind": "state", **self._snapshot()}))


class WidgetTurn:
    """A turn in JupyterLab, Notebook 7, VS Code: see ``live.LiveTurn``."""

    def __init__(
        self,
        reply: Reply,
        *,
        show: Callable[[dict[str, Any]], None],
        redact: Redact | None = None,
        resolve: Resolve | None = None,
        clock: Callable[[], float] = time.monotonic,
        widget: Callable[..., Any] = TurnWidget,
        enliven: Callable[[str], None] = enliven,
        at_once_s: float = AT_ONCE_S,
        room: Room = SAVED,
    ) -> None:
        self._reply, self._show, self._redact, self._clock = reply, show, redact, clock
        self._make, self._enliven, self._at_once_s, self._room = widget, enliven, at_once_s, room
        self._files = TurnFiles(resolve, redact=redact)
        self._answer = AnswerBlocks(reply, self._files, redact=redact)
        self._widget: Any = None
        self._copy = AnswerCopy()
        self._around = {"before": "", "after": ""}
        self._told: tuple[object, ...] = ()
        self._sent_files: dict[int, tuple[str, bytes]] = {}
        self._seq = 0
        self._opened_s = self._due_s = clock()

    def open(self) -> None:
        """Start the clock. The waiting state shows with the first ``update`` after ``at_once_s``.

        Measured in JupyterLab 4.6: static HTML shown first and a widget put in its place is one frame of nothing.
        """
        self._opened_s = self._clock()
        self._due_s = self._opened_s + self._at_once_s

    def update(self) -> None:
        """Send what is new, if it is time."""
        if self._clock() < self._due_s:
            return
        if self._widget is None:
            self._widget = self._create()
        began_s = self._clock()
        self._send(is_new=self._answer.read(began_s))
        self._due_s = began_s + max(INTERVAL_S, SHARE * (self._clock() - began_s))

    def close(self) -> None:
        """Leave the static form and end the widget."""
        answers = self._answer.finish(self._clock())
        shown = redacted(self._reply, self._redact)
        if self._widget is not None:
            # The last words first: the static form of 200 kB takes JupyterLab 0.2 s to put up (measured, 4.6).
            self._send(is_new=True, is_last=True)
            self._widget.send({"kind": "end", "state": self._reply.state, "foot": footer(self._reply)})
        # A secret was found: the whole text is rendered anew, in case one came in pieces that a stream cannot see.
        is_same = shown.text == self._reply.text
        still = turn_bundle(shown, files=self._files, answers=answers if is_same else None, room=self._room)
        still = cleaned(still, self._redact)
        self._show(still)
        # A page that was loaded anew meanwhile no longer gets updates of this output: there the widget has to stay.
        if self._widget is not None and self._widget.times_given < 2:
            self._widget.close()
        self._enliven(still["text/html"])

    @property
    def files(self) -> TurnFiles:
        """The files of the turn."""
        return self._files

    def _send(self, *, is_new: bool, is_last: bool = False) -> None:
        news = self._news(is_new=is_new) | (self._new_around() if is_last else {})
        if news and self._widget is not None:
            self._seq += 1
            message = {"kind": "patch", "seq": self._seq, "status": self._status(), **news}
            if files := self._new_files():
                message["media"] = [[number, mime, data] for number, (mime, data) in files.items()]
            self._widget.send(*packed(message))

    def _create(self) -> Any:
        self._files.take(self._reply)
        self._new_files()  # those of the message go with the widget's state, as the frame needs them
        still = turn_bundle(redacted(self._reply, self._redact), files=self._files, answers={}, room=LIVE)
        widget = self._make(still["text/html"], snapshot=self._snapshot)
        self._show({**still, **view_of(widget)})
        return widget

    def _news(self, *, is_new: bool) -> dict[str, Any]:
        """Collect what the page does not know yet; nothing if there is nothing."""
        reply = self._reply
        beside = (len(reply.attachments), len(reply.suggested_replies), len(reply.nested), reply.metadata)
        told = (reply.state, len(reply.events), *beside)
        if not is_new and told == self._told:
            return {}
        news: dict[str, Any] = {"parts": self._copy.take(self._answer.take_patches() if is_new else [])}
        is_told = told[2:] == self._told[2:]
        self._told = told
        if reply.tool_calls or (not is_told and max(beside[:3]) <= LISTED):
            news |= self._new_around()
        return news

    def _new_around(self) -> dict[str, str]:
        shown = redacted(self._reply, self._redact, with_answer=False)
        answers = self._answer.html if shown.is_finished else {}
        after = after_html(shown, self._files, Shelf(self._files, LIVE), answers=answers)
        around = {"before": calls_html(shown), "after": after}
        new = {place: html for place, html in around.items() if html != self._around[place]}
        self._around = around
        return new

    def _new_files(self) -> dict[int, tuple[str, bytes]]:
        kept = self._files.kept(LIVE) - self._sent_files.keys()
        files = [file for file in self._files if file.number in kept and file.data is not None]
        new = {file.number: (file.look.mime, file.data) for file in files if file.data is not None}
        self._sent_files |= new
        return new

    def _status(self) -> dict[str, Any]:
        reply = self._reply
        return {"state": reply.state, "events": len(reply.events), "at_s": round(self._clock() - self._opened_s, 2)}

    def _snapshot(self) -> dict[str, Any]:
        media = [[number, mime, data] for number, (mime, data) in self._sent_files.items()]
        return {"seq": self._seq, "parts": self._copy.whole, "media": media, **self._around, **self._status()}
