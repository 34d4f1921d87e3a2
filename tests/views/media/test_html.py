"""Files on a page and in a saved notebook: players, previews, downloads; and a line where there is no room."""

from __future__ import annotations

import base64
import re

import pytest
from views_media import a_png, assert_ours, files_of

from poe_notebook.views.media.facts import files_text
from poe_notebook.views.media.files import LATER, LIVE, SAVED
from poe_notebook.views.media.html import Shelf, files_html

NASTY = '"><img src=x onerror=alert(1)></a><script>alert(1)</script>'


@pytest.mark.parametrize(
    ("content_type", "data", "shown"),
    [
        ("image/png", a_png(3, 2), r'<img class="poe-image" src="data:image/png;base64,[^"]+" alt="f" width="3"'),
        ("audio/mpeg", b"ID3", r'<audio class="poe-player" controls preload="metadata" src="data:audio/mpeg;base64,'),
        ("video/mp4", b"....", r'<video class="poe-player" controls preload="metadata" src="data:video/mp4;base64,'),
        ("application/pdf", b"%PDF-1.7", r'<embed class="poe-frame" type="application/pdf" src="data:application/pdf;'),
        ("text/csv", b"a,b\n1,<2>\n", r"<summary>Preview of f</summary><pre>a,b\n1,&lt;2&gt;\n</pre>"),
        ("image/svg+xml", b"<svg/>", r'<div class="poe-page"><iframe [^>]*sandbox="'),
        ("application/zip", b"PK", r'<a class="poe-download" href="data:application/octet-stream;base64,UEs="'),
    ],
)  # fmt: skip
def test_each_kind_of_file_is_shown_in_its_way(content_type: str, data: bytes, shown: str) -> None:
    files = files_of((content_type, data))
    html = files_html(list(files), Shelf(files, SAVED))
    assert re.search(shown, html), html
    assert html.count("<li>") == 1


def test_a_live_page_gets_the_bytes_beside_the_html() -> None:
    files = files_of(("image/png", a_png(3, 2)))
    html = files_html(list(files), Shelf(files, LIVE))
    assert 'src="poe-media:0"' in html
    assert "base64" not in html


def test_what_there_is_no_room_for_is_named_with_the_reason() -> None:
    files = files_of(("audio/wav", bytes(SAVED.each_bytes + 1)), ("text/plain", b"small"))
    html = files_html(list(files), Shelf(files, SAVED))
    assert "not kept in the notebook: larger than 2 MB" in html
    assert "<audio" not in html
    assert "Preview of f" in html
    assert "shown once the answer is done" in files_html(list(files), Shelf(files, LATER))


def test_a_picture_in_the_text_gets_its_address_or_the_words_for_why_it_has_none() -> None:
    files = files_of(("image/png", a_png(3, 2)), ("image/png", a_png(3, 2) + bytes(SAVED.each_bytes)))
    shelf = Shelf(files, SAVED)
    kept, left_out = (f'<p><img class="poe-image" src="poe-media:{n}" alt="a cat"></p>' for n in (0, 1))
    address = base64.b64encode(a_png(3, 2)).decode()
    assert f'src="data:image/png;base64,{address}"' in shelf.filled(kept)
    assert "image: a cat (not kept in the notebook: larger than 2 MB)" in shelf.filled(left_out)
    assert "<img" not in shelf.filled(left_out)
    assert shelf.filled(kept.replace(":0", ":9")) == kept.replace(":0", ":9"), "a number that no file has"


@pytest.mark.parametrize("content_type", ["image/png", "audio/mpeg", "text/html", "application/pdf", NASTY])
def test_no_name_type_or_content_gets_out(content_type: str) -> None:
    data = a_png(1, 1) if content_type == "image/png" else f"%PDF-{NASTY}".encode()
    files = files_of((content_type, data), name=NASTY)
    assert_ours(files_html(list(files), Shelf(files, SAVED)))


def test_what_is_called_an_image_and_is_none_can_be_downloaded() -> None:
    files = files_of(("image/png", b"not at all"), ("application/zip", b"PK"))
    html = files_html(list(files), Shelf(files, SAVED))
    assert html.count("cannot be shown as an image") == 1
    assert html.count("Download</a>") == 2


def test_many_files_are_counted_in_html_and_in_text() -> None:
    files = files_of(*[("text/plain", b"x")] * 60)
    assert "… and 10 more" in files_html(list(files), Shelf(files, SAVED))
    lines = files_text(list(files))
    assert lines[0] == "Attachments:"
    assert lines[1] == "- f (text/plain, 1 byte)"
    assert lines[-1] == "… and 10 more"
    assert len(lines) == 52


@pytest.mark.parametrize(
    ("attributes", "height"),
    [
        ('width="2000" height="40"', 44),
        ('width="2000" height="100" viewBox="0 0 2000 100"', 40),
        ("viewBox='0 0 1000 200'", 144),
        ('width="100px" height="100px"', 104),
        ('width="10" height="9000"', 320),
        ("", 320),
        ('width="100%" height="1e9" viewBox="0 0 0 0"', 320),
    ],
)
def test_the_frame_of_a_drawing_is_as_high_as_the_drawing(attributes: str, height: int) -> None:
    files = files_of(("image/svg+xml", f'<?xml version="1.0"?><svg {attributes}></svg>'.encode()))
    html = files_html(list(files), Shelf(files, SAVED))
    assert f' height="{height}" ' in html
