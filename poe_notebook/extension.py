"""What ``%load_ext poe_notebook`` puts into a shell, and takes out again."""

from __future__ import annotations

import re
import sys
from typing import Any

from IPython.display import display

from poe_notebook.arguments import Command
from poe_notebook.drop_in import DropInFinder
from poe_notebook.magics import PoeMagics
from poe_notebook.questions import Questions
from poe_notebook.verbs import POEBOT, VERBS, Console, verb_named

__all__ = ["load", "unload"]

_SHOWN = {
    "Reply": "poe_notebook.reply",
    "Exchange": "poe_notebook.tracing.exchange",
    "BotStatus": "poe_notebook.views.status",
    "Comparison": "poe_notebook.comparing",
    "Panel": "poe_notebook.panel.control",
}
_HOOK = "complete_command"
_LINE = re.compile(r"%{1,2}poe(bot)?\b")


def load(shell: Any) -> None:
    """Register magics, completions and displays."""
    magics = PoeMagics(shell)
    shell.register_magics(magics)
    shell.events.register("post_run_cell", magics.hint_at_nesting)
    DropInFinder(_say_drop_in).install()
    Questions(shell).install()
    shell.set_hook(_HOOK, _complete, re_key=_LINE.pattern)
    for name, module in _SHOWN.items():
        formatter = shell.display_formatter.ipython_display_formatter
        formatter.for_type_by_name(module, name, _Shower(magics.console))


def unload(shell: Any) -> None:
    """Take the registrations back and end the session."""
    if "poe_notebook.session" in sys.modules:
        from poe_notebook.session import close_session

        close_session()
    Questions(shell).remove()
    for finder in [finder for finder in sys.meta_path if isinstance(finder, DropInFinder)]:
        finder.remove()
    manager = shell.magics_manager
    magics = manager.registry.pop(PoeMagics.__name__, None)
    if magics is not None:
        shell.events.unregister("post_run_cell", magics.hint_at_nesting)
        magics.console.close()
    manager.magics["cell"].pop("poebot", None)
    for kind in ("line", "cell"):
        manager.magics[kind].pop("poe", None)
    hooks = shell.strdispatchers.get(_HOOK)
    if hooks is not None:
        hooks.regexs = {key: chain for key, chain in hooks.regexs.items() if key.pattern != _LINE.pattern}
    formatter = shell.display_formatter.ipython_display_formatter
    for name, module in _SHOWN.items():
        formatter.deferred_printers.pop((module, name), None)
        formatter.type_printers.pop(getattr(sys.modules.get(module), name, None), None)


class _Shower:
    """Shows a reply or an exchange as a cell's value, unless the cell's magic has shown it already."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, value: Any) -> None:
        if self._console.was_shown(value):
            return
        if hasattr(value, "show"):
            value.show()
        else:
            self._console.show(_bundle(value, self._console))


def _say_drop_in() -> None:
    from poe_notebook.views.status import message_bundle

    text = "`fastapi_poe` is not installed here; poe_notebook stands in for it, under the same names."
    display(message_bundle(text), raw=True)


def _bundle(value: Any, console: Console) -> dict[str, Any]:
    from poe_notebook.conversation import Reply
    from poe_notebook.verbs.inspect import exchange_shown
    from poe_notebook.views.status import BotStatus, status_bundle
    from poe_notebook.views.transcript import turn_bundle
    from poe_notebook.views.turn_redaction import redacted

    if isinstance(value, BotStatus):
        return status_bundle(value)
    return turn_bundle(redacted(value, value.redact)) if isinstance(value, Reply) else exchange_shown(console, value)


def _complete(shell: Any, event: Any) -> list[str]:
    """Complete verbs, words and options."""
    words = event.line.split()
    typed = words if event.line.endswith(" ") else words[:-1]
    verb = POEBOT if words[0].endswith("poebot") else verb_named(typed[1]) if len(typed) > 1 else None
    if verb is None:
        return [verb.command.name for verb in VERBS]
    options = [option.name for option in verb.command.options if option.name not in typed]
    place = len([word for word in typed if not word.startswith("-")]) - 2
    return [*_words(verb.command, place), *options]


def _words(command: Command, place: int) -> list[str]:
    if command.takes_many:
        place = 0
    if command is POEBOT.command or place >= len(command.words):
        return []
    word = command.words[place].rstrip("?…")
    return _bot_names() if word in _BOT_WORDS else list(command.choices.get(word, ()))


_BOT_WORDS = ("BOT", "WHICH")


def _bot_names() -> list[str]:
    session = sys.modules.get("poe_notebook.session")
    if session is None or not session.has_session():
        return []
    names: list[str] = session.current_session().serving.slots.names
    return names
