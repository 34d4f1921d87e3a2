"""The panel and the comparison from a kernel's side: what cells show at once, what comes later, and what is left."""

from __future__ import annotations

import time
from typing import Any

import pytest
from kernels import Kernel

WIDGET = "application/vnd.jupyter.widget-view+json"
BOTS = """
%%poebot Echo
import poe_notebook as fp
settings = fp.SettingsResponse(introduction_message="Hello, I echo.")
async def get_response(request):
    yield "you said: " + request.query[-1].content
---
%%poebot Slow
import asyncio
async def get_response(request):
    for n in range(100):
        yield f"word{n} "
        await asyncio.sleep(0.05)
"""


@pytest.fixture(scope="module")
def chatty(kernel: Kernel) -> Kernel:
    kernel.run("import poe_notebook as fp")
    for cell in BOTS.split("---"):
        ran = kernel.run(cell.strip())
        assert ran.status == "ok", ran.text
    kernel.run("import anywidget")  # which takes a moment, and not the panel's
    return kernel


def saved_now(kernel: Kernel, ran: Any) -> str:
    """The text of a panel's saved form as it stands; updates come with the parent of whatever caused them."""
    key = ran.of_type("display_data")[1][1]["transient"]["display_id"]
    updates = [m["content"] for r in kernel._running.values() for _, m in r.messages] + [
        m["content"] for m in kernel.stray
    ]
    found = [c["data"] for c in updates if c.get("transient", {}).get("display_id") == key]
    return max((data["text/plain"] for data in found), key=len)


def wait_for(kernel: Kernel, ran: Any, words: str) -> None:
    """Wait until the saved form holds some words."""
    until = time.monotonic() + 5
    while words not in saved_now(kernel, ran):
        assert time.monotonic() < until, saved_now(kernel, ran)
        kernel.settle(0.1)


def wish(kernel: Kernel, ran: Any, **content: Any) -> None:
    """Send what the page of a panel sends."""
    model = next(bundle[WIDGET]["model_id"] for bundle in ran.bundles if WIDGET in bundle)
    data = {"method": "custom", "content": content}
    message = kernel.client.session.msg("comm_msg", {"comm_id": model, "data": data})
    kernel.client.shell_channel.send(message)


def test_a_panel_returns_from_its_cell_at_once_with_the_widget_and_the_saved_form(chatty: Kernel) -> None:
    ran = chatty.run("panel = %poe chat Echo")
    assert ran.status == "ok", ran.error
    assert ran.idle_s < 1.5
    widget, saved = ran.bundles
    assert (widget["text/html"], widget["text/plain"]) == ("", "")
    assert WIDGET not in saved
    assert "Hello, I echo." in saved["text/plain"]
    assert "<em>" not in saved["text/html"]
    assert not ran.result


def test_the_value_of_a_cell_is_shown_once_whether_by_magic_or_by_python(chatty: Kernel) -> None:
    for cell in ("%poe chat Echo", "fp.chat('Echo')", "panel"):
        assert len(chatty.run(cell).bundles) == 2, cell


def test_the_saved_form_is_brought_up_to_date_in_its_own_cell(chatty: Kernel) -> None:
    ran = chatty.run("panel = fp.chat('Echo'); panel")
    later = chatty.run("reply = panel.send('from another cell'); reply.text")
    assert "you said: from another cell" in later.result
    wait_for(chatty, ran, "you said: from another cell")


def test_what_a_page_wishes_is_done_between_cells_and_after_a_cell_that_blocks(chatty: Kernel) -> None:
    ran = chatty.run("panel = %poe chat Echo")
    wish(chatty, ran, kind="send", ask=1, text="hello", files=[], parameters={})
    wait_for(chatty, ran, "you said: hello")
    assert chatty.value("[r.text for r in panel.replies]") == ["you said: hello"]
    blocking = chatty.send("import time; time.sleep(0.8)")
    chatty.settle(0.2)
    wish(chatty, ran, kind="send", ask=2, text="late", files=[], parameters={})
    chatty.wait(blocking)
    wait_for(chatty, ran, "you said: late")
    assert chatty.value("[r.text for r in panel.replies]") == ["you said: hello", "you said: late"]


