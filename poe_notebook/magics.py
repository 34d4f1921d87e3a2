"""The magics: a line to arguments, to one call of the session, to one view. No logic of their own.

Importing this starts nothing and imports neither web framework, HTTP client nor widgets; the first command does.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, cell_magic, line_cell_magic, magics_class, no_var_expand
from IPython.display import display

from poe_notebook.arguments import Arguments, parse
from poe_notebook.commands import POEBOT, VERBS, command_named
from poe_notebook.errors import CommandError, PoeNotebookError

if TYPE_CHECKING:
    from poe_notebook.conversation import Reply
    from poe_notebook.session import Session
    from poe_notebook.tracing.exchange import Exchange
    from poe_notebook.views.status import BotStatus
    from poe_notebook.views.status_line import StatusLine

__all__ = ["PoeMagics"]

_VERB_NAMES = ", ".join(command.name for command in VERBS)


@magics_class
class PoeMagics(Magics):
    """``%poe``, ``%%poe`` and ``%%poebot``."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._shown: tuple[object, int] | None = None
        self._lines: dict[str, StatusLine] = {}

    @no_var_expand
    @cell_magic
    def poebot(self, line: str, cell: str) -> None:
        """Define a bot in a cell and serve it from this kernel."""
        __tracebackhide__ = True
        with _errors_for_people(line):
            arguments = parse(POEBOT, line)
            if arguments.wants_help:
                _show(_help([POEBOT]))
                return
            self._define(arguments, cell)

    @line_cell_magic
    def poe(self, line: str, cell: str | None = None) -> Any:
        """Chat with bots, list, stop, inspect them: ``%poe`` alone shows every command."""
        __tracebackhide__ = True
        with _errors_for_people(line):
            verb, _, rest = line.strip().partition(" ")
            if verb in ("", "help", "-h", "--help"):
                _show(_help(VERBS))
                return None
            command = command_named(verb)
            if command is None:
                raise _unknown_verb(verb)
            if cell is not None and not command.text:
                raise CommandError(f"%%poe {verb} takes no cell.", now=f"Type: {command.usage}")
            arguments = parse(command, rest)
            if arguments.wants_help:
                _show(_help([command]))
                return None
            do: Callable[[Arguments, str | None], Any] = getattr(self, f"_{verb}")
            return do(arguments, cell)

    def _define(self, arguments: Arguments, cell: str) -> None:
        __tracebackhide__ = True
        from poe_notebook.cell import bot_left_by, guess_name, run_body

        session, name = _session(), arguments.word("name")
        guessed = guess_name(cell, name)
        thread = session.slots.thread_for(guessed)
        try:
            bound = run_body(self.shell, cell, wait=thread.run)
            found = bot_left_by(self.shell.user_ns, bound, name=name)
            status = session.publish(
                found.bot,
                name=found.name,
                thread=thread,
                path=arguments.option("path"),
                port=arguments.option("port"),
                access_key_variable=arguments.option("access_key_env"),
            )
        except BaseException as error:
            session.slots.release(thread)
            self._say_unchanged(guessed, error)
            raise
        self._show_line(status)
        if arguments.option("tunnel"):
            _show_tunnel(session.open_tunnel(found.name, domain=arguments.option("domain")))

    def _say_unchanged(self, name: str | None, error: BaseException) -> None:
        session = _session()
        if name is not None and name in session.slots:
            from poe_notebook.views.status import message_bundle

            status, what = session.status(name), type(error).__name__
            text = f"{name} is unchanged: generation {status.generation} still answers, since this cell raised {what}."
            _show(message_bundle(text, kind="warning"))

    def _show_line(self, status: BotStatus) -> None:
        from poe_notebook.views.status_line import StatusLine

        if status.name in self._lines:
            self._lines[status.name].replaced(status.generation)
        line = self._lines[status.name] = StatusLine(status, is_live=hasattr(self.shell, "kernel"))
        _session().watch(status.name, line.update)

    def _chat(self, arguments: Arguments, cell: str | None) -> Reply:
        __tracebackhide__ = True
        from poe_notebook.views.live import open_turn

        session = _session()
        message = "\n".join(part for part in (arguments.text, (cell or "").strip("\n")) if part)
        if not message.strip():
            raise CommandError("The message is missing.", now=f"Type: %poe chat {arguments.word('bot')} hello")
        turn = session.turn(
            str(arguments.word("bot")),
            message,
            via=arguments.option("via"),
            new=bool(arguments.option("new")),
            timeout_s=arguments.option("timeout"),
        )
        view = open_turn(turn.reply, shell=self.shell, redact=session.redactor.text)
        try:
            with turn:
                view.open()
                for _ in turn:
                    view.update()
        finally:
            view.close()
        self._shown = (turn.reply, self.shell.execution_count)
        return turn.reply

    def _bots(self, arguments: Arguments, cell: str | None) -> None:
        from poe_notebook.views.status import bots_bundle

        _show(bots_bundle(_session().statuses()))

    def _stop(self, arguments: Arguments, cell: str | None) -> None:
        from poe_notebook.views.status import message_bundle

        session = _session()
        name = arguments.word("bot") or _the_only(session)
        session.stop(name)
        if name in self._lines:
            self._lines.pop(name).stopped()
        _show(message_bundle(f"{name} is stopped; its address answers 404 now.", kind="done"))

    def _rollback(self, arguments: Arguments, cell: str | None) -> None:
        from poe_notebook.views.status import message_bundle

        status = _session().rollback(str(arguments.word("bot")))
        text = f"{status.name} is back on generation {status.generation}, at the same address."
        _show(message_bundle(text, kind="done"))

    def _inspect(self, arguments: Arguments, cell: str | None) -> Exchange:
        from poe_notebook.views.inspector import exchange_bundle

        exchange = _session().exchange(arguments.word("which"))
        _show(exchange_bundle(exchange))
        self._shown = (exchange, self.shell.execution_count)
        return exchange

    def _tunnel(self, arguments: Arguments, cell: str | None) -> None:
        session, action = _session(), arguments.word("action") or "status"
        if action == "start":
            _show_tunnel(session.open_tunnel(domain=arguments.option("domain")))
        elif action == "stop":
            _show_tunnel(session.close_tunnel())
        elif action == "status":
            _show_tunnel(session.tunnel.status())
        else:
            raise CommandError(f"%poe tunnel cannot {action!r}.", now="Type: %poe tunnel start, stop or status")

    def _nest(self, arguments: Arguments, cell: str | None) -> None:
        from poe_notebook.nesting import allow_nesting
        from poe_notebook.views.status import message_bundle

        sentence, is_well = allow_nesting()
        _show(message_bundle(sentence, kind="done" if is_well else "warning"))

    def hint_at_nesting(self, result: Any) -> None:
        """Say what to do about an ``asyncio.run`` that failed in the cell that has just run."""
        from poe_notebook.nesting import HINT, is_nesting_error

        if is_nesting_error(result.error_in_exec):
            from poe_notebook.views.status import message_bundle

            _show(message_bundle(HINT))

    def was_shown(self, value: object) -> bool:
        """Whether the running cell has shown this value already; asked once, so that a second look shows it again."""
        shown, self._shown = self._shown, None
        return shown is not None and shown[0] is value and shown[1] == self.shell.execution_count


