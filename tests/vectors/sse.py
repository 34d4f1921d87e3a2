"""Event streams and the events in them, each with the rule that it comes from.

Sections are those of WHATWG HTML (living standard, read 2025-03): 9.2.5 "Parsing an event stream" and 9.2.6
"Interpreting an event stream". The streams that resemble the standard's own examples have other words.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["VECTORS", "Vector"]

LARGE = b"x" * 1_000_000


class Vector(NamedTuple):
    """A stream, the (type, data) of its events, and the rule."""

    name: str
    stream: bytes
    events: list[tuple[str, str]]
    source: str


VECTORS = [
    Vector("one event", b"event: text\ndata: {}\n\n", [("text", "{}")], "9.2.6"),
    Vector("two events", b"data: a\n\ndata: b\n\n", [("message", "a"), ("message", "b")], "9.2.6"),
    Vector("an empty stream", b"", [], "9.2.5: any number of events, none included"),
    Vector("blank lines alone", b"\n\n\n\r\n\r\r\n", [], "9.2.6: an empty data buffer is not dispatched"),
    Vector("LF", b"event: a\ndata: 1\n\ndata: 2\n\n", [("a", "1"), ("message", "2")], "9.2.5: end-of-line"),
    Vector("CRLF", b"event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", [("a", "1"), ("message", "2")], "9.2.5: end-of-line"),
    Vector("CR", b"event: a\rdata: 1\r\rdata: 2\r\r", [("a", "1"), ("message", "2")], "9.2.5: end-of-line"),
    Vector(
        "mixed line ends",
        b"event: a\rdata: 1\r\n\ndata: 2\n\r\ndata: 3\r\rdata: 4\r\n\r\n",
        [("a", "1"), ("message", "2"), ("message", "3"), ("message", "4")],
        "9.2.5: end-of-line",
    ),
    Vector(
        "LF and then CR are two line ends", b"data: 1\n\rdata: 2\n\r", [("message", "1"), ("message", "2")], "9.2.5"
    ),
    Vector("a byte order mark at the front", b"\xef\xbb\xbfdata: 1\n\n", [("message", "1")], "9.2.5: bom?"),
    Vector(
        "a second byte order mark is part of a name",
        b"\xef\xbb\xbf\xef\xbb\xbfdata: 1\n\ndata: 2\n\n",
        [("message", "2")],
        "9.2.5: one bom at most",
    ),
    Vector("a byte order mark and a blank line", b"\xef\xbb\xbf\ndata: 1\n\n", [("message", "1")], "9.2.5: bom?"),
    Vector("the start of a byte order mark is none", b"\xef\xbbdata: 1\n\ndata: 2\n\n", [("message", "2")], "9.2.5"),
    Vector(
        "comments", b": hi\n\n:\n:data: 1\ndata: 2\n:\n\n", [("message", "2")], "9.2.6: a line that begins with a colon"
    ),
    Vector("a comment between an event's lines", b"event: a\n: x\ndata: 1\n: y\n\n", [("a", "1")], "9.2.6"),
    Vector(
        "a comment block, fields without value, an unfinished block",
        b": to try it out\n\ndata: one\nid: 7\n\ndata:two\nid\n\ndata:  three\n",
        [("message", "one"), ("message", "two")],
        "9.2.6, like its example of four blocks",
    ),
    Vector("one space after the colon is no part of the value", b"data:  x \n\n", [("message", " x ")], "9.2.6"),
    Vector("a tab after the colon is", b"data:\tx\n\n", [("message", "\tx")], "9.2.6"),
    Vector("no space after the colon", b"event:a\ndata:1\n\n", [("a", "1")], "9.2.6, like its example of equal events"),
    Vector("colons in a value", b"data: a: b:c\n\n", [("message", "a: b:c")], "9.2.6: the first colon divides"),
    Vector(
        "data of several lines",
        b"data: GULL\ndata: +3\ndata: 14\n\n",
        [("message", "GULL\n+3\n14")],
        "9.2.6, like its example of a stock",
    ),
    Vector(
        "data of empty lines",
        b"data\n\ndata\ndata\n\ndata:",
        [("message", ""), ("message", "\n")],
        "9.2.6, like its example",
    ),
    Vector("empty lines around data", b"data:\ndata: x\ndata:\n\n", [("message", "\nx\n")], "9.2.6"),
    Vector("types", b"event: add\ndata: 41\n\nevent: remove\ndata: 7\n\n", [("add", "41"), ("remove", "7")], "9.2.6"),
    Vector("the last type counts", b"event: a\nevent: b\ndata: 1\n\n", [("b", "1")], "9.2.6: set the buffer"),
    Vector(
        "an empty type is none", b"event: a\nevent\ndata: 1\n\n", [("message", "1")], "9.2.6: if not the empty string"
    ),
    Vector(
        "a type without data is forgotten",
        b"event: a\n\ndata: 1\n\n",
        [("message", "1")],
        "9.2.6: no data, then both buffers are emptied",
    ),
    Vector("an id alone", b"id: 1\n\ndata: 1\n\n", [("message", "1")], "9.2.6: an empty data buffer is not dispatched"),
    Vector(
        "an id stays and dispatches nothing",
        b"id: 1\ndata: 1\n\n\n\n: x\n\ndata: 2\n\n",
        [("message", "1"), ("message", "2")],
        "9.2.6: the last event id buffer is kept, and decides nothing",
    ),
    Vector("retry alone", b"retry: 1000\n\nretry: soon\n\ndata: 1\n\n", [("message", "1")], "9.2.6: retry"),
    Vector(
        "unknown fields", b"colour: red\ndata: 1\nDATA: 2\n data: 3\ndata : 4\n\n", [("message", "1")], "9.2.6: ignored"
    ),
    Vector(
        "a line without a colon",
        b"anything\nevent\ndata: 1\n\n",
        [("message", "1")],
        "9.2.6: the whole line is the name",
    ),
    Vector(
        "no blank line at the end", b"data: 1\n\ndata: 2\n", [("message", "1")], "9.2.6: an incomplete event is dropped"
    ),
    Vector(
        "no line end at the end", b"data: 1\n\ndata: 2", [("message", "1")], "9.2.6: an incomplete event is dropped"
    ),
    Vector("characters of two, three and four bytes", "data: é€𝄞\n\n".encode(), [("message", "é€𝄞")], "9.2.5: UTF-8"),
    Vector("characters in a type", "event: café\ndata: 1\n\n".encode(), [("café", "1")], "9.2.5: UTF-8"),
    Vector("bytes that are no UTF-8", b"data: a\xff\xc3b\n\n", [("message", "a��b")], "9.2.5: UTF-8 decode replaces"),
    Vector("a NUL in data", b"data: a\x00b\n\n", [("message", "a\x00b")], "9.2.5: any-char"),
    Vector(
        "other line ends of Unicode are none",
        'data: {"a":"\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e"}\n\n'.encode(),
        [("message", '{"a":"\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e"}')],
        "9.2.5: CR, LF and CRLF alone",
    ),
    Vector("a large line", b"event: text\ndata: " + LARGE + b"\n\n", [("text", LARGE.decode())], "9.2.5: no limit"),
    Vector(
        "an event in many lines",
        b"data: 0123456789\n" * 50 + b"\n",
        [("message", "\n".join(["0123456789"] * 50))],
        "9.2.6",
    ),
    Vector(
        "done without data",
        b"data: 1\n\nevent: done\n\n",
        [("message", "1"), ("done", "")],
        "ours: done says all by its name",
    ),
    Vector("error without data", b"event: error\n\n", [("error", "")], "ours: error says enough by its name"),
    Vector("text without data is nothing", b"event: text\n\ndata: 1\n\n", [("message", "1")], "9.2.6"),
    Vector(
        "as Poe and fastapi_poe write it",
        b'event: meta\r\ndata: {"linkify": true}\r\n\r\n: ping - 2025\r\n\r\n'
        b'event: text\r\ndata: {"text": "hi"}\r\n\r\n'
        b"event: done\r\ndata: {}\r\n\r\n",
        [("meta", '{"linkify": true}'), ("text", '{"text": "hi"}'), ("done", "{}")],
        "fastapi_poe 0.0.83 with sse-starlette",
    ),
]
