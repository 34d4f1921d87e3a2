"""The chat panel as people use it, in JupyterLab and Notebook 7: every button once, the keyboard alone, and its whole
life: reload, restart, two panels, a bot that is stopped or defined anew, many files, long answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import labs
import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

LOAD = "%load_ext poe_notebook\nimport poe_notebook as fp, asyncio"
SHOUT = """%%poebot Shout
import asyncio
heard = []
settings = fp.SettingsResponse(
    introduction_message="Hello! I **shout** what you say.", allow_attachments=True, cost_label="3 points",
    parameter_controls=fp.ParameterControls(sections=[
        fp.Section(name="Postcard", tabs=[
            fp.Tab(name="Look", controls=[
                fp.DropDown(label="Front", parameter_name="front", default_value="painting", options=[
                    fp.ValueNamePair(value="painting", name="Painting"),
                    fp.ValueNamePair(value="blank", name="No picture")]),
                fp.ConditionallyRenderControls(
                    condition=fp.ComparatorCondition(comparator="ne", left=fp.ParameterValue(parameter_name="front"),
                                                     right=fp.LiteralValue(literal="blank")),
                    controls=[
                        fp.AspectRatio(label="Shape", parameter_name="shape", default_value="3:2", options=[
                            fp.AspectRatioOption(width=3, height=2), fp.AspectRatioOption(width=9, height=16)]),
                        fp.Slider(label="Detail", description="How fine it is drawn.", parameter_name="detail",
                                  min_value=1, max_value=5, step=1, default_value=3)])]),
            fp.Tab(name="Text", controls=[
                fp.TextField(label="Greeting", parameter_name="greeting", placeholder="Hello from"),
                fp.Divider(), fp.TextArea(label="Back side", parameter_name="back")])]),
        fp.Section(name="Delivery", collapsed_by_default=True, controls=[
            fp.ToggleSwitch(label="Add a stamp", parameter_name="stamp", default_value=True)])]))

async def get_response(request):
    last = request.query[-1]
    heard.append(last)
    yield f"**{last.content.upper()}** "
    if last.attachments:
        yield " and ".join(f"{a.name} ({a.content_type})" for a in last.attachments)
    yield "\\n\\n" + ", ".join(f"`{k}={v}`" for k, v in sorted(last.parameters.items()))
    if len(request.query) < 3:
        yield fp.PartialResponse(text="Louder, please", is_suggested_reply=True)
"""
SLOW = """%%poebot Slow
import asyncio
async def get_response(request):
    await asyncio.sleep(0.4)
    for n in range(150):
        yield f"word{n} "
        await asyncio.sleep(0.03)
    yield "The slow end."
"""
LONG = """%%poebot Long
async def get_response(request):
    for n in range(400):
        yield f"Paragraph {n}: " + "many words of it. " * 28 + "\\n\\n"
    yield "The long end."
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[labs.Lab]:
    with labs.lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


class PanelOnPage:
    """One panel, as somebody sees it."""

    def __init__(self, notebook: labs.Notebook, nth: int = 0) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.root = self.page.locator(".poe-panel").nth(nth)
        self.area = self.root.locator(".poe-panel-text")

    @property
    def text(self) -> str:
        return str(self.root.inner_text())

    def button(self, name: str) -> Any:
        return self.root.get_by_role("button", name=name, exact=True)

    def say(self, text: str) -> None:
        self.area.fill(text)
        self.area.press("Enter")

    def sees(self, text: str, timeout_s: float = 10) -> None:
        self.root.get_by_text(text).first.wait_for(timeout=timeout_s * 1000)

    def answers(self, count: int) -> None:
        """Wait until so many turns have ended."""
        self.root.locator(".poe-panel-actions [data-reaction=like]").nth(count - 1).wait_for(timeout=20_000)

    def check_for_everybody(self) -> None:
        """No rule of axe is broken, but for the order of headings, which the notebook above and the bots decide."""
        found = Axe().run(self.page, ".poe-panel", {"rules": {"heading-order": {"enabled": False}}})
        assert found.violations_count == 0, found.generate_report()


