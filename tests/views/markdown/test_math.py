"""Formulas become MathML, money does not, and no formula can do harm or take long."""

from __future__ import annotations

import re
import time
from html import unescape

import pytest
from hostile import Page, assert_harmless
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.views.markdown import render
from poe_notebook.views.markdown.mathml import mathml


def sources(text: str) -> list[str]:
    """The TeX of each formula that was set."""
    html = render(text)
    return [unescape(part.partition("</code>")[0]) for part in html.split('<code class="poe-math-source">')[1:]]


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


def rows(tex: str) -> list[str]:
    """The words of each row of a table, without spaces."""
    html = mathml(tex, is_display=True) or ""
    return ["".join(Page(f"{row}").words) for row in re.findall(r"<mtr.*?</mtr>", html)]


@pytest.mark.parametrize("name", ["aligned", "align", "align*", "split", "flalign", "alignat", "alignedat", "eqnarray"])
def test_equations_under_one_another_are_rows_that_line_up(name: str) -> None:
    argument = "{1}" if name.startswith("aligna") or name == "alignedat" else ""
    tex = rf"\begin{{{name}}}{argument} a &= b \\[2pt] &= d \nonumber \end{{{name}}}"
    html = mathml(tex, is_display=True) or ""
    assert rows(tex) == ["a=b", "=d"]
    assert html.count('columnalign="right"') == 2
    assert "&amp;" not in html


def test_gathered_equations_are_rows() -> None:
    assert rows(r"\begin{gathered}[t] a \\ b+c \end{gathered}") == ["a", "b+c"]
    assert rows(r"\begin{multline*} a \\ b \end{multline*}") == ["a", "b"]


@pytest.mark.parametrize("name", ["foo", "tabular", "tikzpicture", "CD"])
def test_an_environment_that_nobody_knows_is_shown_as_its_source(name: str) -> None:
    assert mathml(rf"\begin{{{name}}} a & b \\ c \end{{{name}}}", is_display=True) is None


@pytest.mark.parametrize("script", ["^{-1}", "^T", "_2", "_2^3"])
@pytest.mark.parametrize("base", [r"\begin{bmatrix}1&2\\3&4\end{bmatrix}", r"\binom{n}{k}"])
def test_a_matrix_may_have_a_power(base: str, script: str) -> None:
    html = mathml(base + script, is_display=True) or ""
    assert re.search(r"<(msup|msub|msubsup)><mrow><mo", html)


@pytest.mark.parametrize(
    "tex", [r"\lim_{n\to\infty} a", r"\max_x f", r"\operatorname*{argmax}_x", r"\operatorname*{arg\,max}_{x}"]
)
def test_what_stands_at_a_limit_may_stand_below_it(tex: str) -> None:
    assert '<munder><mo movablelimits="true">' in (mathml(tex, is_display=True) or "")
    assert "<msub>" in (mathml(r"\lim\nolimits_x" + tex, is_display=True) or "")


def test_lines_of_a_table_are_said_on_its_rows_and_cells() -> None:
    html = mathml(r"\begin{array}{|l|r}\hline 1&2\\\hline 3&4\\ 5&6\\\hline\end{array}", is_display=True) or ""
    assert re.findall(r"<mtr([^>]*)>", html) == [' rowlines="above"', ' rowlines="above"', ' rowlines="below"']
    assert re.findall(r"<mtd([^>]*)>", html)[:2] == [
        ' columnalign="left" columnlines="before after"',
        ' columnalign="right"',
    ]
    assert not re.search("[\ue000-\ue002]", html)


def test_columns_of_other_kinds_are_taken_for_the_nearest() -> None:
    html = mathml(r"\begin{array}{*{2}{r}@{\,}p{3cm}} 1&2&3 \end{array}", is_display=True) or ""
    assert re.findall(r'columnalign="(\w+)"', html) == ["right", "right", "left"]


