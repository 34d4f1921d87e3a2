"""The live view of one turn: which form it takes, and the one seam between views and Jupyter's display.

Nothing heavy is imported before a turn is opened, and widgets only for an answer that takes a moment.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Literal, Protocol

from poe_notebook.reply import Reply

__all__ = ["CellOutput", "LiveTurn", "can_take_widgets", "form_of", "open_turn"]

Form = Literal["widget", "handle", "text"]


class LiveTurn(Protocol):
    """One answer on the screen. All three run on the main thread; ``update`` may be called as often as one likes."""

    def open(self) -> None:
        """Show at once that we wait for an answer."""

    def update(self) -> None:
        """Show what came since; called after each batch of events, and every 50 ms while nothing comes."""

    def close(self) -> None:
        """Leave the finished, static form; called once the reply is finished."""


def open_turn(
    reply: Reply,
    *,
    shell: Any,
    redact: Callable[[str], str] | None = None,
    resolve: Callable[[str], bytes | None] | None = None,
    form: Form | None = None,
) -> LiveTurn:
    """Make the view of a reply for this front end, or in the form asked for.

    ``redact`` sees all that is shown; ``resolve`` gives the bytes behind an attachment's address if they are at hand.

    ``widget`` sends small patches; ``handle`` updates one output, for front ends without widgets; ``text`` writes to
    standard output.
    """
    form = form or form_of(shell)
    if form == "widget":
        from poe_notebook.views.turn_widget import WidgetTurn

        return WidgetTurn(reply, show=CellOutput(), redact=redact, resolve=resolve)
    if form == "handle":
        from poe_notebook.views.handle_turn import HandleTurn

        return HandleTurn(reply, show=CellOutput(), redact=redact, resolve=resolve)
    from poe_notebook.views.terminal_turn import TerminalTurn

    return TerminalTurn(reply, redact=redact, resolve=resolve)


class CellOutput:
    """One output of the running cell: made by the first call, updated in place by later ones."""

    def __init__(self) -> None:
        self._handle: Any = None

    def __call__(self, bundle: dict[str, Any]) -> None:
        """Show a mimebundle."""
        from IPython.display import display

        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def can_take_widgets(shell: Any) -> bool:
    """Whether the front end of a shell is one to which widgets can be sent."""
    kernel = getattr(shell, "kernel", None)
    # With nobody to ask, it is nbclient that runs the notebook: it would save a widget's state into the file. Colab
    # redraws widgets in a frame of their own, and not from threads (googlecolab/colabtools#3373).
    is_asked = kernel is not None and getattr(kernel, "_allow_stdin", True)
    return is_asked and "google.colab" not in sys.modules and find_spec("anywidget") is not None


def form_of(shell: Any) -> Form:
    """Tell which form this front end can show."""
    if getattr(shell, "kernel", None) is None:
        return "text"
    return "widget" if can_take_widgets(shell) else "handle"
