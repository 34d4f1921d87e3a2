"""All that Poe renders, in JupyterLab and Notebook 7: seen, heard, copied, kept while it streams, and reopened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import labs
import pytest
from axe_playwright_python.sync_playwright import Axe
from gallery import BOT, TOPICS

pytestmark = pytest.mark.browser

HELPER = "%%poebot Helper\nasync def get_response(request):\n    yield 'a helping hand'\n"
CELLS = ["%load_ext poe_notebook", HELPER, BOT, *(f"%poe chat Gallery {topic} please" for topic in TOPICS)]
BADLY_NESTED = {"heading-order": {"enabled": False}}  # which the notebook above an answer and the bot decide


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[labs.Lab]:
    with labs.lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


class Shown:
    """The outputs of the gallery on a page."""

    def __init__(self, notebook: labs.Notebook) -> None:
        self.page = notebook.page
        self.turns = self.page.locator(".jp-OutputArea-output .poe-turn")

    def turn(self, topic: str) -> Any:
        return self.turns.nth(TOPICS.index(topic))

    def text(self, topic: str) -> str:
        return str(self.turn(topic).inner_text())

    def check_all(self) -> None:
        """Each thing is there, as it is meant to be seen."""
        assert self.turns.count() == len(TOPICS)
        markdown = self.turn("markdown")
        for element in ("h1", "em", "s", "table", "blockquote", "ul", "ol", "a[href='https://poe.com/about']"):
            assert markdown.locator(element).count(), element
        assert markdown.locator(".poe-notes li").count() == 2
        assert self.turn("code").locator(".k").first.evaluate("(node) => getComputedStyle(node).color") != self.turn(
            "code"
        ).locator("code").first.evaluate("(node) => getComputedStyle(node).color")
        maths = self.turn("maths")
        assert maths.locator("math").count() == 4
        assert maths.locator("math").first.bounding_box()["width"] > 20
        assert maths.locator(".poe-math-source").first.bounding_box() is None
        assert "it costs $5 and $10" in self.text("maths")
        pages = self.turn("pages")
        assert pages.locator("iframe").count() == 3
        assert "empty line" in self.text("pages")
        self.check_media()
        assert "get_weather" in self.text("calls")
        assert "Helper" in self.text("calls")
        assert "21 °C" in self.text("calls")
        assert "Thinking" not in self.text("calls")
        assert "replaced once" in self.text("calls")
        assert [words in self.text("parallel") for words in ("Response 1\n", "Response 2\n")] == [True, True]
        assert "You have too few points." in self.text("error")
        assert "*plain* text\n   with  spaces <b>and</b> $x$" in self.text("plain")

    def check_media(self) -> None:
        media = self.turn("media")
        for image in media.locator("img.poe-image").all():
            assert image.evaluate("(node) => node.decode().then(() => node.naturalWidth)") == 640
        assert media.locator("img.poe-image").count() == 2
        seconds = """(node) => new Promise((done) => {
            if (node.readyState) done(node.duration);
            else node.onloadedmetadata = () => done(node.duration); })"""
        assert media.locator("audio").evaluate(seconds) == pytest.approx(1, abs=0.01)
        assert media.locator("video").count() == 1
        assert media.locator("embed[type='application/pdf']").count() == 1
        assert "a,b\n1,2" in media.locator("details pre").text_content()
        assert "huge.bin" in self.text("media")
        assert "larger than 2 MB" in self.text("media")
        addresses = media.locator("[src], a[download]").evaluate_all(
            "(all) => all.map((node) => node.src || node.href)"
        )
        assert not [address for address in addresses if address.startswith(("http://127", "http://localhost"))]


@pytest.mark.parametrize(
    ("app", "theme"), [("lab", "light"), ("lab", "dark"), ("notebook", "light"), ("notebook", "dark")]
)
def test_everything_that_poe_renders_is_shown_and_nothing_is_fetched(lab: labs.Lab, app: str, theme: str) -> None:
    lab.write("gallery.ipynb", CELLS)
    with lab.notebook("gallery.ipynb", app=app, theme=theme, height=1400) as notebook:
        asked: list[str] = []
        notebook.page.on("request", lambda request: asked.append(request.url))
        notebook.run_all()
        shown = Shown(notebook)
        shown.check_all()
        for topic in TOPICS:
            shown.turn(topic).scroll_into_view_if_needed()
            notebook.page.wait_for_timeout(150)
            keep(shown.turn(topic), f"{topic}-{app}-{theme}")
        found = Axe().run(notebook.page, ".jp-OutputArea-output .poe-notebook", {"rules": BADLY_NESTED})
        assert found.violations_count == 0, found.generate_report()
        assert not [url for url in asked if ".example" in url]


def keep(turn: Any, name: str) -> None:
    """Keep a picture of one turn for people."""
    folder = labs.os.environ.get("SCREENSHOTS")
    if folder:
        labs.Path(folder).mkdir(parents=True, exist_ok=True)
        turn.screenshot(path=str(labs.Path(folder) / f"{name}.png"))


def test_the_keyboard_copies_code_loads_an_image_and_shows_one_large(lab: labs.Lab) -> None:
    lab.write("keys.ipynb", [*CELLS[:3], "%poe chat Gallery code please", "%poe chat Gallery media please"])
    with lab.notebook("keys.ipynb") as notebook:
        page = notebook.page
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        notebook.run_all()
        page.wait_for_selector(".poe-code button")
        copy = page.locator(".poe-code button").first
        copy.focus()
        page.keyboard.press("Enter")
        page.wait_for_function("document.querySelector('.poe-code button').textContent !== 'Copy'")
        assert copy.is_visible()
        assert page.locator("body > .poe-live-region").text_content() == "Code copied"
        link = page.locator("a.poe-image-link").first
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_timeout(200)
        assert [url for url in asked if "pics.example" in url] == ["https://pics.example/cat.png"]
        page.locator("img.poe-image").first.focus()
        page.keyboard.press("Enter")
        assert page.locator("dialog[open] img").get_attribute("alt") == "a gradient"
        page.keyboard.press("Escape")
        assert page.locator("dialog").count() == 0
        assert page.evaluate("document.querySelectorAll('.jp-Notebook .jp-mod-editMode').length") == 0


SLOW = """%%poebot Slow
import asyncio
async def get_response(request):
    for n in range(100):
        yield f"Paragraph {n} has *some* words in it. " * 3 + "\\n\\n"
        if n % 7 == 3:
            yield "```python\\nx = [1, 2]  # a comment\\n```\\n\\n$$\\\\frac{a}{b}$$\\n\\n"
        await asyncio.sleep(0.06)
