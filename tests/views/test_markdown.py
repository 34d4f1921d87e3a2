"""Bot text as HTML: what is shown, that growing gives the same as rendering at once, that nothing hostile survives."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from poe_notebook.views.markdown import ANSWER_CHARS, MarkdownBlocks, Patch, plain, render

TAGS = {
    *["p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "div"],
    *["table", "thead", "tbody", "tr", "th", "td"],
}
TAGS |= {f"h{level}" for level in range(1, 7)}
ATTRIBUTES = {"href", "title", "class", "start", "align", "rel", "target"}


class Page(HTMLParser):
    """Reads HTML as a browser's parser would report it: each element with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes something that the answer did not open"
        assert self.open.pop() == tag

    def links(self) -> list[str | None]:
        return [attributes.get("href") for tag, attributes in self.elements if tag == "a"]


def assert_harmless(html: str) -> None:
    page = Page(html)
    assert not page.open
    for tag, attributes in page.elements:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES
        assert (attributes.get("class") or "poe-wide").startswith(("language-", "poe-wide", "poe-muted", "poe-plain"))
        if tag == "a":
            assert str(attributes.get("href", "https://")).lower().startswith(("http://", "https://", "mailto:"))
            assert attributes["rel"] == "noopener noreferrer"
            assert attributes["target"] == "_blank"


def grow(pieces: list[str]) -> tuple[MarkdownBlocks, list[str]]:
    """Feed the pieces, taking a patch after each, and keep a reader's copy of the blocks."""
    blocks, shown = MarkdownBlocks(), list[str]()
    for piece in pieces:
        blocks.append(piece)
        shown = apply(shown, blocks.take_patch())
        assert "".join(shown) == blocks.html
    blocks.finish()
    return blocks, apply(shown, blocks.take_patch())


def apply(shown: list[str], patch: Patch) -> list[str]:
    new = dict(patch.blocks)
    return [new[i] if i in new else shown[i] for i in range(patch.count)]


def test_the_usual_markdown_is_rendered() -> None:
    html = render("# Title\n\n*a* **b** ~~c~~ `d`\n\n- x\n\n> q\n\n```py\nx < 1\n```\n")
    assert "<h1>Title</h1>" in html
    assert "<em>a</em> <strong>b</strong> <s>c</s> <code>d</code>" in html
    assert '<pre><code class="language-py">x &lt; 1\n</code></pre>' in html


def test_a_table_keeps_its_alignment_without_a_style_attribute_and_scrolls_in_its_own_box() -> None:
    html = render("|a|b|\n|--|-:|\n|1|2|\n")
    assert html.startswith('<div class="poe-wide"><table>')
    assert '<td>1</td>\n<td align="right">2</td>' in html
    assert "style" not in html


def test_task_lists_show_their_boxes() -> None:
    assert "<li>☑ done</li>\n<li>☐ open</li>" in render("- [x] done\n- [ ] open\n")


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


def test_an_inline_ref_leads_to_its_attachment() -> None:
    html = render("![chart][c1]", inline={"c1": "https://files.example/c.png"})
    assert Page(html).links() == ["https://files.example/c.png"]
    assert "image: chart, files.example" in html
    assert render("![chart][c1]", inline={"c1": "javascript:alert(1)"}) == "<p>![chart][c1]</p>\n"


def test_plain_answers_are_escaped_and_keep_their_lines() -> None:
    assert plain("a <b>\n *c*") == '<pre class="poe-plain">a &lt;b&gt;\n *c*</pre>\n'


def test_halves_of_a_character_are_joined_and_lone_ones_replaced() -> None:
    assert render("\ud83d\ude00 \ud83d.") == "<p>\U0001f600 \ufffd.</p>\n"
    blocks, _ = grow(["\ud83d", "\ude00"])
    assert blocks.html == "<p>\U0001f600</p>\n"


def test_a_line_end_cut_in_two_is_one_line_end() -> None:
    blocks, _ = grow(["a\r", "\nb\r\r", "c"])
    assert blocks.html == render("a\nb\n\nc")


def test_a_definition_that_comes_late_still_makes_its_link() -> None:
    blocks, shown = grow(["see [poe]\n\nnext\n\nmore\n\n", "and more\n\n[poe]: https://poe.com\n"])
    assert Page(blocks.html).links() == ["https://poe.com"]
    assert "".join(shown) == blocks.html


