"""Each block is read its own way, in whatever answer it stands."""

from __future__ import annotations

import pytest
from hostile import Page, assert_harmless

from poe_notebook.views.markdown import render

AR, HE = "هذا نص", "שלום"


def directions(text: str) -> list[tuple[str, str | None]]:
    html = render(text)
    assert_harmless(html)
    return [(tag, attributes["dir"]) for tag, attributes in Page(html).elements if "dir" in attributes]


@pytest.mark.parametrize(
    "text", ["words", "# T\n\n- a\n\n> b\n\n| a |\n|---|\n| b |", f"English with {AR} in it", "123", "中文"]
)
def test_text_from_left_to_right_is_not_marked(text: str) -> None:
    assert directions(text) == []


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        (f"{AR} English", [("p", "rtl")]),
        (f"# {HE}", [("h1", "rtl")]),
        (f"- {AR}\n- b\n  - {AR}", [("ul", "rtl")]),
        (f"1. {AR}\n\n2. b", [("ol", "rtl")]),
        (f"> {AR}\n>\n> b\n>\n> {AR}", [("blockquote", "rtl"), ("p", "ltr")]),
        (f"| {AR} | b |\n|---|---|\n| 1 | 2 |", [("div", "rtl")]),
        (f"{AR}\n\nEnglish\n\n{HE}", [("p", "rtl"), ("p", "rtl")]),
        (f"1, 2: {HE}", [("p", "rtl")]),
        (f"`code` [{AR}](https://poe.com) https://a.example", [("p", "rtl")]),
        (f"- [x] {AR}", [("ul", "rtl")]),
        (f"- English\n\n  > {AR}", [("blockquote", "rtl")]),
    ],
)
def test_a_block_goes_the_way_of_its_first_letter(text: str, marked: list[tuple[str, str]]) -> None:
    assert directions(text) == marked


def test_a_footnote_goes_its_own_way() -> None:
    assert directions(f"a[^1]\n\n[^1]: {AR}") == [("p", "rtl")]
