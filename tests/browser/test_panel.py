"""The chat panel as people use it, in JupyterLab and Notebook 7: every button once, the keyboard alone, and its whole
life: reload, restart, two panels, a bot that is stopped or defined anew, many files, long answers.
"""

from __future__ import annotations

import json
import re
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
HELD = """%%poebot Held
go_on = False
async def get_response(request):
    n = 0
    while n < 80 or not go_on:
        yield f"word{n} "
        n += 1
        await asyncio.sleep(0.03)
    yield "The held end."
"""
LONG = """%%poebot Long
async def get_response(request):
    for n in range(400):
        yield f"Paragraph {n}: " + "many words of it. " * 28 + "\\n\\n"
    yield "The long end."
"""
MORE = (
    "from poe_notebook.session import current_session\ncurrent_session().simulator.limit('2026')"  # 512,000 characters
)


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
        self.root.get_by_text(re.compile(re.escape(text))).first.wait_for(timeout=timeout_s * 1000)

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
        errors = watch_errors(notebook)
        notebook.run_all()
        panel = PanelOnPage(notebook)
        panel.root.wait_for()
        yield notebook, panel
        assert errors == []


def watch_errors(notebook: labs.Notebook) -> list[str]:
    """Collect the errors of our scripts, which come from a blob; a page that is left in mid-load has others."""
    errors: list[str] = []
    notebook.page.on("pageerror", lambda error: errors.append(str(error.stack)) if "blob:" in str(error.stack) else 0)
    return errors


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


def test_the_keyboard_alone_will_do(lab: labs.Lab) -> None:
    with chat(lab, "keys.ipynb", [SHOUT, SLOW]) as (notebook, panel):
        page = notebook.page
        focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText.trim()"

        def press(*keys: str) -> None:
            for key in keys:
                page.keyboard.press(key)

        def tab_to(name: str, back: bool = False) -> None:
            for _ in range(40):
                press("Shift+Tab" if back else "Tab")
                if page.evaluate(focused) == name:
                    outline = "getComputedStyle(document.activeElement).outlineStyle"
                    shadow = (
                        "getComputedStyle(document.activeElement.closest('.poe-panel-box') ?? document.body).boxShadow"
                    )
                    assert page.evaluate(outline) != "none" or page.evaluate(shadow) != "none", f"{name}: unseen focus"
                    return
            raise AssertionError(f"{name} cannot be reached; at {page.evaluate(focused)}")

        page.keyboard.press("Escape")  # of the editor: command mode, in which letters are commands of the notebook
        panel.button("New conversation").focus()
        tab_to("Message")
        page.keyboard.type("hello dd")
        press("Enter")
        panel.answers(1)
        page.keyboard.type("@Slow go")
        press("Enter")
        panel.sees("word3")
        tab_to("Stop")
        press("Enter")
        panel.answers(2)
        tab_to("Message", back=True)
        tab_to("React", back=True)
        press("Enter", "ArrowDown", "Enter")
        panel.root.get_by_role("button", name="React: Laughing").wait_for()
        tab_to("Copy the answer as Markdown", back=True)
        press("Space")
        tab_to("Edit and send again", back=True)
        press("Enter")
        page.keyboard.type("HELLO ")
        press("Escape")
        assert page.evaluate(focused) == "Edit and send again"
        tab_to("Attach from the kernel")
        press("Enter")
        assert page.evaluate(focused) == "Name of an object in the kernel, or a path"
        press("Escape")
        tab_to("Options")
        press("Enter", "Tab", "ArrowRight")
        assert page.evaluate(focused) == "Text"
        press("Tab")
        page.keyboard.type("moin")
        press("Tab")
        page.keyboard.type("line")
        press("Enter")
        page.keyboard.type("and line")
        tab_to("Message")
        page.keyboard.type("with options")
        press("Enter")
        panel.answers(3)
        parameters = heard(notebook, "heard[-1].parameters")
        assert (parameters["greeting"], parameters["back"]) == ("moin", "line\nand line")
        tab_to("Download the transcript", back=True)
        press("Enter", "ArrowDown")
        assert page.evaluate(focused) == "As JSON"
        press("Escape")
        tab_to("New conversation")
        press("Enter")
        panel.sees("Earlier conversation")
        cells = "document.querySelectorAll('.jp-Notebook > .jp-WindowedPanel-outer .jp-Cell').length"
        assert page.evaluate(cells) == 5, "no key has reached the notebook"


def test_what_is_heard_is_sentences_and_states_in_one_polite_region(lab: labs.Lab) -> None:
    speaking = """%%poebot Speaking
import asyncio
async def get_response(request):
    for word in "This is a first sentence. And here is another one, at last. ".split(" "):
        yield word + " "
        await asyncio.sleep(0.02)
    await asyncio.sleep(5)
"""
    with chat(lab, "heard.ipynb", [speaking], bot="Speaking") as (notebook, panel):
        page = notebook.page
        page.evaluate(LISTEN)
        panel.say("hello")
        page.wait_for_function("window.spoken.some((words) => words.includes('another one'))", timeout=10_000)
        panel.button("Stop").click()
        panel.answers(1)
        spoken = page.evaluate("window.spoken")
        assert spoken[0] == "Speaking is answering"
        assert spoken[1] == "This is a first sentence. And here is another one, at last."
        assert spoken[-1].startswith("Speaking stopped after ")
        assert len(spoken) <= 4
        assert page.evaluate("document.querySelectorAll('[aria-live]').length") >= 1
        assert page.locator(".poe-panel [aria-live], .poe-panel [role=log], .poe-panel [role=status]").count() == 0


