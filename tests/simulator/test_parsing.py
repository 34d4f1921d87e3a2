"""What a bot is told of a user's files, whatever they are made of."""

from __future__ import annotations

import logging
import time

import pytest
from files_to_read import pdf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from poe_notebook.simulator import parsing, pdf_text
from poe_notebook.simulator.page_text import page_text
from poe_notebook.simulator.parsing import parsed_content
from poe_notebook.simulator.text_decoding import decode_text

HELLO = b"(Hello from a page) Tj"


def read(content: bytes, kind: str = "text/plain") -> str | None:
    return parsed_content(content, content_type=kind, name="a file")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"plain", "text/plain"),
        (b"# Title\r\n", "text/markdown; charset=utf-8"),
        (b"a,b\n1,2\n", "text/csv"),
        (b'{"a": [1]}', "application/json"),
        (b"<a>1</a>", "application/xml"),
        (b"print()", "text/x-python"),
        (b"", "text/plain"),
    ],
)
def test_a_text_file_is_read_as_it_stands(content: bytes, kind: str) -> None:
    assert read(content, kind) == content.decode()


@pytest.mark.parametrize("kind", ["image/png", "audio/mpeg", "application/zip", "application/octet-stream"])
def test_other_kinds_are_not_read(kind: str) -> None:
    assert read(b"text", kind) is None


def test_a_text_file_that_is_none_is_not_read() -> None:
    assert read(b"\0\1\2" * 10, "text/plain") is None


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("naïve café", "utf-8"),
        ("naïve café", "utf-8-sig"),
        ("naïve café", "utf-16"),
        ("naïve café", "utf-32"),
        ("héllo", "latin-1"),
        ("Le café est fermé jusqu'à l'été, désolé.", "latin-1"),
        ("It’s “quoted” — naïve café for €5.", "cp1252"),
        ("Привет, как дела? Это простой текст на русском языке.", "cp1251"),
        ("これは日本語のテキストです。文字コードの判定。", "shift_jis"),
        ("这是一个中文文本文件，用于测试编码检测。", "gb18030"),
    ],
)
def test_the_usual_encodings_are_found_out(text: str, encoding: str) -> None:
    assert decode_text(text.encode(encoding)) == text


@settings(deadline=None)
@given(st.binary(max_size=300))
@example(b"\xff\xfe")
@example(b"\xef\xbb\xbf\xff")
def test_any_bytes_become_some_text(content: bytes) -> None:
    decode_text(content).encode("utf-8")


def test_a_long_text_is_cut_with_a_mark_and_in_no_time() -> None:
    begun = time.perf_counter()
    text = read("é".encode() * 25_000_000)
    assert text is not None
    assert text.startswith("é" * 200_000 + "\n\n[Poe simulator: a file goes on")
    assert len(text) < 200_100
    assert time.perf_counter() - begun < 2


def test_of_a_web_page_the_text_is_read() -> None:
    page = b"""<!doctype html><title>My &amp; page</title><style>x</style><script>alert("<p>")</script>
    <h1>Big   <b>news</b></h1><p>one<br>two &lt;three&gt;</p><ul><li>a<li><a href=x>b</a></ul>
    <img src=x alt="a &quot;cat&quot; > dog"><table><tr><th>k<th>v<tr><td>1<td>2</table><pre>if x:
  y</pre>"""
    assert read(page, "text/html") == (
        'My & page\n\nBig news\n\none\ntwo <three>\n\n- a\n- b\n\n[a "cat" > dog]\n\nk v\n1 2\n\nif x:\ny'
    )


@pytest.mark.parametrize(
    "piece", ["<!", "<a ", "<", "<!--", "<p>", "<?x", "</", "&", "&#", "<a b='", "<svg>", "<![CDATA[", "\n ", "<td>"]
)
def test_a_page_that_is_all_markup_takes_no_time(piece: str) -> None:
    begun = time.perf_counter()
    page_text(piece * 20_000)
    assert time.perf_counter() - begun < 2


@settings(deadline=None)
@given(st.text(alphabet="<>/!-&;\"'= apbrtdlisc#x1\n", max_size=200))
def test_any_page_becomes_some_text(page: str) -> None:
    assert "\r" not in page_text(page)


def test_a_pdf_is_read_page_by_page() -> None:
    assert read(pdf(HELLO, pages=2), "application/pdf") == "Hello from a page\n\nHello from a page"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no PDF that can be read"),
        (b"%PDF-1.7\nnothing of the kind", "no PDF that can be read"),
        (pdf(HELLO)[:200], "no PDF that can be read"),
        (pdf(HELLO, password="secret"), "encrypted"),
        (pdf(b""), "no text in it"),
        (pdf(HELLO + b" 0 -1 Td" * 60_000), "1 of its 1 pages could not be read"),
        (pdf(b" " * 20_000_000), "1 of its 1 pages could not be read"),
        (b"%PDF-1.7\n" + b"1 0 obj\n" * 1_000_000, "more than 300,000 parts"),
    ],
    ids=["empty", "no PDF", "cut", "encrypted", "no text", "endless page", "zip bomb", "endless parts"],
)
def test_a_pdf_that_cannot_be_read_is_told_about_in_a_sentence(content: bytes, why: str) -> None:
    begun = time.perf_counter()
    told = read(content, "application/pdf")
    assert told is not None
    assert told.startswith("[Poe simulator: a file could not be read: ")
    assert why in told
    assert time.perf_counter() - begun < 5


def test_of_a_pdf_of_many_pages_the_first_ones_are_read() -> None:
    text = read(pdf(HELLO, pages=203), "application/pdf")
    assert text is not None
    assert text.count("Hello") == 200
    assert text.endswith("of its 203 pages the simulator reads 200.]")


def test_a_pdf_that_takes_too_long_is_read_as_far_as_it_went() -> None:
    times = iter([0.0, *[1.0] * 12, *[100.0] * 1000])
    read_part = pdf_text.pdf_text(pdf(HELLO, pages=9), max_chars=1000, clock=lambda: next(times))
    assert read_part.text.startswith("Hello")
    assert "longer than 8 s" in read_part.missing


def test_a_long_pdf_is_cut_with_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "_MOST_CHARS", 30)
    text = read(pdf(HELLO, pages=5), "application/pdf")
    assert text is not None
    assert "goes on" in text


def test_a_broken_pdf_complains_to_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    root, handlers = logging.getLogger(), list(logging.getLogger().handlers)
    for handler in handlers:  # pytest's own, which would hide the last resort
        root.removeHandler(handler)
    try:
        read(pdf(HELLO).replace(b"startxref", b"startx"), "application/pdf")
    finally:
        for handler in handlers:
            root.addHandler(handler)
    assert capfd.readouterr() == ("", "")
    assert not logging.getLogger("pypdf").handlers


PDF = pdf(HELLO, pages=2)


@settings(deadline=None)
@given(st.integers(0, len(PDF)), st.binary(max_size=30), st.integers(0, len(PDF)))
def test_a_pdf_with_any_damage_is_read_or_told_about(at: int, junk: bytes, to: int) -> None:
    assert isinstance(read(PDF[:at] + junk + PDF[to:], "application/pdf"), str)
