"""``%%poebot``: define a bot in a cell and serve it."""

from __future__ import annotations

from poe_notebook.arguments import Arguments, Command, Option
from poe_notebook.verbs.console import Console
from poe_notebook.verbs.options import DEBUG, DOMAIN, port
from poe_notebook.verbs.tunnel import show_tunnel

COMMAND = Command(
    "%%poebot",
    "Define a bot in a cell and serve it from this kernel.",
    words=("NAME?",),
    options=(
        Option("--path", "the path of its address, its name unless given", str, "PATH"),
        Option("--port", "the port of all bots of this kernel, for the first of them to choose", port, "PORT"),
        Option("--access-key-env", "the environment variable that holds its access key", str, "VAR"),
        Option("--tunnel", "put it on the internet behind its access key"),
        DOMAIN,
        Option("--echo-logs", "show here what its handlers print and log, as it comes"),
        DEBUG,
    ),
    examples=("%%poebot Shout",),
    prefix="",
)


def run(console: Console, arguments: Arguments, cell: str | None) -> None:
    """Run the cell's body and serve the bot that it leaves; nothing changes unless all of it went well."""
    __tracebackhide__ = True
    from poe_notebook.cell import bot_left_by, guess_name, run_body

    serving, name, body = console.session.serving, arguments.word("name"), cell or ""
    guessed = guess_name(body, name)
    thread = serving.slots.thread_for(guessed)
    try:
        bound = run_body(console.shell, body, wait=thread.run)
        found = bot_left_by(console.shell.user_ns, bound, name=name)
        status = serving.publish(
            found.bot,
            name=found.name,
            thread=thread,
            path=arguments.option("path"),
            port=arguments.option("port"),
            access_key_variable=arguments.option("access_key_env"),
        )
    except BaseException as error:
        serving.slots.release(thread)
        _say_unchanged(console, guessed, error)
        raise
    console.show_line(status)
    console.echo_logs(found.name, wanted=bool(arguments.option("echo_logs")))
    if arguments.option("tunnel"):
        show_tunnel(console, serving.open_tunnel(found.name, domain=arguments.option("domain")))


def _say_unchanged(console: Console, name: str | None, error: BaseException) -> None:
    serving = console.session.serving
    if name is not None and name in serving.slots:
        number, what = serving.status(name).generation, type(error).__name__
        text = f"{name} is unchanged: generation {number} still answers, since this cell raised {what}."
        console.say(text, kind="warning")
