"""Asking again when an answer failed, so that no reader sees the same text twice.

As long as nothing has been given, any failure that allows it is tried again. Once something has, only a connection
that was cut is: then a ``Restart`` comes first, and what it makes void is given anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import httpx

from poe_notebook.errors import BotError, BotErrorNoRetry, BotProtocolError
from poe_notebook.protocol.responses import MetaResponse, PartialResponse

__all__ = ["OnError", "Restart", "with_retries"]

OnError = Callable[[Exception, str], object]
"""Hears of each failed try: the error, and a sentence."""

_CUT = (httpx.RemoteProtocolError, httpx.ReadError)


class Restart(PartialResponse):
    """The answer of this ``index`` begins again; its text and its tool calls so far are void.

    To those who do not know it, it is a ``replace_response`` without text.
    """

    text: str = ""
    is_replace_response: bool = True


async def with_retries(
    open_stream: Callable[[], AsyncGenerator[PartialResponse, None]],
    *,
    bot_name: str,
    num_tries: int,
    retry_sleep_time: float,
    on_error: OnError | None,
) -> AsyncGenerator[PartialResponse, None]:
    """Give the responses of the first answer that does not fail.

    Suggested replies and files that came before a cut are not given again. Raises the last ``BotError``.
    """
    given = _Given()
    for attempt in range(1, num_tries + 1):
        given.begin_try()
        try:
            async with aclosing(open_stream()) as stream:
                async for response in stream:
                    for each in given.restarts():
                        yield each
                    if given.is_new(response):
                        yield response
            return
        except BotErrorNoRetry:
            raise
        except BotProtocolError as error:
            raise BotErrorNoRetry(str(error)) from error
        except BotError as error:
            if on_error is not None:
                on_error(error, f"Bot request to {bot_name} failed on try {attempt}")
            if attempt == num_tries or not (given.is_nothing or isinstance(error.__cause__, _CUT)):
                raise
        await asyncio.sleep(retry_sleep_time)


class _Given:
    """What the tries so far have given to the reader."""

    def __init__(self) -> None:
        self.is_nothing = True
        self._indexes: set[int | None] = set()
        self._extras: set[tuple[str, str]] = set()
        self._former_extras: set[tuple[str, str]] = set()
        self._has_meta = False
        self._tries = 0
        self._has_to_restart = False

    def begin_try(self) -> None:
        self._tries += 1
        self._has_to_restart = self._tries > 1
        self._former_extras |= self._extras

    def restarts(self) -> list[Restart]:
        """Give, ahead of the first response of another try, what makes the former try's text void."""
        if not self._has_to_restart:
            return []
        self._has_to_restart = False
        return [Restart(index=index) for index in self._indexes]

    def is_new(self, response: PartialResponse) -> bool:
        """Whether the reader should get this response, which then counts as given."""
        if type(response) is PartialResponse:
            if response.is_suggested_reply or response.attachment is not None:
                return self._is_new_extra(response)
            self._indexes.add(response.index)
        elif type(response) is MetaResponse:
            is_first = self.is_nothing and not self._has_meta  # elsewhere it does not count
            self._has_meta = True
            return is_first
        self.is_nothing = False
        return True

    def _is_new_extra(self, response: PartialResponse) -> bool:
        file = response.attachment
        extra = ("file", file.url) if file is not None else ("suggested_reply", response.text)
        self.is_nothing = False
        self._extras.add(extra)
        return extra not in self._former_extras
