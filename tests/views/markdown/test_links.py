"""Links say where they lead, images of others wait for a click, and those at hand are shown."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hostile import Page

from poe_notebook.views.markdown import ShownImage, render


@pytest.mark.parametrize(
    ("text", "link", "after"),
    [
        ("see https://poe.com/a.", "https://poe.com/a", "."),
        ("(https://poe.com/a_(b))", "https://poe.com/a_(b)", ")"),
        ("https://poe.com/?a=1&b=2, ok", "https://poe.com/?a=1&amp;b=2", ", ok"),
    ],
)
def test_a_bare_link_ends_before_the_sentence_does(text: str, link: str, after: str) -> None:
    assert f'href="{link}"' in render(text)
    assert f">{link}</a>{after}" in render(text)


def test_a_bare_link_in_a_link_or_in_code_stays_as_it_is() -> None:
    assert render("`https://a.b`").count("<a ") == 0
    assert render("[https://a.b](https://c.d)").count("<a ") == 1


def test_an_image_becomes_a_link_that_says_where_it_comes_from() -> None:
    html = render("![a cat](https://user@pics.example/cat.png)")
    assert ">image: a cat, pics.example</a>" in html
    assert "<img" not in html


def test_an_image_in_a_link_is_words_in_that_link() -> None:
    html = render("[![logo](https://a.example/l.png)](https://b.example)")
    assert Page(html).links() == ["https://b.example"]
    assert "image: logo, a.example" in html


def test_an_image_held_in_the_answer_is_named_and_not_shown() -> None:
    assert render("![x](data:image/png;base64,AAAA)") == "<p>image: x, held in the answer</p>\n"


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("see www.poe.com/a, ok", "http://www.poe.com/a"),
        ("write to me@poe.com.", "mailto:me@poe.com"),
        ("HTTPS://POE.COM", "HTTPS://POE.COM"),
    ],
)
def test_addresses_without_marks_become_links(text: str, href: str) -> None:
    assert Page(render(text)).links() == [href]


@pytest.mark.parametrize("text", ["www.", "awww.poe.com", "@handle", "a@b", "1.5x@2.5", "node@18.2.0/x", "e.g.www"])
def test_what_only_looks_like_an_address_stays_text(text: str) -> None:
    assert Page(render(text)).links() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[paypal.com](https://evil.example/x)", "paypal.com (evil.example)"),
        ("[log in](https://poe.com@evil.example/x)", "log in (evil.example)"),
        ("https://аррӏе.com", "https://аррӏе.com (xn--80ak6aa92e.com)"),
        ("[help](https://xn--80ak6aa92e.com)", "help (xn--80ak6aa92e.com)"),
        ("[ann@poe.com](mailto:eve@evil.example)", "ann@poe.com (evil.example)"),
    ],
)
def test_a_link_that_seems_to_lead_elsewhere_says_its_host(text: str, words: str) -> None:
    assert Page(render(text)).text == words


@pytest.mark.parametrize("text", ["[the docs](https://poe.com/x)", "[www.poe.com](https://poe.com)", "https://poe.com"])
def test_a_link_that_leads_where_it_says_stands_alone(text: str) -> None:
    assert "(" not in Page(render(text)).text


def test_words_do_not_turn_round() -> None:
    html = render('[\u202egro.live\u202c](https://x.example "\u202etitle") a\u202db\n\n`c\u202ed`')
    assert not set(html) & set("\u202a\u202b\u202c\u202d\u202e")
    assert "<code>c\\u202ed</code>" in html


IMAGE = ShownImage("poe-media:0", "chart.png", 640, 480)


def test_an_image_at_hand_is_shown_with_its_size() -> None:
    html = render('![a "chart"][c1]', inline={"c1": IMAGE})
    assert html == (
        '<p><img class="poe-image" src="poe-media:0" alt="a &quot;chart&quot;" width="640" height="480"></p>\n'
    )
    assert 'alt="chart.png"' in render("![][c1]", inline={"c1": IMAGE})


def test_a_bot_cannot_name_a_file_by_itself() -> None:
    html = render("![x](poe-media:0) [y](poe-media:0) [z][r]\n\n[r]: poe-media:0", inline={"c1": IMAGE})
    assert "<img" not in html
    assert "<a " not in html


def test_a_link_to_an_image_at_hand_is_words() -> None:
    assert render("[the chart][c1]", inline={"c1": IMAGE}) == "<p>the chart</p>\n"


@pytest.mark.parametrize(
    ("text", "hrefs"),
    [
        ("请访问https://poe.com。谢谢", ["https://poe.com"]),
        (
            "链接：https://poe.com/关于。后面的文字,以及(https://poe.com/a_(b))。",
            ["https://poe.com/关于", "https://poe.com/a_(b)"],
        ),
        ("见（https://poe.com/a），“https://poe.com/b”", ["https://poe.com/a", "https://poe.com/b"]),
        ("이메일: me@poe.com으로.", ["mailto:me@poe.com"]),
        ("邮箱me@poe.com", ["mailto:me@poe.com"]),
        ("https://poe.com에서 보세요", ["https://poe.com"]),
        ("請看www.poe.com的/x", ["http://www.poe.com"]),
        ("https://例え.jp/a、次", ["https://例え.jp/a"]),
        ("https://poe.例え/a", ["https://poe.例え/a"]),
        ("https://münchen.de/ü", ["https://münchen.de/ü"]),
        ("http://localhost:8888/x", ["http://localhost:8888/x"]),
    ],
)
def test_bare_links_end_where_words_of_scripts_without_spaces_begin(text: str, hrefs: list[str]) -> None:
    page = Page(render(text))
    assert [_spelled(str(href)) for href in page.links()] == hrefs
    assert "".join(page.words).strip() == text or "xn--" in page.text


def _spelled(address: str) -> str:
    host, _, _ = unquote(address).partition("//")[2].partition("/")
    if "xn--" not in host:
        return unquote(address)
    return unquote(address).replace(host, host.encode().decode("idna"))
