"""For the tests that ``%poe pin`` writes: ask a bot a pinned request, and expect of the answer what was pinned.

::

    from poe_notebook.pinned import ask

    def test_shout_hello():
        answer = ask("my_bot:Shout", {"type": "query", … })
        answer.expect_outcome("done")
        answer.expect_events({"text": (1, 4), "done": 1})
        answer.expect_text("HELLO")

Needs no notebook and no kernel. An expectation that is not met is an ``AssertionError`` with words for people.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal

from poe_notebook.bot.answer import answer as answer_of
from poe_notebook.bot.base import RequestContext
from poe_notebook.bot.direct import in_threadpool
from poe_notebook.bot.handlers import servable
from poe_notebook.client.query import stream_events
from poe_notebook.client.sync import run
from poe_notebook.conversation import Reply
from poe_notebook.errors import BotError, BotProtocolError
from poe_notebook.keys import Secret
from poe_notebook.protocol.events import Event, decode
from poe_notebook.protocol.requests import MISSING_KEY, QueryRequest
from poe_notebook.replaying.again import reply_to
from poe_notebook.replaying.importing import bot_at, bot_of
from poe_notebook.replaying.shape import counts_of, order_of
from poe_notebook.replaying.words import changes, marked, similarity
from poe_notebook.tracing.failures import authors_frames
from poe_notebook.tracing.reading import data_of

__all__ = ["Answer", "ask"]

_TIMEOUT_S = 60.0
_SHOWN_CHARS = 4_000
_AGAIN = "If the new answer is right, change that line of the test, or pin the turn again."

Number = int | tuple[int, int]
"""So many events, or at least and at most so many."""


def ask(
    bot: Any,
    request: Mapping[str, Any],
    *,
    key_variable: str = "POE_ACCESS_KEY",
    timeout_s: float = _TIMEOUT_S,
) -> Answer:
    """Send a request to a bot and give its answer, once it is whole.

    ``bot`` is ``"module:object"`` (a bot, a class of bots or a handler function, asked within this process),
    ``"module"`` for the bot that it is there for, such an object itself, or the address of a bot's server; its access
    key is then taken from the environment variable ``key_variable``. Raises ``AssertionError`` if the bot cannot be
    found or asked.
    """
    __tracebackhide__ = True
    query = QueryRequest.model_validate(dict(request))
    if isinstance(bot, str) and bot.startswith(("http://", "https://")):
        answer = Answer(reply_to(query, bot=bot, route="url"))
        events = stream_events(query, bot, key=_key_in(key_variable, url=bot))
    else:
        name, ready = bot_at(bot) if isinstance(bot, str) else bot_of(bot)
        answer = Answer(reply_to(query, bot=name, route="import"))
        events = _events_here(ready, query, name=name, key_variable=key_variable, raised=answer.raised.append)
    run(answer._fill(events, timeout_s))
    if answer.unasked:
        raise AssertionError(f"{answer.reply.bot} could not be asked: no answer came.\n{answer.unasked}")
    return answer


def _key_in(variable: str, *, url: str) -> Secret:
    __tracebackhide__ = True
    value = os.environ.get(variable, "").strip()
    if not value:
        raise AssertionError(
            f"{url} could not be asked: the environment variable {variable}, which this test takes the access key of "
            f"the bot's server from, is not set.\nSet it where pytest is run, for example: {variable}=… pytest"
        )
    return Secret(value, origin=f"from {variable}")


@dataclass(slots=True)
class Answer:
    """A whole answer, and what may be expected of it. ``raised`` holds the exception of a handler in this process.

    ``broken`` says why it has no end, ``unasked`` why there is none at all.
    """

    reply: Reply
    raised: list[BaseException] = field(default_factory=list)
    broken: str = ""
    unasked: str = ""

    @property
    def text(self) -> str:
        """The text, as a reader sees it at the end."""
        return self.reply.text

    @property
    def events(self) -> list[Event]:
        """The events, in order."""
        return self.reply.events

    @property
    def outcome(self) -> Literal["done", "failed"]:
        """``done``, or ``failed`` if it ended in an ``error`` event or broke off."""
        return "done" if self.reply.state == "done" else "failed"

    def expect_outcome(self, outcome: Literal["done", "failed"]) -> None:
        """Expect that the answer ended well, or that it failed."""
        __tracebackhide__ = True
        if self.outcome == outcome:
            return
        error = _from_the_authors_line(self.raised[0]) if self.raised else None
        why = f"The handler raised {type(error).__name__}: {error}" if error else self._complaint()
        self._refuse(f"It was {outcome} when it was pinned, and is {self.outcome} now.", why, cause=error)

    def expect_order(self, *types: str) -> None:
        """Expect the types of the events in order, each named once for a run of any length; pings do not count."""
        __tracebackhide__ = True
        found = tuple(type_ for type_, _ in order_of(event.type for event in self.events))
        if found != types:
            self._refuse("Its events come in another order.", f"pinned: {_listed(types)}\nnow:    {_listed(found)}")

    def expect_events(self, counts: Mapping[str, Number]) -> None:
        """Expect so many events of each type, or at least and at most so many, and none of any other type."""
        __tracebackhide__ = True
        found = counts_of(event.type for event in self.events)
        wrong = [
            f"{type_}: {_worded(counts.get(type_, 0))} pinned, {found.get(type_, 0):,} now"
            for type_ in dict.fromkeys([*counts, *found])
            if not _fits(found.get(type_, 0), counts.get(type_, 0))
        ]
        if wrong:
            self._refuse("It is not made of the events that were pinned.", "\n".join(wrong))

    def expect_first_text(self, *, within_s: float) -> None:
        """Expect the first text within so many seconds."""
        __tracebackhide__ = True
        first_s = self.reply.first_text_s
        if first_s is None:
            self._refuse("It has no text.", f"pinned: a first text within {within_s:g} s")
        elif first_s > within_s:
            self._refuse(f"Its first text came after {first_s:.2f} s.", f"pinned: within {within_s:g} s")

    def expect_text(self, text: str) -> None:
        """Expect this text, letter by letter."""
        __tracebackhide__ = True
        if self.text != text:
            self._refuse("Its text is another one.", _difference(text, self.text))

    def expect_similar(self, text: str, *, at_least: float) -> None:
        """Expect a text that is alike, from 0 (nothing in common) to 1 (the same): twice what both have by all."""
        __tracebackhide__ = True
        ratio = similarity(text, self.text)
        if ratio < at_least:
            what = f"Its text is no more than {ratio:.2f} like the pinned one; {at_least:g} was asked for."
            self._refuse(what, _difference(text, self.text))

    def expect_match(self, pattern: str) -> None:
        """Expect that a regular expression is found in the text."""
        __tracebackhide__ = True
        if re.search(pattern, self.text) is None:
            self._refuse("Its text does not match the pattern.", f"pattern: {pattern}\nnow:     {_shown(self.text)}")

    async def _fill(self, events: AsyncGenerator[Event, None], timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s), aclosing(events):
                async for event in events:
                    self.reply.add(event)
        except TimeoutError:
            self.broken = f"No end of the answer came within {timeout_s:g} s."
        except BotProtocolError as error:
            self.broken = str(error)
        except BotError as error:
            self.broken = str(error)
            self.unasked = "" if self.reply.events else self.broken
        if self.broken:
            self.reply.state = "failed"

    def _complaint(self) -> str:
        failure = self.reply.failure
        return self.broken or (failure.text if failure is not None else "") or f"It says: {_shown(self.text)}"

    def _refuse(self, what: str, details: str, *, cause: BaseException | None = None) -> None:
        __tracebackhide__ = True
        indented = "\n".join(f"    {line}" for line in details.split("\n"))
        raise AssertionError(f"{self.reply.bot} answers differently. {what}\n{indented}\n{_AGAIN}") from cause


def _from_the_authors_line(error: BaseException) -> BaseException:
    """Take our frames, and those that led to the author's first line, out of what pytest shows of an exception."""
    behind: BaseException | None = error
    seen: set[int] = set()
    while behind is not None and id(behind) not in seen:
        seen.add(id(behind))
        behind.__traceback__ = authors_frames(behind, lambda file: None)[0]
        behind = behind.__cause__ or behind.__context__
    return error


