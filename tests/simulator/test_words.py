"""The words of a message."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.simulator.words import (
    key_words,
    name_words,
    named_things,
    numbers,
    quotations,
    sentences,
    words,
)


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("Hello world", ["world"]),
        ("What's the weather like in Tokyo? Rain, rain in Tokyo!", ["weather", "Tokyo", "Rain"]),
        ("Tell me a joke about cats, a cat joke", ["joke", "cats"]),
        ("Wie ist das Wetter in 東京?", ["Wie", "ist", "das", "Wetter", "東京"]),
        ("is it?", []),
    ],
)
def test_the_telling_words_are_those_that_carry_the_sense(text: str, telling: list[str]) -> None:
    assert key_words(text) == telling


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("What's the weather in Tokyo?", ["Tokyo"]),
        ("Compare San Francisco, Tokyo, and Paris", ["San Francisco", "Tokyo", "Paris"]),
        ("From San Francisco, CA to New York, NY", ["San Francisco, CA", "New York, NY"]),
        ("Paris weather please", ["Paris"]),
        ("Tell me about Tokyo's weather", ["Tokyo"]),
        ("ask Stratford-Upon-Avon", ["Stratford-Upon-Avon"]),
        ("Write to Ada Lovelace. She is kind.", ["Ada Lovelace"]),
        ("nothing here", []),
    ],
)
def test_names_are_runs_of_capitalised_words(text: str, things: list[str]) -> None:
    assert [thing.value for thing in named_things(text)] == things


def test_numbers_are_found_in_digits_and_in_words() -> None:
    assert [number.value for number in numbers("two of 1,200.5, -7 and v2 or 3x, 10%")] == ["2", "1200.5", "-7", "10"]


def test_quotations_are_found_in_every_kind_of_marks() -> None:
    text = "say \"one\", “two”, `three` or 'four', don't mind the boys' apostrophes"
    assert [each.value for each in quotations(text)] == ["one", "two", "three", "four"]


def test_identifiers_and_sentences_come_apart() -> None:
    assert name_words("get_currentWeatherV2") == ["get", "current", "weather", "v", "2"]
    assert name_words("HTTPServer") == ["http", "server"]
    assert sentences("One. Two!\nThree") == ["One.", "Two!", "Three"]


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    for look in (words, key_words, named_things, numbers, quotations, sentences, name_words):
        look(text)


@pytest.mark.parametrize("piece", ['"', "a", "A ", "1,", "'", ". ", "“", "a.", "-1."])
def test_a_long_text_takes_no_time(piece: str) -> None:
    begun = time.perf_counter()
    for look in (words, key_words, named_things, numbers, sentences):
        look(piece * 20_000)
    assert time.perf_counter() - begun < 2
