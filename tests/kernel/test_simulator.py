"""The simulated Poe from a kernel: who answers, what the commands say, what unloading takes back."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import kernels
import pytest
from kernels import Kernel

KEY = "kR4xWq9ZtB2nLm7cVd5hJs8fGy3pTe6u"
SHOUT = "%%poebot Shout\nasync def get_response(request):\n    yield request.query[-1].content.upper()\n"
ENVIRONMENT = "[os.environ.get(name) for name in ('POE_BASE_URL', 'POE_API_KEY')]"


@pytest.fixture(scope="module")
def steady() -> Iterator[Kernel]:
    with kernels.kernel(environment={"POE_ACCESS_KEY": KEY}) as kernel:
        kernel.run("import os\nimport poe_notebook as fp")
        kernel.run(SHOUT)
        yield kernel


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_name_that_nobody_serves_is_answered_by_a_stand_in_that_says_so(steady: Kernel) -> None:
    ran = steady.run("reply = %poe chat Echo is anybody there?")
    assert "is anybody there?" in ran.text
    assert "Echo · simulator" in ran.text
    assert "Stand-in for Echo" in ran.text
    assert steady.value("reply.route") == "simulator"


def test_a_misspelt_name_is_an_error_that_names_the_near_one_and_what_else_there_is(steady: Kernel) -> None:
    error = steady.run("%poe chat Shuot hello").error
    assert "Did you mean Shout?" in error
    assert "GPT-3.5-Turbo" in error
    assert "POE_API_KEY" in error


def test_a_question_mark_at_the_end_belongs_to_the_message(steady: Kernel) -> None:
    assert "HOW ARE YOU?" in steady.run("%poe chat Shout how are you?").text
    assert "WHY?" in steady.run("for _ in range(1):\n    reply = %poe chat Shout why?").text
    assert "AND THIS??" in steady.run("%%poe chat Shout\nand this??").text
    assert "Docstring" in steady.run("%poe?").text or steady.run("%poe?").status == "ok"


def test_the_library_in_a_cell_and_a_script_reach_the_simulator_in_use(steady: Kernel) -> None:
    before = steady.value(ENVIRONMENT)
    said = steady.run("%poe use simulator").text
    assert "http://127.0.0.1:" in said
    steady.run("message = fp.ProtocolMessage(role='user', content='hi')")
    sync = "fp.get_bot_response_sync([message], 'Shout', os.environ['POE_API_KEY'])"
    assert steady.value(f"''.join(part.text for part in {sync})") == "HI"
    script = (
        "import os, asyncio, fastapi_poe as fp;"
        "m = [fp.ProtocolMessage(role='user', content='from a script')];"
        "b = os.environ['POE_BASE_URL'] + '/bot/';"
        "a = fp.get_bot_response_sync(m, 'Shout', os.environ['POE_API_KEY'], base_url=b);"
        "print(''.join(p.text for p in a))"
    )
    steady.run(f"import subprocess, sys\nscript = {script!r}")
    ran = steady.run("subprocess.run([sys.executable, '-c', script], capture_output=True, text=True)")
    assert "FROM A SCRIPT" in ran.text
    assert "poe.com" in steady.run("%poe use poe").text
    assert steady.value(ENVIRONMENT) == before


def test_a_key_that_is_asked_for_is_shown_nowhere_and_kept_for_the_kernel(steady: Kernel) -> None:
    key = "pk-typed-by-hand-0123456789"
    ran = steady.send("%poe login", allow_stdin=True)
    asked = steady.client.get_stdin_msg(timeout=10)
    assert asked["content"]["password"] is True
    steady.client.input(key)
    steady.wait(ran)
    assert "asks any bot on Poe" in ran.text
    assert steady.value("os.environ['POE_API_KEY'] == 'pk-typed' + '-by-hand-0123456789'") is True
    assert key not in steady.run("%poe chat Shout pk-typed-by-hand-0123456789").text
    steady.run("del os.environ['POE_API_KEY']")


def test_asking_on_poe_still_takes_the_users_own_key(steady: Kernel) -> None:
    steady.run("%poe use simulator")
    assert "POE_API_KEY is not set" in steady.run("%poe chat GPT-4o --via poe hello").error
    steady.run("%poe use poe")


def test_reactions_points_and_faults_say_what_they_did(steady: Kernel) -> None:
    steady.run("%poe chat Shout hello")
    assert "Shout was told of your heart" in steady.run("%poe react Shout ❤️").text
    assert "no reaction of Poe's" in steady.run("%poe react Shout 🚀").error
    assert "points" in steady.run("%poe points --set 1,000").text
    assert "1,000" in steady.run("%poe points").text
    assert "cut in the middle of event 1" in steady.run("%poe faults Shout cut@1").text
    assert "cut" in steady.run("%poe chat Shout --new hello").text
    assert "Nothing goes wrong" in steady.run("%poe faults Shout off").text
    assert "HELLO" in steady.run("%poe chat Shout --new hello").text
    assert "duplicate" in steady.run("%poe faults Shout cutt@1").error


def test_a_stand_in_may_be_a_server_of_ones_own_and_a_wrong_address_is_said(steady: Kernel) -> None:
    assert "stand-ins answer" in steady.run("%poe backend").text
    assert "http" in steady.run("%poe backend localhost").error
    assert "http://127.0.0.1:9/v1 answers" in steady.run("%poe backend http://127.0.0.1:9/v1").text
    assert "127.0.0.1:9" in steady.run("%poe chat GPT-4o --new hello").text
    assert "stand-ins answer" in steady.run("%poe backend off").text


def test_parameters_files_and_users_go_along_from_the_magic(steady: Kernel) -> None:
    steady.run(
        "%%poebot Seen\nasync def get_response(request):\n"
        "    last = request.query[-1]\n"
        "    files = [a.name for a in last.attachments]\n"
        "    yield f'{last.parameters} {files} {last.sender.name} {request.query[0].content}'"
    )
    steady.run("notes = 'some words'")
    options = "--param size=3 --param style=wide --attach notes --as Ann --system short"
    ran = steady.run(f"reply = %poe chat Seen {options} hi")
    assert steady.value("reply.text") == "{'size': 3, 'style': 'wide'} ['notes.txt'] Ann short", ran.text


def test_a_file_may_be_named_by_its_address_and_one_that_is_not_there_is_no_turn(steady: Kernel) -> None:
    steady.run("%%poebot Lister\nasync def get_response(request):\n    yield str(len(request.query[-1].attachments))")
    steady.run("%poe chat Lister --new first")
    assert "cannot be fetched" in steady.run("%poe chat Lister --attach http://127.0.0.1:9/x.txt look").error
    assert "no file and no object" in steady.run("%poe chat Lister --attach missing.pdf look").error
    assert "There is no file" in steady.run("fp.ask('Lister', 'look', attach='missing.pdf')").error
    steady.run("reply = %poe chat Lister --attach https://host.invalid/birds.txt look")
    told = steady.value("[m['content'] for m in reply.exchange.request['query'] if m['role'] == 'user']")
    assert (told, steady.value("reply.text")) == (["first", "look"], "1")


def test_a_name_in_another_case_is_the_kernels_bot(steady: Kernel) -> None:
    assert "Shout · this kernel" in steady.run("%poe chat shout hello").text
    assert "names such as Echo" in steady.run("%poe chat Ecko hello").error


def test_a_string_that_holds_a_question_stays_as_it_is(steady: Kernel) -> None:
    steady.run('text = """\n%poe chat Shout why?\n"""')
    assert steady.value("text") == "\n%poe chat Shout why?\n"
    steady.run(
        "%%poebot Asks\ntext = '''\n%poe chat Shout why?'''\nasync def get_response(request):\n    yield text\n"
        "reply = %poe chat Shout and here?"
    )
    assert steady.value("reply.text") == "AND HERE?"
    assert "%poe chat Shout why?" in steady.run("%poe chat Asks hello").text


def test_a_server_elsewhere_is_registered_listed_and_forgotten(steady: Kernel) -> None:
    assert "No server is registered" in steady.run("%poe register").text
    assert "The address is missing" in steady.run("%poe register Afar").error
    assert "no address of a bot server" in steady.run("%poe register Afar http://me:key@host/").error
    assert "knows Afar" in steady.run("%poe register Afar http://127.0.0.1:9/").text
    assert "comes first" in steady.run("%poe register Shout http://127.0.0.1:9/").text
    assert "Afar at http://127.0.0.1:9/" in steady.run("%poe register").text
    assert "connection" in steady.run("%poe chat Afar hello").text
    for name in ("Afar", "Shout"):
        assert f"forgotten the server {name}" in steady.run(f"%poe register {name} off").text
    assert "No server is registered as 'Afar'" in steady.run("%poe register Afar off").error


def test_a_key_that_is_set_while_the_simulator_is_in_use_counts_and_stays(steady: Kernel) -> None:
    steady.run("%poe use simulator")
    steady.run("os.environ['POE_API_KEY'] = 'a-key-of-the-user-0000'")
    assert "POE_API_KEY is not set" not in steady.run("%poe chat GPT-4o --via poe hello").error
    assert "ask poe.com" in steady.run("%poe use poe").text
    assert steady.value("os.environ.pop('POE_API_KEY')") == "a-key-of-the-user-0000"
    steady.run("os.environ['POE_BASE_URL'] = 'http://127.0.0.1:9'")
    assert "http://127.0.0.1:9, as POE_BASE_URL says" in steady.run("%poe use").text
    steady.run("del os.environ['POE_BASE_URL']")


def test_a_reaction_that_reaches_nobody_is_said(steady: Kernel) -> None:
    steady.run("%%poebot Brief\nasync def get_response(request):\n    yield 'hi'")
    steady.run("%poe chat Brief hello")
    steady.run("%poe stop Brief")
    assert "was not told of your like" in steady.run("%poe react Brief like").text


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("fp.use('mars')", "Pass 'simulator' or 'poe'"),
        ("%poe use mars", "Type: %poe use simulator"),
        ("%poe use simulator --limits 1999", "2025, 2026, strict"),
        ("%poe points --set -3", "a whole number from 0 on"),
        ("%poe faults Nobody cut@1", "No bot named 'Nobody'"),
        ("%poe backend http://localhost:99999", "begins with http"),
        ("%poe backend http://localhost:1 --key-env NOT_SET", "holds no key"),
        ("%poe settings Nobody", "No bot named 'Nobody'"),
        ("%poe sync Nobody", "No bot named 'Nobody'"),
        ("fp.react(99, 'like')", "no exchange 99"),
        ("fp.react(None, 'rocket')", "like, dislike, heart"),
        ("fp.ask('Shout', 3)", "A message is a str"),
        ("fp.ask('Shout', 'x', parameters=[1])", "Parameters have names"),
        ("fp.ask('Shout', 'x', faults='nonsense')", "There is no fault 'nonsense'"),
        ("fp.ask('Shout', 'x', attach=3)", "cannot be attached"),
    ],
)
def test_wrong_input_is_told_what_why_and_what_now_without_our_frames(steady: Kernel, cell: str, said: str) -> None:
    error = steady.run(cell).error
    assert said in error
    assert "poe_notebook/" not in error


def test_settings_are_shown_as_poe_understands_them_with_what_it_leaves_out(steady: Kernel) -> None:
    steady.run(
        "%%poebot Set\nclass Set(fp.PoeBot):\n    async def get_settings(self, setting):\n"
        "        found = fp.SettingsResponse(introduction_message='**Welcome**')\n"
        "        object.__setattr__(found, 'model_dump', lambda **o: {'introduction_message': '**Welcome**', 'x': 1,"
        " 'parameter_controls': {'sections': []}})\n"
        "        return found\n"
    )
    text = steady.run("%poe settings Set").text
    assert "**Welcome**" in text
    assert "parameter_controls are dropped" in text
    assert "Unknown setting 'x'" in text


def test_no_key_is_in_anything_that_was_shown(steady: Kernel) -> None:
    steady.run("%poe use simulator")
    key = steady.value("os.environ['POE_API_KEY']")
    shown = "".join(
        steady.run(cell).text
        for cell in ("%poe use", "%poe chat Echo hello", "%poe inspect", "%poe sync Shout", "fp.trace[-1]", "%poe bots")
    )
    for secret in (KEY, key):
        assert secret not in shown
        assert secret[:8] not in shown
    steady.run("%poe use poe")


def test_unloading_takes_the_ports_the_files_and_the_environment_back(fresh_kernel: Kernel) -> None:
    kernel = fresh_kernel
    kernel.run("import os")
    before = kernel.value(ENVIRONMENT)
    kernel.run(SHOUT)
    kernel.run("note = b'kept'\n%poe chat Shout --attach note hello\n%poe use simulator")
    session = "__import__('poe_notebook.session').session.current_session()"
    port = int(kernel.value(f"{session}.simulator.address").rpartition(":")[2])
    folder = kernel.value(f"str({session}.simulator.files._folder().path)")
    assert accepts(port)
    assert kernel.value(f"os.path.isdir({folder!r})") is True
    kernel.run("%unload_ext poe_notebook")
    assert not accepts(port)
    assert kernel.value(f"os.path.isdir({folder!r})") is False
    assert kernel.value(ENVIRONMENT) == before
    kernel.run("%load_ext poe_notebook")
    assert "Stand-in for Echo" in kernel.run("%poe chat Echo hello").text
