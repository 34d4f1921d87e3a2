"""Keys that a bot gave away in pieces, so that no event held one: found when the answer has ended, and taken out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
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
    if not any(_may_hold(together, key) for key in redactor.plain):
        return None
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


def _may_hold(raw: bytes, key: bytes) -> bool:
    """Whether each letter of the key is there, and each two neighbours stand together or at a border.

    Nearly always one that does not tells that the key is not there, sooner than all the texts are put together.
    """
    if any(raw.find(letter) < 0 for letter in set(key)):
        return False
    return all(
        raw.find(bytes(pair)) >= 0 or any(raw.find(_across(pair, border)) >= 0 for border in _BORDERS)
        for pair in pairwise(key)
    )


def _across(pair: tuple[int, int], border: bytes) -> bytes:
    return b"%c%b%c" % (pair[0], border, pair[1])


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
