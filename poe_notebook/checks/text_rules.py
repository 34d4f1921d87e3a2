"""Rules about the text of an answer: files that it places, HTML that it embeds, keys that it gives away.

Sources: Poe protocol specification (read 2025-03), Poe's functional guides (read 2026-04).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from poe_notebook.checks.evidence import Evidence
from poe_notebook.checks.finding import GUIDES, SPEC, Finding
from poe_notebook.keys import HIDDEN

__all__ = ["TEXT_RULES"]

_PLACED = re.compile(r"!\[[^\]\n]{0,1000}\]\[([^\]\n]{1,100})\]")
_DEFINED = re.compile(r"^ {0,3}\[([^\]\n]{1,100})\]:", re.MULTILINE)
_FENCED = re.compile(r"^ {0,3}(```+|~~~+).*?(?:^ {0,3}\1|\Z)", re.MULTILINE | re.DOTALL)
_HTML = re.compile(r"<html\b.*?(?:</html>|\Z)", re.DOTALL | re.IGNORECASE)
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")


def placed_files(evidence: Evidence) -> Iterator[Finding]:
    """Find places for files that no file fills, or that a file fills too late."""
    text, event_of = _text(evidence)
    named = {name: at for at, value in evidence.of_type("file") if isinstance(name := value.get("inline_ref"), str)}
    defined = set(_DEFINED.findall(text))
    for match in _PLACED.finditer(text):
        name = match[1]
        used_at = event_of(match.end() - 1)
        if name in defined:
            continue  # an image of the Markdown itself
        if name not in named:
            yield Finding(
                "unfilled-place",
                "warning",
                f"The text places a file called {name[:60]!r}, and none has that inline_ref.",
                "![title][name] is replaced by the file whose inline_ref is that name.",
                "Attach the file before the text: `await self.post_message_attachment(..., is_inline=True)` gives the "
                "inline_ref to write.",
                SPEC,
                event=used_at + 1,
            )
            return
        if named[name] > used_at:
            yield Finding(
                "late-file",
                "warning",
                f"The file {name[:60]!r} came as event {named[name] + 1:,}, after the text that places it.",
                "A file event has to come before the text that uses its inline_ref.",
                "Attach the file first, then yield the text with ![title][name].",
                SPEC,
                event=named[name] + 1,
            )
            return


def html_with_an_empty_line(evidence: Evidence) -> Iterator[Finding]:
    """Find embedded HTML that Markdown cuts in two."""
    text, event_of = _text(evidence)
    if "<html" not in text.lower():
        return
    unfenced = _FENCED.sub(lambda match: " " * len(match[0]), text)
    for match in _HTML.finditer(unfenced):
        empty = _EMPTY_LINE.search(match[0])
        if empty is not None:
            yield Finding(
                "cut-html",
                "warning",
                "The answer embeds HTML with an empty line in it.",
                "A bare <html>…</html> block is rendered only if it has no empty line, since Markdown ends it there.",
                "Take the empty lines out, or put the HTML into a fenced block marked html to show code and preview.",
                GUIDES,
                event=event_of(match.start() + empty.start()) + 1,
            )
            return


def key_in_the_answer(evidence: Evidence) -> Iterator[Finding]:
    """Find events out of which the trace took a key."""
    places = evidence.holding(HIDDEN.encode())
    if places:
        yield Finding(
            "key-in-answer",
            "error",
            f"The answer gives a key away, in {len(places):,} of its events.",
            "Whoever chats with the bot can read it. It is hidden here, not in what was sent.",
            "Take it out of the text, and replace the key: whoever has seen it can use it.",
            event=places[0] + 1,
        )


def _text(evidence: Evidence) -> tuple[str, _EventOf]:
    pieces = evidence.texts()
    return "".join(text for _, text in pieces), _EventOf(pieces)


class _EventOf:
    """Gives the event in which a character of the text came."""

    def __init__(self, pieces: list[tuple[int, str]]) -> None:
        self._events = [at for at, _ in pieces]
        self._ends = list(accumulate(len(text) for _, text in pieces))

    def __call__(self, character: int) -> int:
        return self._events[bisect_right(self._ends, character)]


TEXT_RULES = (placed_files, html_with_an_empty_line, key_in_the_answer)
