"""The table of what can be typed after ``%poe`` and ``%%poebot``: the parser, the help and the completions read it."""

from __future__ import annotations

from poe_notebook.arguments import Command, Option

__all__ = ["POEBOT", "VERBS", "command_named"]


def _seconds(text: str) -> float:
    value = float(text.removesuffix("s"))
    if not value > 0:
        raise ValueError(text)
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise ValueError(text)
    return value


_DEBUG = Option("--debug", "show an error with all its frames")
_DOMAIN = Option("--domain", "the reserved domain to open the tunnel at", str, "DOMAIN")

POEBOT = Command(
    "%%poebot",
    "Define a bot in a cell and serve it from this kernel.",
    words=("NAME?",),
    options=(
        Option("--path", "the path of its address, its name unless given", str, "PATH"),
        Option("--port", "the port of all bots of this kernel, for the first of them to choose", _port, "PORT"),
        Option("--access-key-env", "the environment variable that holds its access key", str, "VAR"),
        Option("--tunnel", "put it on the internet behind its access key"),
        _DOMAIN,
        _DEBUG,
    ),
    examples=("%%poebot Shout",),
    prefix="",
)

VERBS = (
    Command(
        "chat",
        "Ask a bot and watch it answer; the conversation goes on from turn to turn.",
        words=("BOT",),
        text="MESSAGE",
        options=(
            Option("--new", "begin a new conversation"),
            Option("--via", "who answers: kernel or poe", str, "ROUTE"),
            Option("--timeout", "give up after so many seconds", _seconds, "SECONDS"),
            _DEBUG,
        ),
        examples=("reply = %poe chat Shout hello from a notebook", "%%poe chat Shout --new"),
    ),
    Command("bots", "List the bots served in this kernel."),
    Command("stop", "End a bot; without a name, the only one.", words=("BOT?",), examples=("%poe stop Shout",)),
    Command("rollback", "Send new requests to a bot's generation before.", words=("BOT",)),
    Command(
        "inspect",
        "Show an exchange: request, events with their times, what the handler printed or raised.",
        words=("WHICH?",),
        examples=("%poe inspect", "%poe inspect 3", "%poe inspect Shout"),
    ),
    Command(
        "tunnel",
        "Give the bots a public address through ngrok: start, stop or status.",
        words=("ACTION?",),
        options=(_DOMAIN, _DEBUG),
        examples=("%poe tunnel start", "%poe tunnel stop"),
    ),
    Command("nest", "Let asyncio.run work in the cells of this kernel, for code pasted from scripts."),
)


def command_named(name: str) -> Command | None:
    """Give the verb of that name, if there is one."""
    return next((command for command in VERBS if command.name == name), None)
