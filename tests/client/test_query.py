"""Querying over real sockets: what is sent, what is made of what comes back, and when it is asked again."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import traceback
from collections.abc import AsyncIterator
from typing import Any

import endpoints
import httpx
import pytest
from endpoints import KEY, Piece, query, raw_server, response
from vectors.sse import VECTORS, Vector

from poe_notebook.bot.base import PoeBot
from poe_notebook.client.answers import stream_request
from poe_notebook.client.query import bot_url, stream_events
from poe_notebook.errors import BotError, BotErrorNoRetry, BotProtocolError
from poe_notebook.keys import Redactor, Secret
from poe_notebook.protocol.events import Event, decode
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import MetaResponse, PartialResponse, ReceivedData
from poe_notebook.tracing.recorder import Recording, Trace

REQUEST = QueryRequest.model_validate({**query("hi"), "access_key": KEY, "api_key": KEY})
DONE = b"event: done\ndata: {}\n\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
HI = b'event: text\ndata: {"text": "hi"}\n\n'


async def gathered(items: AsyncIterator[Any]) -> tuple[list[Any], Exception | None]:
    got: list[Any] = []
    try:
        async for item in items:
            got.append(item)
    except (BotError, BotProtocolError) as error:
        return got, error
    return got, None


def events_of(*script: Piece, recording: Recording | None = None) -> tuple[list[Event], Exception | None]:
    async def ask(url: str) -> tuple[list[Event], Exception | None]:
        return await gathered(stream_events(REQUEST, url, key=Secret(KEY), is_local=True, recording=recording))

    with raw_server(script) as server:
        return asyncio.run(ask(server.url))


def asked(*scripts: list[Piece], **options: Any) -> tuple[list[Any], Exception | None, int]:
    """Ask a server of scripts; gives the responses, the error, and how often it was asked."""

    async def ask(url: str) -> tuple[list[Any], Exception | None]:
        return await gathered(
            stream_request(REQUEST, "Bot", KEY, **{"base_url": url, "retry_sleep_time": 0, **options})
        )

    with raw_server(*scripts) as server:
        got, error = asyncio.run(ask(server.url))
        return got, error, len(server.requests)


def shown(error: BaseException | None) -> str:
    """Everything that a reader gets to see of an exception."""
    assert error is not None
    return repr(error) + "".join(traceback.format_exception(error))


# Decoding.


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_a_stream_from_a_socket_gives_its_events(vector: Vector) -> None:
    events, error = events_of(response(vector.stream))
    if vector.name == "a large line":  # a text whose data is no JSON
        assert isinstance(error, BotProtocolError)
        return
    expected = [Event(type_, decode("message", data).data) for type_, data in vector.events]
    assert [event._replace(at_s=0.0) for event in events] == expected
    assert (error is None) is bool(expected and expected[-1].type in ("done", "error"))


def test_a_character_cut_in_two_by_the_network_is_whole() -> None:
    stream = 'event: text\ndata: {"text": "é𝄞"}\n\n'.encode() + DONE
    cut = stream.index("𝄞".encode()) + 2
    events, error = events_of(response(stream[:cut]), 0.02, stream[cut:])
    assert error is None
    assert events[0].data == {"text": "é𝄞"}


@pytest.mark.parametrize(
    "content_type", ["text/event-stream;charset=latin-1", "Text/Event-Stream", "text/event-stream ; charset=utf-8"]
)
def test_the_stream_is_utf8_whatever_its_header_says(content_type: str) -> None:
    stream = 'event: text\ndata: {"text": "é"}\n\n'.encode() + DONE
    events, error = events_of(response(stream, content_type=content_type))
    assert error is None
    assert events[0].data == {"text": "é"}


def test_a_compressed_stream_is_read() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
    events, error = events_of(head + gzip.compress(HI + DONE))
    assert error is None
    assert [event.type for event in events] == ["text", "done"]


def test_events_have_the_time_at_which_they_came() -> None:
    events, _ = events_of(response(HI), 0.1, HI + DONE)
    assert 0.08 < events[1].at_s - events[0].at_s < 0.4


def test_the_trace_keeps_the_bytes_of_the_events_and_the_pieces_they_came_in() -> None:
    trace = Trace(Redactor())
    recording = trace.begin_client(bot="Bot", kind="query", message_id="m", route="poe", request={}, url="x")
    first, second = b': note\r\nevent:text\r\ndata:{"text":\r\ndata: "hi"}\r\n\r\n', b"event: done\r\ndata: {}\r\n\r\n"
    events, error = events_of(response(first[:20]), 0.05, first[20:] + second, recording=recording)
    assert error is None
    assert events[0].data == {"text": "hi"}
    tap = trace[0].client
    assert tap is not None
    assert (tap.status, tap.headers["content-type"]) == (200, "text/event-stream")
    assert [(event.type, event.raw) for event in tap.events] == [("text", first), ("done", second)]
    assert [event.at_s for event in tap.events] == [event.at_s for event in events]
    assert sum(chunk.size_bytes for chunk in tap.chunks) == len(first + second)


@pytest.mark.parametrize("end", [DONE, b"event: done\n\n", b"event: done\ndata: not json\n\n", b"event: error\n\n"])
def test_nothing_after_the_end_is_read(end: bytes) -> None:
    events, error = events_of(response(HI + end + HI + DONE))
    assert error is None
    assert len(events) == 2


def test_a_bot_that_keeps_the_line_open_after_done_is_not_waited_for() -> None:
    async def ask(url: str) -> float:
        started = time.monotonic()
        await gathered(stream_events(REQUEST, url, key=Secret(KEY), is_local=True))
        return time.monotonic() - started

    with raw_server([response(HI + DONE), 0.5]) as server:
        assert asyncio.run(ask(server.url)) < 0.3


@pytest.mark.parametrize(
    "script",
    [
        [response(HI)],
        [STREAM + b"Content-Length: 1000\r\n\r\n" + HI],
        [STREAM + b"Transfer-Encoding: chunked\r\n\r\n23\r\n" + HI + b"\r\n9"],
    ],
    ids=["no done", "a length not reached", "a chunk not ended"],
)
def test_an_answer_that_breaks_off_is_an_error_after_its_events(script: list[Piece]) -> None:
    events, error = events_of(*script)
    assert [event.data for event in events] == [{"text": "hi"}]
    assert type(error) is BotError


@pytest.mark.parametrize("data", [b"no json", b"[1]", b'"text"', b"{", b"[" * 100_000])
def test_data_that_is_no_object_is_a_fault_of_the_bot(data: bytes) -> None:
    events, error = events_of(response(HI + b"event: text\ndata: " + data + b"\n\n"))
    assert len(events) == 1
    assert isinstance(error, BotProtocolError)
    got, error, times = asked([response(HI + b"event: text\ndata: " + data + b"\n\n")])
    assert (len(got), type(error), times) == (1, BotErrorNoRetry, 1)


def test_closing_the_answer_closes_the_connection() -> None:
    async def leave(url: str) -> None:
        events = stream_events(REQUEST, url, key=Secret(KEY), is_local=True)
        async for _ in events:
            break
        await events.aclose()

    with raw_server([response(HI), *[HI * 1000, 0.005] * 400]) as server:
        asyncio.run(leave(server.url))
        started = time.monotonic()
    assert time.monotonic() - started < 1  # the server met a closed connection, instead of 2 s of script


# What is sent.


def test_the_query_is_sent_with_its_headers_and_without_keys_in_its_body() -> None:
    async def ask(url: str) -> None:
        await gathered(stream_request(REQUEST, "Bot", KEY, base_url=url, extra_headers={"X-Mine": "1"}))

    with raw_server([response(HI + DONE)]) as server:
        asyncio.run(ask(server.url))
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:])
    assert head.startswith(b"POST /bot/Bot HTTP/1.1\r\n")
    assert headers["authorization"] == f"bearer {KEY}".lower()
    assert headers["accept"] == "text/event-stream"
    assert headers["content-type"] == "application/json"
    assert headers["x-mine"] == "1"
    sent = json.loads(body)
    assert sent["query"][0]["content"] == "hi"
    assert KEY not in body.decode()
    assert not {"access_key", "api_key"} & set(sent)


def test_a_lone_surrogate_in_a_message_is_sent_as_json_escapes_it() -> None:
    request = REQUEST.model_copy(deep=True)
    request.query[0].content = "\ud800"

    async def ask(url: str) -> None:
        await gathered(stream_request(request, "Bot", KEY, base_url=url))

    with raw_server([response(HI + DONE)]) as server:
        asyncio.run(ask(server.url))
    assert b'"\\ud800"' in server.requests[0]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value", [float("nan"), object(), b"bytes", {1j}, nested(100_000)], ids=lambda v: type(v).__name__
)
def test_a_query_that_is_no_json_is_not_sent(value: Any) -> None:
    request = REQUEST.model_copy(deep=True)
    request.query[0].parameters = {"x": value}

    async def ask() -> Exception | None:
        return (await gathered(stream_request(request, "Bot", KEY, base_url="http://127.0.0.1:1/")))[1]

    assert isinstance(asyncio.run(ask()), BotErrorNoRetry)


@pytest.mark.parametrize(
    ("name", "base_url", "variable", "expected"),
    [
        ("Bot", None, None, "https://api.poe.com/bot/Bot"),
        ("Bot", "http://h:1/bot/", None, "http://h:1/bot/Bot"),
        ("Bot", "http://h:1/", "http://other/bot/", "http://h:1/Bot"),
        ("Bot", None, "http://h:1/bot/", "http://h:1/bot/Bot"),
        ("Bot", None, "http://h:1/bot", "http://h:1/bot/Bot"),
        ("Bot", None, "http://h:1", "http://h:1/bot/Bot"),
        ("Bot", None, "http://h:1/", "http://h:1/bot/Bot"),
        ("Bot", None, "", "https://api.poe.com/bot/Bot"),
        ("GPT-4 o/x?#é", "http://h/bot/", None, "http://h/bot/GPT-4%20o%2Fx%3F%23%C3%A9"),
        ("../settings", "http://h/bot/", None, "http://h/bot/..%2Fsettings"),
        ("\ud800", "http://h/bot/", None, "http://h/bot/%3F"),
    ],
)
def test_the_address_of_a_bot(
    name: str, base_url: str | None, variable: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POE_BASE_URL", raising=False)
    if variable is not None:
        monkeypatch.setenv("POE_BASE_URL", variable)
    assert bot_url(name, base_url=base_url) == expected


def test_a_bots_name_stays_one_part_of_the_path_on_the_wire() -> None:
    async def ask(url: str) -> None:
        await gathered(stream_request(REQUEST, "a b/c?d", KEY, base_url=url))

    with raw_server([response(HI + DONE)]) as server:
        asyncio.run(ask(server.url))
    assert server.requests[0].startswith(b"POST /bot/a%20b%2Fc%3Fd HTTP/1.1\r\n")


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    got, error, _ = asked([response(HI + DONE)])
    assert error is None
    assert got == [PartialResponse(text="hi")]


# What is made of it.


def test_every_kind_of_event_becomes_its_response() -> None:
    stream = b"".join(
        b"event: %b\ndata: %b\n\n" % (type_, json.dumps(data).encode())
        for type_, data in [
            (b"meta", {"content_type": "text/plain", "suggested_replies": True}),
            (b"ping", {}),
            (b"text", {"text": "a", "index": 2}),
            (b"replace_response", {"text": "b"}),
            (b"suggested_reply", {"text": "c"}),
            (b"file", {"url": "u", "content_type": "t", "name": "n", "inline_ref": "r"}),
            (b"data", {"metadata": "m"}),
            (b"json", {"choices": []}),
            (b"new_thing", {}),
            (b"done", {}),
        ]
    )
    got, error, _ = asked([response(stream)])
    assert error is None
    meta, text, replacement, suggestion, file, data, chunk = got
    assert isinstance(meta, MetaResponse)
    assert (meta.content_type, meta.suggested_replies) == ("text/plain", True)
    assert (text.text, text.index) == ("a", 2)
    assert replacement.is_replace_response
    assert suggestion.is_suggested_reply
    assert (file.attachment.url, file.attachment.inline_ref) == ("u", "r")
    assert data == ReceivedData(metadata="m")
    assert chunk.data == {"choices": []}


def an_error(**data: Any) -> bytes:
    return b"event: error\ndata: %b\n\n" % json.dumps(data).encode()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({}, BotError),
        ({"allow_retry": True}, BotError),
        ({"allow_retry": False}, BotErrorNoRetry),
        ({"allow_retry": None}, BotErrorNoRetry),
    ],
)
def test_an_error_event_is_raised_with_its_data(data: dict[str, Any], kind: type[BotError]) -> None:
    heard: list[str] = []
    given = {"text": "too long", "error_type": "user_message_too_long", **data}
    got, error, times = asked([response(an_error(**given))], on_error=lambda error, what: heard.append(what))
    assert got == []
    assert type(error) is kind
    assert json.loads(str(error)) == given
    tries = 2 if kind is BotError else 1
    assert times == tries
    assert heard == ([f"Bot request to Bot failed on try {n}" for n in (1, 2)] if tries == 2 else [])


def test_what_failed_before_anything_was_given_is_tried_again() -> None:
    bad: list[list[Piece]] = [[response(an_error())], [response(b"")], [b""], [response(b"no", status="503 Busy")]]
    got, error, times = asked(*bad, [response(HI + DONE)], num_tries=5)
    assert error is None
    assert got == [PartialResponse(text="hi")]
    assert times == 5


def test_it_is_tried_as_often_as_was_said_and_no_more() -> None:
    for tries in (0, 1, 3):
        got, error, times = asked([b""], num_tries=tries)
        assert (got, times) == ([], tries)
        assert (error is None) is (tries == 0)


@pytest.mark.parametrize("script", [[response(HI)], [response(HI + an_error())]], ids=["cut", "error event"])
def test_nothing_is_tried_again_once_something_was_given(script: list[Piece]) -> None:
    got, error, times = asked(script, num_tries=3)
    assert (got, times) == ([PartialResponse(text="hi")], 1)
    assert type(error) is BotError


def test_it_waits_between_tries() -> None:
    started = time.monotonic()
    asked([b""], num_tries=3, retry_sleep_time=0.1)
    assert 0.2 <= time.monotonic() - started < 1


def test_nothing_listening_is_an_error_that_names_the_address() -> None:
    async def ask() -> Exception | None:
        url = "http://127.0.0.1:1/bot/"
        return (await gathered(stream_request(REQUEST, "Bot", KEY, base_url=url, retry_sleep_time=0)))[1]

    error = asyncio.run(ask())
    assert type(error) is BotError
    assert "http://127.0.0.1:1/bot/Bot" in str(error)
    assert "Nothing answers" in str(error)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("401 Unauthorized", BotErrorNoRetry),
        ("404 Not Found", BotErrorNoRetry),
        ("422 Unprocessable", BotErrorNoRetry),
        ("307 Moved", BotError),
        ("500 Broken", BotError),
    ],
)
def test_a_status_is_said_with_what_came_with_it(status: str, kind: type[BotError]) -> None:
    got, error, times = asked([response(b"because\xff of " + b"x" * 10_000, status=status, content_type="text/plain")])
    assert got == []
    assert type(error) is kind
    assert status.split()[0] in str(error)
    assert "because� of xxx" in str(error)
    assert len(str(error)) < 1000
    assert times == (1 if kind is BotErrorNoRetry else 2)


def test_a_page_instead_of_a_stream_is_said() -> None:
    _, error, _ = asked([response(b"<h1>Hello</h1>", content_type="text/html")])
    assert type(error) is BotError
    assert "<h1>Hello</h1>" in str(error)


def test_an_event_stream_counts_whatever_its_status() -> None:
    _, error, times = asked([response(an_error(allow_retry=False, text="no"), status="403 Forbidden")])
    assert type(error) is BotErrorNoRetry
    assert json.loads(str(error))["text"] == "no"
    assert times == 1


def test_a_refusal_that_never_ends_is_not_read_to_its_end() -> None:
    started = time.monotonic()
    _, error, _ = asked(
        [response(b"", status="500 No", content_type="text/plain"), *[b"x" * 10_000, 0.01] * 100], num_tries=1
    )
    assert "500 No" in str(error)
    assert time.monotonic() - started < 0.8


# Keys.


@pytest.mark.parametrize(
    "key", ["", " ", "clé-secrète-0123456789", "secret\r\nX-Evil: 1", "secret\x00key", "secret key\u200b"]
)
def test_a_key_that_cannot_be_sent_is_not_shown(key: str) -> None:
    async def ask() -> Exception | None:
        return (await gathered(stream_request(REQUEST, "Bot", key, base_url="http://127.0.0.1:1/")))[1]

    error = asyncio.run(ask())
    assert isinstance(error, BotErrorNoRetry)
    if key.strip():
        assert "secr" not in shown(error)


def test_blanks_around_a_key_are_no_part_of_it() -> None:
    async def ask(url: str) -> None:
        await gathered(stream_request(REQUEST, "Bot", f" {KEY}\n", base_url=url))

    with raw_server([response(HI + DONE)]) as server:
        asyncio.run(ask(server.url))
    assert f"Bearer {KEY}\r\n".encode() in server.requests[0]


@pytest.mark.parametrize(
    "script",
    [
        [response(f"wrong key {KEY}!".encode(), status="401 No", content_type="text/plain")],
        [response(f"{'x' * 490} {KEY}".encode(), status="500 No", content_type="text/plain")],
        [response(an_error(text=f"your key {KEY} is bad", allow_retry=False))],
        [b""],
        [response(b"", status=f"403 {KEY}", content_type="text/plain")],
        [response(f"event: text\ndata: {'x' * 180} {KEY}\n\n".encode())],
    ],
    ids=["refusal", "cut refusal", "error event", "cut", "reason", "no JSON"],
)
def test_a_key_that_a_server_sends_back_is_in_no_exception(script: list[Piece]) -> None:
    _, error, _ = asked(script)
    for start in range(0, len(KEY) - 8, 8):
        assert KEY[start : start + 8] not in shown(error)


def test_another_authorization_may_be_given() -> None:
    async def ask(url: str) -> None:
        await gathered(stream_request(REQUEST, "Bot", "", base_url=url, extra_headers={"authorization": "Basic eA=="}))

    with raw_server([response(HI + DONE)]) as server:
        asyncio.run(ask(server.url))
    assert server.requests[0].lower().count(b"authorization:") == 1
    assert b"Basic eA==" in server.requests[0]


@pytest.mark.parametrize("url", ["http://[::1/", "not a url", "ftp://h/", "http://h:99999/"])
def test_an_address_that_is_none_is_said(url: str) -> None:
    async def ask() -> Exception | None:
        return (await gathered(stream_request(REQUEST, "Bot", KEY, base_url=url, num_tries=1)))[1]

    error = asyncio.run(ask())
    assert isinstance(error, BotError)
    assert url.rstrip("/") in str(error)


def test_a_header_that_cannot_be_sent_is_not_shown() -> None:
    _, error, _ = asked([response(DONE)], extra_headers={"X-Token": "hush\r\nhush"})
    assert isinstance(error, BotErrorNoRetry)
    assert "hush" not in repr(error) + str(error)
    assert error.__suppress_context__


# Connections.


def test_the_connection_is_used_again() -> None:
    class Bot(PoeBot):
        async def get_response_with_context(self, request: Any, context: Any) -> AsyncIterator[str]:
            yield str(context.http_request.client.port)

    async def ask(url: str) -> set[str]:
        answers = [await gathered(stream_request(REQUEST, "Bot", KEY, base_url=url)) for _ in range(5)]
        return {response.text for got, _ in answers for response in got}

    with endpoints.kernel() as k:
        k.serve(Bot())
        assert len(asyncio.run(ask(f"http://127.0.0.1:{k.port}/"))) == 1


def test_a_session_that_was_given_is_used_and_stays_open() -> None:
    async def ask(url: str) -> tuple[bytes, bool]:
        async with httpx.AsyncClient(headers={"X-Session": "mine"}) as session:
            await gathered(stream_request(REQUEST, "Bot", KEY, base_url=url, session=session))
            return server.requests[0], session.is_closed

    with raw_server([response(HI + DONE)]) as server:
        sent, is_closed = asyncio.run(ask(server.url))
    assert b"mine" in sent
    assert not is_closed
