"""What is believed of a file's name and kind."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.simulator.file_names import BINARY, clean_name, content_type_of

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\é x.txt", "é x.txt"),
        ("a\0b\r\nSet-Cookie: x.txt", "ab Set-Cookie: x.txt"),
        ("\u202egpj.exe", "gpj.exe"),
        ("\ud800.txt", ".txt"),
        ("e\u0301.txt", "é.txt"),
        ("می\u200cخواهم.txt", "می\u200cخواهم.txt"),
        ("..", "file"),
        ("a/", "file"),
        ("", "file"),
        (None, "file"),
        ("x" * 10_000 + ".pdf", "x" * 146 + ".pdf"),
        ("x." + "y" * 10_000, "x." + "y" * 148),
    ],
)
def test_a_name_loses_folders_and_signs_that_mislead(name: str | None, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@settings(deadline=None)
@given(st.text())
def test_every_cleaned_name_is_short_one_line_and_no_path(name: str) -> None:
    cleaned = clean_name(name)
    assert 0 < len(cleaned) <= 150
    assert cleaned.isprintable() or "\u200c" in cleaned or "\u200d" in cleaned
    assert not set(cleaned) & set("/\\\r\n\0")
    assert cleaned not in (".", "..")
    assert clean_name(cleaned) == cleaned
    cleaned.encode("utf-8")


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (PNG, "x.png", "image/png"),
        (PNG, "x.txt", "image/png"),
        (b"\xff\xd8\xff\xe0\0\0", "x", "image/jpeg"),
        (b"GIF89a\0\0", "x", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "x", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "x", "audio/wav"),
        (b"\n%PDF-1.7\n", "x", "application/pdf"),
        (b"ID3\x04\0", "x", "audio/mpeg"),
        (b"\xff\xfb\x90\0\0\0", "x.mp3", "audio/mpeg"),
        (b"\0\0\0\x20ftypisom", "x", "video/mp4"),
        (b"\0\0\0\x14ftypqt  ", "x", "video/quicktime"),
        (b"\0\0\0\x14ftypM4A ", "x", "audio/mp4"),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x86webm", "x", "video/webm"),
        (b"PK\x03\x04\0", "x.zip", "application/zip"),
        (b"PK\x03\x04\0", "x.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04\0", "x.json", "application/zip"),
        (b"a,b\n1,2\n", "x.csv", "text/csv"),
        (b"# Title", "x.md", "text/markdown"),
        (b"{}", "x.json", "application/json"),
        (b"<p>x", "x.html", "text/html"),
        (b"hello", "x", "text/plain"),
        (b"", "x", "text/plain"),
        ("h\u00e9".encode("utf-16"), "x.txt", "text/plain"),
        (b"h\xe9llo", "x.txt", "text/plain"),
        (b"\0\1\2\3", "x.txt", BINARY),
        (b"\0\1\2\3", "x", BINARY),
        (b"<script>", "x.png", "text/plain"),
        (b"\0\1\2\3", "x.png", BINARY),
        (b"\0\1\2\3", "x.mp4", "video/mp4"),
        (b"\0\1", "x.tar.gz", BINARY),
        (b"hi", "data:text/html,x", "text/plain"),
    ],
)
def test_a_kind_is_what_the_bytes_say_and_then_what_the_name_says(content: bytes, name: str, kind: str) -> None:
    assert content_type_of(content, name) == kind


@pytest.mark.parametrize(
    ("given_type", "kind"),
    [
        ("application/x-mine", "application/x-mine"),
        ("Text/Plain; charset=latin-1", "text/plain"),
        ("text/html\r\nX: y", "text/markdown"),
        ("nonsense", "text/markdown"),
        ("application/octet-stream", "text/markdown"),
        (None, "text/markdown"),
    ],
)
def test_a_given_kind_stands_for_the_names(given_type: str | None, kind: str) -> None:
    assert content_type_of(b"hello", "x.md", given=given_type) == kind


def test_a_given_kind_does_not_outrank_the_bytes() -> None:
    assert content_type_of(PNG, "x.txt", given="text/plain") == "image/png"
    assert content_type_of(b"\0\1", "x.txt", given="text/plain") == BINARY


@settings(deadline=None)
@given(st.binary(max_size=200), st.text(max_size=30), st.none() | st.text(max_size=30))
def test_any_file_has_a_kind_that_a_header_can_carry(content: bytes, name: str, stated: str | None) -> None:
    kind = content_type_of(content, clean_name(name), given=stated)
    assert kind.isascii()
    assert kind.count("/") == 1
    assert kind.isprintable()
    assert " " not in kind
