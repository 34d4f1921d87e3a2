"""Where commands are typed: the shell, what it shows, and what commands have left on the screen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal

from IPython.display import display

if TYPE_CHECKING:
    from poe_notebook.session import Session
    from poe_notebook.views.inspector_page import InspectorPage
    from poe_notebook.views.logs_live import EchoedLogs
    from poe_notebook.views.status import BotStatus
    from poe_notebook.views.status_line import StatusLine

__all__ = ["Console"]


class Console:
    """One shell's screen; it knows no command."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._shown: tuple[object, int] | None = None
        self._lines: dict[str, StatusLine] = {}
        self._echoes: dict[str, EchoedLogs] = {}
        self._page: InspectorPage | None = None

    @property
    def session(self) -> Session:
        """The kernel's session, started by the first command that needs it."""
        from poe_notebook.session import current_session

        return current_session()

    def show(self, bundle: dict[str, Any]) -> None:
        """Show a mimebundle in the running cell, without keys whatever made it."""
        session = sys.modules.get("poe_notebook.session")
        if session is not None and session.has_session():
            from poe_notebook.views.html import cleaned

            self.session.learn_keys()
            bundle = cleaned(bundle, self.session.redactor.text)
        display(bundle, raw=True)

    def mark(self, number: int) -> str:
        """Give the mark by which the page's script knows the output of an exchange; none without such a page."""
        from poe_notebook.views.live import can_take_widgets

        if self._page is None and can_take_widgets(self.shell):
            from poe_notebook.views.inspector_page import InspectorPage

            self._page = InspectorPage(self.session.inspecting.rows)
        return self._page.mark(number) if self._page is not None else ""

    def close(self) -> None:
        """End what the page has of this console."""
        if self._page is not None:
            self._page.close()
            self._page = None

    def say(self, sentence: str, *, kind: Literal["info", "done", "warning"] = "info") -> None:
        """Show a sentence."""
        from poe_notebook.views.status import message_bundle

        self.show(message_bundle(sentence, kind=kind))

    def give(self, value: object) -> Any:
        """Give a value that the running cell has shown already, so that it is not shown twice."""
        self._shown = (value, self.shell.execution_count)
        return value

    def was_shown(self, value: object) -> bool:
        """Whether the running cell has shown this value already; asked once, so that a second look shows it again."""
        shown, self._shown = self._shown, None
        return shown is not None and shown[0] is value and shown[1] == self.shell.execution_count

    def show_line(self, status: BotStatus) -> None:
        """Show a bot's status line, which is kept up to date until a later cell's takes its place."""
        from poe_notebook.views.status_line import StatusLine

        if status.name in self._lines:
            self._lines[status.name].replaced(status.generation)
        line = self._lines[status.name] = StatusLine(status, is_live=hasattr(self.shell, "kernel"))
        self.session.serving.watch(status.name, line.update)

    def echo_logs(self, bot: str, *, wanted: bool) -> None:
        """Show in the running cell what a bot prints and logs from now on; or nowhere any more."""
        if bot in self._echoes:
            self._echoes.pop(bot).is_over = True
        if not wanted:
            return
        from poe_notebook.views.live import CellOutput
        from poe_notebook.views.logs_live import EchoedLogs

        show = CellOutput() if hasattr(self.shell, "kernel") else None
        trace, redact = self.session.trace, self.session.redactor.text
        echo = self._echoes[bot] = EchoedLogs(bot, trace.latest, show=show, write=sys.stdout.write, redact=redact)
        self.session.every(echo.update)

    def end_line(self, bot: str) -> None:
        """Say in a bot's status line that it is stopped, and echo its logs no more."""
        self.echo_logs(bot, wanted=False)
        if bot in self._lines:
            self._lines.pop(bot).stopped()