def test_a_definition_that_turns_out_to_be_none_takes_its_link_back() -> None:
    blocks, _ = grow(["see [poe]\n\n[poe]: https://poe.com", " and then words\n"])
    assert Page(blocks.html).links() == ["https://poe.com"]
    assert blocks.html == render("see [poe]\n\n[poe]: https://poe.com and then words\n")


def test_an_attachment_that_comes_after_its_image_still_makes_its_link() -> None:
    blocks = MarkdownBlocks()
    blocks.append("![a][r]\n\nb\n\nc\n\nd\n\n")
    blocks.take_patch()
    blocks.define("r", url="https://f.example/a.png")
    blocks.finish()
    assert blocks.html == render("![a][r]\n\nb\n\nc\n\nd\n\n", inline={"r": "https://f.example/a.png"})


def test_closed_blocks_are_not_sent_again() -> None:
    blocks = MarkdownBlocks()
    blocks.append("one\n\ntwo\n\nthree\n\nfour\n\n")
    assert [i for i, _ in blocks.take_patch().blocks] == [0, 1, 2, 3]
    blocks.append("five")
    assert blocks.take_patch() == Patch([(4, "<p>five</p>\n")], 5)
    assert blocks.take_patch() == Patch([], 5)


def test_a_replaced_answer_starts_again() -> None:
    blocks = MarkdownBlocks()
    blocks.append("one\n\ntwo\n\nthree")
    blocks.take_patch()
    blocks.reset()
    blocks.append("new")
    assert blocks.take_patch() == Patch([(0, "<p>new</p>\n")], 1)


PARTS = [
    "a", "word ", "\n", "\n\n", "\n", "> ", "- ", "1. ", "2) ", "  ", "    ", "# ", "---", "===", "```", "~~~py",
    "`", "*", "**", "_", "[a]", "[a]: https://x.org", "[a]:", "'t", "(", ")", "![", "](https://y.org)", "<b>",
    "&amp;", "\\", "  \n", "https://z.org/q.", "\t", "+ b", "[ ] ", ":-:", "~~", "é", "😀", "<", "0", "|",
    "| a | b |\n", "|--|--|\n", "a | b", "-|-\n",
]  # fmt: skip
FRAGMENTS = st.sampled_from(PARTS)
MARKDOWN = st.lists(FRAGMENTS, max_size=40).map("".join)


def cut(text: str, places: list[int]) -> list[str]:
    ends = [*sorted({p % (len(text) + 1) for p in places}), len(text)]
    return [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]


@settings(max_examples=400, deadline=None)
@given(MARKDOWN, st.lists(st.integers(0, 500), max_size=12))
@example("> q\n-abc\n\n", [4, 5])
@example("a\n```\n\nb\n", [8])
@example("para\na | b\n---|---\n1 | 2\n", [7, 12, 16])
@example("para\na | b\n---|---x\n1 | 2\n", [7, 12, 18])
@example("[a]: https://x.org\n'title\nover lines'\n\n[a]\n", [20, 27])
def test_growing_gives_the_same_as_rendering_at_once(text: str, places: list[int]) -> None:
    blocks, shown = grow(cut(text, places))
    assert blocks.html == render(text)
    assert "".join(shown) == blocks.html


@settings(max_examples=150, deadline=None)
@given(MARKDOWN)
def test_growing_by_single_characters_gives_the_same(text: str) -> None:
    assert grow(list(text))[0].html == render(text)


