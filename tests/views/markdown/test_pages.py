"""Pages and frames as Poe renders them, each in a sandbox that nothing leaves."""

from __future__ import annotations

import time
from html import unescape

import pytest
from growing import grow
from hostile import Page, assert_harmless

from poe_notebook.views.markdown import MarkdownBlocks, render
from poe_notebook.views.markdown.frames import FRAME_HEIGHT, is_our_frame, page_frame

FENCED = "```html\n<html>\n<b>hi</b>\n\n</html>\n```\n"
BARE = "<html>\n<b>hi</b>\n</html>\n"


def frames(html: str) -> list[dict[str, str | None]]:
    return [attributes for tag, attributes in Page(html).elements if tag == "iframe"]


def within(html: str) -> str:
    """The page in the inner frame."""
    return unescape(unescape(html.split('srcdoc="', 1)[1].split('"', 1)[0]).split('srcdoc="', 1)[1])


def test_a_fenced_page_shows_its_code_and_a_preview() -> None:
    html = render(FENCED)
    assert html.index("<pre>") < html.index("<iframe")
    assert "<b>hi</b>" in within(html)
    assert "hi" in Page(html).text
    assert_harmless(html)


@pytest.mark.parametrize(
    "fence",
    ["```html\n<b>x</b>\n```", "```\n<html></html>\n```", "```xml\n<html></html>\n```", "```html\n<htmlx>\n```"],
)
def test_other_blocks_of_code_have_no_preview(fence: str) -> None:
    assert not frames(render(fence))


@pytest.mark.parametrize("start", ["<html>", "<HTML lang=de>", "<!DOCTYPE html>\n<html>", "\n<html>"])
def test_a_page_may_start_in_several_ways(start: str) -> None:
    assert len(frames(render(f"```html\n{start}x</html>\n```\n"))) == 1


def test_a_bare_page_shows_the_page_and_folds_its_source() -> None:
    html = render("before\n\n" + BARE + "after\n")
    assert len(frames(html)) == 1
    assert "<details" in html
    assert "Source of this page" in html
    assert html.startswith("<p>before</p>")
    assert html.endswith("<p>after</p>\n")
    assert_harmless(html)


def test_a_bare_page_with_a_doctype_is_one_page() -> None:
    assert len(frames(render("<!DOCTYPE html>\n" + BARE))) == 1


def test_an_empty_line_in_a_bare_page_ends_it_and_that_is_said() -> None:
    html = render("<html>\n<b>hi</b>\n\n<i>more</i>\n</html>\n")
    assert not frames(html)
    assert "there is an empty line before its &lt;/html&gt;" in html
    assert "more" in Page(html).text


def test_a_page_is_loaded_once_it_is_whole() -> None:
    blocks = MarkdownBlocks()
    for text in FENCED, "\n", BARE:
        for at, character in enumerate(text):
            blocks.append(character)
            blocks.take_patch()
            if at < len(text) - 8:
                assert len(frames(blocks.html)) == (1 if text is BARE else 0)
    assert len(frames(blocks.html)) == 2


def test_a_bare_page_without_its_end_is_named_so() -> None:
    html = render("<html>\n<b>hi")
    assert "A page without its &lt;/html&gt; so far, 2 lines" in html
    assert not frames(html)


def test_a_page_without_its_end_costs_little_while_it_grows() -> None:
    lines = '<p class="a">with <b>words</b></p>\n' * 5_000
    started = time.process_time()
    blocks, _ = grow(["<html>\n", *(lines[at : at + 2_000] for at in range(0, len(lines), 2_000))])
    assert time.process_time() - started < 3
    assert blocks.html.count("<span") == 0


def test_a_frame_says_which_host_it_wants_and_waits() -> None:
    html = render('<iframe src="https://user@maps.example/a?b=c&amp;d=e" width="99" height="200"></iframe>')
    (frame,) = frames(html)
    assert frame["height"] == "200"
    assert frame["class"] == "poe-frame poe-frame-asking"
    assert frame["title"] == "Page from maps.example"
    assert "Show the page from maps.example" in str(frame["srcdoc"])
    assert Page(html).links() == ["https://user@maps.example/a?b=c&d=e"]
    assert_harmless(html)


@pytest.mark.parametrize(("given", "height"), [("1", 40), ("99999", 1200), ("300px", 300), ("50%", 320), ("-5", 320)])
def test_a_frames_height_is_kept_within_reason(given: str, height: int) -> None:
    assert frames(render(f"<iframe src='https://a.example' height='{given}'></iframe>"))[0]["height"] == str(height)
    assert FRAME_HEIGHT == 320


@pytest.mark.parametrize(
    "src", ["javascript:alert(1)", "http://a.example", "//a.example", "data:text/html,x", "/lab", ""]
)
def test_a_frame_of_anything_but_a_secure_address_is_shown_as_its_source(src: str) -> None:
    html = render(f"<iframe src='{src}' srcdoc='<b>x</b>'></iframe>")
    assert not frames(html)
    assert "Not embedded" in html


def test_a_frame_in_the_middle_of_a_line_stays_text() -> None:
    assert render("a <iframe src='https://a.example'></iframe>").startswith("<p>a &lt;iframe")


def test_frames_with_anything_added_are_not_ours() -> None:
    inside = unescape(page_frame("<html>x</html>").split('srcdoc="', 1)[1].split('"', 1)[0])
    assert is_our_frame(inside)
    for changed in (
        inside + "<script>",
        inside.replace("frame-src 'none'", "frame-src *"),
        inside.replace('sandbox="allow-scripts"', ""),
        inside.replace("&lt;html", "<html"),
        "<script></script>" + inside,
    ):
        assert not is_our_frame(changed)


def test_a_huge_page_has_no_preview() -> None:
    html = render(f"```html\n<html>{'x' * 200_000}</html>\n```\n")
    assert not frames(html)
    assert "No preview: the page has 200,014 characters" in html
