"""A stand-in for Poe's own endpoints, for tests of the client: it keeps what it was sent and answers by a script."""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from poe_notebook.protocol.events import encode

KEY = "kE9yOfThe+Tests/7x2m4n6b8v0c1z3q"
"""An access key with characters that addresses write otherwise."""

QUIET_HEADERS = {"host", "content-length", "user-agent"}
"""Headers in which two clients may differ."""


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    peer: int = 0
    """The port that the client came from: the same for requests on one connection."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), strict_parsing=True))

    @property
    def wire(self) -> tuple[str, dict[str, str], bytes]:
        """The request without what is chance: the boundary of a multipart body, the header of its length."""
        boundary = self.headers.get("content-type", "").partition("boundary=")[2]
        headers = {
            name: value.replace(boundary, "-") if boundary else value
            for name, value in self.headers.items()
            if name not in QUIET_HEADERS
        }
        return self.path, headers, self.body.replace(boundary.encode(), b"-") if boundary else self.body


@dataclass(frozen=True)
class Reply:
    """What to answer: pieces of the body, and seconds to wait between them; ``is_cut`` leaves it unfinished."""

    pieces: Sequence[bytes | float]
    status: int = 200
    content_type: str = "text/event-stream"
    is_cut: bool = False


def sse(*events: tuple[str, dict[str, Any]], is_cut: bool = False, status: int = 200) -> Reply:
    """Answer with events."""
    return Reply([b"".join(encode(type_, data) for type_, data in events)], is_cut=is_cut, status=status)


def text(words: str) -> tuple[str, dict[str, Any]]:
    """Give a ``text`` event."""
    return "text", {"text": words}


DONE: tuple[str, dict[str, Any]] = ("done", {})


def in_json(value: Any, *, status: int = 200) -> Reply:
    """Answer with a JSON document."""
    return Reply([json.dumps(value).encode()], status=status, content_type="application/json")


def plain(words: str, *, status: int) -> Reply:
    """Answer with a text."""
    return Reply([words.encode()], status=status, content_type="text/plain")


@dataclass
class RecordingPoe:
    """The running stand-in."""

    url: str
    seen: list[Seen] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    """Set when a client has gone before its answer was complete."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


Script = Reply | Callable[[Seen], Reply]


@contextmanager
def poe(*script: Script) -> Iterator[RecordingPoe]:
    """Answer each request with the next of the script, the last one again and again."""
    left = list(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Seen(self.path, headers, body, self.client_address[1])
            running.seen.append(seen)
            chosen = left.pop(0) if len(left) > 1 else left[0]
            reply = chosen(seen) if callable(chosen) else chosen
            try:
                self._send(reply)
            except OSError:
                running.left.set()
                self.close_connection = True

        do_GET = do_POST

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in reply.pieces:
                if isinstance(piece, bytes):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b"")
                else:
                    time.sleep(piece)
            if reply.is_cut:
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *args: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    running = RecordingPoe(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def shown(error: BaseException | None) -> str:
    """Everything that a reader gets to see of an exception and of what caused it."""
    assert error is not None
    return f"{error} {error!r} {''.join(traceback.format_exception(error))}"


def holds_key(words: str, key: str = KEY) -> bool:
    """Whether a text holds the key or a good part of it, in whatever spelling."""
    pieces = [part[n : n + 8] for part in (key, quote(key, safe="")) for n in range(len(part) - 7)]
    return any(piece in each for piece in pieces for each in (words, unquote(words)))
