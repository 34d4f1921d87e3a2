"""``%poe register``: a bot server that runs elsewhere, made known to the simulator."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.errors import CommandError
from poe_notebook.verbs.console import Console

COMMAND = Command(
    "register",
    "Make a bot server that runs elsewhere known to the simulator, as poe.com's form does; off: forget it.",
    words=("NAME?", "URL?"),
    options=(Option("--access-key-env", "the environment variable that holds its access key", str, "VAR"),),
    examples=(
        "%poe register TheirBot http://127.0.0.1:8080/ --access-key-env POE_ACCESS_KEY",
        "%poe register TheirBot off",
    ),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Register a server or forget it, and say so; with nothing typed, say which are known."""
    session, name, url = console.session, arguments.word("name"), arguments.word("url")
    if name is None:
        known = [f"{bot.name} at {bot.url}" for bot in session.registry]
        console.say(f"Registered: {', '.join(known)}." if known else "No server is registered.")
    elif url is None:
        raise CommandError("The address is missing.", now=f"Type: %poe register {name} http://127.0.0.1:8080/")
    elif url == "off":
        session.registry.remove(name)
        console.say(f"The simulator has forgotten the server {name}.", kind="done")
    else:
        session.register(name, url, access_key_variable=arguments.option("access_key_env"))
        console.say(_sentence(name, url, is_hidden=name in session.serving.slots), kind="done")


def _sentence(name: str, url: str, *, is_hidden: bool) -> str:
    ask = f"Ask it: %poe chat {name} hello"
    if is_hidden:
        ask = f"A bot of this kernel has that name and comes first, until `%poe stop {name}`."
    return f"The simulator knows {name} now, at {url}. {ask}"
