"""``%poe backend``: an OpenAI-compatible server instead of the simulator's stand-ins."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.errors import CommandError
from poe_notebook.verbs.console import Console

COMMAND = Command(
    "backend",
    "Let an OpenAI-compatible server answer for the simulator's stand-ins; off: the stand-ins again.",
    words=("URL?",),
    options=(
        Option("--model", "the model to ask for, whatever the bot's name", str, "MODEL"),
        Option("--key-env", "the environment variable that holds the server's key", str, "VAR"),
    ),
    examples=("%poe backend http://127.0.0.1:11434/v1 --model llama3.2", "%poe backend off"),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Set or clear the server, and say who answers now."""
    simulator, url = console.session.simulator, arguments.word("url")
    if url == "off":
        simulator.hand_stand_ins_to(None)
    elif url is not None:
        if not url.startswith(("http://", "https://")):
            raise CommandError(f"{url!r} is no address.", now="For example: %poe backend http://127.0.0.1:11434/v1")
        model, variable = arguments.option("model"), arguments.option("key_env")
        simulator.hand_stand_ins_to(url, model=model, key_variable=variable)
    console.say(simulator.who_answers(), kind="done" if url else "info")
