"""``%poe pin``: a turn that was right, as a pytest test that runs outside the notebook."""

from __future__ import annotations

from shlex import quote
from typing import Any

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.verbs.console import Console

_MATCHES = ("exact", "similar", "regex")


def _match(text: str) -> str:
    if text not in _MATCHES:
        raise ValueError(text)
    return text


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise ValueError(text)
    return value


COMMAND = Command(
    "pin",
    "Keep a turn that was right as a pytest test, which runs outside the notebook.",
    words=("WHICH", "FILE"),
    options=(
        Option("--bot", "where the test imports the bot from", str, "MODULE[:OBJECT]"),
        Option("--url", "the address of the bot's server, for the test to ask", str, "URL"),
        Option("--key-env", "the environment variable in which the test finds the access key", str, "VAR"),
        Option("--match", "how texts are compared: exact, similar or regex", _match, "HOW"),
        Option("--threshold", "how alike a similar text has to be, from 0 to 1", _share, "SHARE"),
        Option("--pattern", "the regular expression to be found in the text", str, "REGEX"),
    ),
    examples=(
        "%poe pin -1 tests/test_shout.py --bot shout",
        "%poe pin Shout tests/test_shout.py --match similar --threshold 0.7",
        "%poe pin 3 tests/test_shout.py --url http://127.0.0.1:8080/ --pattern 'total: [0-9]+'",
    ),
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Write the test, and say what it needs."""
    from poe_notebook.keeping import check_place

    session, file = console.session, str(arguments.word("file"))
    bot, url = arguments.option("bot"), arguments.option("url")
    check_place(bot=bot, url=url)
    how: dict[str, Any] = {name: arguments.option(name) for name in ("match", "threshold", "pattern")}
    how["key_variable"] = arguments.option("key_env")
    pinned = session.pin(arguments.word("which"), file, bot=bot, url=url, **how)
    where = "a new file" if pinned.is_new else "added to the tests there"
    said = f"`{pinned.test}` is pinned in `{pinned.path}`, {where}. Run it: `pytest {quote(str(pinned.path))}`"
    console.say(session.redactor.text(said), kind="done")
    if pinned.has_local_files:
        console.say("Its files stand at addresses of this kernel, which the test cannot reach later.", kind="warning")
    if pinned.key_variable:
        at = "the environment variable"
        console.say(f"It needs the access key of the bot's server, in {at} `{pinned.key_variable}` where pytest runs.")
    if not (bot or url):
        file = pinned.place.partition(":")[0].replace(".", "/") + ".py"
        cell = "" if ":" in pinned.place else " (the bot's cell without its first line)"
        console.say(f"It imports its bot as `{pinned.place}`, from `{file}`{cell}; the test may name another place.")
    if not pinned.is_collected:
        console.say("pytest looks by itself only into files named `test_*.py` or `*_test.py`.", kind="warning")