async def _events_here(
    bot: Any, request: QueryRequest, *, name: str, key_variable: str, raised: Callable[[BaseException], None]
) -> AsyncGenerator[Event, None]:
    from starlette.requests import Request

    request.access_key = request.api_key = os.environ.get(key_variable, "").strip() or MISSING_KEY
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    http_request = Request({"type": "http", "method": "POST", "path": "/", "headers": []})
    context = RequestContext(http_request=http_request)
    served = servable(bot, name=name)
    events = answer_of(served, request, context=context, in_thread=in_threadpool, on_raise=raised)
    async with aclosing(events):
        async for type_, raw in events:
            yield decode(type_, data_of(raw), loop.time() - start_s)


def _fits(found: int, wanted: Number) -> bool:
    least, most = (wanted, wanted) if isinstance(wanted, int) else wanted
    return least <= found <= most


def _worded(wanted: Number) -> str:
    return f"{wanted:,}" if isinstance(wanted, int) else f"{wanted[0]:,} to {wanted[1]:,}"


def _listed(types: tuple[str, ...]) -> str:
    return ", ".join(types) or "none"


def _difference(pinned: str, now: str) -> str:
    pieces = _shown(marked(changes(pinned, now)))
    return f"[-pinned-] and {{+now+}}, word by word:\n{pieces}"


def _shown(text: str) -> str:
    rest = f" … ({len(text):,} characters in all)" if len(text) > _SHOWN_CHARS else ""
    shown = text[:_SHOWN_CHARS]
    return (shown if shown.replace("\n", " ").isprintable() else ascii(shown)) + rest
