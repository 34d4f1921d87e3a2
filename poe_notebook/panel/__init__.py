"""The chat panel's control: what may be done in it, by the buttons of its page or from Python, and what then happens.

``control`` answers, one turn at a time, on the toolkit's loop; ``pages`` turns what a page wishes for into that.
"""

from __future__ import annotations

from poe_notebook.panel.control import Panel

__all__ = ["Panel"]
