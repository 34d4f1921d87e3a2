"""One turn in a view of several: the live view of a turn, over the comm of the whole instead of one of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from poe_notebook.reply import Reply
from poe_notebook.views.html import Bundle, printable, unframed
from poe_notebook.views.media.files import LIVE, Resolve, Room
from poe_notebook.views.patches import packed
from poe_notebook.views.transcript import turn_bundle
from poe_notebook.views.turn_redaction import Redact, redacted
from poe_notebook.views.turn_widget import WidgetTurn
from poe_notebook.views.wording import excerpt, has_words, seconds

__all__ = ["SharedTurn"]

Send = Callable[[dict[str, Any], Sequence[Any] | None], None]

_ROOM = Room(1_000_000, 2_000_000, "kept in the notebook")  # for the files of one turn, of which there may be many
_SUGGESTIONS = 20
_SUGGESTION_CHARS = 2_000  # shown
_SENT_CHARS = 200_000  # of a suggestion, with its page; a longer one cannot be sent from there


class _Channel:
    """Stands where a turn's own widget would: passes its messages on, in an envelope with the turn's name."""

    model_id = ""
    times_given = 0

    def __init__(self, frame: str, *, snapshot: Callable[[], dict[str, Any]], send: Send, turn: str) -> None:
        self.frame, self.snapshot = frame, snapshot
        self.foot = ""
        self._send, self._turn = send, turn

    def send(self, message: dict[str, Any], buffers: Sequence[Any] | None = None) -> None:
        if message.get("kind") == "end":
            self.foot = message.get("foot", "")
        self._send({"kind": "turn", "turn": self._turn, "message": message}, buffers)

    def close(self) -> None:
        """The comm is not ours to close."""


class SharedTurn:
    """A turn on a page with others. ``send`` goes to the page; ``trim`` leaves out what is shown once for all."""

    def __init__(
        self,
        reply: Reply,
        *,
        send: Send,
        redact: Redact,
        trim: Callable[[str], str] = str,
        resolve: Resolve | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.reply, self.id = reply, reply.message_id
        self.reaction = ""
        self._send, self._redact, self._trim = send, redact, trim
        self._ended: dict[str, Any] | None = None
        self._final: Bundle | None = None
        self._channel: _Channel | None = None
        self._live = WidgetTurn(
            reply,
            show=self._keep,
            redact=redact,
            resolve=resolve,
            clock=clock,
            widget=self._open,
            enliven=lambda html: None,  # the page of the whole has the script
            at_once_s=0.0,
            room=_ROOM,
        )
        self._live.open()
        self._live.update()

    def update(self) -> None:
        """Send what is new, if it is time."""
        self._live.update()

    def end(self) -> dict[str, Any]:
        """Bring the page up to date for the last time, and give what it needs to know of a turn that has ended."""
        self._live.close()
        reply = redacted(self.reply, self._redact)
        self._ended = {
            "turn": self.id,
            "still": self._shown(turn_bundle(reply, files=self._live.files, answers={}, room=LIVE)),
            "foot": self._channel.foot if self._channel is not None else "",
            "state": reply.state,
            "words": _how_it_ended(reply),
            "suggestions": _suggestions(reply),
        }
        return self._ended

    @property
    def saved(self) -> tuple[str, str]:
        """The turn as it is saved: HTML without a frame, and text; an answer under way as far as it has come."""
        shown = self._final or self._so_far()
        return self._shown(shown), shown["text/plain"]

    def state(self) -> dict[str, Any]:
        """Give all that a page needs to show the turn as it stands."""
        assert self._channel is not None
        reply = redacted(self.reply, self._redact)
        return {
            "turn": self.id,
            "bot": reply.bot,
            "said": reply.message.content,
            "frame": self._shown({"text/html": self._channel.frame}),
            "start": self._channel.snapshot(),
            "ended": self._ended,
            "reaction": self.reaction,
        }

    def hear(self, message: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        """Take a message of the turn's live view: so far it only asks for what it has missed."""
        if message.get("kind") == "sync" and self._channel is not None:
            self._channel.send(*packed({"kind": "state", **self._channel.snapshot()}))

    def _so_far(self) -> Bundle:
        reply = redacted(self.reply, self._redact)
        parts = self._channel.snapshot()["parts"] if self._channel is not None else []
        whole_words = reply.text.rpartition(" ")[0]  # what follows may be half a secret
        answers = {index: "".join(blocks) for index, blocks in parts}
        return turn_bundle(reply, files=self._live.files, answers=answers, text=whole_words, room=_ROOM)

    def _shown(self, shown: Mapping[str, str]) -> str:
        return self._trim(unframed(shown["text/html"]))

    def _open(self, frame: str, *, snapshot: Callable[[], dict[str, Any]]) -> _Channel:
        self._channel = _Channel(frame, snapshot=snapshot, send=self._send, turn=self.id)
        return self._channel

    def _keep(self, shown: dict[str, Any]) -> None:
        if self.reply.is_finished:
            self._final = {kind: shown[kind] for kind in ("text/html", "text/plain")}


def _suggestions(reply: Reply) -> list[dict[str, str | None]]:
    """Give the suggested replies that have words: as they are shown, and as they are sent."""
    found = [text for text in reply.suggested_replies if has_words(text)][:_SUGGESTIONS]
    sent = [printable(text) if len(text) <= _SENT_CHARS else None for text in found]
    return [{"shown": excerpt(text, _SUGGESTION_CHARS), "sent": s} for text, s in zip(found, sent, strict=True)]


def _how_it_ended(reply: Reply) -> str:
    took = f" after {seconds(reply.duration_s)}" if reply.duration_s is not None else ""
    if reply.state == "stopped":
        return f"{reply.bot} stopped{took}. {reply.note}".strip()
    return f"{reply.bot} {'failed' if reply.state == 'failed' else 'answered'}{took}"
