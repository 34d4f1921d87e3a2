"""What can be attached, and what is said of the rest."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from poe_notebook.attaching import as_file, as_files, file_named
from poe_notebook.errors import CommandError, PoeNotebookError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.txt").write_text("on disk")
    return tmp_path


class Frame:
    """A data frame by its shape: it can be iterated, too."""

    def to_csv(self) -> str:
        return "a,b\n1,2\n"

    def __iter__(self) -> Any:
        return iter("ab")


class Figure:
    def savefig(self, to: io.BytesIO, **options: Any) -> None:
        to.write(b"\x89PNG")


@pytest.mark.parametrize(
    ("given", "name", "content"),
    [
        (b"bytes", "file", b"bytes"),
        (bytearray(b"bytes"), "file", b"bytes"),
        (memoryview(b"bytes"), "file", b"bytes"),
        ("some words", "file.txt", b"some words"),
        ("word", "file.txt", b"word"),
        ("a b.txt", "a b.txt", b"on disk"),
        (Path("a b.txt"), "a b.txt", b"on disk"),
        (Frame(), "file.csv", b"a,b\n1,2\n"),
        (Figure(), "file.png", b"\x89PNG"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("is_one", [True, False])
def test_one_thing_or_a_list_of_them_is_attached(given: Any, name: str, content: bytes, is_one: bool) -> None:
    [file] = as_files(given if is_one else [given])
    assert (file.name, file.content) == (name, content)


def test_images_are_attached_as_png() -> None:
    file = as_file(Image.new("RGB", (2, 2)), name="red")
    assert (file.name, file.content[:4], file.is_image) == ("red.png", b"\x89PNG", True)


@pytest.mark.parametrize("url", ["https://example.com/a%20b.png?key=1", "HTTP://example.com/x.png"])
def test_an_address_is_left_for_poe_to_fetch(url: str) -> None:
    for file in (as_files(url)[0], file_named(url, {})):
        assert (file.url, file.content, file.is_image) == (url, b"", True)
        assert "/" not in file.name


def test_what_was_typed_is_a_path_or_the_name_of_an_object_and_a_text_is_none(folder: Path) -> None:
    names = {"notes": "https://is.only/a-text", "table": Frame(), "a": b"x"}
    assert file_named("notes", names).content == b"https://is.only/a-text"
    assert file_named("table", names).name == "table.csv"
    assert file_named(str(folder / "a b.txt"), names).content == b"on disk"
    for typed in ("nothing", "missing.pdf", "no such thing"):
        with pytest.raises(CommandError, match=f"no file and no object '{typed}'"):
            file_named(typed, names)


@pytest.mark.parametrize("given", ["missing.pdf", "folder/file", "~/nothing/here", "report.csv"])
def test_a_word_that_looks_like_a_path_and_is_none_is_no_text(given: str) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        as_files(given)
    assert as_files([given.encode()])[0].content == given.encode()


@pytest.mark.parametrize("given", [3, object(), None, {"a": 1}, [b"x", 3]])
def test_what_cannot_be_attached_is_said(given: Any) -> None:
    with pytest.raises(PoeNotebookError):
        as_files(given)


def test_no_folder_and_no_device_is_attached(folder: Path) -> None:
    for path in (folder, Path("/dev/zero"), folder / "missing"):
        with pytest.raises(CommandError):
            as_file(path)


def test_more_than_fifty_megabytes_are_refused_whatever_they_come_from(folder: Path) -> None:
    with open(folder / "big.bin", "wb") as big:
        big.truncate(50_000_001)
    for given in (Path("big.bin"), b"\0" * 50_000_001, "x" * 50_000_001):
        with pytest.raises(PoeNotebookError, match="50 MB"):
            as_file(given)
