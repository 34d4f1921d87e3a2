"""Six ways for a bot to fail, each understood from one ``%poe inspect``: the cause, the line, the rule, what to do."""

from __future__ import annotations

import re

import pytest
from kernels import Kernel

FAILURES = {
    "AtOnce": (
        "async def get_response(request):\n    prices = {}\n    yield prices['tea']\n",
        ["The handler raised KeyError before it gave anything: 'tea'", "An exception ends the answer", "%poe replay"],
        (4, "yield prices['tea']"),
    ),
    "MidStream": (
        "async def get_response(request):\n    for n in (2, 1, 0):\n        yield f'{10 // n} '\n",
        ["ZeroDivisionError after 2 events of its answer", "An exception ends the answer", "%poe replay"],
        (4, "yield f'{10 // n} '"),
    ),
    "Blocking": (
        "import time\nasync def get_response(request):\n    yield 'thinking '\n    time.sleep(0.5)\n    yield 'done'\n",
        ["The handler kept its loop for 0.5", "no other answer of this bot goes on", "`await asyncio.sleep(…)`"],
        (5, "time.sleep(0.5)"),
    ),
    "Rubbish": (
        "async def get_response(request):\n    yield 'the weather: '\n    yield {'sky': 'grey'}\n",
        ["gave {'sky': 'grey'} (dict), yielded as item 2", "An answer is made of str and", "yield json.dumps(value)"],
        (4, "yield {'sky': 'grey'}"),
    ),
    "Undeclared": (
        "import poe_notebook as fp\nasync def get_response(request):\n    yield 'asking '\n"
        "    async for part in fp.stream_request(request, 'GPT-3.5-Turbo', request.access_key):\n        yield part\n",
        [
            "a bot that has 0 or undefined call count in its settings",
            "only those that its settings name under server_bot_dependencies",
            'fp.SettingsResponse(server_bot_dependencies={"GPT-3.5-Turbo": 1})',
        ],
        (5, "async for part in fp.stream_request(request, 'GPT-3.5-Turbo', request.access_key):"),
    ),
    "OtherLoop": (
        "async def get_response(request):\n    yield 'waiting '\n    yield await promise\n",
        ["attached to a different loop", "belong to the event loop on which they are first used", "inside the handler"],
        (4, "yield await promise"),
    ),
}


@pytest.fixture(scope="module")
def failing(kernel: Kernel) -> Kernel:
    kernel.run("import asyncio; promise = asyncio.get_running_loop().create_future()")
    for name, (body, _, _) in FAILURES.items():
        ran = kernel.run(f"%%poebot {name}\n{body}")
        assert ran.status == "ok", ran.text
    return kernel


@pytest.mark.parametrize("name", FAILURES)
def test_one_look_tells_cause_line_rule_and_next_step(failing: Kernel, name: str) -> None:
    _, words, (line, code) = FAILURES[name]
    failing.run(f"%poe chat {name} hello")
    ran = failing.run("%poe inspect")
    [shown] = ran.bundles
    text = re.sub(r"\s+", " ", shown["text/plain"])
    found = text[: text.index(" Time ")]
    for word in words:
        assert word in found, f"{word!r} is not in:\n{shown['text/plain'][:2500]}"
    assert re.search(rf"where +Cell In\[\d+\], line {line}\b", found)
    assert code in found
    assert "poe_notebook/" not in shown["text/plain"].partition("Request")[0], "a frame of ours is shown"
    assert "<" in shown["text/html"]


def test_the_text_form_is_complete(failing: Kernel) -> None:
    failing.run("%poe chat MidStream hello")
    text = failing.run("%poe inspect").text
    parts = [
        "What went wrong",
        "    Traceback",
        "  Variables at",
        "Time",
        "Events",
        "Request",
        "On the wire",
        "Copy the",
    ]
    places = [text.index(f"\n{part}") for part in parts]
    assert places == sorted(places)
    assert "as_curl()" in text
    assert "as_python()" in text


def test_an_exchange_is_found_by_number_place_and_bot(failing: Kernel) -> None:
    failing.run("%poe chat AtOnce one")
    failing.run("%poe chat MidStream two")
    number = failing.value("__import__('poe_notebook').trace[-1].number")
    for which in (str(number), "-1", "MidStream", ""):
        assert f"Exchange {number} · MidStream" in failing.run(f"%poe inspect {which}").text
    assert "· AtOnce ·" in failing.run("%poe inspect AtOnce").text
    missing = failing.run("%poe inspect 9999")
    assert "There is no exchange '9999'" in missing.error
    assert failing.run("%poe inspect").result == ""