def test_an_interrupt_of_send_stops_the_answer_in_half_a_second(chatty: Kernel) -> None:
    chatty.run("slow = fp.chat('Slow')")
    chatty.run("1 / 0")  # the first traceback of a kernel takes 0.4 s to format
    ran = chatty.send("slow.send('go')")
    chatty.settle(1.0)
    interrupted = chatty.interrupt()
    chatty.wait(ran)
    assert ran.sent_at + ran.idle_s - interrupted < 0.5
    assert "KeyboardInterrupt: Slow was stopped" in ran.error
    assert "poe_notebook/" not in ran.error
    chatty.run("import time; time.sleep(0.5)")
    assert chatty.value("[(r.state, r.note[:26]) for r in slow.replies]") == [("stopped", "The handler was cancelled ")]


def test_without_widgets_a_chat_says_what_to_type_and_what_the_bot_says_of_itself(chatty: Kernel) -> None:
    ran = chatty.run("%poe chat Echo", allow_stdin=False)
    [shown] = ran.bundles
    assert "%poe chat Echo hello" in shown["text/plain"]
    assert "Hello, I echo." in shown["text/plain"]
    assert "allow_attachments" in shown["text/html"]
    assert not any("widget" in kind for kind in shown)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%poe chat Ecko", "Did you mean Echo?"),
        ("%poe chat Echo --attach notes.txt", "A file goes with a message."),
        ("%poe compare", "BOT is missing"),
        ("%poe compare Echo Slow", "Bots and message are told apart by --."),
        ("%poe compare Echo Slwo -- hello", "Did you mean Slow?"),
        ("%poe compare Echo --vai kernel -- hello", "Did you mean --via?"),
    ],
)
def test_a_bad_command_says_what_to_type(chatty: Kernel, line: str, said: str) -> None:
    ran = chatty.run(line)
    assert said in ran.error
    assert "poe_notebook/" not in ran.error


@pytest.mark.parametrize("allow_stdin", [True, False])
def test_a_comparison_is_shown_once_and_left_static(chatty: Kernel, allow_stdin: bool) -> None:
    ran = chatty.run("c = %poe compare Echo GPT-3.5-Turbo -- hello there", allow_stdin=allow_stdin)
    [shown] = ran.bundles
    assert not any("widget" in kind for kind in shown)
    for words in ("you said: hello there", "Stand-in for GPT-3.5-Turbo", "first text", "characters"):
        assert words in shown["text/plain"]
    assert shown["text/html"].count("hello there") >= 2
    assert chatty.value("[(r.bot, r.route) for r in c]") == [("Echo", "kernel"), ("GPT-3.5-Turbo", "simulator")]
    assert "you said: hello there" in chatty.run("c").text


def test_a_cell_may_be_the_message_of_a_comparison(chatty: Kernel) -> None:
    chatty.run("%%poe compare Echo Echo\nfirst line\nsecond -- line")
    assert chatty.value("[r.text for r in _]") == ["you said: first line\nsecond -- line"] * 2


def test_an_interrupt_stops_all_answers_of_a_comparison_in_half_a_second(chatty: Kernel) -> None:
    ran = chatty.send("c = %poe compare Slow Slow Echo -- go")
    chatty.settle(1.2)
    interrupted = chatty.interrupt()
    chatty.wait(ran)
    assert ran.sent_at + ran.idle_s - interrupted < 0.5
    assert "KeyboardInterrupt" in ran.error
    [shown] = ran.bundles
    assert shown["text/plain"].count("The handler was cancelled") == 2
    assert "you said: go" in shown["text/plain"]
    assert not any("widget" in kind for kind in shown)


def test_reloading_the_extension_leaves_no_panel_behind(fresh_kernel: Kernel) -> None:
    k = fresh_kernel
    k.run(BOTS.split("---")[0].strip())
    k.run("panel = %poe chat Echo\npanel.send('hi')")
    k.run("%reload_ext poe_notebook")
    assert k.value("(panel.closed, [r.text for r in panel.replies])") == (
        "poe_notebook was unloaded, so nobody answers here any more.",
        ["you said: hi"],
    )
    threads = "sorted(t.name for t in __import__('threading').enumerate() if 'poe' in t.name)"
    assert [name for name in k.value(threads) if "panel" in name] == []
