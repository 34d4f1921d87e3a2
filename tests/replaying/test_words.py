"""Two texts compared: the pieces make the texts again, and what changed can be read."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.replaying.words import MOST_CHARS, Change, changed_words, changes, marked, similarity

TEXTS = st.text(st.sampled_from("ab \n.é漢"), max_size=60)


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS)
def test_the_pieces_joined_are_the_two_texts(old: str, new: str) -> None:
    pieces = changes(old, new)
    assert "".join(piece.old for piece in pieces) == old
    assert "".join(piece.new for piece in pieces) == new
    assert all(a.is_same != b.is_same for a, b in pairwise(pieces))


def test_only_the_words_that_differ_are_marked() -> None:
    pieces = changes("The quick fox jumps over the dog.\nThe end.\n", "The slow fox jumps over the dog.\nThe end.\n")
    assert marked(pieces) == "The [-quick-]{+slow+} fox jumps over the dog.\nThe end.\n"
    assert changed_words(pieces) == (1, 1)


def test_a_short_word_between_two_changes_is_taken_with_them() -> None:
    assert changes("HELLO a WORLD", "hello a world") == [Change("HELLO a WORLD", "hello a world")]


def test_texts_without_spaces_are_compared_letter_by_letter() -> None:
    assert marked(changes("これは赤い花です", "これは青い花です")) == "これは[-赤-]{+青+}い花です"


def test_a_long_stretch_that_is_the_same_is_cut_short() -> None:
    text = "same words " * 200
    shown = marked(changes(f"{text}old", f"{text}new"))
    assert "characters) …" in shown
    assert shown.endswith("[-old-]{+new+}")
    assert len(shown) < 600


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a " * 20_000, "a " * 15_000 + "b " * 5_000),
        ("a\n" * 20_000, "b\n" * 20_000),
        ("x" * 300_000, "y" * 300_000),
        ("one two three " * 990, "one two four " * 990),
        ("猫犬鳥" * 6_000, "猫鳥犬" * 6_000),
    ],
)
def test_no_texts_take_long(old: str, new: str) -> None:
    began = time.process_time()
    pieces, ratio = changes(old, new), similarity(old, new)
    assert time.process_time() - began < 1
    assert "".join(piece.new for piece in pieces) == new
    assert 0 <= ratio < 1


def test_what_lies_beyond_the_bound_is_one_piece() -> None:
    same = "word " * (MOST_CHARS // 5)
    assert changes(f"{same}tail one", f"{same}tail two")[-1] == Change("tail one", "tail two")


@pytest.mark.parametrize(
    ("old", "new", "least", "most"),
    [
        ("same", "same", 1, 1),
        ("", "", 1, 1),
        ("The answer is 41.", "The answer is 42.", 0.9, 0.99),
        ("yes", "entirely different", 0, 0.3),
        ("one two three " * 300, "one two four " * 300, 0.6, 0.7),
    ],
)
def test_similarity_goes_from_nothing_to_the_same(old: str, new: str, least: float, most: float) -> None:
    assert least <= similarity(old, new) <= most
