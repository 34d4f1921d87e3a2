"""The last gate: whatever a parser might let through one day, this does not."""

from __future__ import annotations

import pytest

from poe_notebook.views.markdown.clean import clean


@pytest.mark.parametrize(
    ("html", "cleaned"),
    [
        ("<p>a<script>x()</script></p>", "<p>a</p>"),
        ("<style>*{}</style><p>a</p>", "<p>a</p>"),
        ('<p id="x" name="y" style="color:red" onclick="x()" class="poe-card">a</p>', "<p>a</p>"),
        ('<code class="poe-card">a</code>', "<code>a</code>"),
        ('<code class="language-py poe-card">a</code>', "<code>a</code>"),
        ('<code class="language-c++">a</code>', '<code class="language-c++">a</code>'),
        ('<div class="poe-wide x">a</div>', "<div>a</div>"),
        ('<td align="justify">', ""),
        ('<ol start="1e9"><li>a</li></ol>', "<ol><li>a</li></ol>"),
        ("<img src=x onerror=x()>", "<img>"),
        ("<img src='data:image/png;base64,AAAA' srcset=x>", "<img>"),
        ("<img src='poe-media:1' style='position:fixed'>", '<img src="poe-media:1">'),
        (
            "<iframe src='//x.example' srcdoc='<script>x()</script>'></iframe>",
            '<iframe sandbox="allow-scripts"></iframe>',
        ),
        ("<iframe sandbox='allow-same-origin'></iframe>", '<iframe sandbox="allow-scripts"></iframe>'),
        ("<math href='javascript:x()'><mi style='x' onclick=x()>a</mi></math>", "<math><mi>a</mi></math>"),
        ("<math><mtext><img src=x></mtext></math>", "<math><mtext><img></mtext></math>"),
        ("<span class='poe-math k'>a</span>", '<span class="poe-math k">a</span>'),
        ("<span class='poe-turn'>a</span>", "<span>a</span>"),
        ("<svg><a href='javascript:x()'>a</a></svg>", ""),
        ("<p>a</p></div></section>", "<p>a</p>"),
        ("<!-- a --><p>b", "<p>b</p>"),
    ],
)
def test_only_harmless_elements_and_attributes_pass(html: str, cleaned: str) -> None:
    assert clean(html) == cleaned


@pytest.mark.parametrize(
    "href",
    [
        "javascript:x()",
        " javascript:x()",
        "java\tscript:x()",
        "data:text/html,x",
        "/lab",
        "//x.example",
        "#id",
        "x",
        "poe-media:1",
        "#poe-fn-<",
    ],
)
def test_only_web_and_mail_addresses_stay(href: str) -> None:
    assert "href" not in clean(f'<a href="{href}">a</a>')


def test_a_link_tells_nobody_where_from() -> None:
    html = clean('<a href="https://x.example" rel="opener" target="_self" ping="https://y.example">a</a>')
    assert html == '<a href="https://x.example" rel="noopener noreferrer">a</a>'
