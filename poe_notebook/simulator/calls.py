"""Bots asked by other bots: only those declared in ``server_bot_dependencies``, and so often for each user message.

Source: Poe protocol specification, "server_bot_dependencies" (read 2025-03); the sentence that Poe gives is known in
sense from public reports (server-bot-quick-start issues 60, 75, 87).
"""

from __future__ import annotations

from collections import Counter, OrderedDict

from poe_notebook.protocol.limits import Limits
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.simulator.directory import Asker

__all__ = ["CallBook"]

_KEPT_MESSAGES = 2_000


class CallBook:
    """Counts the calls that bots make to others, by the user message that they answer."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, str], Counter[str]] = OrderedDict()

    def refusal(self, asker: Asker, callee: str, *, settings: SettingsResponse, limits: Limits) -> str:
        """Count a call and say why it is refused; an empty text if it is not. ``settings`` are the calling bot's."""
        if asker.bot is None:
            return ""
        counts = self._counted(asker.bot.name, asker.message_id)
        declared = {name.casefold(): times for name, times in settings.server_bot_dependencies.items()}
        allowed = declared.get(callee.casefold(), 0)
        what = f"Message {asker.message_id}: {asker.bot.name} called {callee}"
        if allowed <= 0:
            return f"{what}, a bot that has 0 or undefined call count in its settings"
        if counts[callee.casefold()] >= allowed:
            return f"{what} more often than the {allowed} times in its settings"
        if counts.total() >= limits.bot_calls_per_message:
            return f"{what}, and has made {limits.bot_calls_per_message} calls to other bots already"
        counts[callee.casefold()] += 1
        return ""

    def _counted(self, bot: str, message_id: str) -> Counter[str]:
        key = (bot, message_id)
        counts = self._counts.setdefault(key, Counter())
        self._counts.move_to_end(key)
        while len(self._counts) > _KEPT_MESSAGES:
            self._counts.popitem(last=False)
        return counts
