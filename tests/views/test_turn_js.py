"""The widget's script in a real browser: it shows what the kernel has, keeps what did not change, and runs nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import labs
import pytest

from poe_notebook.conversation import Conversation, Reply
from poe_notebook.protocol.events import Event
from poe_notebook.views.markdown import MarkdownBlocks, ShownImage
from poe_notebook.views.page_widget import script
from poe_notebook.views.patches import AnswerCopy
from poe_notebook.views.transcript import turn_bundle

pytestmark = pytest.mark.browser
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
window.tell = (message, buffers) => heard.forEach((hear) => hear(message, buffers));
window.answer = () => document.querySelector(".poe-turn-answer");
</script>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with labs.browser() as running:
        yield running


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    module = script("page.js", "turn.js")

    def serve(route: Any) -> None:
        is_script = route.request.url.endswith(".js")
        route.fulfill(body=module if is_script else PAGE, content_type="text/javascript" if is_script else "text/html")

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
        self.page, self.blocks, self.copy, self.seq = page, MarkdownBlocks(), AnswerCopy(), 0
        self.reply: Reply = Conversation(name).ask("hello", route="kernel")[1]
        page.evaluate("([f, s]) => open_turn(f, s)", [turn_bundle(self.reply)["text/html"], self.state()])

    def state(self) -> dict[str, Any]:
        status = {"state": "waiting", "events": 0, "at_s": 3.2}
        return {"kind": "state", "seq": self.seq, "parts": self.copy.whole, "before": "", "after": "", **status}

    def write(self, text: str, *, is_lost: bool = False, **more: Any) -> None:
        self.blocks.append(text)
        patch = self.blocks.take_patch()
        self.seq += 1
        status = {"state": "answering", "events": self.seq, "at_s": 5.0}
        message = {"kind": "patch", "seq": self.seq, "parts": self.copy.take([(0, patch)]), "status": status, **more}
        if not is_lost:
            self.page.evaluate("(m) => tell(m)", message)

    def is_shown(self) -> bool:
        """Whether the page's answer is, element by element, what the static form will hold."""
        js = """(html) => { const t = document.createElement("template"); t.innerHTML = html;
            const same = (a, b) => a.length === b.length && a.every((node, i) => node.isEqualNode(b[i]));
            const shown = answer().cloneNode(true);
            shown.querySelectorAll(".poe-copy").forEach((button) => button.remove());
            shown.querySelectorAll("[role=button]").forEach((node) =>
                ["role", "tabindex", "aria-label", "data-lm-suppress-shortcuts"].forEach(
                    (n) => node.removeAttribute(n)));
            return same([...shown.children], [...t.content.children]); }"""
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

A formula $x^2$, and one apart:

$$
\\frac{a}{b}
- c
$$

