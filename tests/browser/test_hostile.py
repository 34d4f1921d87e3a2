"""A hostile answer in the page: nothing of it runs, nothing leaves for the network, live and saved."""

from __future__ import annotations

from collections.abc import Iterator

import labs
import pytest

pytestmark = pytest.mark.browser

HOSTILE = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 2'>",
    "<svg onload='window.pwned = 3'><script>window.pwned = 4</script></svg>",
    "[click](javascript:window.pwned=5)",
    "[click](java&#115;cript:window.pwned=6)",
    "<iframe srcdoc='<script>parent.pwned = 7</script>'></iframe>",
    "![track](http://evil.invalid/pixel.png)",
    "<img src='http://evil.invalid/pixel2.png'>",
    "<style>@import 'http://evil.invalid/s.css'; body { display: none }</style>",
    "<link rel=stylesheet href='http://evil.invalid/t.css'>",
    "</div></section></div><div id=stolen onmouseover='window.pwned = 8'>out of the frame",
    "<details open ontoggle='window.pwned = 9'><summary>x</summary></details>",
    "<form action='http://evil.invalid'><input name=x autofocus onfocus='window.pwned = 10'></form>",
    "<math><mtext></mtext><script>window.pwned = 11</script></math>",
    "`` <script>window.pwned = 12</script> ``",
    "```html\n<html><script>parent.pwned = 13</script></html>\n```",
    "<a href='data:text/html,<script>opener.pwned = 14</script>' target=_blank>data</a>",
    "<meta http-equiv=refresh content='0; url=http://evil.invalid'>",
    "<base href='http://evil.invalid/'>",
]
CELLS = [
    "%load_ext poe_notebook",
    "%%poebot Evil\nimport asyncio\nimport poe_notebook as fp\n"
    f"HOSTILE = {HOSTILE!r}\n"
    "async def get_response(request):\n    for text in HOSTILE:\n        for start in range(0, len(text), 9):\n"
    "            yield text[start : start + 9]\n            await asyncio.sleep(0.002)\n        yield '\\n\\n'\n"
    "    yield fp.PartialResponse(text=HOSTILE[1], is_suggested_reply=True)\n"
    "    yield fp.PartialResponse(text='', attachment=fp.Attachment(url='javascript:window.pwned=15', "
    "content_type='text/html', name=HOSTILE[0]))\n"
    "    print(HOSTILE[0])\n    raise ValueError(HOSTILE[1])\n",
    "%poe chat Evil " + HOSTILE[0],
    "%poe inspect",
    "print('the ' + 'end')",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[labs.Lab]:
    with labs.lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


def test_nothing_of_a_hostile_answer_runs_or_calls_out(lab: labs.Lab) -> None:
    lab.write("evil.ipynb", CELLS)
    with lab.notebook("evil.ipynb", height=3000) as notebook:
        asked: list[str] = []
        notebook.page.on("request", lambda request: asked.append(request.url))
        notebook.run_all()
        for moment in ("live", "reopened"):
            shown = " ".join(notebook.outputs())
            assert "the end" in shown
            assert "ValueError" in shown
            assert "window.pwned = 1" in shown, "the hostile text is shown as text"
            assert notebook.page.evaluate("window.pwned") is None
            notebook.screenshot(f"hostile-{moment}")
            inside = "document.querySelectorAll('.jp-OutputArea-output {}').length"
            for element in ("script", "iframe", "object", "embed", "form", "link", "meta", "base", "#stolen"):
                assert notebook.page.evaluate(inside.format(element)) == 0, element
            links = notebook.page.evaluate("[...document.querySelectorAll('.jp-OutputArea-output a')].map(a => a.href)")
            assert not [link for link in links if not link.startswith(("http", "mailto", "#"))]
            notebook.save()
            notebook.reload()
        assert not [url for url in asked if "evil.invalid" in url]
