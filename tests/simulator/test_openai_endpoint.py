"""The openai package asks the simulated Poe's bots: whole and streaming, functions, pictures, errors, and Stop."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import apps
import endpoints
import openai
import pytest
from offline import Endless, Offline, Recorder, offline
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

import poe_notebook as fp

WRONG = "wrongwrongwrongwrongwrongwrong00"


@pytest.fixture(scope="module")
def poe() -> Iterator[Offline]:
    with offline() as running:
        yield running


def openai_client(poe: Offline, key: str = "") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{poe.address}/v1", api_key=key or poe.api_key, max_retries=0)


def test_the_openai_package_asks_a_bot_of_this_kernel_whole_and_streaming(poe: Offline) -> None:
    bot = poe.serve(Recorder(lambda r: ["hea", "rd"]), "Heard")
    messages: Any = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]
    with openai_client(poe) as client:
        whole = client.chat.completions.create(model="Heard", messages=messages)
        pieces = list(client.chat.completions.create(model="Heard", messages=messages, stream=True))
    assert whole.choices[0].message.content == "heard"
    assert [piece.choices[0].delta.content for piece in pieces if piece.choices][1:-1] == ["hea", "rd"]
    assert [(m.role, m.content) for m in bot.last.query] == [("system", "be brief"), ("user", "hello")]
    assert bot.last.user_id == poe.simulator.user_id
    exchange = poe.session.trace.last("Heard")
    assert exchange is not None
    assert (exchange.outcome, exchange.server is not None) == ("done", True)


def test_the_openai_package_lists_the_bots_and_calls_functions(poe: Offline) -> None:
    poe.serve(Recorder(), "Heard")
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": parameters}}]
    ask: Any = [{"role": "user", "content": "What is the weather in Tokyo?"}]
    with openai_client(poe) as client:
        names = [model.id for model in client.models.list()]
        answer = client.chat.completions.create(model="GPT-4o", messages=ask, tools=tools)
    assert {"Heard", "GPT-4o"} <= set(names)
    call: Any = (answer.choices[0].message.tool_calls or [])[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Tokyo"})


def test_the_openai_package_hears_what_is_wrong(poe: Offline) -> None:
    ask: Any = [{"role": "user", "content": "hello"}]
    with openai_client(poe, WRONG) as client, pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model="GPT-4o", messages=ask)
    with openai_client(poe) as client, pytest.raises(openai.NotFoundError, match="no bot 'Nobody'"):
        client.chat.completions.create(model="Nobody", messages=ask)
    poe.serve(Recorder(lambda r: [fp.ErrorResponse(text="too long", error_type="user_message_too_long")]), "Fails")
    with openai_client(poe) as client, pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="Fails", messages=ask)
    assert caught.value.status_code == 413


def test_the_openai_package_stops_the_bot_when_it_closes_a_stream(poe: Offline) -> None:
    bot = poe.serve(Endless(), "Endless")
    ask: Any = [{"role": "user", "content": "hello"}]
    with openai_client(poe) as client:
        with client.chat.completions.create(model="Endless", messages=ask, stream=True) as stream:
            for chunk in stream:
                if chunk.choices[0].delta.content:
                    break
        assert endpoints.until(lambda: bot.ended_at, within_s=0.5)


@pytest.mark.parametrize("is_elsewhere", [True, False])
def test_the_openai_package_shows_a_bot_an_image(poe: Offline, is_elsewhere: bool) -> None:
    picture = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
    )

    async def file(request: Any) -> Response:
        return Response(picture, media_type="image/png")

    bot = poe.serve(Recorder(enable_image_comprehension=True), "Sees")
    with apps.serving(Starlette(routes=[Route("/red.png", file)])) as port, openai_client(poe) as client:
        here = "data:image/png;base64," + base64.b64encode(picture).decode()
        url = f"http://127.0.0.1:{port}/red.png" if is_elsewhere else here
        parts: Any = [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": url}}]
        client.chat.completions.create(model="Sees", messages=[{"role": "user", "content": parts}])
    seen = bot.last.query[-1].attachments[0].parsed_content
    assert seen is not None
    assert "1 × 1 pixels" in seen


def test_the_openai_package_hears_that_a_file_is_too_large(poe: Offline) -> None:
    poe.serve(Recorder(), "Heard")
    data = "data:text/plain;base64," + "AAAA" * (50_000_001 // 3) + "AAA="
    file: Any = {"type": "file", "file": {"filename": "a.txt", "file_data": data}}
    with openai_client(poe) as client, pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="Heard", messages=[{"role": "user", "content": [file]}])
    assert caught.value.status_code == 413
