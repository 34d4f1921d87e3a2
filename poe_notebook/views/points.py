"""The points ledger as a table."""

from __future__ import annotations

from typing import Any

from poe_notebook.views.html import Bundle, bundle, framed


def points_bundle(statement: Any) -> Bundle:
    """Show a statement."""
    return bundle(framed("", label="Points"), "")