LISTEN = """() => {
    window.spoken = [];
    new MutationObserver(() => {
        const words = document.querySelector('body > .poe-live-region')?.textContent;
        if (words && words !== window.spoken.at(-1)) window.spoken.push(words);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_a_chat_outlives_a_reload_in_mid_answer_and_is_read_after_a_restart(lab: labs.Lab, app: str) -> None:
    with chat(lab, "life.ipynb", [SHOUT, HELD], app=app, height=1300) as (notebook, panel):
        page = notebook.page
        panel.say("hello")
        panel.answers(1)
        panel.say("@Held go on")
        panel.sees("word20")
        notebook.save()
        notebook.reload()
        panel.sees("HELLO")
        panel.sees("answering")
        assert page.locator(".poe-panel-saved").is_hidden()
        assert panel.root.get_by_role("button", name="Stop").is_visible()
        notebook.screenshot(f"panel-{app}-reloaded")
        heard(notebook, "globals().update(go_on=True)")
        panel.sees("The held end.")
        panel.answers(2)
        assert panel.text.count("HELLO") == 1
        for n in range(80):
            assert panel.text.count(f"word{n} ") == 1
        panel.say("and after the reload")
        panel.answers(3)
        page.wait_for_timeout(500)
        notebook.save()
        saved = saved_panel(lab, "life.ipynb")
        assert [list(data) for data in saved] == [[labs.WIDGET, "text/html", "text/plain"], ["text/html", "text/plain"]]
        for kind in ("text/html", "text/plain"):
            assert "The held end." in saved[1][kind]
            assert "AFTER THE RELOAD" in saved[1][kind]
        assert "<script" not in saved[1]["text/html"]

        notebook.restart_kernel()
        panel.sees("The kernel was restarted, so this chat has ended.")
        assert panel.area.is_disabled()
        notebook.screenshot(f"panel-{app}-restarted")
        panel.check_for_everybody()
        notebook.reload()
        page.wait_for_timeout(3000)  # so long JupyterLab looks for a widget before it gives up
        shown = " ".join(notebook.outputs())
        assert "model not found" not in shown
        assert "Loading widget" not in shown
        for words in ("I shout", "HELLO", "word77", "The held end.", "AND AFTER THE RELOAD"):
            assert words in shown
        notebook.screenshot(f"panel-{app}-reopened")
    if app == "lab":
        assert_read_elsewhere(lab, "life.ipynb", words=("I shout", "HELLO", "word77", "The held end.", "AFTER THE"))


def assert_read_elsewhere(lab: labs.Lab, name: str, *, words: tuple[str, ...]) -> None:
    """What nbconvert makes of the file, and a reader who does not trust it sees, is the whole chat and no error."""
    import nbformat
    from nbconvert import HTMLExporter, MarkdownExporter

    book = nbformat.read(lab.folder / name, as_version=4)
    for exporter in (HTMLExporter(), MarkdownExporter()):
        text = re.sub(r"<style>.*?</style>|<[^>]*>", "", exporter.from_notebook_node(book)[0], flags=re.DOTALL)
        assert not [each for each in words if each not in text], exporter
    book.cells[0].source += "  # so that no signature fits"
    book.cells[0].id = "another"
    nbformat.write(book, lab.folder / f"untrusted-{name}")
    with lab.notebook(f"untrusted-{name}", height=1300) as notebook:
        notebook.page.wait_for_timeout(2500)
        shown = " ".join(notebook.outputs())
        assert not [each for each in words if each not in shown]
        assert "widget" not in shown.lower()
        notebook.screenshot("panel-untrusted")


def saved_panel(lab: labs.Lab, name: str) -> list[dict[str, str]]:
    """What the file holds of the panel's cell, joined to strings."""
    book = json.loads((lab.folder / name).read_text())
    [cell] = [cell for cell in book["cells"] if "".join(cell["source"]).startswith("%poe chat")]
    return [{kind: v if kind == labs.WIDGET else "".join(v) for kind, v in o["data"].items()} for o in cell["outputs"]]


