"""What a handler gave that is no part of an answer: said in a sentence, with what to write instead."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from poe_notebook.errors import HandlerMistake

__all__ = ["mistake"]

_SHOWN_CHARS = 80
_WHY = (
    "An answer is made of str and of Poe's responses: PartialResponse, MetaResponse, DataResponse, ErrorResponse, "
    "ServerSentEvent."
)
_RESPONSES = frozenset({"PartialResponse", "DataResponse", "ServerSentEvent"})
_KNOWN_AS = {"with_retries": "stream_request"}
"""What gives the items of a call of this package, and the function that was called for it."""
_FILES = (
    "Write: await self.post_message_attachment(message_id=request.message_id, file_data=data, filename=name), in a "
    "handler that takes (self, request)"
)


def mistake(name: str, value: Any, how: str, *, handler: Callable[..., Any] | None = None) -> HandlerMistake:
    """Make the error for what the handler of a bot gave; of ``handler`` the definition is named if no line raises."""
    made = HandlerMistake(
        f"The handler of {name} gave {_shown(value)} ({type(value).__name__}), {how}.",
        why=_WHY,
        now=_instead(value, "return" if how == "returned" else "yield"),
    )
    made.code = getattr(inspect.unwrap(handler), "__code__", None) if handler is not None else None
    return made


def _shown(value: Any) -> str:
    shown = repr(value)
    for own, known in _KNOWN_AS.items():
        shown = shown.replace(f" {own} ", f" {known} ") if inspect.isasyncgen(value) else shown
    return shown if len(shown) <= _SHOWN_CHARS else shown[: _SHOWN_CHARS - 3] + "..."


def _instead(value: Any, verb: str) -> str:
    if value is None:
        return "Write: yield ''" if verb == "yield" else "Write: yield some text; a plain function has to return a str."
    if isinstance(value, bytes):
        return f"Write: {verb} value.decode()"
    if isinstance(value, dict | list | tuple):
        return f"Write: {verb} json.dumps(value)"
    if isinstance(value, BaseException):
        return f"Write: raise value, or {verb} str(value)"
    if isinstance(value, type):
        return _of_class(value, verb)
    if type(value).__name__ == "Attachment":
        return _FILES
    return _of_what_gives(value, verb) or f"Write: {verb} str(value)"


def _of_class(kind: type, verb: str) -> str:
    if {base.__name__ for base in kind.__mro__} & _RESPONSES:
        return f"That is the class; make one of it: {verb} fp.{kind.__name__}(text='...')"
    return f"That is the class; make one of it, and text of that: {verb} str({kind.__name__}())"


def _of_what_gives(value: Any, verb: str) -> str:
    """Say how to get at what a coroutine, a generator or a function gives."""
    name = getattr(value, "__name__", "") or "value"
    name = f"fp.{_KNOWN_AS[name]}" if name in _KNOWN_AS else name
    call = f"{name}(...)" if name.replace(".", "").isidentifier() else "value"
    if inspect.isawaitable(value):
        return f"The call was not awaited. Write: {verb} await {call}"
    if hasattr(value, "__aiter__"):
        return f"Give its items one by one. Write: async for part in {call}: yield part"
    if isinstance(value, Iterator):
        items = call if inspect.isgenerator(value) else "value"
        return f"Give its items one by one. Write: for part in {items}: yield part"
    if inspect.isroutine(value):
        return f"The function was not called. Write: {verb} {call}"
    return ""
