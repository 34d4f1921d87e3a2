"""Blocks of code: coloured in classes, copied as they were, and never the reason that a kernel hangs."""

from __future__ import annotations

import time

import pytest
from hostile import Page, assert_harmless

from poe_notebook.views.markdown import MarkdownBlocks, render
from poe_notebook.views.markdown.code import CODE_CHARS, LANGUAGES, Colours, inline_code_html

CODE = 'def f(x):\n    """Text."""\n    return x + 1  # done\n'


def test_code_is_coloured_by_what_it_is() -> None:
    html = render(f"```python\n{CODE}```\n")
    for span in ('<span class="k">def</span>', '<span class="nf">f</span>', '<span class="m">1</span>'):
        assert span in html
    assert '<div class="highlight poe-code"><pre><code class="language-python">' in html


@pytest.mark.parametrize("language", ["python", "json", "diff", "html", "", "nosuchlanguage", "c++", "text"])
def test_code_says_the_same_with_and_without_colours(language: str) -> None:
    code = '{"a": [1, "<b>"]}\n+ x\n- y\n\n  def f(): pass\n\n'
    assert "".join(Page(Colours().html(code, language)).words).removesuffix("\n") == code


@pytest.mark.parametrize(
    ("name", "language"), [("py", "python"), ("JS", "javascript"), ("c#", "csharp"), ("yml", "yaml")]
)
def test_a_language_has_its_usual_names(name: str, language: str) -> None:
    code = "x = 1; // 'a'\n"
    assert Colours().html(code, name).partition("<code")[2].partition(">")[2] in Colours().html(code, language)


def test_characters_that_hide_something_in_code_are_spelled_out() -> None:
    html = render("```python\nif a:\u202e b\u2066 c\u200bd \x1b\n```\n") + inline_code_html("x\u202ey")
    for words in ("\\u202e", "\\u2066", "\\u200b", "\\x1b", "x\\u202ey"):
        assert words in html


def test_long_code_and_long_lines_stay_plain() -> None:
    assert "<span" not in Colours().html("x = 1\n" * (CODE_CHARS // 6 + 1), "python")
    assert "<span" not in Colours().html(f"x = {'1' * 1_000}\n", "python")


def test_when_the_allowance_is_used_up_the_rest_is_plain() -> None:
    ticks = iter(range(1_000))
    colours = Colours(allowance_s=20, clock=lambda: next(ticks))
    shown = [colours.html("a = 1\n", "python") for _ in range(10)]
    assert "<span" in shown[0]
    assert "<span" not in shown[-1]


HANGS = ["(", "'", '"', "/*", "<!--", "do\n", "\n", " ", "\t", "a", "_", "{", "<<A\n", "m{", "=begin\n", "#", "[", "\\",
    "é", "if ", "<script>", "<?php", "begin\n", "0x", "$", "@", ";"]  # fmt: skip


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_no_text_keeps_a_language_busy(language: str) -> None:
    for piece in HANGS:
        lines = (piece * (600 // len(piece)) + "\n") * 6
        started = time.process_time()
        html = Colours(allowance_s=0.2).html(lines, language)
        assert time.process_time() - started < 1.0, piece  # 0.2 is allowed; a machine at work takes up to 0.6
        assert_harmless(html)


def test_a_block_that_grows_is_not_coloured_anew_each_time() -> None:
    blocks, coloured = MarkdownBlocks(), 0
    inner = blocks._context.colours._coloured

    def counted(code: str, language: str) -> str:
        nonlocal coloured
        coloured += len(code)
        return inner(code, language)

    blocks._context.colours._coloured = counted  # type: ignore[method-assign]
    blocks.append("```python\n")
    text = CODE * 150
    for start in range(0, len(text), 40):
        blocks.append(text[start : start + 40])
        blocks.take_patch()
    assert coloured < 12 * len(text)
    blocks.append("```\n")
    blocks.finish()
    assert blocks.html == render(f"```python\n{text}```\n")