def test_marks_of_our_own_are_no_tex() -> None:
    assert mathml("a\ue000b", is_display=True) is None
    assert mathml(r"a \hline b", is_display=True) is None


def test_the_number_of_a_formula_stands_apart() -> None:
    html = render(r"$$a=b \tag{1}$$")
    assert '<span class="poe-math-tag">(1)</span>' in html
    assert sources(r"$$a=b \tag{1}$$") == [r"a=b \tag{1}"]
    assert '<span class="poe-math-tag">A</span>' in render(r"\[\begin{aligned}a&=b\end{aligned}\tag*{A}\]")
    assert "poe-math-tag" not in render(r"$$\begin{align}a\tag{1}\\b\tag{2}\end{align}$$")


def test_words_over_an_arrow_make_it_longer() -> None:
    html = mathml(r"A \xrightarrow{f} B", is_display=True) or ""
    assert '<mover><mo stretchy="true">→</mo><mrow><mspace width=".6em">' in html


@pytest.mark.parametrize("name", ["align", "align*", "equation", "gather"])
def test_an_environment_that_tex_sets_apart_needs_no_dollars(name: str) -> None:
    tex = f"\\begin{{{name}}}\nx &= 1 \\\\\n- y &= 2\n\\end{{{name}}}"
    assert sources(f"text\n{tex}\n\nmore") == [tex]
    assert "poe-math-block" in render(tex)
    assert sources(f"> {tex.replace(chr(10), chr(10) + '> ')}") == [tex]
    assert sources(tex.replace("- y", "\n- y")) == []
    assert sources(f"`{tex}`") == []


PIECES = [*"xyab12{}^_&\\()[]<>=+-'|,.~ ", r"\frac", r"\sqrt", r"\text{", r"\left(", r"\right)", r"\begin{matrix}",
    r"\end{matrix}", r"\\", r"\sum", r"\limits", r"\color{red}", r"\hspace{1em}", r"\big", r"\overline", r"\mathbb{R}",
    r"\substack{", r"\binom", r"\not", r"\operatorname{f}", r"\xrightarrow{", r"\href{x}{y}", r"\begin{cases}",
    r"\end{cases}", r"\tag{1}", r"\pmod", r"\genfrac", r"\skew", r"\above", r"\over", r"\root", r"\of", r"\limits",
    r"\hdashline", r"\hline", r"\mathchoice", r"\style{x}", r"\bmod", r"\middle|", r"\verb",
    r"\begin{aligned}", r"\end{aligned}", r"\begin{array}{|l|", r"}", r"\end{array}", r"\begin{alignedat}{2}", r"\lim",
    r"\begin{bmatrix}", r"\end{bmatrix}", r"\tag*{", r"\label{", r"\cline{", r"\begin{equation}"]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_no_formula_raises_and_none_is_harmful(tex: str) -> None:
    assert_harmless(render(f"\\({tex}\\)"))
    assert_harmless(f"<p>{mathml(tex, is_display=True) or ''}</p>")


@pytest.mark.parametrize(
    "piece",
    ["{", r"\frac", r"\left(", r"\sqrt{", "x_", "&", "'", r"\\", r"\begin{matrix}", r"\begin{array}{", r"\tag{", "a"],
)
def test_a_formula_made_to_hang_does_not(piece: str) -> None:
    started = time.process_time()
    assert_harmless(render("\n\n".join(f"$$\n{piece * (1_900 // len(piece))}\n$$" for _ in range(40))))
    assert time.process_time() - started < 4


@pytest.mark.parametrize("piece", ["$", "$a ", "$a", "$$", r"\(", r"\[", "$5 ", r"\$", "$$ ", "a$", r"\(a\) "])
def test_marks_that_never_close_cost_little(piece: str) -> None:
    started = time.process_time()
    assert_harmless(render(piece * (40_000 // len(piece))))
    assert time.process_time() - started < 2
