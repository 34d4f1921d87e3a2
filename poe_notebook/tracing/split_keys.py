"""Keys that a bot gave away in pieces, so that no event held one: found when the answer has ended, and taken out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from poe_notebook.errors import BotProtocolError
from poe_notebook.keys import HIDDEN, Redactor
from poe_notebook.protocol.events import encode, encode_text
from poe_notebook.tracing.events import Events, Recorded

__all__ = ["without_split_keys"]

_BEGIN, _END = encode_text("|").split(b"|")
_BORDERS = (_END + _BEGIN, (_END + _BEGIN).replace(b"\n", b"\r\n"))
"""What stands between two pieces of text; to take it away is a hundred times faster than to read every event."""


def without_split_keys(events: Events, redactor: Redactor) -> Events | None:
    """Give the events without the keys that are spread over several texts; none if there are no such keys."""
    together = events.raw
    for border in _BORDERS:
        together = together.replace(border, b"")
    if redactor.event_bytes(together) is together:
        return None
    kept = list(events)
    texts = [(place, data["text"]) for place, event in enumerate(kept) if (data := _data(event))]
    for place, text in _cleaned(texts, redactor):
        at_s, type_, _ = kept[place]
        try:
            kept[place] = Recorded(at_s, type_, encode(type_, {**_data(kept[place]), "text": text}))
        except BotProtocolError:
            kept[place] = Recorded(at_s, type_, encode_text(text))
    return events.like(kept)


def _data(event: Recorded) -> dict[str, Any]:
    data = event.data if event.type == "text" else None
    return data if isinstance(data, dict) and isinstance(data.get("text"), str) else {}


def _cleaned(texts: Sequence[tuple[int, str]], redactor: Redactor) -> Iterator[tuple[int, str]]:
    """Give the texts in which a key begins, goes on or ends, without it."""
    whole = "".join(text for _, text in texts)
    places, at = redactor.places(whole), 0
    for place, text in texts:
        end = at + len(text)
        touching = [(first, last) for first, last in places if first < end and last > at]
        if touching:
            cleaned, read = "", at
            for first, last in touching:
                cleaned += whole[read : max(first, at)] + (HIDDEN if first >= at else "")
                read = min(last, end)
            yield place, cleaned + whole[read:end]
        at = end
