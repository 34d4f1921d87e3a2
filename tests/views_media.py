"""Files of answers for tests of how they are shown."""

from __future__ import annotations

import base64
import struct
import zlib
from html.parser import HTMLParser

from poe_notebook.conversation import Conversation
from poe_notebook.protocol.events import Event
from poe_notebook.views.media.files import TurnFiles

__all__ = ["a_chunk", "a_png", "assert_ours", "files_of"]


def a_png(width: int, height: int) -> bytes:
    """Give a PNG image of which only the first row of pixels is there."""
    head = struct.pack(">II", width, height) + bytes([8, 6, 0, 0, 0])
    row = zlib.compress(bytes(1 + 4 * min(width, 20_000)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(a_chunk(*each) for each in ((b"IHDR", head), (b"IDAT", row), (b"IEND", b"")))


def a_chunk(name: bytes, data: bytes) -> bytes:
    """Give a part of a PNG image."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def files_of(*files: tuple[str, bytes], name: str = "f") -> TurnFiles:
    """Give an answer's files of these types and contents."""
    _, reply = Conversation("Shout").ask("hello", route="kernel")
    for content_type, data in files:
        url = f"data:;base64,{base64.b64encode(data).decode()}"
        reply.add(Event("file", {"url": url, "content_type": content_type, "name": name}))
    found = TurnFiles()
    found.take(reply)
    return found


OURS = set("p ul li div bdi span a img audio video embed details summary pre iframe code".split())


def assert_ours(html: str) -> None:
    """Assert that every element is one that these views make, without a handler."""

    class Elements(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in OURS, tag
            assert not [name for name, _ in attrs if name.startswith("on")], attrs
            assert not [value for name, value in attrs if name in ("href", "src") and (value or "").startswith("java")]
            if tag == "img":
                assert dict(attrs).get("class") == "poe-image", attrs

    parser = Elements()
    parser.feed(html)
    parser.close()
