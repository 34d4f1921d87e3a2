"""Clients of the simulated api.poe.com that send nonsense, too much or too slowly, leave in the middle, or are many."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import endpoints
import pytest
from endpoints import http_request, query, raw_request, until
from offline import Endless, Offline, Recorder, offline

import poe_notebook as fp
from poe_notebook.simulator import uploads

UPLOAD = "/poe_api/file_upload_3RD_PARTY_POST"
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def poe() -> Iterator[Offline]:
    with offline() as running:
        running.serve(Recorder(), "Heard")
        yield running


def upload(poe: Offline, body: bytes, content_type: str) -> endpoints.Answer:
    headers = {"Authorization": poe.api_key, "Content-Type": content_type}
    return http_request(poe.port, UPLOAD, body=body, headers=headers, key=None)


def form(content: bytes, name: str = "a.bin") -> tuple[bytes, str]:
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"


# Refusals.


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS", "ODD"])
@pytest.mark.parametrize(
    "path", ["/", "/bot/Heard", "/bot/cost/b/authorize", UPLOAD, CHAT, "/v1/other", "/bot/a/b/c/d/e"]
)
def test_every_refusal_is_json_with_a_sentence(poe: Offline, path: str, method: str) -> None:
    answer = http_request(poe.port, path, method=method)
    assert answer.status in (404, 405)
    assert answer.headers["content-type"] == "application/json"
    if method != "HEAD":
        said = answer.json["error"]["message"] if path.startswith("/v1") else answer.json["detail"]
        assert len(said) > 10


@pytest.mark.parametrize(
    "path", ["/bot/fetch_setting/Heard/{key}", "/bot/fetch_settings/{key}/Heard", "/bot/{key}", "/{key}/x"]
)
def test_a_key_in_the_wrong_place_is_not_quoted(poe: Offline, path: str) -> None:
    """Such an answer is printed by curl into a cell, and saved with it."""
    key = poe.access_key("Heard")
    answer = poe.post(path.format(key=key), query())
    assert key not in answer.body.decode()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER ", ""])
def test_the_schemes_case_does_not_matter_and_uploads_need_none(poe: Offline, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {poe.api_key}".strip()}
    asked = http_request(poe.port, "/bot/Heard", body=query(), headers=headers, key=None)
    assert asked.events[0].type == ("text" if scheme else "error")
    body, content_type = form(b"x")
    headers["Content-Type"] = content_type
    assert http_request(poe.port, UPLOAD, body=body, headers=headers, key=None).status == 200


@pytest.mark.parametrize("given", ["Bearer \xe9", "Basic x", "Bearer", "Token abc", "\xff"])
def test_odd_keys_are_denied(poe: Offline, given: str) -> None:
    for path, body in (("/bot/Heard", query()), (UPLOAD, b""), (CHAT, {"model": "Heard", "messages": []})):
        answer = http_request(poe.port, path, body=body, headers={"Authorization": given}, key=None)
        assert answer.status == 401 or answer.events[0].data["text"] == "Access denied"


def test_a_wrong_key_is_denied_before_the_body_has_come(poe: Offline) -> None:
    for path in ("/bot/Heard", UPLOAD, CHAT):
        with socket.create_connection(("127.0.0.1", poe.port), timeout=5) as connection:
            connection.sendall(
                raw_request(path, b"", head=["Content-Length: 60000000"]).replace(b"Content-Length: 0\r\n", b"")
            )
            began = time.monotonic()
            assert connection.recv(100).startswith((b"HTTP/1.1 401", b"HTTP/1.1 200"))
            assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "path",
    ["/bot/Heard", CHAT, "/bot/cost/b/capture", "/bot/update_settings/Heard/{key}/1.2"],
    ids=lambda path: path[:20],
)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 5_000, b"null", b'"x"', b'{"a": NaN}', b"9" * 5_000])
def test_a_body_that_is_no_request_is_refused_and_no_fault(poe: Offline, path: str, body: bytes) -> None:
    answer = poe.post(path.format(key=poe.access_key("Heard")), body)
    assert 400 <= answer.status < 500


def test_text_that_utf8_lacks_is_answered_as_any_other(poe: Offline) -> None:
    odd = "\ud800"
    poe.serve(Recorder(lambda r: [r.query[-1].content]), "Echoes")
    ask = {"model": "Echoes", "messages": [{"role": "user", "content": odd}]}
    assert poe.post(CHAT, ask).json["choices"][0]["message"]["content"] == odd
    assert poe.post(CHAT, {**ask, "stream": True}).status == 200
    assert poe.post(CHAT, {**ask, "model": odd}).status == 404
    key = poe.access_key("Echoes")
    pushed = poe.post(f"/bot/update_settings/Echoes/{key}/1.2", {"introduction_message": odd})
    assert (pushed.status, b"\\ud800" in pushed.body) == (200, True)


# Files.


@pytest.mark.parametrize(
    "url",
    [
        "http://[",
        "http://[::1",
        "http://127.0.0.1:99999/x",
        "http://",
        "https://%zz",
        "ftp://a/b",
        "x",
        "http://" + "a" * 70_000,
    ],
)
def test_an_address_that_is_none_is_refused(poe: Offline, url: str) -> None:
    body = f"download_url={url.replace('%', '%25')}".encode()
    answer = upload(poe, body, "application/x-www-form-urlencoded")
    assert (answer.status, len(answer.json["detail"]) > 10) == (400, True)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"x", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary="),
        (b"x", "multipart/form-data; boundary=\xff"),
        (b"--b\r\n\xff\xfe: x\r\n\r\nabc\r\n--b--\r\n", "multipart/form-data; boundary=b"),
        (form(b"never ends")[0][:-10], "multipart/form-data; boundary=b"),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nno file\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        (b"&".join(b"a=1" for _ in range(100)), "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
    ],
)
def test_a_form_that_is_none_is_refused_and_writes_nothing_into_a_cell(
    poe: Offline, body: bytes, content_type: str, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = upload(poe, body, content_type)
    assert (answer.status, len(answer.json["detail"]) > 10) == (400, True)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\\b\\c.txt", "con\u202etxt.exe", "", "x" * 500, "a;b=c", "%2e%2e", "."]
)
def test_a_files_name_is_only_a_name(poe: Offline, name: str) -> None:
    answer = upload(poe, *form(b"kept", name))
    url = answer.json["attachment_url"]
    assert url.startswith(f"{poe.address}/files/")
    assert url.count("/") == 5
    assert http_request(poe.port, url.removeprefix(poe.address), method="GET", key=None).body == b"kept"


@pytest.mark.parametrize(("size", "status"), [(0, 200), (50_000_000, 200), (50_000_001, 413), (60_000_000, 413)])
def test_a_file_has_fifty_megabytes_at_the_most(poe: Offline, size: int, status: int) -> None:
    body, content_type = form(b"\0" * size)
    try:
        assert upload(poe, body, content_type).status == status
    except (BrokenPipeError, ConnectionResetError):
        assert size > 50_100_000  # the simulator does not read on


def test_a_form_that_does_not_come_is_given_up(poe: Offline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_BODY_S", 0.2)
    head = [f"Authorization: {poe.api_key}", "Content-Type: multipart/form-data; boundary=b"]
    request = raw_request(UPLOAD, b"", head=[*head, "Content-Length: 1000"]).replace(b"Content-Length: 0\r\n", b"")
    request = request.replace(f"Authorization: Bearer {endpoints.KEY}\r\n".encode(), b"")
    with socket.create_connection(("127.0.0.1", poe.port), timeout=5) as connection:
        connection.sendall(request + b"--b\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 408")


# Clients that leave.


@pytest.mark.parametrize("wait_s", [0, 30], ids=["speaking", "silent"])
@pytest.mark.parametrize("kind", ["query", "stream", "whole"])
def test_a_client_that_leaves_stops_the_handler_at_once(poe: Offline, kind: str, wait_s: int) -> None:
    bot = poe.serve(Endless(), "Endless")
    ask = {"model": "Endless", "messages": [{"role": "user", "content": str(wait_s)}], "stream": kind == "stream"}
    path, body = ("/bot/Endless", query(str(wait_s))) if kind == "query" else (CHAT, ask)
    connection = socket.create_connection(("127.0.0.1", poe.port))
    connection.sendall(raw_request(path, json.dumps(body).encode(), key=poe.api_key))
    assert until(lambda: bot.requests)
    time.sleep(0.05)
    connection.close()
    left_at = time.monotonic()
    assert until(lambda: bot.ended_at)
    assert bot.ended_at[0] - left_at < 0.5
    exchange = poe.session.trace.last("Endless")
    assert exchange is not None
    assert until(lambda: exchange.outcome == "stopped")


def test_clients_that_leave_an_answer_that_is_all_there_write_nothing_into_a_cell(
    poe: Offline, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    poe.serve(Recorder(lambda r: ["x" * 100] * 2_000), "Plenty")
    for _ in range(10):
        connection = socket.create_connection(("127.0.0.1", poe.port))
        connection.sendall(raw_request("/bot/Plenty", json.dumps(query()).encode(), key=poe.api_key))
        connection.recv(10)
        connection.close()
    poe.ask("Plenty")
    assert capfd.readouterr().err == ""
    assert not [record for record in caplog.records if record.name == "asyncio"]


def test_an_answer_waits_for_a_client_that_does_not_read(poe: Offline) -> None:
    given: list[int] = []

    class Large(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            for n in range(90):
                given.append(n)
                yield fp.PartialResponse(text="", data={"large": "x" * 1_000_000})

    poe.serve(Large(), "Large")
    with socket.create_connection(("127.0.0.1", poe.port)) as connection:
        connection.sendall(raw_request("/bot/Large", json.dumps(query()).encode(), key=poe.api_key))
        connection.recv(10)
        time.sleep(0.5)
        assert len(given) < 45


def test_exchanges_leave_no_task_behind(poe: Offline) -> None:
    async def count() -> int:
        return len(asyncio.all_tasks())

    tasks = lambda: poe.session.thread.run(count())
    poe.serve(Endless(), "Endless")
    poe.ask("Heard", new=True)
    before = tasks()
    for _ in range(60):
        poe.ask("Heard", new=True)
        connection = socket.create_connection(("127.0.0.1", poe.port))
        connection.sendall(raw_request("/bot/Endless", json.dumps(query("0")).encode(), key=poe.api_key))
        connection.recv(10)
        connection.close()
    assert until(lambda: tasks() <= before)
    assert until(lambda: not [exchange for exchange in poe.session.trace if exchange.outcome == "open"])


# Many at once.


def test_requests_on_one_connection_are_answered_in_their_order(poe: Offline) -> None:
    poe.serve(Recorder(lambda r: [r.query[-1].content]), "Echoes")
    bodies = [json.dumps(query(word)).encode() for word in ("one", "two", "three")]
    with socket.create_connection(("127.0.0.1", poe.port), timeout=5) as connection:
        connection.sendall(b"".join(raw_request("/bot/Echoes", body, key=poe.api_key) for body in bodies))
        raw = b""
        while raw.count(b"event: done") < 3:
            raw += connection.recv(65_536)
    assert raw.index(b'"one"') < raw.index(b'"two"') < raw.index(b'"three"')


def test_a_hundred_new_chats_at_once_never_mix(poe: Offline) -> None:
    class Told(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            await asyncio.sleep(0.01)
            yield "/".join(m.content for m in request.query if m.role == "user")

    poe.serve(Told(), "Told")
    said: dict[int, str] = {}

    def ask(n: int) -> None:
        said[n] = poe.ask("Told", f"message {n}", new=True).text

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert said == {n: f"message {n}" for n in range(100)}


def test_the_simulator_is_reached_from_this_machine_alone(poe: Offline) -> None:
    own = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in own - {"127.0.0.1"}:
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex((address, poe.port)) != 0
    assert poe.session._simulator_listener._socket is not None
    assert poe.session._simulator_listener._socket.getsockname()[0] == "127.0.0.1"
