"""Points: being written."""

from __future__ import annotations

from typing import Any


class Ledger:
    """Being written."""

    def authorize(self, query_id: str, user_id: str, amounts: Any) -> None:
        """Reserve."""

    def capture(self, query_id: str, user_id: str, amounts: Any) -> None:
        """Charge."""

    def set_balance(self, user_id: str, points: int) -> None:
        """Set."""

    def statement(self, user_id: str) -> Any:
        """Tell."""

    def has_any(self, user_id: str) -> bool:
        """Tell."""
        return True