![a cat](https://pics.example/cat.png) and [paypal.com](https://evil.example)

```html
<html><body>a page</body></html>
```

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


def test_parallel_responses_stand_in_their_order_and_have_names(page: Any) -> None:
    kernel = Kernel(page)
    kernel.write("the first")
    page.evaluate("() => { window.first = answer().firstChild }")
    other = MarkdownBlocks()
    for index, words in [(2, "the last"), (1, "the middle")]:
        other.append(words)
        kernel.seq += 1
        parts = kernel.copy.take([(index, other.take_patch())])
        status = {"state": "answering", "events": 2, "at_s": 5.0}
        page.evaluate("(m) => tell(m)", {"kind": "patch", "seq": kernel.seq, "parts": parts, "status": status})
        other = MarkdownBlocks()
    shown = page.evaluate(
        "[...document.querySelectorAll('.poe-turn-response')].map((node) => node.innerText.split(/\\n+/))"
    )
    assert shown == [["Response 1", "the first"], ["Response 2", "the middle"], ["Response 3", "the last"]]
    assert page.evaluate("answer().firstChild === first"), "what was there stays in its place"
    names = page.evaluate(
        "[...document.querySelectorAll('.poe-turn-response')].map((n) => n.getAttribute('aria-label'))"
    )
    assert names == ["Response 1", "Response 2", "Response 3"]


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_files_come_beside_the_message_and_stand_where_the_kernel_put_them(page: Any) -> None:
    kernel = Kernel(page)
    kernel.blocks.define("r", ShownImage("poe-media:3", "dot.png", 1, 1))
    page.evaluate(
        """(data) => { window.bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
        const inner = window.tell; window.tell = (m) => inner(m, m.media ? [new DataView(bytes.buffer)] : []); }""",
        PIXEL,
    )
    kernel.write("![a dot][r] and ![none][s]", media=[[3, "image/png", {"buffer": 0}]])
    page.wait_for_function("answer().querySelector('img').complete")
    assert page.evaluate("answer().querySelector('img').naturalWidth") == 1
    assert page.evaluate("answer().querySelector('img').src").startswith("blob:")
    address = page.evaluate("answer().querySelector('img').src")
    kernel.write(" and more")
    assert page.evaluate("answer().querySelector('img').src") == address


def test_code_is_copied_by_a_button_that_the_keyboard_reaches(page: Any) -> None:
    kernel = Kernel(page)
    kernel.write("```python\nx = 1\n```\n")
    page.evaluate(
        "() => { window.copied = []; document.execCommand = (name) => !!copied.push(String(getSelection())) }"
    )
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Copy code"
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.poe-copy').textContent === 'Copied'")
    assert page.evaluate("copied") == ["x = 1"]
    assert page.evaluate("document.querySelector('.poe-live-region').textContent") == "Code copied"
    kernel.write("\nmore\n\nand more\n\n")
    assert page.evaluate("answer().querySelectorAll('.poe-copy').length") == 1


def test_an_image_from_elsewhere_is_loaded_when_asked_and_not_before(page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    kernel = Kernel(page)
    kernel.write("![a cat](https://pics.example/cat.png)\n\nmore\n\n")
    page.wait_for_timeout(100)
    assert asked == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    assert asked == ["https://pics.example/cat.png"]
    page.evaluate(
        "(html) => document.body.insertAdjacentHTML('beforeend', html)", turn_bundle(kernel.reply)["text/html"]
    )
    still = (
        '<section class="poe-notebook"><a class="poe-image-link" href="https://pics.example/cat.png">x</a></section>'
    )
    page.evaluate("(html) => document.body.insertAdjacentHTML('beforeend', html)", still)
    page.wait_for_timeout(100)
    assert len(asked) == 2, "what was asked for once stays when the saved form takes its place"


def test_an_image_is_shown_large_and_closed_again_by_keyboard(page: Any) -> None:
    image = f'<img class="poe-image" alt="a dot" src="data:image/png;base64,{PIXEL}">'
    still = f'<section class="poe-notebook">{image}</section>'
    Kernel(page)
    page.evaluate("(html) => document.body.insertAdjacentHTML('beforeend', html)", still)
    page.wait_for_function("document.querySelector('img.poe-image').getAttribute('role') === 'button'")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Enlarge a dot"
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('dialog').open && document.activeElement.ariaLabel") == "Close"
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('dialog')")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Enlarge a dot"


def test_a_selection_and_what_is_unfolded_stay_when_the_saved_form_takes_its_place(page: Any) -> None:
    kernel = Kernel(page)
    kernel.reply.add(Event("text", {"text": "first *words* here\n\nmore"}))
    kernel.reply.add(Event("data", {"metadata": "x" * 100}))
    kernel.reply.add(Event("done", {}))
    final = turn_bundle(kernel.reply)["text/html"]
    after = final.partition('<div class="poe-turn-after">')[2].partition('</div><p class="poe-turn-foot')[0]
    kernel.write("first *words* here\n\nmore", after=after)
    page.evaluate("""() => { document.querySelector("details").open = true;
        const [first, second] = answer().firstChild.childNodes;
        getSelection().setBaseAndExtent(first, 2, second.firstChild, 3); }""")
    page.evaluate("tell({ kind: 'end', state: 'done' })")
    page.evaluate(
        """(html) => { const output = document.createElement("div"); output.innerHTML = html;
        host.replaceWith(output); window.output = output; }""",
        final,
    )
    page.wait_for_timeout(50)
    assert page.evaluate("getSelection().toString()") == "rst wor"
    assert page.evaluate("output.contains(getSelection().anchorNode)")
    assert page.evaluate("output.querySelector('details').open")


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
    module = script("page.js", "turn.js")
    assert len(module.encode()) < 21_000
    assert not any(word in module for word in ("fetch(", "XMLHttpRequest", "WebSocket", "import(", "eval("))


@pytest.mark.parametrize(
    ("html", "name"),
    [
        ('<p>a <img class="poe-image" src="SRC" alt="a cat" width="300" height="200"> b</p>', "a cat"),
        ('<ul><li><audio class="poe-player" controls src="SRC" aria-label="a"></audio><div>x</div></li></ul>', "a"),
        ('<ul><li><video class="poe-player" controls src="SRC" aria-label="v.mp4"></video></li></ul>', "v.mp4"),
    ],
)  # fmt: skip
def test_what_the_browser_cannot_decode_gives_way_to_words_and_a_download(page: Any, html: str, name: str) -> None:
    kernel = Kernel(page)
    source = "data:application/octet-stream;base64,bm9uc2Vuc2U="
    kernel.write("One.\n\n", after=html.replace("SRC", source))
    note = page.locator("[data-poe-broken]")
    note.wait_for()
    assert note.inner_text() == f"{name} cannot be shown here. Download"
    link = page.get_by_role("link", name=f"Download {name}")
    assert (link.get_attribute("href"), link.get_attribute("download")) == (source, name)
    assert not page.locator(".poe-image, .poe-player").is_visible()
    kernel.write("Two.\n\n", after=html.replace("SRC", source).replace("<div>x</div>", "<div>y</div>"))
    page.wait_for_timeout(100)
    assert note.count() == 1
    assert not page.locator(".poe-image, .poe-player").is_visible()
    kernel.write("Three.\n\n", after="<p>nothing</p>")
    kernel.write("Four.\n\n")
    assert note.count() == 0


def test_what_was_saved_and_cannot_be_decoded_gives_way_too(page: Any) -> None:
    Kernel(page)
    page.evaluate("""() => document.body.insertAdjacentHTML("beforeend", `<div class="poe-notebook" id="saved">
      <img class="poe-image" src="data:image/png;base64,bm8=" alt="old"></div>`)""")
    page.locator("#saved [data-poe-broken]", has_text="old cannot be shown here.").wait_for()
