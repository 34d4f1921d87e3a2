"""Files as HTML: images, players, previews and downloads, with a line in the place of what there is no room for."""

from __future__ import annotations

import base64
import re
from collections.abc import Container, Iterable, Sequence

from poe_notebook.views.html import escape
from poe_notebook.views.markdown.clean import LINK
from poe_notebook.views.markdown.frames import FRAME_HEIGHT, page_frame
from poe_notebook.views.media.facts import LISTED, facts, name_of
from poe_notebook.views.media.files import LIVE, SAVED, File, Room, TurnFiles

__all__ = ["Shelf", "files_html"]

_IMAGE = re.compile(r'<img(?: [a-z-]+="[^"]*")*>')
_SOURCE = re.compile(r' src="poe-media:(\d+)"')
_ALT = re.compile(r' alt="([^"]*)"')
_DRAWING_CHARS = 200_000
_SVG = re.compile(r"<svg\b[^>]*>")
_SIDE = re.compile(r"""\s(width|height)\s*=\s*["'](\d{1,6}(?:\.\d{1,9})?)(?:px)?["']""")
_VIEW_BOX = re.compile(
    r"""\sviewBox\s*=\s*["'][-\d.]+[\s,]+[-\d.]+[\s,]+(\d{1,6}(?:\.\d+)?)[\s,]+(\d{1,6}(?:\.\d+)?)["']"""
)
_FRAME_WIDTH = 700  # CSS pixels, about, of an output beside JupyterLab's side bar


class Shelf:
    """Which files a page has, and under which addresses: those of an open page, or those kept in a notebook."""

    def __init__(self, files: TurnFiles, room: Room = SAVED) -> None:
        self._files, self._room, self._is_live = files, room, room is LIVE
        self.kept = files.kept(room)

    def has(self, file: File) -> bool:
        """Whether a file's bytes are at hand and there is room for them."""
        return file.data is not None and file.number in self.kept

    def url(self, file: File, mime: str = "") -> str:
        """Give the address of a file's bytes; empty if there is no room for them or they are not at hand."""
        if file.data is None or not self.has(file):
            return ""
        if self._is_live:
            return file.source
        return f"data:{mime or file.look.mime};base64,{base64.b64encode(file.data).decode('ascii')}"

    def why_not(self, file: File) -> str:
        """Say why a file's bytes are not there."""
        return self._room.why_not(len(file.data or b""))

    def filled(self, html: str) -> str:
        """Put the addresses of images into an answer."""
        if self._is_live or "poe-media:" not in html:
            return html
        by_number = {file.number: file for file in self._files}
        return _IMAGE.sub(lambda tag: self._image(tag.group(), by_number), html)

    def _image(self, tag: str, files: dict[int, File]) -> str:
        source = _SOURCE.search(tag)
        file = files.get(int(source.group(1))) if source else None
        if source is None or file is None:
            return tag
        url = self.url(file)
        if url:
            return tag.replace(source.group(), f' src="{url}"')
        alt = _ALT.search(tag)
        words = f"image: {alt.group(1) if alt else name_of(file)} ({escape(self.why_not(file))})"
        return f'<span class="poe-muted">{words}</span>'


def files_html(
    files: Sequence[File], shelf: Shelf, *, in_text: Container[int] = (), is_over: bool = True, note: str = ""
) -> str:
    """Show files one below the other; images that stand in the text are only named.

    ``in_text`` are the numbers of those; while an answer is not over, its text may still come to those that it can
    name. ``note`` comes last.
    """
    if not files:
        return ""
    items = "".join(f"<li>{_file(file, shelf, in_text, is_over=is_over)}</li>" for file in files[:LISTED])
    left_out = f"… and {len(files) - LISTED:,} more" if len(files) > LISTED else ""
    more = "".join(f'<li class="poe-muted">{escape(words)}</li>' for words in (left_out, note) if words)
    return f'<p class="poe-turn-label poe-muted">Attachments</p><ul class="poe-turn-files">{items}{more}</ul>'


