"""No character carries so many marks that a page stops answering."""

from __future__ import annotations

import time
from unicodedata import combining

import pytest
from growing import cut, grow
from hypothesis import given
from hypothesis import strategies as st

from poe_notebook.views.html import escape
from poe_notebook.views.markdown import plain, render
from poe_notebook.views.marks import MARKS, without_piles

ACUTE = "\u0301"
PILE = "e" + ACUTE * 3_000


ORDINARY = ["é", "e" + ACUTE * MARKS, "שָׁלוֹם", "👩🏽‍💻", "༄༅། །", "क्षि", "ก้ำ", "。" * 50, "…" * 50, "e\u200d" * 50]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    assert without_piles(text) == text


@pytest.mark.parametrize("mark", [ACUTE, "\u20dd", "\ufe0f", "\u200d" + ACUTE, "\u0903"])
def test_what_is_left_out_of_a_pile_is_said(mark: str) -> None:
    assert without_piles("e" + mark * 3_000 + "x") == "e" + mark * MARKS + mark[:-1] + "[2,990 more marks]x"


def test_two_piles_are_counted_apart() -> None:
    pile = "." + ACUTE * 12
    assert without_piles("“" + pile + "—" + pile).count("[2 more marks]") == 2


@pytest.mark.parametrize(
    "text",
    [
        PILE,
        f"`{PILE}`",
        f"```python\nx = '{PILE}'\n```",
        f"    {PILE}",
        f"| {PILE} |\n|---|\n| {PILE} |",
        f"$\\text{{{PILE}}}$",
        f"[x](https://a.example '{PILE}')",
        "e" + "&#769;" * 3_000,
        f"[^1]\n\n[^1]: {PILE}",
        "> " * 60 + PILE,
        f"```html\n<html>{PILE}</html>\n```",
    ],
)
def test_no_answer_holds_a_pile(text: str) -> None:
    for html in render(text), plain(text), escape(text):
        assert ACUTE * (MARKS + 1) not in html
    assert f"[{3_000 - MARKS:,} more marks]" in render(text)


@given(st.lists(st.integers(0, 3_100), max_size=20))
def test_a_pile_that_comes_in_pieces_is_the_same(places: list[int]) -> None:
    text = f"a {PILE} b\n\n{PILE}"
    blocks, shown = grow(cut(text, places))
    assert "".join(shown) == blocks.html == render(text)
    assert sum(map(combining, blocks.html)) == sum(map(combining, ACUTE * MARKS * 2))


def test_looking_for_piles_takes_no_time() -> None:
    started = time.process_time()
    for text in "你好。" * 100_000, PILE * 100, "…" * 300_000, (ACUTE * 10 + "…") * 30_000:
        without_piles(text)
    assert time.process_time() - started < 1
