"""What a bot's handlers print and log, written under its cell as it comes (``%%poebot --echo-logs``)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from poe_notebook.tracing.exchange import Exchange, LogLine
from poe_notebook.views.html import Bundle
from poe_notebook.views.logs import echo_bundle

__all__ = ["EchoedLogs"]

_INTERVAL_S = 0.25
_SHOWN_LINES = 100


class EchoedLogs:
    """One output that follows a bot's exchanges; where an output cannot be changed, lines are written when they end.

    ``exchanges`` gives the trace's, latest first. Work for a look is that of what came since the last one.
    """

    def __init__(
        self,
        bot: str,
        exchanges: Callable[[], Iterable[Exchange]],
        *,
        show: Callable[[Bundle], None] | None,
        write: Callable[[str], object],
        redact: Callable[[str], str],
    ) -> None:
        self._bot, self._exchanges, self._show, self._write, self._redact = bot, exchanges, show, write, redact
        self._followed: dict[int, tuple[Exchange, int]] = {}
        self._seen = next((exchange.number for exchange in exchanges()), 0)
        self._shown: deque[tuple[Exchange, LogLine]] = deque(maxlen=_SHOWN_LINES)
        self._count, self._drawn = 0, (-1, 0)
        self.is_over = False

    def update(self) -> float | None:
        """Show what came since; gives the seconds to wait before the next time, or none once this is over.

        It is over when the answers that were under way then have ended.
        """
        if not self.is_over:
            self._find_new()
        fresh = list(self._fresh())
        if self._show is None:
            for _, line in fresh:
                self._write(f"{self._bot}: {self._redact(line.text).rstrip()}\n")
        else:
            self._count += len(fresh)
            self._shown += fresh
            drawn = (self._count, sum(len(line.text) for _, line in self._shown))
            if drawn != self._drawn:
                self._drawn = drawn
                left_out = self._count - len(self._shown)
                self._show(echo_bundle(self._bot, list(self._shown), left_out=left_out, redact=self._redact))
        return None if self.is_over and not self._followed else _INTERVAL_S

    def _find_new(self) -> None:
        latest = self._seen
        for exchange in self._exchanges():
            if exchange.number <= self._seen:
                break
            latest = max(latest, exchange.number)
            if exchange.bot == self._bot:
                self._followed[exchange.number] = (exchange, 0)
        self._seen = latest

    def _fresh(self) -> Iterator[tuple[Exchange, LogLine]]:
        for number, (exchange, told) in sorted(self._followed.items()):
            has_ended, lines = exchange.outcome != "open", exchange.logs[told:]
            if self._show is None and lines and not has_ended and not lines[-1].text.endswith("\n"):
                lines = lines[:-1]  # it goes on
            yield from ((exchange, line) for line in lines)
            self._followed[number] = (exchange, told + len(lines))
            if has_ended:
                del self._followed[number]
