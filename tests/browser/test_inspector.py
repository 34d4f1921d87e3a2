"""The inspector in JupyterLab: opened, narrowed, turned over, unfolded, copied; live; and plain HTML once saved."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import labs
import pytest

pytestmark = pytest.mark.browser

PAINTER = """%%poebot Painter
import asyncio, time, logging
import poe_notebook as fp
async def get_response(request):
    print("starting", request.query[-1].content)
    yield "Let me ask a poet. "
    async for part in fp.stream_request(request, "GPT-3.5-Turbo", request.access_key):
        yield part
    logging.getLogger("painter").warning("the poet was slow")
    time.sleep(0.4)
    for n in range(20):
        yield f"word{n} "
        await asyncio.sleep(0.02)
    raise ValueError("no paint left")
settings = fp.SettingsResponse(server_bot_dependencies={"GPT-3.5-Turbo": 2})
"""
FLOOD = "%%poebot Flood\nasync def get_response(request):\n    for n in range(1500):\n        yield f'drop {n} '\n"
CELLS = [
    "%load_ext poe_notebook",
    PAINTER,
    "%poe chat Painter draw a heron",
    "%poe inspect",
    FLOOD,
    "reply = __import__('poe_notebook').ask('Flood', 'rain')\nFalse",
    "%poe inspect Flood",
    "%poe inspect all",
    "print('the ' + 'end')",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[labs.Lab]:
    with labs.lab(tmp_path_factory.mktemp("lab")) as running:
        running.write("inspect.ipynb", CELLS)
        yield running


def shown_rows(table: Any) -> list[str]:
    return [row for row in table.locator("tbody tr:visible").all_inner_texts() if row.strip()]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_exchange_is_opened_narrowed_unfolded_and_copied(lab: labs.Lab, theme: str) -> None:
    with lab.notebook("inspect.ipynb", theme=theme, height=5200) as notebook:
        page = notebook.page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        notebook.run_all()
        page.wait_for_selector(".poe-inspect-tools")
        notebook.screenshot(f"inspect-{theme}")
        painter = page.locator(".poe-inspect").nth(0)
        shown = painter.inner_text()
        for words in ("What went wrong", "ValueError", "Cell In[2], line 14", "kept its loop", "time.sleep(0.4)"):
            assert words in shown
        assert painter.locator("svg.poe-ribbon-axis text", has_text="↳ GPT-3.5-Turbo").count() == 1
        events = painter.locator("table[aria-label=Events]")
        assert len(shown_rows(events)) > 60

        painter.get_by_label("Search Events").fill("word1")
        page.wait_for_function("document.querySelector('.poe-inspect-tools output').textContent === '11 rows'")
        assert all("word1" in row for row in shown_rows(events))
        painter.get_by_label("Search Events").fill("")
        painter.get_by_role("button", name=re.compile("^log ")).click()
        page.wait_for_function("document.querySelector('.poe-inspect-tools output').textContent === '1 row'")
        [row] = shown_rows(events)
        assert "WARNING painter: the poet was slow" in row
        assert painter.get_by_role("button", name=re.compile("^log ")).get_attribute("aria-pressed") == "true"
        notebook.screenshot(f"inspect-narrowed-{theme}")
        painter.get_by_role("button", name=re.compile("^log ")).click()
        page.wait_for_function(
            "document.querySelectorAll('.poe-inspect table[aria-label=Events] tbody tr').length > 60"
        )

        summary = events.locator("td details summary").first
        summary.click()
        assert "event: text" in events.locator("td details pre").first.inner_text()

        painter.locator("summary", has_text="as curl").click()
        listing = painter.locator(".poe-inspect-copied", has_text="curl --no-buffer")
        listing.get_by_role("button", name="Copy").click()
        page.wait_for_function(
            "[...document.querySelectorAll('.poe-inspect-copy')].some(b => b.textContent === 'Copied')"
        )
        assert page.evaluate("navigator.clipboard.readText()") == listing.locator("pre").inner_text()


def test_a_long_answer_is_turned_over_page_by_page_and_searched_in_the_kernel(lab: labs.Lab) -> None:
    with lab.notebook("inspect.ipynb", height=4000) as notebook:
        page = notebook.page
        notebook.run_all()
        page.wait_for_selector(".poe-inspect-tools")
        flood = page.locator(".poe-inspect").nth(1)
        said, events = flood.locator(".poe-inspect-tools output"), flood.locator("table[aria-label=Events]").first
        assert "Rows 201 to 400" in flood.inner_text()
        flood.get_by_role("button", name="later").click()
        page.wait_for_function(
            "document.querySelectorAll('.poe-inspect-tools output')[1].textContent.startsWith('201 to')"
        )
        assert "201 to 400 of 1,501 rows" in said.inner_text()
        assert "drop 200" in shown_rows(events)[0]
        assert "Rows 201 to 400" not in flood.inner_text(), "the pages of the static form are put away"
        flood.get_by_label("Search Events").fill("drop 149")
        page.wait_for_function("document.querySelectorAll('.poe-inspect-tools output')[1].textContent === '11 rows'")
        assert "drop 1499" in shown_rows(events)[-1]
        every = page.locator(".poe-inspect").nth(2)
        every.get_by_label("Search Exchanges").fill("heron")
        page.wait_for_function("document.querySelectorAll('.poe-inspect-tools output')[2].textContent === '2 rows'")
        assert "Painter" in shown_rows(every.locator("table"))[-1]
        notebook.screenshot("inspect-pages")


def test_it_is_used_with_the_keyboard_alone(lab: labs.Lab) -> None:
    with lab.notebook("inspect.ipynb", height=4000) as notebook:
        page = notebook.page
        notebook.run_all()
        page.wait_for_selector(".poe-inspect-tools")
        page.get_by_label("Search Events").first.focus()
        page.keyboard.type("ad")  # which in a cell would be commands of JupyterLab
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.dataset.poeKind")
        assert focused
        page.keyboard.press("Space")
        pressed = "document.activeElement.getAttribute('aria-pressed')"
        assert page.evaluate(pressed) == "true"
        page.wait_for_timeout(400)
        assert page.evaluate("document.activeElement.dataset.poeKind") == focused, "the focus stays when rows come"
        assert page.get_by_label("Search Events").first.input_value() == "ad"
        assert len(page.locator(".jp-Cell").all()) == len(CELLS)


def test_what_is_saved_is_static_and_reads_the_same_without_the_kernel(lab: labs.Lab) -> None:
    with lab.notebook("inspect.ipynb", height=4000) as notebook:
        page = notebook.page
        notebook.run_all()
        page.wait_for_selector(".poe-inspect-tools")
        notebook.save()
        book = json.loads((lab.folder / "inspect.ipynb").read_text())
        bundles = [o["data"] for cell in book["cells"] for o in cell.get("outputs", []) if "data" in o]
        shown = [data for data in bundles if "poe-inspect" in "".join(data.get("text/html", ""))]
        assert len(shown) == 3
        for data in shown:
            html = "".join(data["text/html"])
            assert set(data) == {"text/html", "text/plain"}
            assert "poe-inspect-added" not in html
            assert "<script" not in html.lower()
            assert not re.search(r"\son\w+\s*=", html)
        assert "widgets" not in book["metadata"]
        notebook.reload()
        page.wait_for_selector(".poe-inspect-tools")  # the kernel is there still, and so is its page
        notebook.save()
        notebook.restart_kernel()
        notebook.reload()
        page.wait_for_timeout(1000)
        assert page.locator(".poe-inspect-tools").count() == 0
        text = page.locator(".poe-inspect").nth(0).inner_text()
        for words in ("What went wrong", "no paint left", "Calls to other bots", "as Python"):
            assert words in text
        assert "model not found" not in page.inner_text("body").lower()
        page.locator(".poe-inspect").nth(1).locator("summary", has_text="Rows 201 to 400").click()
        assert "drop 399" in page.locator(".poe-inspect").nth(1).inner_text()


def test_an_exchange_is_followed_while_it_is_answered(lab: labs.Lab) -> None:
    slow = "import asyncio\nasync def get_response(request):\n    for n in range(80):\n        yield f'w{n} '\n"
    lab.write(
        "live.ipynb",
        [
            "%load_ext poe_notebook",
            f"%%poebot Slow\n{slow}        await asyncio.sleep(0.1)\n",
            "import poe_notebook as fp, threading, time\n"
            "threading.Thread(target=lambda: fp.ask('Slow', 'x'), daemon=True).start()\ntime.sleep(0.5)",
            "%poe inspect",
        ],
    )
    with lab.notebook("live.ipynb", height=2000) as notebook:
        notebook.run_all()
        page = notebook.page
        page.wait_for_selector(".poe-inspect-tools")
        assert "still answering" in page.locator(".poe-inspect").inner_text()
        section = page.locator("details.poe-block-section", has=page.locator("h4", has_text=re.compile("^Request$")))
        section.locator("> summary").click()
        row = page.locator("table[aria-label='Events'] tr", has_text="w3").first.locator("details")
        row.locator("summary").focus()
        page.keyboard.press("Enter")
        page.wait_for_timeout(1_500)  # the output is drawn anew meanwhile
        assert section.get_attribute("open") is None, "what is folded stays so"
        assert row.get_attribute("open") is not None, "what is unfolded too"
        page.wait_for_function("document.activeElement.matches('details[open] > summary')", timeout=5_000)
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
        assert row.get_attribute("open") is None, "and the keyboard is where it was"
        page.get_by_label("Search Events").click()
        page.keyboard.type("w", delay=700)
        page.keyboard.type("3", delay=700)  # the output has been drawn anew between the two
        notebook.screenshot("inspect-live")
        page.wait_for_function("document.querySelector('.poe-inspect').innerText.includes('in all')", timeout=15_000)
        page.wait_for_function("document.querySelector('.poe-inspect-tools output')?.textContent === '11 rows'")
        assert page.get_by_label("Search Events").input_value() == "w3", "the search outlives what is drawn anew"
        assert re.search(r"\b[89]\S* s in all", page.locator(".poe-inspect-head").inner_text())
