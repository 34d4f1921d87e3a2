"""The widget's script in a real browser: it shows what the kernel has, keeps what did not change, and runs nothing."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest

from poe_notebook.conversation import Conversation, Reply
from poe_notebook.protocol.events import Event
from poe_notebook.views.markdown import MarkdownBlocks
from poe_notebook.views.patches import BlockCopy
from poe_notebook.views.transcript import turn_bundle

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PAGE = """<!doctype html><meta charset="utf-8"><body><script type="module">
import makeWidget from "/turn.js";
const heard = [];
const state = {};
window.asked = [];
window.model = { get: (name) => state[name], on: (name, hear) => heard.push(hear), send: (m) => window.asked.push(m) };
window.open_turn = (frame, start) => {
  Object.assign(state, { frame, start });
  const widget = makeWidget();
  widget.initialize({ model });
  window.host = document.createElement("div");
  document.body.append(host);
  return widget.render({ model, el: host });
};
window.tell = (message) => heard.forEach((hear) => hear(message));
window.answer = () => document.querySelector(".poe-turn-answer");
</script>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    script = files("poe_notebook.views").joinpath("static/turn.js").read_text("utf-8")

    def serve(route: Any) -> None:
        is_script = route.request.url.endswith(".js")
        route.fulfill(body=script if is_script else PAGE, content_type="text/javascript" if is_script else "text/html")

    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.route("**/*", serve)
    page.goto("http://turn.test/")
    page.wait_for_function("() => window.open_turn")
    yield page
    assert page.errors == []
    page.close()


class Kernel:
    """Sends an answer to the page the way ``WidgetTurn`` does."""

    def __init__(self, page: Any, *, name: str = "Shout") -> None:
        self.page, self.blocks, self.copy, self.seq = page, MarkdownBlocks(), BlockCopy(), 0
        self.reply: Reply = Conversation(name).ask("hello", route="kernel")[1]
        page.evaluate("([f, s]) => open_turn(f, s)", [turn_bundle(self.reply)["text/html"], self.state()])

    def state(self) -> dict[str, Any]:
        status = {"state": "waiting", "events": 0, "at_s": 3.2}
        return {"kind": "state", "seq": self.seq, "blocks": list(self.copy.blocks), "after": "", **status}

    def write(self, text: str, *, is_lost: bool = False, **more: Any) -> None:
        self.blocks.append(text)
        patch = self.blocks.take_patch()
        self.seq += 1
        status = {"state": "answering", "events": self.seq, "at_s": 5.0}
        entries = [list(entry) for entry in self.copy.take(patch)]
        message = {"kind": "patch", "seq": self.seq, "blocks": entries, "count": patch.count, "status": status, **more}
        if not is_lost:
            self.page.evaluate("(m) => tell(m)", message)

    def is_shown(self) -> bool:
        """Whether the page's answer is, element by element, what the static form will hold."""
        js = """(html) => { const t = document.createElement("template"); t.innerHTML = html;
            const same = (a, b) => a.length === b.length && a.every((node, i) => node.isEqualNode(b[i]));
            return same([...answer().children], [...t.content.children]); }"""
        return bool(self.page.evaluate(js, self.blocks.html))


TEXT = """# Title 😀

Some *text* with `code` and [a link](https://x.example).

- one
- two **bold**

  more of two

```python
print("<b>")
```

| a | b |
|---|--:|
| 1 | 2 |

> quoted

The end, at last.
"""


def test_a_wait_counts_its_seconds(page: Any) -> None:
    Kernel(page)
    words = page.evaluate("document.querySelector('.poe-turn-foot').textContent")
    assert words.startswith("waiting 3.2 s")
    page.wait_for_function("(w) => document.querySelector('.poe-turn-foot').textContent !== w", arg=words, timeout=2000)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_page_shows_what_the_static_form_will_hold(page: Any, seed: int) -> None:
    kernel, dice, at = Kernel(page), random.Random(seed), 0
    while at < len(TEXT):
        size = dice.choice([1, 3, 9, 40])
        kernel.write(TEXT[at : at + size])
        at += size
        assert kernel.is_shown()


