"""Footnotes: numbered by their mentions, listed at the end, with ways there and back."""

from __future__ import annotations

from hostile import Page, assert_harmless

from poe_notebook.views.markdown import MarkdownBlocks, render


def test_footnotes_are_numbered_by_their_mentions_and_stand_at_the_end() -> None:
    html = render("One[^b] two[^a].\n\n[^a]: First *defined*.\n\n[^b]: Second\n    line.\n\nLast words.\n", key="k1")
    assert Page(html).text == ("One 1 two 2 . Last words. Second line. ↩︎ First defined . ↩︎")
    assert '<a id="poe-ref-k1-1-1" href="#poe-fn-k1-1" aria-label="Footnote 1" rel="noopener noreferrer">1</a>' in html
    assert '<li id="poe-fn-k1-2">' in html
    assert '<div class="poe-notes" role="doc-endnotes" aria-label="Footnotes">' in html
    assert_harmless(html)


def test_every_link_of_a_footnote_leads_somewhere() -> None:
    html = render("a[^x] b[^x] c[^y]\n\n[^x]: see[^y]\n[^y]: back[^x]\n", key="q")
    ids = {attributes["id"] for _, attributes in Page(html).elements if "id" in attributes}
    links = {str(link)[1:] for link in Page(html).links()}
    assert links <= ids
    assert len(ids) == len([1 for _, attributes in Page(html).elements if "id" in attributes]), "an id stands twice"


def test_a_mention_without_a_definition_stays_text() -> None:
    assert render("a[^x]") == "<p>a[^x]</p>\n"
    assert render("a[^x]\n\n[^y]: y") == "<p>a[^x]</p>\n"


def test_a_note_may_have_blocks_and_mention_others() -> None:
    html = render("a[^1]\n\n[^1]: - one\n    - two[^2]\n\n    ```py\n    x = 1\n    ```\n\n[^2]: deep\n")
    assert html.count("<li id=") == 2
    assert "deep" in html
    assert_harmless(html)


def test_a_note_that_mentions_itself_ends() -> None:
    assert render("a[^1]\n\n[^1]: b[^1]\n").count("<li id=") == 1


def test_of_two_definitions_the_first_counts() -> None:
    assert "first" in render("a[^1]\n\n[^1]: first\n\n[^1]: second\n")
    assert "second" not in render("a[^1]\n\n[^1]: first\n\n[^1]: second\n")


def test_a_definition_that_comes_late_turns_its_mentions_into_links() -> None:
    blocks = MarkdownBlocks()
    blocks.append("a[^1]\n\nb\n\nc\n\nd\n\n")
    blocks.take_patch()
    assert "a[^1]" in blocks.html
    blocks.append("[^1]: note")
    blocks.finish()
    assert blocks.html == render("a[^1]\n\nb\n\nc\n\nd\n\n[^1]: note")
    assert "a[^1]" not in blocks.html


def test_a_thousand_footnotes_are_bounded() -> None:
    html = render("".join(f"a[^{i}]\n\n[^{i}]: n\n\n" for i in range(1_000)))
    assert html.count("<li id=") == 500
