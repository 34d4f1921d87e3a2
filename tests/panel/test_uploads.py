"""Files on their way into a message: in pieces, bounded, and kept until they are sent."""

from __future__ import annotations

import pytest

from poe_notebook.attaching import File
from poe_notebook.errors import CommandError
from poe_notebook.panel.uploads import FILES_PER_MESSAGE, Uploads
from poe_notebook.protocol.limits import ATTACHMENT_BYTES
from poe_notebook.views.panel.wishes import Piece


def piece(at: int, content: bytes, *, size: int = 6, id: str = "f1", name: str = "a.txt") -> Piece:
    return Piece(id, name, "text/plain", size, at, content)


def test_a_file_is_put_together_from_its_pieces() -> None:
    uploads = Uploads()
    assert uploads.add(piece(0, b"abc")) == 3
    assert uploads.add(piece(3, b"def")) is None
    assert uploads.take(("f1",)) == [File("a.txt", b"abcdef", "text/plain")]
    assert len(uploads) == 0


def test_a_piece_that_comes_twice_or_too_early_changes_nothing() -> None:
    uploads = Uploads()
    assert uploads.add(piece(0, b"abc")) == 3
    assert uploads.add(piece(0, b"abc")) == 3
    assert uploads.add(piece(5, b"f")) == 3
    assert uploads.add(piece(3, b"d", size=9)) == 3
    assert uploads.add(piece(3, b"def")) is None
    assert uploads.add(piece(3, b"def")) is None
    assert uploads.take(("f1",))[0].content == b"abcdef"


def test_an_empty_file_is_whole_with_its_first_piece() -> None:
    uploads = Uploads()
    assert uploads.add(piece(0, b"", size=0)) is None
    assert uploads.take(("f1",))[0].content == b""


def test_what_is_too_large_or_too_much_is_refused_with_its_size() -> None:
    uploads = Uploads()
    with pytest.raises(CommandError, match=r"a.txt has 50 MB, and 50 MB is the most"):
        uploads.add(piece(0, b"", size=ATTACHMENT_BYTES + 1))
    for n in range(10):
        uploads.add(piece(0, b"x", size=ATTACHMENT_BYTES, id=str(n)))
    with pytest.raises(CommandError, match="would be more than 537 MB together"):
        uploads.add(piece(0, b"x", size=ATTACHMENT_BYTES, id="one more"))
    small = Uploads()
    for n in range(FILES_PER_MESSAGE):
        small.put(str(n), File("a", b""))
    with pytest.raises(CommandError, match=f"carries {FILES_PER_MESSAGE} files"):
        small.put("one more", File("a", b""))


def test_files_that_have_not_come_cannot_be_sent_and_those_not_sent_stay() -> None:
    uploads = Uploads()
    uploads.add(piece(0, b"abc"))
    with pytest.raises(CommandError, match="has not arrived"):
        uploads.take(("f1",))
    uploads.drop("f1")
    uploads.put("f2", File("b", b"x"))
    files = uploads.take(("f2",))
    uploads.put_back(("f2",), files)
    assert uploads.take(("f2",)) == files
