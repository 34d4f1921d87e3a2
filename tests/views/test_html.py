"""Escaping, the style sheet cut to what a view uses, the frame and the mimebundle."""

from __future__ import annotations

import json

import pytest

from poe_notebook.views.html import bundle, escape, framed, printable, style


def test_text_is_escaped_for_content_and_for_attributes() -> None:
    assert escape("<a href=\"x\" id='y'>&") == "&lt;a href=&quot;x&quot; id=&#x27;y&#x27;&gt;&amp;"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("é😀", "é😀"),
        ("\ud83d\ude00", "😀"),
        ("a\ud83d", "a\ufffd"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
    ],
)
def test_surrogates_are_joined_or_replaced(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_view_carries_only_the_rules_of_the_classes_it_uses() -> None:
    rules = style('<p class="poe-muted">')
    assert ".poe-muted {" in rules
    assert ".poe-notebook {" in rules
    assert ".poe-card {" not in rules
    assert ".poe-card {" in style('<div class="poe-card">')
    assert len(style("poe-card poe-bad")) > len(rules)


def test_rules_in_a_media_query_come_with_their_class() -> None:
    assert "@media" not in style("poe-muted")
    assert "@keyframes" not in style("poe-muted")
    busy = style("poe-turn-foot poe-turn-busy")
    assert "prefers-reduced-motion" in busy
    assert "@keyframes poe-turn-busy" in busy


def test_the_rules_are_whole() -> None:
    every_class = "poe-muted poe-card poe-bad poe-badge poe-turn-foot poe-turn-busy poe-turn-answer poe-wide poe-plain"
    rules = style(every_class)
    assert rules.count("{") == rules.count("}")
    assert "/*" not in rules
    assert "</" not in rules


def test_the_frame_is_one_labelled_group_that_is_no_place_for_formulas() -> None:
    html = framed("<p>x</p>", label='Say "<b>"')
    frame = '<div class="poe-notebook tex2jax_ignore mathjax_ignore" role="group" aria-label="Say &quot;&lt;b'
    assert html.startswith(frame)
    assert html.endswith("</style><p>x</p></div>")


def test_a_bundle_can_always_be_sent() -> None:
    made = bundle("<p>\ud83d</p>", "\udc00")
    assert made == {"text/html": "<p>\ufffd</p>", "text/plain": "\ufffd"}
    json.dumps(made, ensure_ascii=False).encode()
