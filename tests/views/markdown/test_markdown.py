"""Bot text as HTML: what is shown, that growing gives the same as rendering at once, that nothing hostile survives."""

from __future__ import annotations

import time

import pytest
from growing import FRAGMENTS, MARKDOWN, cut, grow
from hostile import BOMBS, HOSTILE, Page, assert_harmless
from hypothesis import example, given, settings
from hypothesis import strategies as st

from poe_notebook.views.markdown import ANSWER_CHARS, MarkdownBlocks, Patch, plain, render


def test_the_usual_markdown_is_rendered() -> None:
    html = render("# Title\n\n*a* **b** ~~c~~ `d`\n\n- x\n\n> q\n\n```py\nx < 1\n```\n")
    assert "<h1>Title</h1>" in html
    assert "<em>a</em> <strong>b</strong> <s>c</s> <code>d</code>" in html
    assert '<pre><code class="language-py">x &lt; <span class="m">1</span>\n</code></pre>' in html


def test_a_table_keeps_its_alignment_without_a_style_attribute_and_scrolls_in_its_own_box() -> None:
    html = render("|a|b|\n|--|-:|\n|1|2|\n")
    assert html.startswith('<div class="poe-wide"><table>')
    assert '<td>1</td>\n<td align="right">2</td>' in html
    assert "style" not in html


def test_task_lists_show_their_boxes() -> None:
    assert '<li class="poe-task">☑ done</li>\n<li class="poe-task">☐ open</li>' in render("- [x] done\n- [ ] open\n")


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
    blocks.define("r", "https://f.example/a.png")
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


@settings(max_examples=400, deadline=None)
@given(MARKDOWN, st.lists(st.integers(0, 500), max_size=12))
@example("> q\n-abc\n\n", [4, 5])
@example("a\n```\n\nb\n", [8])
@example("para\na | b\n---|---\n1 | 2\n", [7, 12, 16])
@example("para\na | b\n---|---x\n1 | 2\n", [7, 12, 18])
@example("[a]: https://x.org\n'title\nover lines'\n\n[a]\n", [20, 27])
@example("|a|b|c\n|-|-|-\n# \n# \n# \n# \n\n", [10, 17, 20, 25])
@example("- ```\n  abcdefghijk\n- ```\n  abcdefghijkl\n\n\nx\n\ny\n", [10, 20, 33, 40, 45])
@example("$$\na\n- b\n\nc\n$$\n", [3, 5, 9, 12])
@example("\n<html>\n\n<html>\n", [])
@example("a[^1]\n\nb\n\nc\n\n[^1]: n\n", [8, 12, 16])
def test_growing_gives_the_same_as_rendering_at_once(text: str, places: list[int]) -> None:
    blocks, shown = grow(cut(text, places))
    assert blocks.html == render(text)
    assert "".join(shown) == blocks.html


@settings(max_examples=150, deadline=None)
@given(MARKDOWN)
def test_growing_by_single_characters_gives_the_same(text: str) -> None:
    assert grow(list(text))[0].html == render(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_survives(text: str) -> None:
    assert_harmless(render(text))
    assert_harmless(render(f"- > {text}\n\n| {text} | b |\n|---|---|\n\n[^n]: {text}\n\n[^n]"))
    assert_harmless(plain(text))
    assert_harmless("".join(grow(list(text))[1]))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE) | FRAGMENTS, max_size=8).map("".join))
def test_nothing_hostile_survives_in_company(text: str) -> None:
    assert_harmless(render(text))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=5), max_size=6).map("".join), st.data())
def test_nothing_hostile_survives_in_pieces(text: str, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, 2_000), max_size=8))
    blocks, shown = grow(cut(text, places))
    assert_harmless("".join(shown))
    assert blocks.html == render(text)


@pytest.mark.parametrize("bomb", BOMBS)
def test_text_made_to_hang_is_shown_as_its_source_and_says_so(bomb: str) -> None:
    text, said = BOMBS[bomb]
    started = time.process_time()
    html = render(text)
    assert time.process_time() - started < 5
    assert said in html
    assert len(html) < 12 * ANSWER_CHARS
    assert html.count("<") < 80_000


@pytest.mark.parametrize("piece", ["[", "[a][", "*a_ ", "[a](", "![", "`", "<", "&", "**a "])
def test_what_never_closes_costs_little(piece: str) -> None:
    started = time.process_time()
    assert_harmless(render(piece * (40_000 // len(piece))))
    assert time.process_time() - started < 2


@pytest.mark.parametrize("signs", ["*_" * 30_000, "[" * 50_000, "~~a" * 15_000])
def test_a_paragraph_that_is_all_signs_costs_little_while_it_grows(signs: str) -> None:
    started = time.process_time()
    blocks, _ = grow([signs[at : at + 500] for at in range(0, len(signs), 500)])
    assert time.process_time() - started < 2
    assert "more than 3,000 of the signs" in blocks.html
    assert Page(blocks.html).text.endswith(signs)


def test_a_table_of_missing_cells_does_not_blow_up() -> None:
    html = render(("|a" * 200 + "\n" + "|-" * 200 + "\n" + "|\n" * 300 + "\n") * 20)
    assert html.count("<td") < 40_000


def test_an_answer_of_too_many_lines_is_cut_at_the_same_place_however_it_comes() -> None:
    text = "```\n" + "a\n" * 42_000
    blocks = MarkdownBlocks()
    for start in range(0, len(text), 997):
        blocks.append(text[start : start + 997])
    blocks.finish()
    assert blocks.html == render(text)
    assert "the answer has 84,004 characters, 80,003 are shown" in blocks.html


@pytest.mark.parametrize("step", [61, 70_000])
def test_what_comes_after_too_many_elements_is_shown_whole_in_few_and_said_once(step: int) -> None:
    head = "- a\n" * 11_700 + "\n# Then\n\n"
    after = ["# T\n\n", "- x\n", "```\nfenced\n", "```\n", "> quoted\n\n", "plain *words*\n", "[a]: https://x.org\n\n"]
    tail = "".join(after) * 120
    blocks, shown = grow([head, *(tail[start : start + step] for start in range(0, len(tail), step))])
    assert "".join(shown) == blocks.html == render(head + tail)
    assert blocks.html.count("Shown as its source") == 1
    assert blocks.html.count("<pre>") < 50
    assert "".join(Page(blocks.html).words).count("quoted") == 120


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
