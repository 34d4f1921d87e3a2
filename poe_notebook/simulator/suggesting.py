"""Replies that the simulated Poe suggests by itself where a bot wants suggestions and gives none.

How Poe makes them is undocumented; these are plain ones, of the last message's own words.
"""

from __future__ import annotations

import re

from poe_notebook.protocol.requests import QueryRequest

__all__ = ["suggestions"]

_WORD = re.compile(r"[^\W\d_]{5,20}")


def suggestions(request: QueryRequest) -> list[str]:
    """Give up to three replies to the answer of this query."""
    said = request.query[-1].content if request.query else ""
    words = _WORD.findall(said[:2_000])
    about = [f"Tell me more about {max(words, key=len)}"] if words else []
    return [*about, "Give me an example", "Say it more briefly"]
