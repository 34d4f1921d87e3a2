"""``%poe attachments``: the files of an exchange, those that came and those that were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from poe_notebook.arguments import Arguments, Command
from poe_notebook.verbs.console import Console

if TYPE_CHECKING:
    pass

COMMAND = Command(
    "attachments",
    "Show the files of an exchange, both ways, and give those that are at hand.",
    words=("WHICH?",),
    examples=("%poe attachments", "files = %poe attachments 3", "files[0].content"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> Any:
    """Show the files and give them."""
    from poe_notebook.views.attached_files import attached_files_bundle

    exchange = console.session.exchange(arguments.word("which"))
    files = console.session.inspecting.files(exchange)
    console.show(attached_files_bundle(exchange, files))
    return files or None
