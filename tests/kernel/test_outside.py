"""The world outside, from a real kernel: a bot on Poe (played by a server here), and the tunnel (a stand-in agent)."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import kernels
import pytest

API_KEY = "pk-" + "Ab3" * 12
ACCESS_KEY = "Zz9" * 10 + "Qq"
TOKEN = "2tok" * 12
STANDIN = Path(__file__).parent.parent / "standin_ngrok.py"
DEFINE = "%%poebot Shout OPTIONS\nasync def get_response(request):\n    yield request.query[-1].content.upper()\n"


class Poe(BaseHTTPRequestHandler):
    """Plays api.poe.com: keeps what it was asked, answers with the events that the test has set."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, dict[str, str], dict[str, Any]]]
    answer: bytes
    status: int

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, dict(self.headers), body))
        self.send_response(self.status)
        self.send_header("Content-Type", "text/event-stream" if self.status == 200 else "text/plain")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def poe(answer: bytes, *, status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    asked: list[Any] = []
    handler = type("Handler", (Poe,), {"asked": asked, "answer": answer, "status": status})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def outside() -> Iterator[kernels.Kernel]:
    environment = {
        "POE_API_KEY": API_KEY,
        "NGROK_AUTHTOKEN": TOKEN,
        "PYNGROK_NGROK_PATH": str(STANDIN),
        "MY_KEY": ACCESS_KEY,
        "WEAK": "short-key",
    }
    with kernels.kernel(environment=environment) as running:
        running.run("import poe_notebook as fp, os")
        yield running


EVENTS = (
    b'event: text\r\ndata: {"text": "Bonjour, "}\r\n\r\n: ping\r\n\r\nevent: text\r\ndata: {"text": "monde"}\r\n\r\n'
    b'event: suggested_reply\r\ndata: {"text": "Encore"}\r\n\r\nevent: done\r\ndata: {}\r\n\r\n'
)


def test_a_bot_on_poe_is_asked_with_the_api_key(outside: kernels.Kernel) -> None:
    with poe(EVENTS) as (url, asked):
        outside.run(f"os.environ['POE_BASE_URL'] = {url!r}")
        ran = outside.run("reply = %poe chat GPT-4o-mini say hello in French")
        assert "Bonjour, monde" in ran.text
        assert "Poe" in ran.text
        assert outside.value("(reply.text, reply.route, reply.suggested_replies)") == (
            "Bonjour, monde",
            "poe",
            ["Encore"],
        )
        outside.run("%poe chat GPT-4o-mini again")
    path, headers, body = asked[0]
    assert path == "/bot/GPT-4o-mini"
    assert headers["Authorization"] == f"Bearer {API_KEY}"
    assert body["query"][-1]["content"] == "say hello in French"
    assert [m["content"] for m in asked[1][2]["query"]] == ["say hello in French", "Bonjour, monde", "again"]
    assert API_KEY not in json.dumps(body)
    assert "text" in outside.run("%poe inspect").text


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (b"wrong key", 401, "The key was not accepted"),
        (b"", 200, "broke off"),
        (b'event: error\ndata: {"text": "No points left", "allow_retry": false}\n\n', 200, "No points left"),
        (b"event: done\ndata: {}\n\n", 200, "without giving anything"),
        (b"event: text\ndata: nonsense\n\n", 200, "is no JSON"),
    ],
)
def test_a_bot_on_poe_that_fails_is_told_in_a_sentence(
    outside: kernels.Kernel, answer: bytes, status: int, said: str
) -> None:
    with poe(answer, status=status) as (url, _):
        outside.run(f"os.environ['POE_BASE_URL'] = {url!r}")
        ran = outside.run("%poe chat SomeBot hello --new")
        assert said in ran.text
        assert API_KEY not in ran.text
        assert "poe_notebook/" not in ran.text


def test_nobody_there_is_told_in_a_sentence(outside: kernels.Kernel) -> None:
    outside.run("os.environ['POE_BASE_URL'] = 'http://127.0.0.1:9'")
    ran = outside.run("%poe chat SomeBot hello --new")
    assert "Nothing answers at that address" in ran.error
    assert "poe_notebook/" not in ran.error


def test_a_tunnel_lets_in_who_has_the_access_key_and_nobody_else(outside: kernels.Kernel) -> None:
    ran = outside.run(DEFINE.replace("OPTIONS", "--tunnel --access-key-env MY_KEY"))
    assert ran.status == "ok", ran.text
    url = re.findall(r"http://127\.0\.0\.1:\d+(?!\d*/Shout)", outside.run("%poe tunnel").text)[0]
    body = {"version": "1.0", "type": "query", "query": [{"role": "user", "content": "hi"}]}
    body |= {"user_id": "u", "conversation_id": "c", "message_id": "m"}
    assert httpx.post(f"{url}/Shout", json=body).status_code == 401
    answer = httpx.post(f"{url}/Shout", json=body, headers={"Authorization": f"Bearer {ACCESS_KEY}"})
    assert '"HI"' in answer.text
    assert f"{url}/Shout" in outside.run("%poe bots").text
    # The simulator, which knows files and takes the user's key, is not behind it.
    session = "__import__('poe_notebook.session').session.current_session()"
    key = outside.value(f"{session}.simulator.api_key.reveal()")
    for path in ("/v1/models", "/bot/Shout", "/files/f-1/a"):
        answer = httpx.get(url + path, headers={"Authorization": f"Bearer {key}"})
        assert (answer.status_code, "No bot is served" in answer.text) == (404, True)
    assert "closed" in outside.run("%poe tunnel stop").text
    with pytest.raises(httpx.HTTPError):
        httpx.post(f"{url}/Shout", json=body)


def test_a_bot_with_a_key_that_can_be_guessed_is_not_put_on_the_internet(outside: kernels.Kernel) -> None:
    ran = outside.run(DEFINE.replace("OPTIONS", "--tunnel --access-key-env WEAK"))
    assert "its access key has 9 characters" in ran.error
    assert "short-key" not in ran.text
    assert "Tunnel · closed" in outside.run("%poe tunnel").text
    outside.run("%poe stop Shout")


def test_a_tunnel_to_nothing_says_what_to_do_first(outside: kernels.Kernel) -> None:
    with kernels.kernel() as empty:
        assert "No bot is served yet" in empty.run("%poe tunnel start").error


def test_no_key_or_token_was_ever_sent_to_the_front_end(outside: kernels.Kernel) -> None:
    sent = repr([ran.messages for ran in outside._running.values()])
    for secret in (API_KEY, ACCESS_KEY, TOKEN):
        assert secret not in sent