def test_blocks_that_do_not_change_are_left_alone(page: Any) -> None:
    kernel = Kernel(page)
    kernel.write("first words\n\n- item one\n- item")
    page.evaluate("""() => { window.first = answer().children[0]; window.item = answer().querySelector("li");
        getSelection().selectAllChildren(window.first); }""")
    kernel.write(" two\n- item three\n\nmore\n\nand more\n\n")
    assert page.evaluate("answer().children[0] === first && answer().querySelector('li') === item")
    assert page.evaluate("getSelection().toString()") == "first words"
    assert kernel.is_shown()


def test_a_growing_paragraph_keeps_its_text_node(page: Any) -> None:
    kernel = Kernel(page)
    kernel.write("some words")
    page.evaluate("() => { window.words = answer().firstChild.firstChild }")
    kernel.write(" and more")
    assert page.evaluate("words.isConnected && words.data") == "some words and more"


def test_a_replaced_answer_leaves_nothing_behind(page: Any) -> None:
    kernel = Kernel(page)
    kernel.write("one\n\ntwo\n\nthree")
    kernel.blocks.reset()
    kernel.write("new")
    assert kernel.is_shown()
    assert page.evaluate("answer().textContent.trim()") == "new"


def test_after_a_lost_message_the_page_asks_and_is_put_right(page: Any) -> None:
    kernel = Kernel(page)
    kernel.write("one two")
    kernel.write(" three", is_lost=True)
    kernel.write(" four\n\nfive")
    assert page.evaluate("asked") == [{"kind": "sync"}]
    assert "two four" not in page.evaluate("answer().textContent")
    page.evaluate("(m) => tell(m)", kernel.state())
    assert kernel.is_shown()
    kernel.write(" six")
    assert kernel.is_shown()


def test_after_a_lost_message_the_page_catches_up_even_if_nobody_answers(page: Any) -> None:
    kernel = Kernel(page)
    kernel.write("one two")
    kernel.write(" three", is_lost=True)
    for i in range(20):
        kernel.write(f" {i}")
    assert kernel.is_shown()


def test_what_comes_with_an_answer_stands_below_it(page: Any) -> None:
    kernel = Kernel(page)
    kernel.write("x", after='<ul class="poe-turn-chips"><li>More</li></ul>')
    assert page.evaluate("document.querySelector('.poe-turn-after').textContent") == "More"


def test_the_answer_is_announced_gently_and_its_end_outlives_the_widget(page: Any) -> None:
    page.clock.install()
    kernel = Kernel(page)
    region: Callable[[], str] = lambda: page.evaluate("document.querySelector('body > .poe-live-region').textContent")
    kernel.write("First sentence. Second sen")
    assert region() == "Shout is answering"
    page.clock.run_for(4100)
    assert region() == "First sentence."
    kernel.write("tence. Third")
    page.clock.run_for(4100)
    assert region() == "Second sentence."
    page.evaluate("tell({ kind: 'end', state: 'failed', foot: '3 events' })")
    page.evaluate("host.remove()")
    assert region() == "Shout: answer failed"
    assert page.evaluate("document.querySelectorAll('[aria-live=polite]').length") == 1


def test_nothing_a_bot_writes_runs(page: Any) -> None:
    nasty = '<img src=x onerror="window.ran=1"><script>window.ran=2</script>[x](javascript:window.ran=3)'
    kernel = Kernel(page, name=f'Bot"{nasty}')
    kernel.reply.add(Event("suggested_reply", {"text": nasty}))
    kernel.reply.add(Event("error", {"text": nasty, "error_type": nasty}))
    shown = turn_bundle(kernel.reply)["text/html"]
    kernel.write(nasty + "\n\n```" + nasty + "\n" + nasty + "\n```\n", after=shown)
    page.evaluate("(html) => { document.body.insertAdjacentHTML('beforeend', html) }", shown)
    page.evaluate("tell({ kind: 'end', state: 'done' })")
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None
    assert page.evaluate("host.querySelectorAll('img, script, iframe').length") == 0


def test_the_script_is_small_and_fetches_nothing() -> None:
    script = files("poe_notebook.views").joinpath("static/turn.js").read_text("utf-8")
    assert len(script.encode()) < 20_000
    assert not any(word in script for word in ("fetch(", "XMLHttpRequest", "WebSocket", "import(", "eval("))
