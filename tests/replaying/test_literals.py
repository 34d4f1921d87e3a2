"""Values as source: they are the same values again, and can be read."""

from __future__ import annotations

import ast
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.replaying.literals import literal, text_literal

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_a_value_is_the_same_again(value: Any) -> None:
    source = literal(value, indent="    ")
    assert ast.literal_eval(source) == value
    assert source.encode("utf-8", "backslashreplace")


def test_long_texts_are_cut_at_line_ends_and_between_words() -> None:
    text = "The first line.\n" + "word " * 40 + "\nlast"
    source = text_literal(text, indent="    ")
    assert ast.literal_eval(source) == text
    assert source.startswith('(\n        "The first line.\\n"\n        "word word')
    assert max(map(len, source.split("\n"))) <= 100


def test_what_misleads_a_reader_is_spelled_out() -> None:
    assert text_literal("a\u202eb\x1b") == '"a\\u202eb\\x1b"'
    assert text_literal('say "no"') == "'say \"no\"'"
    assert literal({"role": "user", "parts": [1, None]}) == '{\n    "role": "user",\n    "parts": [1, None],\n}'