"""


def test_a_selection_and_the_place_on_the_page_stay_while_an_answer_streams_and_when_it_ends(lab: labs.Lab) -> None:
    lab.write("slow.ipynb", ["%load_ext poe_notebook", SLOW, "%poe chat Slow hello"])
    with lab.notebook("slow.ipynb", height=900) as notebook:
        page = notebook.page
        notebook.run_all(wait=False)
        page.wait_for_function("document.querySelector('.poe-turn-answer')?.innerText.includes('Paragraph 9')")
        page.evaluate(WATCH)
        notebook.wait_idle()
        page.wait_for_timeout(300)
        heights, tops, said = page.evaluate("[window.heights, window.tops, window.said]")
        assert page.evaluate("getSelection().toString()") == "Paragraph 2 has some"
        drops = [earlier - later for earlier, later in pairwise(heights)]
        assert max(drops) <= 2, f"the answer shrank by {max(drops)} pixels"
        assert max(tops) - min(tops) <= 2, "the page moved under the reader"
        assert 1 <= len(said) <= 12
        assert any(words.endswith(".") for words in said), said
        assert said[-1] == "Slow: answer finished"


# Selects some words and notes, each frame, how high the answer is, where its second paragraph stands, and what is said.
WATCH = """() => {
    const second = () => [...document.querySelectorAll(".poe-turn-answer > p")][2];
    const [first, em] = second().childNodes;
    getSelection().setBaseAndExtent(first, 0, em.firstChild, 4);
    second().scrollIntoView();
    Object.assign(window, { heights: [], tops: [], said: [] });
    const look = () => {
        const answer = document.querySelector(".poe-turn-answer");
        if (answer) {
            window.heights.push(answer.getBoundingClientRect().height);
            window.tops.push(second().getBoundingClientRect().top);
        }
        const words = document.querySelector("body > .poe-live-region").textContent;
        if (words && words !== window.said.at(-1)) window.said.push(words);
        requestAnimationFrame(look);
    };
    look();
}"""


def test_a_saved_answer_is_whole_after_a_restart_and_in_a_notebook_that_is_not_trusted(lab: labs.Lab) -> None:
    lab.write("saved.ipynb", CELLS)
    with lab.notebook("saved.ipynb", height=1400) as notebook:
        notebook.run_all()
        notebook.save()
        notebook.restart_kernel()
        notebook.reload()
        Shown(notebook).check_all()
        for image in notebook.page.locator("img.poe-image").all():
            assert str(image.get_attribute("src")).startswith("data:image/png;base64,")
    book = json.loads((lab.folder / "saved.ipynb").read_text())
    book["cells"].append({"cell_type": "markdown", "id": "other", "metadata": {}, "source": "changed by somebody else"})
    (lab.folder / "strange.ipynb").write_text(json.dumps(book))
    with lab.notebook("strange.ipynb", height=1400) as notebook:
        page = notebook.page
        assert page.locator(".jp-OutputArea-output iframe").count() == 0, "a notebook that is trusted shows nothing"
        words = " ".join(notebook.outputs())
        for said in (
            "def norm",  # code
            r"\frac{-b \pm \sqrt{b^2-4ac}}{2a}",  # formulas as TeX
            "<h2>Hello</h2>",  # the source of a page
            "maps.example",  # the link to an embedded one
            "The first note.",
            "get_weather",
            "You have too few points.",
            "Response 2",
            "huge.bin",
            "*plain* text",
        ):
            assert said in words, said
        assert "x2" not in words, "a formula without its markup"
        notebook.screenshot("untrusted")


def test_a_frame_of_a_page_from_elsewhere_asks_first(lab: labs.Lab) -> None:
    lab.write("frame.ipynb", [*CELLS[:3], "%poe chat Gallery pages please"])
    with lab.notebook("frame.ipynb", height=1400) as notebook:
        page = notebook.page
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.route(
            "https://maps.example/**", lambda route: route.fulfill(body="<p>a map</p>", content_type="text/html")
        )
        notebook.run_all()
        page.wait_for_timeout(500)
        assert not [url for url in asked if "maps.example" in url]
        asking = page.locator("iframe[title='Page from maps.example']")
        assert asking.evaluate("frame => frame.offsetHeight") == 76
        frame = page.frame_locator("iframe[title='Page from maps.example']")
        frame.get_by_role("link", name="Show the page from maps.example").click()
        frame.get_by_text("a map").wait_for()
        page.wait_for_function("document.querySelectorAll('.poe-frame-asking').length === 0")
        assert asking.evaluate("frame => frame.offsetHeight == frame.height")
        assert page.frame_locator("iframe").first.frame_locator("iframe").get_by_text("Hello").inner_text() == "Hello"
