"""Patches of blocks: the reader's copy becomes ours, and only what changed is sent."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.views.markdown import Patch
from poe_notebook.views.patches import WHOLE_CHARS, WHOLE_EVERY, BlockCopy, Entry


def read(shown: list[str], entries: list[Entry], count: int) -> list[str]:
    """Apply entries as a reader in JavaScript does, to strings of UTF-16 units."""
    shown = [*shown, *[""] * (count - len(shown))][:count]
    for i, keep, html in entries:
        shown[i] = shown[i].encode("utf-16-le")[: 2 * keep].decode("utf-16-le") + html
    return shown


def test_only_the_new_end_of_a_block_is_sent() -> None:
    copy = BlockCopy()
    assert copy.take(Patch([(0, "<p>one</p>")], 1)) == [(0, 0, "<p>one</p>")]
    assert copy.take(Patch([(0, "<p>one two</p>")], 1)) == [(0, 6, " two</p>")]
    assert copy.take(Patch([(1, "<p>x</p>")], 2)) == [(1, 0, "<p>x</p>")]
    assert copy.take(Patch([], 1)) == []
    assert copy.blocks == ["<p>one two</p>"]


def test_lengths_are_counted_as_javascript_counts() -> None:
    copy = BlockCopy()
    copy.take(Patch([(0, "😀a")], 1))
    assert copy.take(Patch([(0, "😀ab")], 1)) == [(0, 3, "b")]


def test_now_and_then_a_block_goes_out_whole_unless_it_is_long() -> None:
    copy = BlockCopy()
    keeps = [copy.take(Patch([(0, "x" * (i + 1))], 1))[0][1] for i in range(2 * WHOLE_EVERY)]
    assert [i + 1 for i, keep in enumerate(keeps) if not keep and i] == [WHOLE_EVERY, 2 * WHOLE_EVERY]
    keeps = [copy.take(Patch([(0, "x" * (WHOLE_CHARS + i))], 1))[0][1] for i in range(WHOLE_EVERY)]
    assert all(keeps)


HTML = st.lists(st.sampled_from(["a", "<p>", "😀", "é", "</p>"]), max_size=6).map("".join)


@settings(max_examples=200)
@given(st.lists(st.lists(HTML, max_size=4), max_size=12))
def test_the_reader_always_ends_with_our_blocks(versions: list[list[str]]) -> None:
    copy, shown, old = BlockCopy(), list[str](), list[str]()
    for new in versions:
        changed = [(i, html) for i, html in enumerate(new) if i >= len(old) or old[i] != html]
        shown = read(shown, copy.take(Patch(changed, len(new))), len(new))
        assert shown == new == copy.blocks
        old = new