def test_two_panels_a_stopped_bot_and_a_bot_defined_anew_in_mid_answer(lab: labs.Lab) -> None:
    anew = SLOW.replace("word", "WORD")
    cells = [SLOW, "%poe chat Slow", anew, "%poe stop Slow", "import time; time.sleep(3)"]
    lab.write("two.ipynb", [LOAD, *cells, "%poe chat Slow"])
    with lab.notebook("two.ipynb", height=2200) as notebook:
        page = notebook.page

        def run(nth: int, *, wait: bool = True) -> None:
            page.evaluate(f"() => {{ window.jupyterapp.shell.currentWidget.content.activeCellIndex = {nth} }}")
            notebook.command("notebook:run-cell", wait=False)
            if wait:
                page.wait_for_timeout(200)
                notebook.wait_idle()

        for nth in (0, 1, 2, 6):
            run(nth)
        one, other = PanelOnPage(notebook, 0), PanelOnPage(notebook, 1)
        one.say("to the first")
        other.say("to the second")
        one.sees("word9")
        other.sees("word9")
        run(3)
        one.sees("generation 2")
        one.answers(1)
        other.answers(1)
        assert "generation 1" in one.text
        assert "WORD" not in one.text + other.text, "an answer ends on the generation that began it"
        other.say("and now?")
        other.sees("WORD3")
        run(4)
        other.answers(2)
        other.sees("This bot was stopped while it was answering.")
        one.sees("Slow is no longer served.")
        one.say("anybody there?")
        one.sees("No bot named 'Slow' is served in this kernel.")
        assert one.area.input_value() == "anybody there?", "what was not sent can be sent again"
        assert "to the second" not in one.text
        assert "to the first" not in other.text
        notebook.screenshot("panel-stopped-bot")
        run(3)
        one.sees("generation 1")
        run(5, wait=False)
        page.wait_for_timeout(200)
        one.area.press("Enter")
        one.sees("The kernel is busy with a cell; this goes out when it is free.")
        notebook.screenshot("panel-busy-kernel")
        one.sees("WORD3")


def test_twenty_files_and_long_answers_lose_nothing(lab: labs.Lab, tmp_path: Path) -> None:
    paths = [tmp_path / f"file{n:02}.txt" for n in range(21)]
    for n, path in enumerate(paths):
        path.write_text(f"content {n} " * (250_000 if n == 0 else 10))  # the first takes three pieces
    with chat(lab, "many.ipynb", [SHOUT, LONG, MORE], height=1300) as (notebook, panel):
        page = notebook.page
        panel.root.locator("input[type=file]").set_input_files([str(path) for path in paths])
        panel.sees("A message carries 20 files at the most; file20.txt was left out.")
        panel.root.locator(".poe-panel-file:not(.poe-panel-file-coming)").nth(19).wait_for(timeout=20_000)
        notebook.screenshot("panel-twenty-files")
        panel.say("all of them")
        panel.answers(1)
        sizes = heard(notebook, "[(a.name, len(a.parsed_content)) for a in heard[-1].attachments]")
        assert [name for name, _ in sizes] == [path.name for path in paths[:20]]
        assert sizes[0][1] == len("content 0 " * 250_000) or sizes[0][1] > 100_000
        page.evaluate(COUNT_LONG_TASKS)
        for n in range(2):
            panel.say("@Long go")
            panel.answers(2 + n)
        assert panel.text.count("The long end.") == 2
        for n in (0, 199, 399):
            assert panel.text.count(f"Paragraph {n}:") == 2
        longest = page.evaluate("Math.max(0, ...window.longTasks)")
        assert longest < 1500, f"the page stood still for {longest} ms"
        page.wait_for_timeout(2500)
        notebook.save()
        text = saved_panel(lab, "many.ipynb")[1]["text/plain"]
        assert text.count("Paragraph 399:") == 2
        assert text.count("The long end.") == 2


COUNT_LONG_TASKS = """() => {
    window.longTasks = [];
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => window.longTasks.push(entry.duration)))
        .observe({ entryTypes: ['longtask'] });
}"""


def test_answers_of_several_bots_grow_side_by_side_and_are_read_after_a_restart(lab: labs.Lab) -> None:
    broken = "%%poebot Broken\nasync def get_response(request):\n    yield 'so far'\n    raise ValueError('no more')\n"
    compare = "%poe compare Shout Slow Broken GPT-3.5-Turbo -- which of you?"
    lab.write("compare.ipynb", [LOAD, SHOUT, SLOW, broken, compare, "print('ran' + ' on')"])
    with lab.notebook("compare.ipynb", height=1800) as notebook:
        page = notebook.page
        errors = watch_errors(notebook)
        notebook.run_all(wait=False)
        page.get_by_text("word9").wait_for(timeout=20_000)
        page.locator(".poe-compare strong", has_text="WHICH OF YOU?").wait_for()
        notebook.screenshot("compare-live")
        notebook.wait_idle(timeout=30)
        notebook.screenshot("compare-done")
        shown = notebook.outputs()[-2]
        for words in ("The slow end.", "ValueError", "simulator", "first text", "characters", "failed"):
            assert words in shown
        found = Axe().run(page, ".poe-compare", {"rules": {"heading-order": {"enabled": False}}})
        assert found.violations_count == 0, found.generate_report()
        notebook.save()
        notebook.restart_kernel()
        notebook.reload()
        assert "The slow end." in " ".join(notebook.outputs())
        assert "widget-view" not in (lab.folder / "compare.ipynb").read_text()
        assert errors == []