def _session() -> Session:
    from poe_notebook.session import current_session

    return current_session()


def _show(bundle: dict[str, str]) -> None:
    display(bundle, raw=True)


def _show_tunnel(status: Any) -> None:
    from poe_notebook.views.status import tunnel_bundle

    _show(tunnel_bundle(status.state, public_url=status.public_url, detail=status.detail))


def _help(commands: Any) -> dict[str, str]:
    from poe_notebook.views.status import Verb, help_bundle

    return help_bundle([Verb(c.name, c.usage, c.summary, c.examples) for c in commands])


def _unknown_verb(verb: str) -> CommandError:
    near = difflib.get_close_matches(verb, [command.name for command in VERBS], n=1)
    hint = f"Did you mean %poe {near[0]}?" if near else "Type %poe alone to see what each does."
    return CommandError(f"%poe knows no {verb!r}.", why=f"It knows: {_VERB_NAMES}.", now=hint)


def _the_only(session: Session) -> str:
    names = session.slots.names
    if len(names) == 1:
        return names[0]
    served = f"Served here: {', '.join(names)}." if names else "No bot is served here."
    raise CommandError("Which bot?", why=served, now="Type: %poe stop BOT")


@contextmanager
def _errors_for_people(line: str) -> Iterator[None]:
    """Let our errors, and an interrupt, be shown as a message instead of a traceback of our frames."""
    __tracebackhide__ = True
    try:
        yield
    except (PoeNotebookError, KeyboardInterrupt) as error:
        if "--debug" in line.split():
            frames = traceback.format_exception(error)
            vars(error)["_render_traceback_"] = lambda: frames
        elif "_render_traceback_" not in vars(error):
            message = str(error) or "stopped"
            rendered = [f"\x1b[0;31m{type(error).__name__}\x1b[0m: {message}"]
            vars(error)["_render_traceback_"] = lambda: rendered
        raise
