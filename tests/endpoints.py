"""Both ends of a wire for tests: our listener around bots, a listener that sends just the bytes it is given, and plain
sockets to read with."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from poe_notebook.bot.handlers import function_bot, servable
from poe_notebook.keys import Redactor, Secret
from poe_notebook.protocol.events import Event, decode
from poe_notebook.runtime.loop import LoopThread
from poe_notebook.runtime.server import Listener
from poe_notebook.runtime.slot import Slot
from poe_notebook.runtime.slots import Slots
from poe_notebook.server.app import build_app
from poe_notebook.tracing.recorder import Trace

KEY = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6"


def query(content: str = "hello", **fields: Any) -> dict[str, Any]:
    """Give the body of a query."""
    message = {"role": "user", "content": content, "message_id": "m-" + "0" * 32, "timestamp": 1}
    ids = {"user_id": "u-" + "1" * 32, "conversation_id": "c-" + "2" * 32, "message_id": "m-" + "3" * 32}
    return {"version": "1.2", "type": "query", "query": [message], **ids, **fields}


@dataclass
class Answer:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Event]:
        return events_in(self.body)

    @property
    def text(self) -> str:
        return "".join(event.data["text"] for event in self.events if event.type == "text")


def events_in(body: bytes) -> list[Event]:
    """Read the events of a complete answer of ours, which ends its lines with LF."""
    blocks = [block for block in body.decode().replace("\r\n", "\n").split("\n\n") if block and block[0] != ":"]
    fields = [dict(line.partition(": ")[::2] for line in block.split("\n")) for block in blocks]
    return [decode(each.get("event", "message"), each.get("data", "")) for each in fields]


class Kernel:
    """The rooms of a kernel that serve: trace, slots, listener; everything ended by ``close``."""

    def __init__(self, *, max_trace_bytes: int = 64 * 1024 * 1024) -> None:
        self.redactor = Redactor()
        self.redactor.add(Secret(KEY))
        self.trace = Trace(self.redactor, max_bytes=max_trace_bytes)
        self.thread = LoopThread("test-server")
        self.changes: list[str] = []
        self.slots = Slots(lambda slot: self.changes.append(slot.name))
        self.listener = Listener(build_app(self.slots.at, self.trace), thread=self.thread)

    @property
    def port(self) -> int:
        assert self.listener.port is not None
        return self.listener.port

    def serve(self, bot: Any, name: str = "Bot") -> Slot:
        """Serve a bot object or a handler function, as ``%%poebot`` would."""
        if callable(bot):
            bot = function_bot({"get_response": bot}, name=name)
        thread = self.slots.thread_for(name)
        return self.slots.publish(servable(bot, name=name), thread=thread, access_key=Secret(KEY))

    def url(self, name: str = "Bot") -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def post(self, body: Any, name: str = "Bot", **options: Any) -> Answer:
        """Post a body and read the whole answer."""
        return http_request(self.port, f"/{name}", body=body, **options)

    def ask(self, content: str = "hello", name: str = "Bot", **fields: Any) -> Answer:
        """Query a bot and read the whole answer."""
        return self.post(query(content, **fields), name)

    def open(self, content: str = "hello", name: str = "Bot", **fields: Any) -> socket.socket:
        """Query a bot and give the socket, to read from or to leave."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(raw_request(f"/{name}", json.dumps(query(content, **fields)).encode()))
        return connection

    def close(self) -> None:
        self.slots.close()
        self.listener.close()
        self.thread.close()


@contextmanager
def kernel(**options: Any) -> Iterator[Kernel]:
    """Start the serving rooms, and end them; no thread of theirs may be left."""
    before = set(threading.enumerate())
    running = Kernel(**options)
    try:
        running.listener.open(0)
        yield running
    finally:
        running.close()
    assert until(lambda: not [t for t in set(threading.enumerate()) - before if t.name.startswith(("test-", "poe-"))])


def http_request(
    port: int,
    path: str,
    *,
    body: Any = b"",
    method: str = "POST",
    key: str | None = KEY,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Send one request over a connection of its own."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "application/json", **(headers or {})}
    if key is not None:
        given.setdefault("Authorization", f"Bearer {key}")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body=raw, headers=given)
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def body_of(connection: socket.socket) -> bytes:
    """Read an answer to its end, without the lines that divide its chunks."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.read()


def raw_request(path: str, body: bytes, *, head: Sequence[str] = (), key: str = KEY) -> bytes:
    """Give the bytes of a request, with lines of its own in the head."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
        f"Content-Length: {len(body)}",
        *head,
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1") + body


def until(is_so: Callable[[], Any], *, within_s: float = 5.0) -> bool:
    """Wait until something is so; false if it has not become so in time."""
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


Piece = bytes | float
"""Bytes to send, or seconds to wait."""


@dataclass
class RawServer:
    """A listener that answers each connection with the next of its scripts, byte for byte, and then closes it."""

    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/bot/"


def response(body: bytes, *, status: str = "200 OK", content_type: str = "text/event-stream") -> bytes:
    """Give a response without a length: it ends with its connection."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n".encode() + body


@contextmanager
def raw_server(*scripts: Sequence[Piece]) -> Iterator[RawServer]:
    """Serve scripts, the last one again and again."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = RawServer(listening.getsockname()[1])

    def serve() -> None:
        left = list(scripts)
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                try:
                    server.requests.append(_read_request(connection))
                    _play(connection, left.pop(0) if len(left) > 1 else left[0])
                except OSError:
                    pass  # the client has left

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def _play(connection: socket.socket, script: Sequence[Piece]) -> None:
    for piece in script:
        if isinstance(piece, bytes):
            connection.sendall(piece)
        else:
            time.sleep(piece)


def _read_request(connection: socket.socket) -> bytes:
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += _received(connection)
    head, _, body = raw.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    while len(body) < length:
        body += _received(connection)
    return head + b"\r\n\r\n" + body


def _received(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    if not piece:
        raise ConnectionError("the client has left in the middle of its request")
    return piece