@contextmanager
def chat(
    lab: labs.Lab, name: str, cells: list[str], *, bot: str = "Shout", **options: Any
) -> Iterator[tuple[labs.Notebook, PanelOnPage]]:
    """Open a notebook that defines bots, with a panel of one of them in its last cell but one."""
    lab.write(name, [LOAD, *cells, f"%poe chat {bot}", "print('below')"])
    with lab.notebook(name, **options) as notebook:
        errors: list[str] = []
        notebook.page.on("pageerror", lambda error: errors.append(str(error)))
        notebook.run_all()
        panel = PanelOnPage(notebook)
        panel.root.wait_for()
        yield notebook, panel
        assert errors == []


def heard(notebook: labs.Notebook, expression: str) -> Any:
    """Evaluate an expression in the kernel to a plain value."""
    code = f"import json as _json; print(_json.dumps({expression}))"
    printed = notebook.page.evaluate(
        """async (code) => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            let printed = '';
            const future = kernel.requestExecute({ code });
            future.onIOPub = (message) => { if (message.content.text) printed += message.content.text; };
            await future.done;
            return printed;
        }""",
        code,
    )
    return json.loads(printed)


@pytest.mark.parametrize(("app", "theme"), [("lab", "light"), ("notebook", "dark")])
def test_everything_in_the_panel_does_what_it_says(lab: labs.Lab, tmp_path: Path, app: str, theme: str) -> None:
    note = tmp_path / "note.txt"
    note.write_text("remember")
    with chat(lab, "all.ipynb", [SHOUT, SLOW, "report = 'of the kernel'"], app=app, theme=theme, height=1300) as opened:
        notebook, panel = opened
        page = notebook.page
        assert "below" in notebook.outputs()[-1], "the cell of the panel has ended and the next one ran"
        assert "Hello! I shout what you say." in panel.text
        notebook.screenshot(f"panel-{app}-{theme}-introduction")

        # Shift+Enter breaks, Enter sends; the field grows with the text and is empty again.
        low = panel.area.bounding_box()["height"]
        panel.area.type("one")
        panel.area.press("Shift+Enter")
        panel.area.type("two")
        assert panel.area.bounding_box()["height"] > low
        panel.area.press("Enter")
        panel.answers(1)
        assert panel.area.input_value() == ""
        assert heard(notebook, "heard[-1].content") == "one\ntwo"
        notebook.screenshot(f"panel-{app}-{theme}-answer")
        panel.check_for_everybody()

        # A suggested reply is sent at once.
        panel.button("Louder, please").click()
        panel.answers(2)
        assert heard(notebook, "heard[-1].content") == "Louder, please"

        # Options: what a condition hides is not sent, and what was changed is.
        panel.root.get_by_role("button", name="Options").click()
        panel.root.get_by_role("tab", name="Text").click()
        panel.root.get_by_label("Greeting").fill("moin")
        panel.root.get_by_role("tab", name="Look").click()
        panel.root.get_by_label("9:16").check(force=True)
        panel.root.get_by_label("Detail").press("ArrowRight")
        panel.root.get_by_text("Delivery").click()
        panel.root.get_by_role("switch", name="Add a stamp").click()
        notebook.screenshot(f"panel-{app}-{theme}-options")
        panel.check_for_everybody()
        panel.say("with options")
        panel.answers(3)
        sent = {"front": "painting", "shape": "9:16", "detail": 4, "greeting": "moin", "back": "", "stamp": False}
        assert heard(notebook, "heard[-1].parameters") == sent
        panel.root.get_by_label("Front").select_option("blank")
        assert not panel.root.get_by_text("Shape", exact=True).is_visible()
        panel.button("Reset all").click()
        assert panel.root.get_by_text("Shape", exact=True).is_visible()
        panel.root.get_by_role("button", name="Options").click()

        # Files: chosen, pasted, dropped, and named in the kernel; one is taken off again.
        panel.root.locator("input[type=file]").set_input_files(str(note))
        for event in ("paste", "drop"):
            page.evaluate(GIVE_FILE, [event, f"{event}.png"])
        panel.button("Attach from the kernel").click()
        names = panel.root.get_by_label("Name of an object in the kernel, or a path")
        names.fill("rep")
        page.wait_for_function("document.querySelector('.poe-panel-names option')?.value === 'report'")
        names.fill("report")
        names.press("Enter")
        panel.root.locator(".poe-panel-file:not(.poe-panel-file-coming)").nth(3).wait_for()
        notebook.screenshot(f"panel-{app}-{theme}-files")
        panel.button("Remove drop.png").click()
        panel.say("look")
        panel.answers(4)
        kinds = [["note.txt", "text/plain"], ["paste.png", "image/png"], ["report.txt", "text/plain"]]
        assert heard(notebook, "[[a.name, a.content_type] for a in heard[-1].attachments]") == kinds

        # Another bot is named, and completed.
        panel.area.type("@Sl")
        panel.root.get_by_role("option", name="Slow").wait_for()
        notebook.screenshot(f"panel-{app}-{theme}-mention")
        panel.area.press("Enter")
        assert panel.area.input_value() == "@Slow "
        panel.area.type("go")
        panel.area.press("Enter")
        panel.sees("waiting")
        panel.sees("word3")
        notebook.screenshot(f"panel-{app}-{theme}-answering")
        panel.button("Stop").click()
        panel.sees("The handler was cancelled", timeout_s=1)
        panel.answers(5)
        assert "stopped" in page.locator("body > .poe-live-region").inner_text()

        # Copy, react, edit, retry.
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        panel.root.get_by_role("button", name="Copy the answer as Markdown").first.click()
        page.wait_for_function("navigator.clipboard.readText().then((text) => text.startsWith('**ONE'))")
        panel.root.get_by_role("button", name="Like", exact=True).first.click()
        panel.root.locator("[data-reaction=like][aria-pressed=true]").wait_for()
        panel.root.get_by_role("button", name="React", exact=True).first.click()
        panel.button("Heart").click()
        panel.root.get_by_role("button", name="React: Heart").wait_for()
        panel.button("Ask the same again").click()
        panel.sees("Set aside: asked again · 1 turn")
        panel.button("Stop").click()
        panel.answers(6)
        panel.root.get_by_role("button", name="Edit and send again").nth(3).click()
        edited = panel.root.get_by_label("Edited message")
        assert edited.input_value() == "look"
        edited.fill("look again")
        edited.press("Enter")
        panel.sees("LOOK AGAIN")
        assert heard(notebook, "[a.name for a in heard[-1].attachments]") == ["note.txt", "paste.png", "report.txt"]
        notebook.screenshot(f"panel-{app}-{theme}-edited")

        # The transcript leaves by the browser; a new conversation sets all aside.
        for words, ending in (("As Markdown", ".md"), ("As JSON", ".json")):
            panel.button("Download the transcript").click()
            with page.expect_download() as download:
                panel.button(words).click()
            assert download.value.suggested_filename == f"chat-with-Shout{ending}"
            assert "LOOK AGAIN" in Path(download.value.path()).read_text()
        panel.button("New conversation").click()
        panel.sees("Earlier conversation")
        panel.say("fresh")
        panel.sees("FRESH")
        panel.check_for_everybody()
        notebook.screenshot(f"panel-{app}-{theme}-fresh")


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # a PNG
GIVE_FILE = """([kind, name]) => {
    const data = new DataTransfer();
    const png = Uint8Array.from(atob('PNG'), (letter) => letter.charCodeAt(0));
    data.items.add(new File([png], name, { type: 'image/png' }));
    const area = document.querySelector('.poe-panel-text');
    const event = kind === 'paste'
        ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
        : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
    area.dispatchEvent(event);
}""".replace("PNG", PIXEL)
