"""What a page sends, read: every shape that fits no wish is dropped, whatever it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poe_notebook.views.panel import wishes
from poe_notebook.views.panel.wishes import MESSAGE_CHARS, PIECE_BYTES, read_wish

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("ask", "text", "files", "parameters", "turn", "id", "name", "type", "size", "at", "reaction", "what", "start")
KINDS = ("send", "edit", "retry", "stop", "new", "react", "file", "attach", "drop", "names", "fetch", "sync", "turn")
SEND = {"kind": "send", "ask": 1, "text": "hi", "files": [], "parameters": {}}


def test_a_message_is_read_with_its_files_and_parameters() -> None:
    given = {**SEND, "files": ["f1"], "parameters": {"detail": 3, "stamp": True, "front": "blank"}}
    assert read_wish(given) == wishes.Send(1, "hi", ("f1",), {"detail": 3, "stamp": True, "front": "blank"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": None},
        {"text": "x" * (MESSAGE_CHARS + 1)},
        {"ask": True},
        {"ask": -1},
        {"ask": 2**60},
        {"files": "f1"},
        {"files": [1]},
        {"files": ["f"] * 101},
        {"parameters": []},
        {"parameters": {"a": []}},
        {"parameters": {"a": None}},
        {"parameters": {str(n): 1 for n in range(501)}},
    ],
)
def test_a_message_of_the_wrong_shape_is_dropped(wrong: dict[str, Any]) -> None:
    assert read_wish({**SEND, **wrong}) is None


def test_a_piece_of_a_file_is_bounded_and_stays_within_its_file() -> None:
    piece = {"kind": "file", "id": "f1", "name": "a.txt", "type": "", "size": 10, "at": 4}
    found = read_wish(piece, [memoryview(b"012345")])
    assert isinstance(found, wishes.Piece)
    assert (found.at, found.content, found.size_bytes) == (4, b"012345", 10)
    assert "012345" not in repr(found)
    assert read_wish(piece, [memoryview(b"0123456")]) is None
    assert read_wish({**piece, "size": 10**9}, [memoryview(bytes(PIECE_BYTES + 1))]) is None


def test_only_reactions_of_poe_are_reactions() -> None:
    assert read_wish({"kind": "react", "turn": "m", "reaction": "heart"}) == wishes.React("m", "heart")
    assert read_wish({"kind": "react", "turn": "m", "reaction": "explode"}) is None
    assert read_wish({"kind": "fetch", "ask": 1, "what": "/etc/passwd"}) is None


@given(st.sampled_from(KINDS) | JSON, st.dictionaries(st.sampled_from(FIELDS), JSON), st.lists(st.binary(max_size=8)))
def test_no_shape_raises(kind: Any, fields: dict[str, Any], buffers: list[bytes]) -> None:
    read_wish({**fields, "kind": kind}, buffers)
    read_wish(kind, buffers)
