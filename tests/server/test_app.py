"""The server over real HTTP: who may ask, what is refused and how, and that no input makes it fail."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import endpoints
import pytest
from endpoints import KEY, Kernel, http_request, query, raw_request

from poe_notebook.bot.base import PoeBot, RequestContext
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import PartialResponse
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.server import app as server_app


class Echo(PoeBot):
    """Says the last message, keeps what it is told, and fails in the ways that its settings request asks for."""

    def __init__(self) -> None:
        self.asked = 0
        self.heard: list[str] = []
        self.settings: Any = SettingsResponse(introduction_message="hello")

    async def get_response(self, request: QueryRequest) -> AsyncIterator[PartialResponse]:
        self.asked += 1
        yield PartialResponse(text=request.query[-1].content if request.query else "nothing")

    async def get_settings(self, setting: Any) -> Any:
        if isinstance(self.settings, BaseException):
            raise self.settings
        return self.settings

    async def on_feedback(self, feedback_request: Any) -> None:
        self.heard.append(f"feedback {feedback_request.feedback_type}")

    async def on_reaction_with_context(self, reaction_request: Any, context: RequestContext) -> None:
        self.heard.append(f"reaction {reaction_request.reaction}")

    async def on_error(self, error_request: Any) -> None:
        self.heard.append(f"error {error_request.message} {error_request.metadata}")
        if error_request.message == "raise":
            raise ValueError(KEY)


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with endpoints.kernel() as running:
        yield running


@pytest.fixture
def echo(kernel: Kernel) -> Echo:
    bot = Echo()
    kernel.serve(bot, "Echo")
    return bot


def talk(kernel: Kernel, raw: bytes) -> bytes:
    """Send bytes as they are, and read until the server closes."""
    with socket.create_connection(("127.0.0.1", kernel.port), timeout=5) as connection:
        connection.sendall(raw)
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


# Who may ask.


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {KEY[:-1]}",
        f"Bearer {KEY}x",
        f"Bearer {KEY.lower()}",
        f"Basic {KEY}",
        KEY,
        f"Bearer Bearer {KEY}",
        f"Bearer\t{KEY}",
        "Bearer clé",
    ],
)
def test_without_the_access_key_nothing_is_answered(kernel: Kernel, echo: Echo, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode().decode("latin-1")}
    for body in (query(), {"type": "settings", "version": "1"}, b"no json"):
        refused = http_request(kernel.port, "/Echo", body=body, key=None, headers=headers)
        assert refused.status == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert "Authorization: Bearer" in refused.json["detail"]
        assert KEY not in refused.body.decode()
    assert echo.asked == 0


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER  {KEY}", f" Bearer {KEY} "])
def test_with_the_access_key_the_bot_answers(kernel: Kernel, echo: Echo, header: str) -> None:
    answer = http_request(kernel.port, "/Echo", body=query("hi"), key=None, headers={"Authorization": header})
    assert answer.status == 200
    assert answer.text == "hi"


def test_a_body_without_key_is_refused_before_it_has_come(kernel: Kernel, echo: Echo) -> None:
    with socket.create_connection(("127.0.0.1", kernel.port), timeout=5) as connection:
        connection.sendall(b"POST /Echo HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n{")
        assert connection.recv(1000).startswith(b"HTTP/1.1 401")


def test_the_key_of_another_bot_does_not_do(kernel: Kernel, echo: Echo) -> None:
    other = PoeBot(access_key="x" * 32)
    from poe_notebook.bot.handlers import servable
    from poe_notebook.keys import Secret

    thread = kernel.slots.thread_for("Other")
    kernel.slots.publish(servable(other, name="Other"), thread=thread, access_key=Secret("x" * 32))
    assert kernel.post(query(), "Other").status == 401
    assert kernel.post(query(), "Other", key="x" * 32).status == 200
    assert kernel.post(query(), "Echo", key="x" * 32).status == 401


# Where.


@pytest.mark.parametrize(
    "path", ["/", "/echo", "/Echo/x", "/Ech", "/Echo%2F..", "//Echo//x", "/%ff", "/%0A", "/" + "x" * 5000]
)
def test_other_paths_are_not_found(kernel: Kernel, echo: Echo, path: str) -> None:
    for method in ("POST", "GET"):
        answer = http_request(kernel.port, path, method=method, body=query())
        assert answer.status == 404
        assert "detail" in answer.json


@pytest.mark.parametrize("path", ["/Echo", "/Echo/", "/Ec%68o", "/Echo?x=1", "/Echo?"])
def test_the_path_of_a_bot_is_found(kernel: Kernel, echo: Echo, path: str) -> None:
    assert http_request(kernel.port, path, body=query("hi")).text == "hi"


def test_a_browser_gets_a_page_that_says_what_this_is(kernel: Kernel, echo: Echo) -> None:
    page = http_request(kernel.port, "/Echo", method="GET", key=None)
    assert page.status == 200
    assert "A Poe server bot answers here" in page.body.decode()
    assert http_request(kernel.port, "/Echo", method="HEAD", key=None).status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
def test_other_methods_are_not_allowed(kernel: Kernel, echo: Echo, method: str) -> None:
    answer = http_request(kernel.port, "/Echo", method=method, body=query())
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert echo.asked == 0


# What is asked.


def test_a_query_is_answered_as_an_event_stream(kernel: Kernel, echo: Echo) -> None:
    answer = kernel.ask("hi", "Echo")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert [event.type for event in answer.events] == ["text", "done"]


def test_settings_are_given_with_every_field(kernel: Kernel, echo: Echo) -> None:
    answer = kernel.post({"version": "1.2", "type": "settings"}, "Echo")
    assert answer.status == 200
    assert answer.json["introduction_message"] == "hello"
    assert set(answer.json) == set(SettingsResponse.model_fields)


IDS = {"version": "1.2", "message_id": "m-1", "user_id": "u-1", "conversation_id": "c-1"}


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        ({**IDS, "type": "report_feedback", "feedback_type": "like"}, "feedback like"),
        ({**IDS, "type": "report_reaction", "reaction": "heart"}, "reaction heart"),
        ({"version": "1", "type": "report_error", "message": "late", "metadata": {"a": 1}}, "error late {'a': 1}"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_a_report_reaches_the_bot(kernel: Kernel, echo: Echo, body: dict[str, Any], heard: str) -> None:
    answer = kernel.post(body, "Echo")
    assert (answer.status, answer.json) == (200, {})
    assert echo.heard == [heard]
    exchange = kernel.trace[-1]
    assert (exchange.kind, exchange.outcome, exchange.generation) == (
        body["type"],
        "done",
        kernel.slots.named("Echo").current.number,
    )


def test_a_report_that_the_bot_fails_on_is_a_500_with_a_sentence(kernel: Kernel, echo: Echo) -> None:
    answer = kernel.post({"version": "1", "type": "report_error", "message": "raise", "metadata": {}}, "Echo")
    assert answer.status == 500
    assert answer.json["detail"] == "on_error of this bot failed: ValueError."
    exchange = kernel.trace[-1]
    assert exchange.outcome == "failed"
    assert exchange.raised is not None
    assert KEY not in repr(exchange)


@pytest.mark.parametrize(
    "given", [ValueError("secret path"), SystemExit(1), KeyboardInterrupt(), None, {}, "x"], ids=repr
)
def test_settings_that_fail_are_a_500_with_a_sentence_and_the_server_goes_on(
    kernel: Kernel, echo: Echo, given: Any
) -> None:
    echo.settings = given
    answer = kernel.post({"version": "1.2", "type": "settings"}, "Echo")
    assert answer.status == 500
    assert answer.json["detail"].startswith("get_settings of this bot failed: ")
    assert "secret path" not in answer.body.decode()
    assert kernel.trace[-1].raised is not None
    assert kernel.ask("hi", "Echo").text == "hi"


MALFORMED: list[tuple[Any, int]] = [
    (b"", 400),
    (b"{", 400),
    (b"not json", 400),
    (b'{"type": "query"} x', 400),
    (b"\xff\xfe", 400),
    (b'{"type": "\xff"}', 400),
    (b'{"type": "settings", "version": "1", "x": NaN}', 400),
    (b'{"type": "settings", "version": "1", "x": -Infinity}', 400),
    (b"1" * 5000, 400),
    (b"[" * 100_000, 400),
    (b'{"a":' * 500 + b"1" + b"}" * 500, 400),
    (b'{"type": "settings", "version": "1", "x": ' + b"[" * 101 + b"]" * 101 + b"}", 400),
    ([], 400),
    ("settings", 400),
    (None, 400),
    (1, 400),
    ({}, 422),
    ({"type": 1}, 422),
    ({"type": None}, 422),
    ({"type": ["query"]}, 422),
    ({"type": "settings"}, 422),
    ({"type": "query", "version": "1"}, 422),
    (query(query=None), 422),
    (query(query="hi"), 422),
    (query(query=[1]), 422),
    (query(query=[{"role": "user"}]), 422),
    (query(user_id=None), 422),
    (query(temperature="hot"), 422),
    ({**IDS, "type": "report_reaction"}, 422),
    ({"type": "unheard_of", "version": "1"}, 501),
    ({"type": "x" * 100_000, "version": "1"}, 501),
    ({"type": "\ud800", "version": "1"}, 501),
]


@pytest.mark.parametrize(("body", "status"), MALFORMED, ids=lambda value: repr(value)[:40])
def test_a_malformed_request_is_refused_with_a_sentence(kernel: Kernel, echo: Echo, body: Any, status: int) -> None:
    answer = kernel.post(body, "Echo")
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert 10 < len(answer.json["detail"]) < 2000
    assert echo.asked == 0
    exchange = kernel.trace[-1]
    assert exchange.outcome == "refused"
    assert exchange.server is not None
    assert exchange.server.status == status
    assert exchange.note == answer.json["detail"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (json.dumps(query("hi")).encode("utf-8-sig"), "hi"),
        (json.dumps(query("hi")).encode("utf-16"), "hi"),
        (b" \r\n" + json.dumps(query("hi")).encode() + b"\n", "hi"),
        (json.dumps(query("\ud800\u2028\x00")).encode(), "\ud800\u2028\x00"),
        (json.dumps(query("é𝄞"), ensure_ascii=False).encode(), "é𝄞"),
        (json.dumps(query("a")).replace('"type": "query"', '"type": "settings", "type": "query"').encode(), "a"),
        (query("hi", temperature=10**400), None),
        (json.dumps(query("hi", query_creation_time=10**30)).encode(), "hi"),
        (json.dumps(query("hi")).encode().replace(b'"timestamp": 1', b'"timestamp": 1' + b"0" * 4000), None),
        (query(query=[]), "nothing"),
        (query("x" * 3_000_000), "x" * 3_000_000),
        (query("hi", unknown=endpoints.query()), "hi"),
        (json.dumps(query("hi", extra_params={"x": json.loads("[" * 90 + "]" * 90)})).encode(), "hi"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_odd_request_is_answered_or_refused(kernel: Kernel, echo: Echo, body: Any, said: str | None) -> None:
    answer = kernel.post(body, "Echo")
    if said is None:
        assert answer.status in (200, 422)
    else:
        assert (answer.status, answer.text) == (200, said)


def test_keys_in_the_body_are_not_taken(kernel: Kernel) -> None:
    async def get_response(request: QueryRequest) -> AsyncIterator[str]:
        yield f"{request.access_key == KEY} {request.api_key == KEY}"

    kernel.serve(get_response, "Keys")
    assert kernel.ask("x", "Keys", access_key="evil", api_key=None).text == "True True"


def test_a_handler_may_read_the_http_request_again(kernel: Kernel) -> None:
    class Bot(PoeBot):
        async def get_response_with_context(self, request: Any, context: RequestContext) -> AsyncIterator[str]:
            http = context.http_request
            body = await http.json()
            yield f"{http.headers['x-mine']} {body['query'][0]['content']} {await http.is_disconnected()} "
            yield str(len(await http.body()) == int(http.headers["content-length"]))

    kernel.serve(Bot(), "Context")
    assert kernel.post(query("hi"), "Context", headers={"X-Mine": "1"}).text == "1 hi False True"


def test_a_repeated_message_id_makes_two_exchanges(kernel: Kernel, echo: Echo) -> None:
    count = len(kernel.trace)
    first, second = kernel.ask("one", "Echo"), kernel.ask("two", "Echo")
    assert (first.text, second.text) == ("one", "two")
    one, two = kernel.trace[count], kernel.trace[count + 1]
    assert one.message_id == two.message_id
    assert one.number != two.number
    assert [b"one" in one.events[0].raw, b"two" in two.events[0].raw] == [True, True]


def test_no_key_is_in_the_trace(kernel: Kernel, echo: Echo) -> None:
    kernel.post(query(f"my key is {KEY}", metadata={KEY: [KEY]}, user_id=KEY), "Echo")
    kernel.post(query(f"my key is {KEY}", extra_params={KEY: [KEY]}), "Echo", headers={"X-Key": KEY, "Cookie": KEY})
    for exchange in list(kernel.trace)[-2:]:
        assert KEY not in repr(exchange)
    assert kernel.trace[-1].request_headers["authorization"] == "[hidden]"


# How.


def test_a_body_that_is_too_large_is_refused(kernel: Kernel, echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_app, "MAX_BODY_BYTES", 200_000)
    assert kernel.post(query("x" * 100_000), "Echo").status == 200
    refused = kernel.post(query("x" * 300_000), "Echo")
    assert refused.status == 413
    assert "larger than" in refused.json["detail"]
    pieces = b"".join(b"10000\r\n" + b" " * 0x10000 + b"\r\n" for _ in range(4)) + b"0\r\n\r\n"
    head = raw_request("/Echo", b"", head=["Transfer-Encoding: chunked", "Connection: close"])
    assert talk(kernel, head.replace(b"Content-Length: 0\r\n", b"") + pieces).startswith(b"HTTP/1.1 413")


def test_a_body_that_does_not_come_is_not_waited_for(
    kernel: Kernel, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_app, "_BODY_S", 0.1)
    request = raw_request("/Echo", b"{" + b" " * 100, head=["Connection: close"])
    started = time.monotonic()
    assert talk(kernel, request[:-50]).startswith(b"HTTP/1.1 408")
    assert time.monotonic() - started < 2


def test_a_client_that_leaves_in_the_middle_of_its_request_harms_nobody(kernel: Kernel, echo: Echo) -> None:
    faults = len(kernel.listener.faults)
    for cut in (1, 30, 90, 150, 200, 400):
        with socket.create_connection(("127.0.0.1", kernel.port), timeout=5) as connection:
            connection.sendall(raw_request("/Echo", json.dumps(query("hi")).encode())[:cut])
    assert kernel.ask("hi", "Echo").text == "hi"
    assert not [fault for fault in list(kernel.listener.faults)[faults:] if "Traceback" in fault]


def test_requests_on_one_connection_are_answered_in_turn(kernel: Kernel, echo: Echo) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", kernel.port, timeout=5)
    for word in ("one", "two", "three"):
        connection.request("POST", "/Echo", json.dumps(query(word)), {"Authorization": f"Bearer {KEY}"})
        assert word in connection.getresponse().read().decode()
    connection.close()


def test_pipelined_requests_are_answered_in_turn(kernel: Kernel, echo: Echo) -> None:
    requests = [raw_request("/Echo", json.dumps(query(word)).encode()) for word in ("one", "two")]
    last = raw_request("/Echo", json.dumps(query("three")).encode(), head=["Connection: close"])
    answers = talk(kernel, b"".join(requests) + last)
    assert answers.count(b"HTTP/1.1 200") == 3
    assert answers.index(b'"one"') < answers.index(b'"two"') < answers.index(b'"three"')


BODY = json.dumps(query("hi")).encode()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (raw_request("/Echo", BODY, head=["Connection: close", "Expect: 100-continue"]), b"200"),
        (raw_request("/Echo", BODY, head=["Connection: close", *[f"X-{n}: {n}" for n in range(200)]]), b"200"),
        (raw_request("/Echo", BODY, head=["Connection: close", "X-Odd: \xff\xe9"]), b"200"),
        (raw_request("/Echo", BODY, head=["Connection: close", "Upgrade: websocket"]), b"200"),
        (raw_request("/Echo", BODY, head=["Connection: close", "Content-Type: text/plain"]), b"200"),
        (raw_request("/Echo", BODY, head=["Connection: close"]).replace(b"127.0.0.1", b"[::1"), b"200"),
        (raw_request("/Echo", BODY, head=["Connection: close"]).replace(b"127.0.0.1", b"a/b?c#d"), b"200"),
        (raw_request("/Echo", BODY, head=["Connection: close"]).replace(b"Host: 127.0.0.1\r\n", b""), b"400"),
        (raw_request("/Echo", BODY, head=["Connection: close"]).replace(b"HTTP/1.1", b"HTTP/1.0"), b"200"),
        (raw_request("/Echo", BODY, head=["Connection: close", "Content-Length: 5"]), b"400"),
        (raw_request("/Echo", BODY, head=["bad header"]), b"400"),
        (b"POST /Echo\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100, b"400"),
    ],
    ids=lambda value: repr(value[-60:]) if isinstance(value, bytes) else "",
)
def test_odd_heads_are_answered_or_refused(kernel: Kernel, echo: Echo, request_: bytes, status: bytes) -> None:
    answer = talk(kernel, request_)
    assert b"HTTP/1.1 " + status in answer[:60] + answer[answer.find(b"\r\n\r\n") :][:20]
    assert kernel.ask("hi", "Echo").text == "hi"
