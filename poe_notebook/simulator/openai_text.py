"""A bot's events as the one text, the calls and the end of a chat completion, piece by piece as they come.

Rules where the two protocols differ, Poe's own being undocumented:
``choices`` has one element, so of parallel answers only the one that comes first is given. A file is a link in
Markdown; one that the text places itself has its address written below the text. ``replace_response`` cannot take back
what was streamed: if the new text goes on from the old one, the rest is given, else all of it as a new paragraph.
Suggested replies, metadata and unknown events are left out.
"""

from __future__ import annotations

from typing import Any

from poe_notebook.protocol.call_pieces import CallPieces, deltas_in
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.tools import ToolCallDefinition
from poe_notebook.simulator.call_chunks import NumberedCalls

__all__ = ["CHARS_PER_TOKEN", "CompletionText"]

CHARS_PER_TOKEN = 4
"""An estimate: English text in the tokens of OpenAI's models (their guide on tokens)."""


class CompletionText:
    """Takes events and gives what each adds: texts as strings, pieces of calls as JSON."""

    def __init__(self, *, max_tokens: int | None = None) -> None:
        self.finish_reason = ""
        """Why the answer ended; empty while it goes on."""
        self.given_chars = 0
        """How much text has been given, with what was replaced later."""
        self._left_chars = max_tokens * CHARS_PER_TOKEN if max_tokens else None
        self._parts: list[str] = []
        self._below: list[str] = []
        self._index: Any = None
        self._has_begun = False
        self._calls, self._sent = CallPieces(), NumberedCalls()

    @property
    def text(self) -> str:
        """The text as it stands, replacements heeded."""
        return "".join(self._parts)

    @property
    def calls(self) -> list[ToolCallDefinition]:
        """The calls, put together."""
        return self._calls.whole(earlier=0)

    def take(self, event: Event) -> tuple[str, list[dict[str, Any]]]:
        """Take an event, and give the text and the pieces of calls that it adds."""
        if self.finish_reason or not self._is_ours(event):
            return "", []
        if event.type == "text":
            return self._appended(str(event.data.get("text", ""))), []
        if event.type == "replace_response":
            return self._replaced(str(event.data.get("text", ""))), []
        if event.type == "file":
            return self._appended(self._link(event.data)), []
        return self._chunk(event.data) if event.type == "json" else ("", [])

    def end(self) -> str:
        """End the answer, and give what still belongs to its text."""
        rest = self._appended("\n\n" + "\n".join(self._below)) if self._below and not self.finish_reason else ""
        self.finish_reason = self.finish_reason or ("tool_calls" if self._sent.count else "stop")
        return rest

    def _is_ours(self, event: Event) -> bool:
        if event.type not in ("text", "replace_response", "file", "json"):
            return False
        index = event.data.get("index")
        if not self._has_begun:
            self._has_begun, self._index = True, index
        return bool(index == self._index or index is None)

    def _appended(self, text: str) -> str:
        if self._left_chars is not None:
            if len(text) > self._left_chars:
                text, self.finish_reason = text[: self._left_chars], "length"
            self._left_chars -= len(text)
        self._parts.append(text)
        self.given_chars += len(text)
        return text

    def _replaced(self, text: str) -> str:
        before = self.text
        if text.startswith(before):
            return self._appended(text[len(before) :])
        self._parts.clear()
        return "\n\n" + self._appended(text)

    def _link(self, file: dict[str, Any]) -> str:
        name, url = str(file.get("name", "file")), str(file.get("url", ""))
        name = "".join(sign for sign in name if sign not in "[]\\\r\n")
        url = url.replace("(", "%28").replace(")", "%29").replace(" ", "%20").replace("\n", "")
        reference = file.get("inline_ref")
        if isinstance(reference, str) and reference:
            self._below.append(f"[{reference}]: {url}")
            return ""
        mark = "!" if str(file.get("content_type", "")).startswith("image/") else ""
        return ("\n\n" if self.given_chars else "") + f"{mark}[{name}]({url})\n\n"

    def _chunk(self, data: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        """Take a chat-completion chunk that the bot sent."""
        choices = data.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if not isinstance(delta, dict):
            return "", []
        text = self._appended(delta["content"]) if isinstance(delta.get("content"), str) else ""
        pieces = deltas_in(delta)
        for piece in pieces:
            self._calls.add(piece, answer=None)
        return text, [self._sent.numbered(piece) for piece in pieces]