ALERT = "alert(1)"
HOSTILE = [
    f"<script>{ALERT}</script>",
    f"<scr<script>ipt>{ALERT}</script>",
    f"<img src=x onerror={ALERT}>",
    f'<a href="javascript:{ALERT}">x</a>',
    f"<svg onload={ALERT}><script>{ALERT}</script></svg>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={ALERT}>",
    f'<iframe srcdoc="<script>{ALERT}</script>"></iframe>',
    "<style>*{display:none}</style>",
    "<base href=https://evil.example><form action=/x><input name=cookie id=location></form>",
    "</pre></code></div></section></td></table></body><b>out</b>",
    '</div></div></section><script src="https://evil.example/x.js"></script>',
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php alert(1) ?>",
    f"[x](javascript:{ALERT})",
    f"[x](JaVaScRiPt:{ALERT})",
    f"[x](  javascript:{ALERT})",
    f"[x](java\tscript:{ALERT})",
    f"[x](<java\nscript:{ALERT}>)",
    f"[x](&#106;avascript:{ALERT})",
    f"[x](&#x6A;avascript&colon;{ALERT})",
    f"[x](&Tab;javascript:{ALERT})",
    f"[x](\x01javascript:{ALERT})",
    f"[x](\u00a0javascript:{ALERT})",
    f"[x](\u2028javascript:{ALERT})",
    f"[x](\uff4aavascript:{ALERT})",
    f"[x](%6Aavascript:{ALERT})",
    f"[x](java\\script:{ALERT})",
    f"[x](vbscript:{ALERT})",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "[x](file:///etc/passwd) [x](//evil.example) [x](/lab/tree/a.ipynb) [x](#id) [x](a.ipynb) [x](blob:https://a/b)",
    f"<javascript:{ALERT}> <data:text/html,x>",
    f"[x][r]\n\n[r]: javascript:{ALERT}",
    f'[x](https://a.example "\\" onmouseover={ALERT} x=\\"")',
    f'![" onerror={ALERT} x="](https://a.example/i.png)',
    f'[x](https://a.example/"onmouseover={ALERT})',
    f'```" onmouseover="{ALERT}\nx\n```',
    "```x poe-card\ny\n```\n\n```poe-card&#32;poe-bad\ny\n```",
    "</code></pre><script>alert(1)</script>\n\n    </code></pre><script>alert(1)</script>",
    '|a" onclick="alert(1)|b|\n|:-|-:|\n|<script>x</script>|</td></table>|',
    "1000000000. x\n\n2147483648. y",
    "[x](https://a.example/&quot;&gt;&lt;script&gt;)",
    'https://a.example/"><script>alert(1)</script>',
    "https://a.example/'onmouseover='alert(1)",
    "mailto:a@b.example?body=<script>",
    "\x00<script\x00>alert(1)</script>\x0c<img/src=x/onerror=alert(1)>",
    "<a\u2028href=javascript:alert(1)>x",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x onerror=alert(1)&#62;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_survives(text: str) -> None:
    assert_harmless(render(text))
    assert_harmless(render(f"- > {text}\n\n| {text} | b |\n|---|---|\n"))
    assert_harmless(plain(text))
    assert_harmless(grow(list(text))[1][-1] if text else "")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE) | FRAGMENTS, max_size=8).map("".join))
def test_nothing_hostile_survives_in_company(text: str) -> None:
    assert_harmless(render(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (">" * 100_000, "nested more than"),
        ("> " * 100_000, "nested more than"),
        ("[" * 100_000, "in one paragraph"),
        ("![" * 100_000, "in one paragraph"),
        ("x" * 10_000_000, "10,000,000 characters"),
        ("> " * 60 + "deep", "nested more than"),
        ("".join(" " * 2 * i + "- a\n" for i in range(60)), "nested more than"),
    ],
)
def test_text_made_to_hang_is_shown_as_its_source_and_says_so(text: str, said: str) -> None:
    started = time.process_time()
    html = render(text)
    assert time.process_time() - started < 2
    assert said in html
    assert len(html) < 6 * ANSWER_CHARS


@pytest.mark.parametrize("piece", ["[", "[a][", "*a_ ", "[a](", "![", "`", "<", "&", "**a "])
def test_what_never_closes_costs_little(piece: str) -> None:
    started = time.process_time()
    assert_harmless(render(piece * (40_000 // len(piece))))
    assert time.process_time() - started < 2


def test_a_table_of_missing_cells_does_not_blow_up() -> None:
    html = render(("|a" * 200 + "\n" + "|-" * 200 + "\n" + "|\n" * 300 + "\n") * 20)
    assert html.count("<td") < 40_000


def test_nested_blocks_within_the_limit_are_rendered() -> None:
    html = render("> " * 30 + "deep")
    assert html.count("<blockquote>") == 30
    assert "deep" in html


def test_the_work_for_an_event_does_not_grow_with_the_answer() -> None:
    blocks = MarkdownBlocks()
    seen = []
    for i in range(2_000):
        blocks.append(f"Paragraph {i} with some *words*.\n\n")
        seen.append(len(blocks.take_patch().blocks))
        assert len(blocks._tail) < 200
    assert max(seen) <= 3
