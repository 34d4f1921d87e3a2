"""``%poe register``: a bot server that runs elsewhere, made known to the simulator."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.verbs.console import Console

COMMAND = Command(
    "register",
    "Make a bot server that runs elsewhere known to the simulator, as poe.com's form for server bots does.",
    words=("NAME", "URL"),
    options=(Option("--access-key-env", "the environment variable that holds its access key", str, "VAR"),),
    examples=("%poe register TheirBot http://127.0.0.1:8080/ --access-key-env POE_ACCESS_KEY",),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Register the server, and say how to ask it."""
    name, url = str(arguments.word("name")), str(arguments.word("url"))
    console.session.register(name, url, access_key_variable=arguments.option("access_key_env"))
    console.say(f"The simulator knows {name} now, at {url}. Ask it: %poe chat {name} hello", kind="done")
