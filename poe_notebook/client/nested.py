"""Calls that a handler makes to other bots, recorded as exchanges under the one that it is answering."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from poe_notebook.errors import PoeNotebookError
from poe_notebook.protocol.requests import QueryRequest, without_keys
from poe_notebook.tracing.recorder import CURRENT, Recording

__all__ = ["nested_exchange"]


@contextmanager
def nested_exchange(request: QueryRequest, *, bot: str, url: str) -> Iterator[Recording | None]:
    """Open the exchange of a call made inside a handler, and end it as the block ends; none outside of handlers."""
    answering = CURRENT.get()
    if answering is None:
        yield None
        return
    recording = answering.nested(bot=bot, url=url, request=without_keys(request))
    try:
        yield recording
    except PoeNotebookError as error:
        recording.end("failed" if recording.tap.events else "refused", error.what)
        raise
    except BaseException:
        recording.end("stopped")
        raise
    recording.end("done")
