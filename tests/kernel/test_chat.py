"""``%poe chat`` in a real kernel: live, interruptible, in the right cell, and a value."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from kernels import Kernel

BOTS = """
%%poebot Slow
import asyncio, pathlib
async def get_response(request):
    marker = request.query[-1].content
    try:
        for n in range(100):
            yield f"word{n} "
            await asyncio.sleep(0.05)
    finally:
        pathlib.Path(marker).write_text("finally ran")
---
%%poebot Blocking
import time
async def get_response(request):
    yield "first "
    time.sleep(2)
    yield "second"
---
%%poebot Echo
async def get_response(request):
    yield "you said: " + request.query[-1].content
---
%%poebot Memory
async def get_response(request):
    yield " | ".join(f"{m.role}: {m.content}" for m in request.query)
---
%%poebot Printer
import asyncio, sys
async def get_response(request):
    print("printed by the handler")
    print("and to stderr", file=sys.stderr)
    await asyncio.to_thread(print, "printed from its thread")
    await asyncio.get_running_loop().run_in_executor(None, print, "printed from its executor")
    yield "done"
"""


@pytest.fixture(scope="module")
def chatty(kernel: Kernel) -> Kernel:
    kernel.run("import poe_notebook as fp")
    for cell in BOTS.split("---"):
        ran = kernel.run(cell.strip())
        assert ran.status == "ok", ran.text
    return kernel


def test_the_answer_is_shown_once_and_returned_as_a_reply(chatty: Kernel) -> None:
    ran = chatty.run("%poe chat Echo hello there")
    assert sum("you said: hello there" in b["text/plain"] for b in ran.bundles) == 1
    assert not ran.result
    assert chatty.value("_.text") == "you said: hello there"


def test_the_reply_of_an_assignment_is_a_value_with_its_events(chatty: Kernel) -> None:
    chatty.run("reply = %poe chat Echo hi")
    assert chatty.value("(reply.text, reply.state, reply.route, [e.type for e in reply.events])") == (
        "you said: hi",
        "done",
        "kernel",
        ["text", "done"],
    )
    assert "you said: hi" in chatty.run("reply").text


def test_a_cell_may_be_the_message(chatty: Kernel) -> None:
    chatty.run("%%poe chat Echo --new\nfirst line\n\n  {not_a_variable} and $HOME")
    assert chatty.value("_.text") == "you said: first line\n\n  {not_a_variable} and $HOME"


@pytest.mark.parametrize(
    "message", ['don\'t split "this"', "two  spaces", "a -- b", "--new is an option -- this is --not", "100% -x"]
)
def test_a_message_is_sent_as_it_was_typed(chatty: Kernel, message: str) -> None:
    chatty.run(f"%poe chat Echo -- {message}")
    assert chatty.value("_.text") == f"you said: {message}"


def test_a_variable_is_put_into_the_line(chatty: Kernel) -> None:
    chatty.run("topic = 'herons'")
    chatty.run("%poe chat Echo tell me of {topic}")
    assert chatty.value("_.text") == "you said: tell me of herons"


def test_the_conversation_goes_on_until_new(chatty: Kernel) -> None:
    chatty.run("%poe chat Memory one --new")
    chatty.run("%poe chat Memory two")
    assert chatty.value("_.text") == "user: one | bot: user: one | user: two"
    chatty.run("%poe chat Memory three --new")
    assert chatty.value("_.text") == "user: three"


def test_the_answer_grows_on_the_page_before_it_is_done(chatty: Kernel, tmp_path: Path) -> None:
    ran = chatty.run(f"%poe chat Slow {tmp_path / 'x'} --new --timeout 2.5", allow_stdin=False)
    lengths = [len(c["data"]["text/plain"]) for _, c in ran.of_type("display_data", "update_display_data")]
    assert len({length for length in lengths}) >= 5
    times = [at for at, _ in ran.of_type("update_display_data")]
    assert times[0] < 2 < times[-1]


def test_an_interrupt_ends_the_answer_in_half_a_second_and_the_handlers_finally_runs(
    chatty: Kernel, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    ran, after = chatty.send(f"reply = %poe chat Slow {marker} --new"), chatty.send("print('this ran')")
    chatty.settle(1.2)
    interrupted = chatty.interrupt()
    chatty.wait(ran)
    took = ran.sent_at + ran.idle_s - interrupted
    assert took < 0.5
    assert ran.of_type("error")[0][1]["ename"] == "KeyboardInterrupt"
    assert "poe_notebook/" not in ran.error
    assert marker.read_text() == "finally ran"
    chatty.settle(0.2)
    assert "this ran" not in after.stdout
    assert "word0" in ran.bundles[-1]["text/plain"]
    assert "stopped" in ran.bundles[-1]["text/plain"]
    assert not any("widget" in kind for kind in ran.bundles[-1])


def test_a_stopped_turn_is_in_the_history_as_it_was_shown(chatty: Kernel) -> None:
    chatty.run(
        """
