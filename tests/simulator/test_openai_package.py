"""The real openai package against the endpoint's functions, mounted on a small application and a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import openai
import pytest
from apps import serving
from asking_stand_ins import WEATHER, label
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from poe_notebook.bot.base import RequestContext
from poe_notebook.protocol.events import Event, decode
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.simulator.image_stand_in import as_data_url
from poe_notebook.simulator.openai_api import (
    ApiError,
    completion,
    completion_request,
    completion_stream,
    model_list,
    no_such_model,
    rate_limited,
    response_headers,
    stored,
    unauthorized,
)
from poe_notebook.simulator.stand_ins import NO_PACE, stand_in, stand_in_names

KEY = "an-api-key-of-a-test"
HEADERS = response_headers("req-1", processing_s=0.0123)


async def answer_of(name: str, request: QueryRequest) -> AsyncGenerator[Event, None]:
    bot = stand_in(name, pace=NO_PACE)
    assert bot is not None
    context = RequestContext(http_request=None)  # type: ignore[arg-type]
    async for event in bot.handle_query(request, context):
        yield decode(event.event or "", event.data or "")


async def answered(request: Request) -> Response:
    if request.headers.get("authorization") != f"Bearer {KEY}":
        raise unauthorized()
    call = completion_request(json.loads(await request.body()), user_id="u-1")
    if call.model == "Busy":
        raise rate_limited(3.0)
    if stand_in(call.model) is None:
        raise no_such_model(call.model, ["Echo", "GPT-4o"])
    events = answer_of(call.model, await stored(call.request, as_data_url))
    if not call.is_stream:
        return JSONResponse(await completion(events, call), headers=HEADERS)
    stream = completion_stream(events, call)
    first = await anext(stream)

    async def body() -> AsyncGenerator[bytes, None]:
        yield first
        async for raw in stream:
            yield raw

    return StreamingResponse(body(), media_type="text/event-stream", headers=HEADERS)


async def completions(request: Request) -> Response:
    try:
        return await answered(request)
    except ApiError as error:
        return JSONResponse(error.body, status_code=error.status, headers=error.headers)


async def models(request: Request) -> Response:
    return JSONResponse(model_list(stand_in_names()))


@pytest.fixture(scope="module")
def client() -> Iterator[openai.OpenAI]:
    app = Starlette(routes=[Route("/v1/chat/completions", completions, methods=["POST"]), Route("/v1/models", models)])
    with (
        serving(app) as port,
        openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=KEY, max_retries=0) as made,
    ):
        yield made


def user(content: Any) -> Any:
    return [{"role": "user", "content": content}]


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == stand_in_names()


def test_an_answer_in_one_piece(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="Echo", messages=user("one two"))
    assert answer.choices[0].message.content == f"one two\n\n{label('Echo')}"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0
    raw = client.chat.completions.with_raw_response.create(model="Echo", messages=user("x"))
    assert raw.headers["openai-version"] == "2020-10-01"
    assert raw.headers["openai-processing-ms"] == "12"


def test_an_answer_in_chunks(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="Echo", messages=user("one two"), stream=True, stream_options={"include_usage": True}
        )
    )
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert "".join(text or "" for text in texts) == f"one two\n\n{label('Echo')}"
    assert len(texts) > 10
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


def test_functions_are_called_and_answered_in_one_piece_and_in_chunks(client: openai.OpenAI) -> None:
    messages = user("What's the weather in San Francisco and Paris in celsius?")
    answer = client.chat.completions.create(model="GPT-4o", messages=messages, tools=[WEATHER])  # type: ignore[list-item]
    calls = answer.choices[0].message.tool_calls or []
    assert answer.choices[0].finish_reason == "tool_calls"
    asked = [json.loads(call.function.arguments) for call in calls]  # type: ignore[union-attr]
    assert asked == [{"location": name, "unit": "celsius"} for name in ("San Francisco", "Paris")]

    with client.chat.completions.stream(model="GPT-4o", messages=messages, tools=[WEATHER]) as stream:  # type: ignore[list-item]
        final = stream.get_final_completion().choices[0].message
    assert [json.loads(call.function.arguments) for call in final.tool_calls or []] == asked

    results = [
        {"role": "tool", "tool_call_id": call.id, "content": json.dumps({**arguments, "temperature": 20 + place})}
        for place, (call, arguments) in enumerate(zip(calls, asked, strict=True))
    ]
    again = [*messages, answer.choices[0].message, *results]
    last = client.chat.completions.create(model="GPT-4o", messages=again, tools=[WEATHER])  # type: ignore[list-item]
    assert last.choices[0].message.content == (
        f"In San Francisco the temperature is 20 celsius. In Paris the temperature is 21 celsius.\n\n{label('GPT-4o')}"
    )


def test_a_chosen_function_and_one_call_at_a_time(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="GPT-4o",
        messages=user("In Oslo and Rome?"),
        tools=[WEATHER],  # type: ignore[list-item]
        tool_choice={"type": "function", "function": {"name": "get_current_weather"}},
        parallel_tool_calls=False,
    )
    assert len(answer.choices[0].message.tool_calls or []) == 1


def test_images_in_and_parameters_and_pictures_out(client: openai.OpenAI) -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]
    answer = client.chat.completions.create(model="Attachments", messages=user(parts))
    assert "`image_1.png` (`image/png`)" in (answer.choices[0].message.content or "")
    answer = client.chat.completions.create(model="Painter", messages=user("a heron"), extra_body={"aspect": "1:1"})
    content = answer.choices[0].message.content or ""
    assert "768 × 768 pixels" in content
    assert "]: data:image/png;base64," in content


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"model": "Nobody"}, openai.NotFoundError, "There is no bot 'Nobody' here."),
        ({"model": "Busy"}, openai.RateLimitError, "Try again in 3 s."),
        ({"n": 2}, openai.BadRequestError, "n must be 1"),
        ({"messages": []}, openai.BadRequestError, "no messages"),
    ],
)
def test_errors_are_those_that_the_package_knows(
    client: openai.OpenAI, fields: dict[str, Any], error: type[openai.APIStatusError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        client.chat.completions.create(**{"model": "Echo", "messages": user("x"), **fields})
    assert caught.value.code
    assert caught.value.type


def test_a_wrong_key_is_refused_and_not_shown(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        client.with_options(api_key="wrong-key-1234").chat.completions.create(model="Echo", messages=user("x"))
    assert "wrong-key" not in str(caught.value)


def test_an_error_before_and_in_the_middle_of_a_stream(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIError, match="asking again will not help"):
        list(client.chat.completions.create(model="Broken", messages=user("error"), stream=True))
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="Nobody", messages=user("x"), stream=True)


def test_two_streams_at_once_do_not_mix(client: openai.OpenAI) -> None:
    async def both() -> list[str]:
        async with openai.AsyncOpenAI(base_url=client.base_url, api_key=KEY, max_retries=0) as together:

            async def ask(content: str) -> str:
                stream = await together.chat.completions.create(model="Echo", messages=user(content), stream=True)
                return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

            return await asyncio.gather(*(ask(f"number {number} " * 20) for number in range(8)))

    for number, text in enumerate(asyncio.run(both())):
        assert text.startswith(f"number {number} number {number}")
        assert text.count(f"number {number}") == 20
