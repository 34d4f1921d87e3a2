"""Who may use the simulated api.poe.com: keys to askers, and how often one user may ask in a minute.

A user's API key spends that user's points; a bot's access key stands for the bot, asking for the user whose message it
answers. Source: external application guide, "Rate limits" (2025-08).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from poe_notebook.keys import Secret, find_api_key
from poe_notebook.protocol.limits import API_CALLS_PER_MINUTE
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.simulator.answering import AnswerBook, Asker
from poe_notebook.simulator.directory import Directory

__all__ = ["Accounts"]

_MINUTE_S = 60.0


class Accounts:
    """The simulator's own API key, and with it the one in ``POE_API_KEY``, belong to one user; bots have their keys."""

    def __init__(
        self,
        directory: Directory,
        *,
        api_key: Secret,
        user_id: str,
        answers: AnswerBook,
        per_minute: int = API_CALLS_PER_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.api_key, self.user_id = api_key, user_id
        self._directory, self._answers = directory, answers
        self._per_minute, self._clock = per_minute, clock
        self._asked_s: deque[float] = deque()

    def is_user(self, key: str) -> bool:
        """Whether a key is a user's API key."""
        own = find_api_key()
        return self.api_key.matches(key) or (own is not None and own.matches(key))

    def is_known(self, key: str) -> bool:
        """Whether a key is a user's or a served bot's."""
        return self.is_user(key) or bool(self._directory.of_key(key))

    def asker(self, key: str, request: QueryRequest, *, answered_message: str = "") -> Asker | None:
        """Give who asks with this key; none if nobody has it.

        ``answered_message`` is the message that the asker is known to answer, whatever its query says. Several bots may
        share a key, that of POE_ACCESS_KEY; then the message being answered tells them apart.
        """
        bots = {bot.name: bot for bot in self._directory.of_key(key)}
        if bots:
            answering = self._answers.asked_for(bots, answered_message, request.message_id)
            if answering is None:
                return Asker(self.user_id, bot=next(iter(bots.values())))
            return Asker(answering.user_id, bot=bots[answering.bot], answering=answering)
        return Asker(self.user_id) if self.is_user(key) else None

    def wait_s(self) -> float:
        """Count a request made with an API key; gives how long to wait if it is one too many in a minute, else 0."""
        now_s = self._clock()
        while self._asked_s and now_s - self._asked_s[0] > _MINUTE_S:
            self._asked_s.popleft()
        if len(self._asked_s) >= self._per_minute:
            return _MINUTE_S - (now_s - self._asked_s[0])
        self._asked_s.append(now_s)
        return 0.0