def test_all_exchanges_are_in_a_list_the_latest_first(failing: Kernel) -> None:
    failing.run("%poe chat AtOnce question")
    lines = failing.run("%poe inspect all").text.splitlines()
    head = next(line for line in lines if line.lstrip().startswith("# "))
    assert head.split() == "# at bot outcome request answered by first text took events asked".split()
    latest = lines[lines.index(head) + 1]
    assert "AtOnce" in latest
    assert latest.rstrip().endswith("question")
    assert any("↳ GPT-3.5-Turbo" in line for line in lines)


def test_the_python_side_gives_the_same(failing: Kernel) -> None:
    failing.run("import poe_notebook as fp\nreply = fp.ask('MidStream', 'x')\nexchange = fp.trace[-1]")
    assert failing.value("exchange.text") == "5 10 "
    assert failing.value("[event.type for event in exchange.events]") == ["text", "text", "error", "done"]
    assert failing.value("exchange.events[0].data") == {"text": "5 "}
    assert failing.value("len(exchange.gaps_s) == len(exchange.events) and exchange.first_text_s > 0") is True
    assert failing.value("[finding.rule for finding in fp.findings(-1)]") == ["raised"]
    assert failing.value("fp.findings(-1)[0].place.line") == 4
    assert failing.value("exchange.raised.variables['n']") == "0"
    assert failing.value("list(exchange.to_dataframe()['type'])") == ["text", "text", "error", "done"]


def test_an_answer_that_is_still_coming_is_shown_and_followed(failing: Kernel) -> None:
    failing.run(
        "%%poebot Slow\nimport asyncio\nasync def get_response(request):\n    for n in range(20):\n"
        "        yield f'w{n} '\n        await asyncio.sleep(0.1)\n"
    )
    failing.run("import threading\nthreading.Thread(target=lambda: fp.ask('Slow', 'x'), daemon=True).start()")
    failing.settle(0.6)
    ran = failing.run("%poe inspect")
    assert ran.idle_s < 2
    first = ran.bundles[0]["text/plain"]
    assert "still answering" in first
    failing.settle(2.5)
    last = ran.bundles[0]["text/plain"]
    assert " · done · " in last
    assert '"w19 "' in last
    updates = ran.of_type("update_display_data")
    assert 2 <= len(updates) <= 8


@pytest.mark.parametrize(
    ("body", "options", "words"),
    [
        ("for n in range(10_500):\n        yield 'x'", "", "more than 10,000 events"),
        ("yield 'a'\n    yield fp.ServerSentEvent('not json', 'text')", "", "cannot be read"),
        (
            "yield 'a'\n    import asyncio\n    await asyncio.sleep(9)",
            "--timeout 0.5 ",
            "No end of the answer within 0.5 s.",
        ),
    ],
)
def test_an_answer_that_could_not_be_taken_has_failed_and_inspect_says_why(
    kernel: Kernel, body: str, options: str, words: str
) -> None:
    kernel.run(f"%%poebot Untaken\nimport poe_notebook as fp\nasync def get_response(request):\n    {body}\n")
    kernel.run(f"%poe chat Untaken {options}-- hello")
    text = kernel.run("%poe inspect").text
    assert "failed" in text
    assert words in text
    assert "pressed Stop" not in text


SETTINGS_AND_REACTIONS = """%%poebot Moody
import poe_notebook as fp
class Moody(fp.PoeBot):
    async def get_settings(self, setting):
        raise ValueError("none today")
    async def get_response(self, request):
        yield "x"
    async def on_reaction_with_context(self, reaction_request, context):
        raise KeyError("mood")
"""


def test_settings_and_reactions_that_fail_are_told_where_one_looks(kernel: Kernel) -> None:
    kernel.run(SETTINGS_AND_REACTIONS)
    kernel.value("__import__('time').sleep(0.5)")
    notes = kernel.value("[bot.note for bot in __import__('poe_notebook').bots() if bot.name == 'Moody'][0]")
    words = "no settings: Moody answered 500 to the settings request: get_settings of this bot failed: ValueError."
    assert notes == f"{words} Look: %poe settings Moody"
    assert "no settings: Moody" in kernel.run("%poe bots").text
    kernel.run("%poe chat Moody hello")
    text = kernel.run("%poe react -1 👍").text
    assert "Moody was told of your like. The bot's own method for that raised: `%poe inspect" in text
    number = text.rpartition("inspect ")[2].partition("`")[0]
    assert "KeyError" in kernel.run(f"%poe inspect {number}").text
