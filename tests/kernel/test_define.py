"""``%%poebot`` in a real kernel: what a cell defines is served, and what fails leaves the bot as it was."""

from __future__ import annotations

import pytest
from kernels import Kernel

ONE = "%%poebot Steady\nasync def get_response(request):\n    yield 'one'\n"


@pytest.fixture
def steady(kernel: Kernel) -> Kernel:
    """A kernel in which the bot Steady answers 'one', alone."""
    kernel.run("import poe_notebook as fp\nfor bot in fp.bots(): fp.stop(bot.name)")
    ran = kernel.run(ONE)
    assert ran.status == "ok", ran.text
    return kernel


def answer(kernel: Kernel, bot: str = "Steady") -> str:
    return str(kernel.value(f"__import__('poe_notebook').ask({bot!r}, 'hello').text"))


def test_a_cell_is_served_and_its_line_names_generation_and_address(steady: Kernel) -> None:
    ran = steady.run(ONE)
    assert "Steady · generation 2 · http://127.0.0.1:" in ran.text
    assert answer(steady) == "one"


def test_a_new_generation_answers_at_the_same_address(steady: Kernel) -> None:
    before = steady.value("__import__('poe_notebook').bots()[0].address")
    steady.run(ONE.replace("one", "two"))
    assert steady.value("__import__('poe_notebook').bots()[0].address") == before
    assert answer(steady) == "two"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def broken():\n    inside = 1\n    return 1 / 0\n\nbroken()", "Cell In"),
        ("x = (1", "SyntaxError: '(' was never closed"),
        ("x = 1 +* 2", "SyntaxError"),
        ("just_a_number = 3", "leaves no bot"),
        ("import asyncio\nawait asyncio.sleep(0)\nraise ValueError('late')", "ValueError: late"),
        ("async def get_response():\n    yield 'x'", "takes no request"),
        ("raise SystemExit(3)", "SystemExit"),
    ],
)
def test_a_cell_that_fails_leaves_the_old_generation_serving_and_stops_run_all(
    steady: Kernel, body: str, said: str
) -> None:
    steady.send("import time; time.sleep(0.3)")  # so that both of these are queued when the first one fails
    failing, after = steady.send(f"%%poebot Steady\n{body}\n"), steady.send("print('this ran')")
    steady.wait(failing)
    steady.settle(0.2)
    assert failing.status == "error"
    assert said in failing.error
    assert "this ran" not in after.stdout
    assert "Steady is unchanged: generation 1 still answers" in failing.text
    assert answer(steady) == "one"


def test_an_error_is_shown_at_the_line_of_the_users_own_cell_and_without_our_frames(steady: Kernel) -> None:
    ran = steady.run("%%poebot Steady\ndef broken():\n    inside = 1\n    return 1 / 0\n\nbroken()")
    assert "----> 4     return 1 / 0" in ran.error
    assert "----> 6 broken()" in ran.error
    assert "poe_notebook/" not in ran.error
    assert "run_cell_magic" not in ran.error


def test_a_syntax_error_is_shown_at_its_own_line_and_without_our_frames(steady: Kernel) -> None:
    ran = steady.run("%%poebot Steady\n\nx = (1 +\n")
    assert ran.of_type("error")[0][1]["ename"] == "SyntaxError"
    assert "line 3" in ran.error
    assert "poe_notebook/" not in ran.error


def test_debug_lands_in_the_users_frame(steady: Kernel) -> None:
    steady.run("%%poebot Steady\ndef broken():\n    inside = 'a local'\n    return 1 / 0\n\nbroken()")
    ran = steady.send("%debug")
    for answer_to_prompt in ("p inside", "q"):
        steady.client.get_stdin_msg(timeout=10)
        steady.client.input(answer_to_prompt)
    steady.wait(ran)
    assert "'a local'" in ran.stdout


def test_the_last_expression_is_shown(steady: Kernel) -> None:
    ran = steady.run(ONE + "6 * 7")
    assert ran.result == "42"


def test_await_works_at_top_level_on_the_loop_that_the_handlers_run_on(steady: Kernel) -> None:
    steady.run(
        "%%poebot Same\nimport asyncio\nawait asyncio.sleep(0)\nhere = asyncio.get_running_loop()\n"
        "async def get_response(request):\n    yield str(asyncio.get_running_loop() is here)\n"
    )
    assert answer(steady, "Same") == "True"


def test_magics_and_shell_commands_work_in_the_body(steady: Kernel) -> None:
    ran = steady.run("%%poebot Shell\n!echo from the shell\nasync def get_response(request):\n    yield 'x'\n")
    assert "from the shell" in ran.text
    assert ran.status == "ok"


