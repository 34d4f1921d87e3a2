"""Bots asked by other bots: only those declared in ``server_bot_dependencies``, and so often for each user message.

A circle of bots is bounded by that, since all that one message of a user sets going is counted together. Source: Poe
protocol specification, "server_bot_dependencies" (read 2025-03); the sentence that Poe gives is known in sense from
public reports (server-bot-quick-start issues 60, 75, 87).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from poe_notebook.protocol.limits import Limits
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.simulator.answering import Asker
from poe_notebook.simulator.memory import Kept

__all__ = ["CallBook"]

_KEPT_MESSAGES = 2_000


@dataclass(slots=True)
class _Calls:
    """What one user message has set going: calls by caller and called bot, and all of them."""

    of_pair: Counter[tuple[str, str]] = field(default_factory=Counter)
    total: int = 0


class CallBook:
    """Counts the calls that bots make to others, by the user message that began them."""

    def __init__(self) -> None:
        self._kept: Kept[_Calls] = Kept(_KEPT_MESSAGES)

    def refusal(self, asker: Asker, callee: str, *, settings: SettingsResponse, limits: Limits) -> str:
        """Count a call and say why it is refused; an empty text if it is not. ``settings`` are the calling bot's."""
        if asker.bot is None:
            return ""
        calls, pair = self._calls_for(asker), (asker.bot.name.casefold(), callee.casefold())
        declared = {name.casefold(): times for name, times in settings.server_bot_dependencies.items()}
        allowed = declared.get(callee.casefold(), 0)
        what = f"{asker.bot.name} called {callee}"
        if asker.answering is not None:
            what = f"Message {asker.answering.message_id}: {what}"
        if allowed <= 0:
            return f"{what}, a bot that has 0 or undefined call count in its settings"
        if calls.of_pair[pair] >= allowed:
            return f"{what} more often than the {allowed} times in its settings"
        if calls.total >= limits.bot_calls_per_message:
            return f"{what}, and {limits.bot_calls_per_message} calls to other bots have been made for it already"
        calls.of_pair[pair] += 1
        calls.total += 1
        return ""

    def forgive(self, asker: Asker, callee: str) -> None:
        """Take back the count of a call that failed and gave nothing, as libraries ask again by themselves.

        The simulator's own rule. The call still counts as one of all that may be made for a message.
        """
        if asker.bot is not None:
            self._calls_for(asker).of_pair[asker.bot.name.casefold(), callee.casefold()] -= 1

    def _calls_for(self, asker: Asker) -> _Calls:
        """Give the calls for the user's message; a call that belongs to none is a message of its own."""
        if asker.answering is None:
            return _Calls()
        began_by = asker.answering.began_by
        calls = self._kept.get(began_by) or _Calls()
        self._kept.put(began_by, calls)
        return calls