def _file(file: File, shelf: Shelf, in_text: Container[int], *, is_over: bool) -> str:
    name, url = f"<bdi>{escape(name_of(file))}</bdi>", file.attachment.url
    if LINK.match(url) and url[:4].lower() == "http":
        name = f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{name}</a>'
    caption = f'{name} <span class="poe-muted">{escape(facts(file, in_text))}</span>'
    is_elsewhere = file.number in in_text or (not is_over and file.attachment.inline_ref)
    body = "" if file.image and is_elsewhere else _body(file, shelf)
    head = f'<div class="poe-file-name">{caption}{_left_out(file, shelf)}</div>'
    return body + head if file.look.kind in ("image", "audio", "video") else head + body


def _left_out(file: File, shelf: Shelf) -> str:
    if file.data is None:
        return ""
    if shelf.has(file):
        is_lost = file.look.kind == "other" and file.attachment.content_type[:6].lower() == "image/"
        return ' <span class="poe-muted">· cannot be shown as an image</span>' if is_lost else ""
    return f' <span class="poe-muted">· {escape(shelf.why_not(file))}</span>'


def _body(file: File, shelf: Shelf) -> str:
    label = escape(name_of(file))
    if not shelf.has(file):
        return ""
    if file.look.kind not in ("image", "audio", "video"):
        return "".join(_preview(file, shelf, label)) + _download(file, shelf)
    url = shelf.url(file)
    if file.look.kind == "image":
        size = f'width="{file.look.width}" height="{file.look.height}"'
        return f'<img class="poe-image" src="{url}" alt="{label}" {size}>'
    if file.look.kind == "audio":
        return f'<audio class="poe-player" controls preload="metadata" src="{url}" aria-label="{label}"></audio>'
    return f'<video class="poe-player" controls preload="metadata" src="{url}" aria-label="{label}"></video>'


def _preview(file: File, shelf: Shelf, label: str) -> Iterable[str]:
    if file.look.kind == "pdf":
        url = shelf.url(file)
        frame = f'<embed class="poe-frame" type="application/pdf" src="{url}" height="480" title="{label}">'
        yield f'<details class="poe-fold"><summary>Preview of {label}</summary>{frame}</details>'
    elif file.look.kind == "text" and file.text:
        yield f'<details class="poe-fold"><summary>Preview of {label}</summary><pre>{escape(file.text)}</pre></details>'
    elif file.look.kind == "drawing" and file.data is not None and len(file.data) <= _DRAWING_CHARS:
        drawing = file.data.decode("utf-8", "replace")
        style = (
            "<style>body{margin:0;display:grid;place-items:center;min-height:100vh}"
            "svg{max-width:100%}svg[viewBox]{height:auto}</style>"
        )
        frame = page_frame(f"<html>{style}{drawing}</html>", title=label, height=_height_of(drawing))
        yield f'<div class="poe-page">{frame}</div>'


def _height_of(drawing: str) -> int:
    """Give a frame the height that a drawing takes in it, if the drawing says its size."""
    head = _SVG.search(drawing[:4_000])
    sides = dict(_SIDE.findall(head.group())) if head else {}
    box = _VIEW_BOX.search(head.group()) if head else None
    width, height = float(sides.get("width", 0)), float(sides.get("height", 0))
    if box and float(box[1]):
        width = width or _FRAME_WIDTH
        height = min(width, _FRAME_WIDTH) * float(box[2]) / float(box[1])
    return round(min(height + 4, FRAME_HEIGHT)) if height else FRAME_HEIGHT


def _download(file: File, shelf: Shelf) -> str:
    if file.look.kind == "pdf":
        return ""  # its viewer has one, and a second copy would double what is saved
    url = shelf.url(file, "application/octet-stream")
    name = escape(name_of(file))
    return f'<a class="poe-download" href="{url}" download="{name}" aria-label="Download {name}">Download</a> '
