"""An exchange on the screen while it is still being answered: drawn anew now and then, and left as it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from poe_notebook.tracing.exchange import Exchange

__all__ = ["LiveExchange"]

_INTERVAL_S = 0.5
_SHARE = 20  # drawing may take one part in so many of the time


class LiveExchange:
    """One output that follows an exchange. ``draw`` gives it as it stands, ``show`` puts it on the screen."""

    def __init__(
        self, exchange: Exchange, *, draw: Callable[[], Mapping[str, Any]], show: Callable[[dict[str, Any]], None]
    ) -> None:
        self._exchange, self._draw, self._show = exchange, draw, show
        self._seen: object = None

    def update(self) -> float | None:
        """Show what came since; gives the seconds to wait before the next time, or none once it has ended."""
        began_s, exchange = time.monotonic(), self._exchange
        has_ended = exchange.outcome != "open"
        seen = (exchange.outcome, *map(len, (exchange.events, exchange.logs, exchange.blocked, exchange.children)))
        if seen != self._seen:
            self._seen = seen
            self._show({**self._draw()})
        return None if has_ended else max(_INTERVAL_S, _SHARE * (time.monotonic() - began_s))