@pytest.mark.parametrize(
    "body",
    [
        "async def get_response(request):\n    yield 'yes'",
        "def get_response(request):\n    yield 'yes'",
        "def get_response(request):\n    return 'yes'",
        "async def get_response(request):\n    return 'yes'",
        "async def get_response(self, request):\n    yield self.text_event('yes')",
        "def get_response(request):\n    async def later():\n        yield 'yes'\n    return later()",
        "import poe_notebook as fp\nclass A(fp.PoeBot):\n"
        "    async def get_response(self, request):\n        yield 'yes'",
        "import poe_notebook as fp\nclass A(fp.PoeBot):\n    def get_response(self, request):\n        return 'yes'",
        "import poe_notebook as fp\nclass A(fp.PoeBot):\n    def __init__(self, word):\n        self.word = word\n"
        "    async def get_response(self, request):\n        yield self.word\nbot = A('yes')",
        "import fastapi_poe\nclass A(fastapi_poe.PoeBot):\n    async def get_response(self, request):\n"
        "        yield fastapi_poe.PartialResponse(text='yes')",
        "import poe_notebook as fp\nclass Base(fp.PoeBot):\n    word = 'no'\n"
        "    async def get_response(self, request):\n        yield self.word\nclass Derived(Base):\n    word = 'yes'",
    ],
)
def test_every_form_of_a_bot_is_served(steady: Kernel, body: str) -> None:
    ran = steady.run(f"%%poebot Form\n{body}\n")
    assert ran.status == "ok", ran.text
    assert answer(steady, "Form") == "yes"


def test_a_class_gives_the_bot_its_name(steady: Kernel) -> None:
    steady.run("%%poebot\nimport poe_notebook as fp\nclass Named(fp.PoeBot):\n    pass\n")
    assert answer(steady, "Named") == "hello"


def test_a_cell_with_two_bots_asks_which(steady: Kernel) -> None:
    two = "import poe_notebook as fp\nclass A(fp.PoeBot): pass\nclass B(fp.PoeBot): pass\n"
    ran = steady.run(f"%%poebot\n{two}")
    assert "2 bot classes: A, B" in ran.error
    assert "%%poebot A" in ran.error
    assert steady.run(f"%%poebot B\n{two}").status == "ok"


def test_settings_may_stand_beside_a_plain_handler(steady: Kernel) -> None:
    steady.run(
        "%%poebot Greeter\nimport poe_notebook as fp\n"
        "settings = fp.SettingsResponse(introduction_message='Welcome!')\n"
        "async def get_response(request):\n    yield 'x'\n"
    )
    got = steady.value(
        "__import__('httpx').post([b.address for b in fp.bots() if b.name == 'Greeter'][0], "
        "json={'version': '1.0', 'type': 'settings'}, headers={'Authorization': 'Bearer ' + "
        "__import__('poe_notebook.session').session.current_session().serving.slots.named('Greeter').access_key.reveal()})"
        ".json()['introduction_message']"
    )
    assert got == "Welcome!"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%%poebot My Bot", "does not know what to do with 'Bot'"),
        ("%%poebot bad/name", "cannot be a bot's name"),
        ("%%poebot Bot --prot 1", "Did you mean --port?"),
        ("%%poebot Bot --port many", "--port cannot be 'many'"),
        ("%%poebot Bot --port", "--port takes a value"),
        ("%%poebot Bot --access-key-env NOT_SET_ANYWHERE", "NOT_SET_ANYWHERE is not set"),
        ("%%poebot Bot --path /Steady", "The path /Steady is Steady's"),
        ("%%poebot Bot --port 1", "already served on port"),
    ],
)
def test_a_bad_first_line_says_what_to_type(steady: Kernel, line: str, said: str) -> None:
    ran = steady.run(f"{line}\nasync def get_response(request):\n    yield 'x'\n")
    assert said in ran.error
    assert ran.status == "error"
    assert "Traceback" not in ran.error
    assert answer(steady) == "one"


def test_what_handlers_say_is_echoed_under_the_cell_until_another_defines_the_bot(steady: Kernel) -> None:
    body = "import logging\nasync def get_response(request):\n    print('printed', request.query[-1].content)\n"
    body += "    logging.getLogger('mine').warning('logged')\n    yield 'x'\n"
    told = steady.run(f"%%poebot Telling --echo-logs\n{body}")
    assert "Nothing printed or logged yet." in told.bundles[-1]["text/plain"]
    said = steady.run("%poe chat Telling hello")
    steady.settle(0.6)
    assert "stdout       printed hello" in told.bundles[-1]["text/plain"]
    assert "log WARNING  mine: logged" in told.bundles[-1]["text/plain"]
    assert "printed" not in said.text
    steady.run(f"%%poebot Telling\n{body}")
    steady.run("%poe chat Telling again")
    steady.settle(0.6)
    assert "again" not in told.bundles[-1]["text/plain"]
    steady.run("%poe stop Telling")


def test_rollback_goes_to_the_generation_before_and_says_when_there_is_none(steady: Kernel) -> None:
    steady.run(ONE.replace("one", "two"))
    assert "back on generation 1" in steady.run("%poe rollback Steady").text
    assert answer(steady) == "one"
    assert "no earlier one is kept" in steady.run("%poe rollback Steady").error


def test_a_stopped_bot_answers_404_and_its_line_says_so(steady: Kernel) -> None:
    address = steady.value("fp.bots()[0].address")
    assert "Steady is stopped" in steady.run("%poe stop").text
    assert steady.value(f"__import__('httpx').post({address!r}).status_code") == 404
    assert "No bot is served here" in steady.run("%poe bots").text
