"""A request copied as curl, Python or JSON asks the same thing again, and holds no key."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import AsyncIterator, Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import endpoints
import pytest
from endpoints import KEY, Kernel, http_request

from poe_notebook.tracing.exchange import Exchange

CONTENT = 'it\'s "quoted" $HOME `date` \\ \u2028 ☕ \x1b[31m !history\nnext line'


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with endpoints.kernel() as running:

        async def get_response(request: Any) -> AsyncIterator[str]:
            yield f"{request.query[-1].content}|{request.temperature}"

        running.serve(get_response)
        running.ask(CONTENT, temperature=0.5)
        yield running


def test_the_curl_command_asks_the_same_again(kernel: Kernel) -> None:
    words = shlex.split(kernel.trace[0].as_curl())
    assert words[:2] == ["curl", "--no-buffer"]
    url, headers = words[2], [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    assert url == kernel.url()
    assert headers == ["Authorization: Bearer $POE_ACCESS_KEY", "Content-Type: application/json"]
    body = words[words.index("--data-binary") + 1]
    assert json.loads(body) == kernel.trace[0].request
    assert http_request(kernel.port, "/Bot", body=body.encode()).text == f"{CONTENT}|0.5"


def test_the_key_is_left_to_the_shell(kernel: Kernel) -> None:
    command = kernel.trace[0].as_curl()
    assert '"Authorization: Bearer $POE_ACCESS_KEY"' in command
    assert command.isascii()
    for text in (command, kernel.trace[0].as_python(), kernel.trace[0].as_json()):
        assert KEY not in text


def test_the_python_code_asks_the_same_again(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POE_ACCESS_KEY", KEY)
    code = kernel.trace[0].as_python()
    body = "async def ask():\n" + "\n".join(f"    {line}" for line in code.split("\n"))
    names: dict[str, Any] = {}
    exec(body, names)
    printed = StringIO()
    with redirect_stdout(printed):
        asyncio.run(names["ask"]())
    assert printed.getvalue() == f"{CONTENT}|0.5"


def test_the_json_is_the_body(kernel: Kernel) -> None:
    assert json.loads(kernel.trace[0].as_json()) == kernel.trace[0].request


@pytest.mark.parametrize(
    ("fields", "url", "variable"),
    [
        ({"route": "poe", "url": "https://api.poe.com/bot/GPT-4o"}, "https://api.poe.com/bot/GPT-4o", "POE_API_KEY"),
        ({"route": "simulator", "url": "http://127.0.0.1:1/bot/A%20B"}, "http://127.0.0.1:1/bot/A%20B", "POE_API_KEY"),
        ({"route": "kernel", "request_headers": {"Host": "x.test"}}, "http://x.test/Bot", "POE_ACCESS_KEY"),
        ({}, "http://127.0.0.1:8765/Bot", "POE_ACCESS_KEY"),
        ({"url": "http://x/$(rm -rf ~); echo '"}, "http://x/$(rm -rf ~); echo '", "POE_ACCESS_KEY"),
    ],
)
def test_where_it_goes_and_which_key_it_takes(fields: dict[str, Any], url: str, variable: str) -> None:
    exchange = Exchange(1, "Bot", "query", datetime.now(UTC), **fields)
    assert shlex.split(exchange.as_curl())[2] == url
    assert f"${variable}" in exchange.as_curl()
    compile(exchange.as_python(), "code", "exec", flags=0x2000)  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    assert variable in exchange.as_python()