import asyncio
%%poebot Halting
""".strip().partition("\n")[0]
    )
    chatty.run(
        "%%poebot Halting\nimport asyncio\nasync def get_response(request):\n"
        "    if len(request.query) > 1:\n        yield repr([m.content for m in request.query])\n        return\n"
        "    yield 'a part'\n    await asyncio.sleep(30)\n"
    )
    ran = chatty.send("%poe chat Halting go on")
    chatty.settle(0.8)
    chatty.interrupt()
    chatty.wait(ran)
    chatty.run("%poe chat Halting and now")
    assert chatty.value("_.text") == "['go on', 'a part', 'and now']"


def test_a_handler_that_blocks_does_not_hold_back_what_it_gave_before(chatty: Kernel) -> None:
    seconds = chatty.value("(lambda e: (e.events[0].at_s, e.events[1].at_s))(fp.ask('Blocking', 'hello').exchange)")
    assert seconds[0] < 0.5 < 1.9 < seconds[1]


def test_a_handler_that_blocks_stalls_neither_stop_nor_another_bot(chatty: Kernel) -> None:
    ran = chatty.send("%poe chat Blocking hello")
    chatty.settle(0.6)
    interrupted = chatty.interrupt()
    chatty.wait(ran)
    assert ran.sent_at + ran.idle_s - interrupted < 0.5
    assert "blocking code" in ran.bundles[-1]["text/plain"]
    started = time.monotonic()
    assert chatty.value("fp.ask('Echo', 'quick').text") == "you said: quick"
    assert time.monotonic() - started < 1.0


def test_a_print_of_a_handler_goes_to_its_exchange_and_to_no_cell(chatty: Kernel) -> None:
    ran = chatty.run("%poe chat Printer go")
    later = chatty.run("import time; time.sleep(0.2)")
    for cell in (ran, later):
        assert "printed" not in cell.stdout + cell.stderr
    logs = chatty.value("[(l.source, l.text) for l in fp.inspect('Printer').logs]")
    text = "".join(text for _, text in logs)
    for line in ("printed by the handler", "and to stderr", "printed from its thread", "printed from its executor"):
        assert line in text
    assert "printed by the handler" in chatty.run("%poe inspect").text


def test_prints_of_cells_still_go_to_their_cells(chatty: Kernel) -> None:
    assert chatty.run("print('mine'); import sys; print('mine too', file=sys.stderr)").text.split() == [
        "mine",
        "mine",
        "too",
    ]


def test_cells_queued_at_once_all_run_in_order(chatty: Kernel) -> None:
    cells = [chatty.send(f"%poe chat Echo message {n}") for n in range(4)] + [chatty.send("print('last')")]
    chatty.wait(*cells)
    for n, cell in enumerate(cells[:4]):
        assert f"you said: message {n}" in cell.text
    ends = [cell.sent_at + cell.idle_s for cell in cells]
    assert ends == sorted(ends)
    assert "last" in cells[-1].stdout


def test_an_answer_begun_on_one_generation_ends_on_it_while_the_next_answers_others(fresh_kernel: Kernel) -> None:
    k = fresh_kernel
    k.run("import poe_notebook as fp, asyncio, threading\nbegun, go_on = threading.Event(), threading.Event()")
    define = (
        "%%poebot Two\nimport asyncio\nasync def get_response(request):\n    yield 'GEN'\n    begun.set()\n"
        "    while not go_on.is_set():\n        await asyncio.sleep(0.01)\n    yield 'GEN'\n"
    )
    k.run(define.replace("GEN", "1"))
    k.run("got = []\nt = threading.Thread(target=lambda: got.append(fp.ask('Two', 'x', new=True))); t.start()")
    assert k.value("begun.wait(10)")
    k.run(define.replace("GEN", "2"))
    assert "0 + 1 older" in k.run("%poe bots").text
    k.run("threading.Timer(0.3, go_on.set).start()")
    assert k.value("fp.ask('Two', 'y', new=True).text") == "22"
    assert k.value("(t.join(), got[0].text, got[0].generation)[1:]") == ("11", 1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("async def get_response(request):\n    yield 3", ["3 (int)", "yield str(value)", "line 3"]),
        ("async def get_response(request):\n    return\n    yield", ["without giving anything", "yield 'hello'"]),
        ("async def get_response(request):\n    yield 'a'\n    1 / 0", ["ZeroDivisionError", "line 4", "1 / 0"]),
        ("def get_response(request):\n    return None", ["None (NoneType)", "return a str"]),
        ("def get_response(request):\n    yield b'raw'", ["b'raw' (bytes)", ".decode()"]),
        ("def get_response(request):\n    import sys; sys.exit(1)", ["SystemExit"]),
    ],
)
def test_a_handlers_mistake_is_shown_with_its_line_and_what_to_type(chatty: Kernel, body: str, said: list[str]) -> None:
    chatty.run(f"%%poebot Wrong\n{body}\n")
    ran = chatty.run("%poe chat Wrong hello --new")
    for part in said:
        assert part in ran.text
    assert "poe_notebook/" not in ran.text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%poe chat Ecko hello", "Did you mean Echo?"),
        ("%poe chat", "BOT is missing"),
        ("%%poe chat Echo\n ", "The message is missing"),
        ("%poe chat Echo hello --nwe", "Did you mean --new?"),
        ("%poe chat Echo --via moon hello", "no route 'moon'"),
        ("%poe chat Echo --timeout soon hello", "--timeout cannot be 'soon'"),
        ("%poe chat Echo --via poe hello", "POE_API_KEY"),
        ("%poe caht Echo hello", "Did you mean %poe chat?"),
        ("%poe inspect 99999", "There is no exchange"),
        ("%poe inspect Nobody", "No bot named 'Nobody'"),
        ("%poe stop Nobody", "No bot named 'Nobody'"),
        ("%poe tunnel fly", "cannot 'fly'"),
        ("%poe bots extra", "does not know what to do with 'extra'"),
        ("%%poe bots\nx", "takes no cell"),
    ],
)
def test_a_bad_command_says_what_to_type(chatty: Kernel, line: str, said: str) -> None:
    ran = chatty.run(line)
    assert said in ran.error
    assert "Traceback" not in ran.error
    assert "poe_notebook/" not in ran.error


def test_debug_shows_every_frame(chatty: Kernel) -> None:
    assert "poe_notebook/" in chatty.run("%poe chat Nobody hello --debug").error


def test_the_trace_is_a_value(chatty: Kernel) -> None:
    chatty.run("%poe chat Echo for the trace")
    assert chatty.value("(fp.trace[-1].bot, fp.trace[-1].outcome, [e.type for e in fp.trace[-1].events])") == (
        "Echo",
        "done",
        ["text", "done"],
    )
    assert "for the trace" in chatty.run("fp.trace[-1]").text


def test_a_timeout_ends_the_answer_and_keeps_what_came(chatty: Kernel, tmp_path: Path) -> None:
    started = time.monotonic()
    ran = chatty.run(f"%poe chat Slow {tmp_path / 'y'} --new --timeout 0.5")
    assert time.monotonic() - started < 2
    assert "within 0.5 s" in ran.text
    assert "word0" in ran.text


def test_verbs_bots_and_options_are_completed(chatty: Kernel) -> None:
    def matches(line: str) -> list[str]:
        reply = chatty.client.complete(line, reply=True, timeout=10)
        return list(reply["content"]["matches"])

    assert "chat" in matches("%poe ch")
    assert "Echo" in matches("%poe chat E")
    assert "--new" in matches("%poe chat Echo --")
    assert "--tunnel" in matches("%%poebot X --t")
    assert "start" in matches("%poe tunnel s")


def test_the_help_lists_every_command(chatty: Kernel) -> None:
    text = chatty.run("%poe").text
    for verb in ("chat", "bots", "stop", "rollback", "inspect", "tunnel"):
        assert f"%poe {verb}" in text
    assert "--timeout" in chatty.run("%poe chat -h").text


def test_ask_works_from_a_coroutine_of_the_kernels_own_loop(chatty: Kernel) -> None:
    ran = chatty.run("import asyncio\nx = await asyncio.gather(*(fp.aask('Echo', str(n)) for n in range(3)))\nlen(x)")
    assert ran.result == "3"


def test_a_cancelled_aask_stops_the_handler(chatty: Kernel, tmp_path: Path) -> None:
    marker = tmp_path / "cancelled"
    chatty.run(
        f"task = asyncio.create_task(fp.aask('Slow', {str(marker)!r}, new=True))\n"
        "await asyncio.sleep(0.3); task.cancel()\nawait asyncio.wait([task])\nawait asyncio.sleep(0.1)"
    )
    assert marker.read_text() == "finally ran"
