"""The first tutorial in JupyterLab, as a reader meets it: run, watched while it streams, saved, reopened."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import labs
import pytest

pytestmark = pytest.mark.browser

TUTORIAL = labs.ROOT / "notebooks" / "01_first_bot.ipynb"
NAME = TUTORIAL.name


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[labs.Lab]:
    with labs.lab(tmp_path_factory.mktemp("lab")) as running:
        shutil.copyfile(TUTORIAL, running.folder / NAME)
        yield running


def saved_outputs(lab: labs.Lab, name: str) -> list[dict[str, object]]:
    book = json.loads((lab.folder / name).read_text())
    return [output for cell in book["cells"] for output in cell.get("outputs", [])]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_tutorial_runs_streams_and_is_readable_after_restart_and_reload(lab: labs.Lab, theme: str) -> None:
    with lab.notebook(NAME, theme=theme, height=5600) as notebook:
        notebook.command("notebook:clear-all-cell-outputs")
        notebook.page.evaluate(WATCH)
        notebook.run_all()
        lengths = notebook.page.evaluate("window.lengths")
        assert len(lengths) >= 8, "the answer was not seen to grow"
        assert lengths == sorted(lengths)
        notebook.screenshot(f"tutorial-{theme}")
        fresh = notebook.outputs()
        addresses = set(re.findall(r"http://127\.0\.0\.1:\d+/Shout", " ".join(fresh)))
        assert len(addresses) == 1
        assert "HELLO FROM A NOTEBOOK" in " ".join(fresh)
        notebook.save()
        notebook.restart_kernel()
        notebook.reload()
        reopened = " ".join(notebook.outputs())
        assert "model not found" not in reopened.lower()
        assert "Error displaying widget" not in reopened
        for words in ("HELLO FROM A NOTEBOOK", "You said", "ZeroDivisionError", "the kernel hums"):
            assert words in reopened
        notebook.screenshot(f"tutorial-reopened-{theme}")


# Notes the length of the first answer's text each time the page changes, until the answer is whole.
WATCH = """() => {
    window.lengths = [];
    new MutationObserver(() => {
        for (const area of document.querySelectorAll('.jp-Cell-outputArea')) {
            const found = area.innerText.match(/HELLO[A-Z ,]*/);
            if (!found) continue;
            const length = found[0].trim().length;
            if (length !== window.lengths.at(-1)) window.lengths.push(length);
            return;
        }
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


def test_what_is_saved_holds_no_widget_no_script_and_plain_text_beside_the_html(lab: labs.Lab) -> None:
    with lab.notebook(NAME) as notebook:
        notebook.run_all()
        notebook.save()
    outputs = saved_outputs(lab, NAME)
    bundles = [output["data"] for output in outputs if "data" in output]
    assert len(bundles) > 10
    for data in bundles:
        assert isinstance(data, dict)
        assert not [kind for kind in data if "widget" in kind or "javascript" in kind]
        assert "text/plain" in data
        html = "".join(data.get("text/html", ""))
        assert "<script" not in html.lower()
        assert not re.search(r"\son\w+\s*=", html)
    book = json.loads((lab.folder / NAME).read_text())
    assert "widgets" not in book["metadata"]


def test_an_answer_is_interrupted_from_the_toolbar(lab: labs.Lab) -> None:
    lab.write(
        "stop.ipynb",
        [
            "%load_ext poe_notebook",
            "%%poebot Slow\nimport asyncio\nasync def get_response(request):\n"
            "    for n in range(200):\n        yield f'w{n} '\n        await asyncio.sleep(0.05)\n",
            "%poe chat Slow hello",
            "print('ran' + ' on')",
        ],
    )
    with lab.notebook("stop.ipynb") as notebook:
        notebook.run_all(wait=False)
        notebook.page.wait_for_function("document.body.innerText.includes('w8 ')", timeout=30_000)
        notebook.screenshot("streaming")
        notebook.command("notebook:interrupt-kernel")
        notebook.wait_idle(timeout=3)
        shown = " ".join(notebook.outputs())
        assert "stopped" in shown.lower()
        assert "KeyboardInterrupt" in shown
        assert "poe_notebook/" not in shown
        notebook.save()
    assert "ran on" not in json.dumps(saved_outputs(lab, "stop.ipynb"))
    assert Path(lab.folder / "stop.ipynb").read_text().count("widget-view") == 0
