"""Formulas become MathML, money does not, and no formula can do harm or take long."""

from __future__ import annotations

import time

import pytest
from hostile import Page, assert_harmless
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.views.markdown import render
from poe_notebook.views.markdown.mathml import mathml


def sources(text: str) -> list[str]:
    """The TeX of each formula that was set."""
    html = render(text)
    return [part.partition("</code>")[0] for part in html.split('<code class="poe-math-source">')[1:]]


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("Let $x^2$ be.", ["x^2"]),
        (r"Let \(x^2\) be.", ["x^2"]),
        ("so $$a=b$$ holds", ["a=b"]),
        (r"so \[a=b\] holds", ["a=b"]),
        ("$$\na\n- b\n= c\n$$\nmore", ["a\n- b\n= c"]),
        ("\\[\na\n\\]", ["a"]),
        ("text\n$$\na\n$$\nmore", ["a"]),
        ("- item\n\n  $$\n  a\n  $$\n", ["a"]),
        ("> $$\n> a\n> $$\n", ["a"]),
        ("| $a$ | b |\n|---|---|\n| 1 | $c$ |", ["a", "c"]),
        (r"$a\$b$", [r"a\$b"]),
        ("**$x$**, ($y$).", ["x", "y"]),
        ("$x$-axis", ["x"]),
    ],
)
def test_formulas_are_found(text: str, formulas: list[str]) -> None:
    assert sources(text) == formulas


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10.",
        "from $5 to US$10",
        "$5-$10, $1,000 or $2k",
        "I had $5 and she had 10$.",
        "$20 million plus 3$",
        "set $HOME and $PATH",
        "set $HOME/bin:$PATH",
        r"a \$b\$ c",
        "`$x$`",
        "    $x$",
        "```\n$x$ $$y$$\n```",
        "$ x $",
        "a$x$b",
        "$$",
        "$$$$",
        "costs 5$ and 6$",
        r"\\(x\\)",
    ],
)
def test_money_names_and_code_are_no_formulas(text: str) -> None:
    assert sources(text) == []
    assert "poe-math" not in render(text)


def test_a_formula_without_its_end_stays_text() -> None:
    assert render("$$\na\n- b\n\nc\n$$\n") == render("$$\na\n\\- b\n\nc\n$$\n")
    assert "poe-math" not in render("\\[\na\n\nb\n\\]")
    assert "poe-math" not in render("$x")


def test_a_formula_reads_well_where_the_style_sheet_or_mathml_is_missing() -> None:
    html = render("$x^2$")
    assert '<span class="poe-math-set" hidden="hidden"><math display="inline">' in html
    assert '<code class="poe-math-source">x^2</code>' in html


def test_a_formula_set_apart_is_a_block() -> None:
    assert '<math display="block">' in render("$$\nx\n$$")
    assert "poe-math-block" in render("$$\nx\n$$")


@pytest.mark.parametrize(
    "tex", ["{", r"\frac{1", "x^", r"\frac", r"\begin{matrix}", r"\newcommand{\a}{b}\a", r"\def\a{b}", "x" * 2_001]
)
def test_what_cannot_be_set_is_shown_as_its_source(tex: str) -> None:
    assert mathml(tex, is_display=False) is None
    html = render(f"\\({tex}\\)")
    assert '<code class="poe-math-plain">' in html
    assert Page(html).text == tex


@pytest.mark.parametrize(
    "tex",
    [
        r"\text{<img src=x onerror=alert(1)>}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{position:fixed}{x}\class{poe-card}{y}\cssId{z}{w}",
        r"\hspace{99999em}\rule{9999em}{9999em}\raisebox{-999em}{x}\hskip-500pt x",
        r"\color{url(javascript:x)}{a}",
        r"\unicode{x3c}script\unicode{x3e}",
        r"\text{&lt;script&gt;}",
    ],
)
def test_a_formula_holds_no_markup_of_its_own(tex: str) -> None:
    assert_harmless(render(f"${tex}$"))
    assert_harmless(render(f"$$\n{tex}\n$$"))


PIECES = [*"xyab12{}^_&\\()[]<>=+-'|,.~ ", r"\frac", r"\sqrt", r"\text{", r"\left(", r"\right)", r"\begin{matrix}",
    r"\end{matrix}", r"\\", r"\sum", r"\limits", r"\color{red}", r"\hspace{1em}", r"\big", r"\overline", r"\mathbb{R}",
    r"\substack{", r"\binom", r"\not", r"\operatorname{f}", r"\xrightarrow{", r"\href{x}{y}", r"\begin{cases}",
    r"\end{cases}", r"\tag{1}", r"\pmod", r"\genfrac", r"\skew", r"\above", r"\over", r"\root", r"\of", r"\limits",
    r"\hdashline", r"\hline", r"\mathchoice", r"\style{x}", r"\bmod", r"\middle|", r"\verb"]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_no_formula_raises_and_none_is_harmful(tex: str) -> None:
    assert_harmless(render(f"\\({tex}\\)"))
    assert_harmless(f"<p>{mathml(tex, is_display=True) or ''}</p>")


@pytest.mark.parametrize("piece", ["{", r"\frac", r"\left(", r"\sqrt{", "x_", "&", "'", r"\\", r"\begin{matrix}", "a"])
def test_a_formula_made_to_hang_does_not(piece: str) -> None:
    started = time.process_time()
    assert_harmless(render("\n\n".join(f"$$\n{piece * (1_900 // len(piece))}\n$$" for _ in range(40))))
    assert time.process_time() - started < 4


@pytest.mark.parametrize("piece", ["$", "$a ", "$a", "$$", r"\(", r"\[", "$5 ", r"\$", "$$ ", "a$", r"\(a\) "])
def test_marks_that_never_close_cost_little(piece: str) -> None:
    started = time.process_time()
    assert_harmless(render(piece * (40_000 // len(piece))))
    assert time.process_time() - started < 2
