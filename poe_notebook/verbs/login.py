"""``%poe login``: the user's API key, asked for without being shown."""

from __future__ import annotations

import getpass
import os

from poe_notebook.arguments import Arguments, Command
from poe_notebook.errors import KeyMissing
from poe_notebook.verbs.console import Console

COMMAND = Command(
    "login", "Give your Poe API key for this kernel; it is asked for, kept in POE_API_KEY, and shown nowhere."
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Ask for the key, and say what can be done with it."""
    key = getpass.getpass("Poe API key (https://poe.com/api_key): ").strip()
    if not key:
        raise KeyMissing("No key was given, so nothing has changed.", now="Type %poe login again.")
    console.session.outside.use_poe()
    os.environ["POE_API_KEY"] = key
    console.session.learn_keys()
    console.say("`%poe chat` asks any bot on Poe now; it costs points of yours.", kind="done")
