"""Applications as fastapi_poe makes them, under real uvicorn, asked by the genuine client; and ``run`` in a process."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import fastapi_poe
import pytest
from apps import serving
from endpoints import Answer, http_request, query, until
from fastapi import FastAPI, HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from starlette.requests import Request

from poe_notebook.bot.base import PoeBot
from poe_notebook.protocol.responses import PartialResponse
from poe_notebook.server.run import AppError, make_app, run

KEY, OTHER_KEY = "k" * 32, "o" * 32
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_keys_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POE_ACCESS_KEY", "POE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


class Shout(PoeBot):
    async def get_response(self, request: Any) -> AsyncIterator[PartialResponse]:
        for word in request.query[-1].content.split():
            yield PartialResponse(text=word.upper() + " ")


def ask(port: int, path: str = "/", *, key: str | None = KEY, content: str = "hello there") -> Answer:
    return http_request(port, path, body=query(content), key=key)


# Serving.


def test_the_librarys_own_client_gets_the_answer() -> None:
    async def asked(port: int) -> list[str]:
        message = fastapi_poe.ProtocolMessage(role="user", content="hello there")
        base_url = f"http://127.0.0.1:{port}/"
        answer = fastapi_poe.get_bot_response([message], bot_name="Shout", api_key=KEY, base_url=base_url)
        return [part.text async for part in answer]

    with serving(make_app(Shout(path="/Shout"), access_key=KEY)) as port:
        assert asyncio.run(asked(port)) == ["HELLO ", "THERE "]


def test_a_bot_of_the_library_is_served_like_ours() -> None:
    class Genuine(fastapi_poe.PoeBot):
        async def get_response(self, request: Any) -> Any:
            yield fastapi_poe.PartialResponse(text=request.query[-1].content)
            yield self.suggested_reply_event("more")

    bot = Genuine()
    with serving(make_app(bot, access_key=KEY)) as port:
        answer = ask(port)
    assert [event.type for event in answer.events] == ["text", "suggested_reply", "done"]
    assert (bot.access_key, bot.bot_name) == (None, None)


def test_several_bots_answer_at_their_paths_each_by_its_own_key() -> None:
    class Whisper(PoeBot):
        async def get_response(self, request: Any) -> AsyncIterator[str]:
            yield "shh"

    bots = [Shout(path="/shout", access_key=KEY), Whisper(path="/whisper", access_key=OTHER_KEY)]
    with serving(make_app(bots)) as port:
        assert ask(port, "/shout").text == "HELLO THERE "
        assert ask(port, "/whisper", key=OTHER_KEY).text == "shh"
        assert ask(port, "/whisper").status == 401
        assert ask(port, "/").status == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": f"Bearer {KEY}"}, 200),
        ({"Authorization": f"bearer {KEY}"}, 200),
        ({"Authorization": f"Bearer {OTHER_KEY}"}, 401),
        ({"Authorization": KEY}, 401),
        ({"Authorization": "Bearer "}, 401),
    ],
)
def test_a_key_is_demanded_even_where_none_would_do(headers: dict[str, str], status: int) -> None:
    with serving(make_app(Shout(access_key=KEY), allow_without_key=True)) as port:
        assert http_request(port, "/", body=query(), key=None, headers=headers).status == status


def test_a_bot_without_a_key_answers_requests_without_a_header() -> None:
    keys: list[str] = []

    class Bot(PoeBot):
        async def get_response(self, request: Any) -> AsyncIterator[str]:
            keys.append(request.access_key)
            yield "hello"

    with serving(make_app(Bot(), allow_without_key=True)) as port:
        assert ask(port, key=None).text == "hello"
        assert ask(port, key="whatever").text == "hello"
    assert keys == ["<missing>"] * 2


def test_the_page_and_the_route_are_those_of_the_library() -> None:
    app = make_app(Shout(path="/bot"), access_key=KEY)
    assert app.url_path_for("poe_post") == "/bot"
    with serving(app) as port:
        page = http_request(port, "/bot", method="GET", key=None)
        assert page.status == 200
        assert b"https://poe.com/create_bot?server=1" in page.body
        assert http_request(port, "/bot", method="DELETE").status == 405


def test_what_was_asked_and_answered_is_in_the_trace_without_the_key() -> None:
    app = make_app(Shout(), access_key=KEY)
    with serving(app) as port:
        ask(port, content=f"my key is {KEY}")
    [exchange] = app.state.poe_trace
    assert exchange.outcome == "done"
    assert exchange.bot == "Shout"
    assert exchange.request["query"][0]["content"] == "my key is [key hidden]"
    assert KEY not in repr(exchange)


# An application of one's own.


def test_an_application_that_is_given_keeps_its_routes_and_its_handlers() -> None:
    own = FastAPI()

    @own.exception_handler(RequestValidationError)
    async def refuse(request: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse("my own words", status_code=418)

    @own.get("/items/{number}")
    async def item(number: int) -> int:
        if number == 0:
            raise HTTPException(404, "no such item")
        return number

    @own.get("/")
    async def home() -> str:
        return "home"

    assert make_app(Shout(), access_key=KEY, app=own) is own
    with serving(own) as port:
        assert http_request(port, "/items/x", method="GET").body == b"my own words"
        assert http_request(port, "/items/0", method="GET").json == {"detail": "no such item"}
        assert http_request(port, "/", method="GET").json == "home"
        assert ask(port).text == "HELLO THERE "
        assert http_request(port, "/", body=b"no json", key=KEY).status == 400


def test_the_handler_sees_the_application_that_it_is_part_of() -> None:
    class Bot(PoeBot):
        async def get_response_with_context(self, request: Any, context: Any) -> AsyncIterator[str]:
            yield context.http_request.app.state.greeting

    own = FastAPI()
    own.state.greeting = "hello from the app"
    with serving(make_app(Bot(), access_key=KEY, app=own)) as port:
        assert ask(port).text == "hello from the app"


def test_the_same_call_again_puts_the_new_bot_in_place_of_the_old_one() -> None:
    class Bot(PoeBot):
        text = "old"

        async def get_response(self, request: Any) -> AsyncIterator[str]:
            yield self.text

    own, old, new = FastAPI(), Bot(), Bot()
    new.text = "new"
    for bot in (old, old, new):
        make_app(bot, access_key=KEY, app=own)
    make_app(Bot(path="/other"), access_key=KEY, app=own)
    with serving(own) as port:
        assert ask(port).text == "new"
        assert ask(port, "/other").text == "old"
    assert vars(old) == vars(Bot())


# Running.


def script(tmp_path: Path, code: str) -> Path:
    path = tmp_path / "main.py"
    path.write_text(code)
    return path


SCRIPT = f"""
import poe_notebook.bot.base as base
from poe_notebook.server.run import run
run(base.PoeBot(), access_key={KEY!r})
"""


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def test_a_script_serves_at_the_port_of_its_command_line_until_it_is_interrupted(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, str(script(tmp_path, SCRIPT)), "-p", str(port)]
    process = subprocess.Popen(command, env={"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True)

    def answers() -> bool:
        try:
            return ask(port).text == "hello"
        except OSError:
            assert process.poll() is None
            return False

    try:
        assert until(answers, within_s=10)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=5)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert KEY not in errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", "x"], "invalid int value: 'x'"),
        (["--prot", "8000"], "--prot 8000 is not known"),
        (["-p"], "expected one"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_an_error(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["main.py", *arguments])
    call = compile("run(bot, access_key=key)", "main.py", "exec")
    with pytest.raises(AppError, match=said):
        exec(call, {"__name__": "__main__", "run": run, "bot": PoeBot(), "key": KEY})


def test_called_from_elsewhere_it_leaves_the_command_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ports: list[int] = []
    monkeypatch.setattr("uvicorn.run", lambda app, *, host, port: ports.append(port))
    monkeypatch.setattr(sys, "argv", ["jupyter", "-p", "9", "--unknown"])
    run(PoeBot(), access_key=KEY)
    run(PoeBot(), access_key=KEY, port=1234)
    assert ports == [8080, 1234]


def test_a_port_that_is_taken_is_an_error_and_no_exit() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        port = bound.getsockname()[1]
        with pytest.raises(AppError, match=f"did not start on 127.0.0.1:{port}"):
            run(PoeBot(), access_key=KEY, host="127.0.0.1", port=port)


def test_where_a_loop_runs_it_says_what_to_do_instead() -> None:
    async def called() -> None:
        run(PoeBot(), access_key=KEY)

    with pytest.raises(AppError, match=r"await uvicorn\.Server"):
        asyncio.run(called())


def test_in_a_notebook_it_names_what_serves_there(monkeypatch: pytest.MonkeyPatch) -> None:
    class IPython:
        @staticmethod
        def get_ipython() -> object:
            return object()

    monkeypatch.setitem(sys.modules, "IPython", IPython)
    with pytest.raises(AppError, match="%%poebot"):
        run(PoeBot(), access_key=KEY)


def test_a_bot_that_everybody_can_use_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("uvicorn.run", lambda app, *, host, port: None)
    run(PoeBot(), allow_without_key=True, host="127.0.0.1", port=1)
    assert "can use it" not in caplog.text
    run(PoeBot(), allow_without_key=True, port=1)
    assert "PoeBot has no access key: whoever reaches port 1 can use it." in caplog.text
