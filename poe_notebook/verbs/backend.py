"""``%poe backend``: an OpenAI-compatible server instead of the simulator's stand-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.verbs.console import Console

if TYPE_CHECKING:
    from poe_notebook.simulator.backend import Backend

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
    from poe_notebook.simulator.backend import Backend

    simulator, url = console.session.simulator, arguments.word("url")
    if url == "off":
        simulator.hand_stand_ins_to(None)
    elif url is not None:
        model, variable = arguments.option("model"), arguments.option("key_env")
        simulator.hand_stand_ins_to(Backend.at(url, model=model, key_variable=variable))
    console.say(_sentence(simulator.backend), kind="done" if url else "info")


def _sentence(backend: Backend | None) -> str:
    if backend is None:
        return "The simulator's own stand-ins answer for chat models, without a model."
    model = f"its model `{backend.model}`" if backend.model else "its models of the same names"
    return f"{backend.url} answers for chat models, by {model}. Back to the stand-ins with `%poe backend off`."
