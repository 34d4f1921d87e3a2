"""A turn shown live in a notebook: block patches to a small widget, and static HTML in its place when it is done.

Runs on the main thread; sends at most one message each 50 ms and spends at most a tenth of its time on rendering. An
answer that is there at once never needs the widget. What is saved in the notebook never names one: a widget's state
ends with its kernel.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from poe_notebook.reply import Reply
from poe_notebook.views.answer import AnswerBlocks
from poe_notebook.views.markdown import Patch
from poe_notebook.views.patches import BlockCopy
from poe_notebook.views.transcript import turn_bundle
from poe_notebook.views.turn_after import after_html, footer
from poe_notebook.views.turn_redaction import Redact, redacted

__all__ = ["TurnWidget", "WidgetTurn"]

AT_ONCE_S = 0.12  # answers done by then are shown without a widget; people take 0.1 s for immediate
INTERVAL_S = 0.05  # at most 20 messages a second; jupyter_server drops those above 1,000, of all cells together
LISTED = 60  # files and suggested replies are drawn anew for each one that comes, up to so many
SHARE = 10  # rendering may take one part in so many
_VIEW = "application/vnd.jupyter.widget-view+json"


class TurnWidget(anywidget.AnyWidget):  # type: ignore[misc]
    """The widget: its frame once, its contents by messages; a page that opens late is given all as it stands."""

    _esm = files("poe_notebook.views").joinpath("static/turn.js").read_text("utf-8")
    frame = traitlets.Unicode().tag(sync=True)
    start = traitlets.Dict().tag(sync=True)

    def __init__(self, frame: str, *, snapshot: Callable[[], dict[str, Any]]) -> None:
        self._snapshot = snapshot
        self.times_given = 0
        super().__init__(frame=frame)
        self.on_msg(self._answer)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Give the state for a front end, with the answer as it stands now."""
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if "start" in state:
            state["start"] = self._snapshot()
            self.times_given += 1
        return state

    def _answer(self, widget: object, content: Any, buffers: object) -> None:
        if isinstance(content, dict) and content.get("kind") == "sync":
            self.send({"kind": "state", **self._snapshot()})


class WidgetTurn:
    """A turn in JupyterLab, Notebook 7, VS Code: see ``live.LiveTurn``."""

    def __init__(
        self,
        reply: Reply,
        *,
        show: Callable[[dict[str, Any]], None],
        redact: Redact | None = None,
        clock: Callable[[], float] = time.monotonic,
        widget: Callable[..., TurnWidget] = TurnWidget,
    ) -> None:
        self._reply, self._show, self._redact, self._clock = reply, show, redact, clock
        self._make = widget
        self._answer = AnswerBlocks(reply, redact=redact)
        self._widget: TurnWidget | None = None
        self._copy = BlockCopy()
        self._after = ""
        self._told: tuple[object, ...] = ()
        self._seq = 0
        self._opened_s = self._due_s = clock()

    def open(self) -> None:
        """Start the clock. The waiting state shows with the first ``update`` after ``AT_ONCE_S``.

        Measured in JupyterLab 4.6: static HTML shown first and a widget put in its place is one frame of nothing.
        """
        self._opened_s = self._clock()
        self._due_s = self._opened_s + AT_ONCE_S

    def update(self) -> None:
        """Send what is new, if it is time."""
        if self._clock() < self._due_s:
            return
        if self._widget is None:
            self._widget = self._create()
        began_s = self._clock()
        self._send(self._news(is_new=self._answer.read(began_s)))
        self._due_s = began_s + max(INTERVAL_S, SHARE * (self._clock() - began_s))

    def close(self) -> None:
        """Leave the static form and end the widget."""
        html = self._answer.finish(self._clock())
        shown = self._shown()
        if self._widget is not None:
            # The last words first: the static form of 200 kB takes JupyterLab 0.2 s to put up (measured, 4.6).
            self._send(self._news(is_new=True))
            self._widget.send({"kind": "end", "state": self._reply.state, "foot": footer(self._reply)})
        # A secret was found: the whole text is rendered anew, in case one came in pieces that a stream cannot see.
        self._show({**turn_bundle(shown, answer=html if shown.text == self._reply.text else None)})
        # A page that was loaded anew meanwhile no longer gets updates of this output: there the widget has to stay.
        if self._widget is not None and self._widget.times_given < 2:
            self._widget.close()

    def _send(self, news: dict[str, Any]) -> None:
        if news and self._widget is not None:
            self._seq += 1
            self._widget.send({"kind": "patch", "seq": self._seq, "status": self._status(), **news})

    def _shown(self) -> Reply:
        return self._reply if self._redact is None else redacted(self._reply, self._redact)

    def _create(self) -> TurnWidget:
        still = turn_bundle(self._shown(), answer="")
        widget = self._make(still["text/html"], snapshot=self._snapshot)
        self._show({**still, _VIEW: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}})
        return widget

    def _news(self, *, is_new: bool) -> dict[str, Any]:
        """Collect what the page does not know yet; nothing if there is nothing."""
        files, replies = len(self._reply.attachments), len(self._reply.suggested_replies)
        told = (self._reply.state, len(self._reply.events), files, replies)
        if not is_new and told == self._told:
            return {}
        patch = self._answer.blocks.take_patch() if is_new else Patch([], len(self._copy.blocks))
        news: dict[str, Any] = {"blocks": self._copy.take(patch), "count": patch.count}
        if told[2:] != self._told[2:] and max(files, replies) <= LISTED:
            self._after = news["after"] = after_html(self._shown())
        self._told = told
        return news

    def _status(self) -> dict[str, Any]:
        reply = self._reply
        return {"state": reply.state, "events": len(reply.events), "at_s": round(self._clock() - self._opened_s, 2)}

    def _snapshot(self) -> dict[str, Any]:
        return {"seq": self._seq, "blocks": list(self._copy.blocks), "after": self._after, **self._status()}
