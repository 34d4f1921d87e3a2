"""A replay in JupyterLab: old and new side by side, in both themes and without script; the debugger in a cell."""

from __future__ import annotations

from collections.abc import Iterator

import labs
import pytest

pytestmark = pytest.mark.browser

BEFORE = """%%poebot Weather
import asyncio
async def get_response(request):
    print("asked for", request.query[-1].content)
    yield "The weather in Kyiv today:\\n\\n"
    for line in ("- morning: 4 degrees and fog", "- noon: 9 degrees", "- evening: 6 degrees", "- night: 1 degree"):
        yield line + "\\n"
        await asyncio.sleep(0.05)
    sources = {"station": 17}
    yield f"\\nMeasured at {sources['name']}."
"""
AFTER = (
    BEFORE.replace("9 degrees", "11 degrees and sun")
    .replace("{sources['name']}", "station {sources['station']}")
    .replace("    sources", "    await asyncio.sleep(0.4)\n    sources")
)
CELLS = [
    "%load_ext poe_notebook\nimport poe_notebook as fp",
    BEFORE,
    "%poe chat Weather how is the weather in Kyiv?",
    AFTER,
    "%poe replay",
    "%poe logs",
    "note = b'a,b\\n1,2\\n'\nreply = %poe chat Weather --attach note and now?",
    "files = %poe attachments",
    "%poe pin -1 tests/test_weather.py\n%poe save weather.jsonl\n%poe serve-recording weather.jsonl --as Demo",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[labs.Lab]:
    with labs.lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_old_and_new_stand_side_by_side(lab: labs.Lab, theme: str) -> None:
    lab.write(f"again-{theme}.ipynb", CELLS)
    with lab.notebook(f"again-{theme}.ipynb", theme=theme, height=4200) as notebook:
        notebook.run_all()
        shown = " ".join(notebook.outputs())
        assert "Before: failed. Now: done." in shown
        cells = notebook.page.locator(".poe-replay-text tr:has(del)").first.locator("td")
        old, new = (cells.nth(at).bounding_box() for at in (0, 1))
        assert old is not None
        assert new is not None
        assert abs(old["y"] - new["y"]) < 2, "side by side"
        assert abs(old["width"] - new["width"]) < 30
        marked = notebook.page.evaluate(
            "[...document.querySelectorAll('.poe-replay-text :is(del, ins)')].map(e => [e.tagName, e.innerText])"
        )
        assert ["DEL", "9"] in marked
        assert ["INS", "11"] in marked
        notebook.screenshot(f"again-{theme}")
        notebook.save()
        notebook.reload()
        assert "Before: failed. Now: done." in " ".join(notebook.outputs())


def test_the_debugger_is_typed_into_in_its_cell(lab: labs.Lab) -> None:
    lab.write("debug.ipynb", [*CELLS[:3], "%poe debug", "print('after')"])
    with lab.notebook("debug.ipynb") as notebook:
        notebook.run_all(wait=False)
        prompt = notebook.page.locator(".jp-Stdin-input")
        prompt.wait_for(timeout=30_000)
        prompt.fill("p sources")
        prompt.press("Enter")
        notebook.page.wait_for_function("document.body.innerText.includes(\"{'station': 17}\")", timeout=10_000)
        notebook.screenshot("again-debug")
        prompt = notebook.page.locator(".jp-Stdin-input").last
        prompt.wait_for(timeout=10_000)
        prompt.fill("q")
        prompt.press("Enter")
        notebook.wait_idle()
        assert "after" in " ".join(notebook.outputs())
