"""A server of the user's own in place of the stand-ins, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from apps import serving
from asking_stand_ins import WEATHER, events_of, query_of, said
from endpoints import RawServer, raw_server, response
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from poe_notebook.bot.base import RequestContext
from poe_notebook.errors import InvalidParameterError, KeyMissing
from poe_notebook.protocol.events import Event
from poe_notebook.simulator.backend import Backend
from poe_notebook.simulator.stand_ins import StandIn, stand_in

KEY = "sk-a-key-of-the-backend-123456"
SECRET = "TEST_BACKEND_KEY"


def chunks(*deltas: dict[str, Any], end: bytes = b"data: [DONE]\n\n") -> bytes:
    values = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    return b"".join(b"data: %b\n\n" % json.dumps(value).encode() for value in values) + end


def bot(url: str, name: str = "GPT-4o", **options: Any) -> StandIn:
    read_file = options.pop("read_file", None)
    made = stand_in(name, backend=Backend.at(url, **options), read_file=read_file)
    assert made is not None
    return made


def answered(script: bytes, content: str = "Hi", **fields: Any) -> tuple[list[Event], RawServer]:
    """Ask a backend that answers with these bytes."""
    with raw_server([script]) as server:
        backend = bot(f"http://127.0.0.1:{server.port}/v1", model=fields.pop("model", None))
        return events_of(backend, query_of(content, **fields)), server


def asked(server: RawServer) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(server.requests[0].partition(b"\r\n\r\n")[2])
    return body


def test_words_come_as_text_and_the_query_goes_as_messages() -> None:
    before = [
        {"role": "system", "content": "Be kind"},
        {"role": "bot", "content": "Yes?"},
        {"role": "judge", "content": "left out"},
    ]
    script = response(chunks({"role": "assistant", "content": ""}, {"content": "Hel"}, {"content": "lo"}, {}))
    events, server = answered(script, before=before, temperature=0.5, stop_sequences=["END"])
    assert [(event.type, event.data.get("text")) for event in events] == [
        ("text", "Hel"),
        ("text", "lo"),
        ("done", None),
    ]
    assert server.requests[0].startswith(b"POST /v1/chat/completions ")
    assert asked(server) == {
        "model": "GPT-4o",
        "messages": [
            {"role": "system", "content": "Be kind"},
            {"role": "assistant", "content": "Yes?"},
            {"role": "user", "content": "Hi"},
        ],
        "stream": True,
        "temperature": 0.5,
        "stop": ["END"],
    }


def test_files_go_as_text_and_images_as_data_urls_if_they_can_be_read() -> None:
    png = {"url": "http://x/1", "content_type": "image/png", "name": "a.png", "parsed_content": "a.png***blue"}
    text = {"url": "http://x/2", "content_type": "text/plain", "name": "b.txt", "parsed_content": "inside"}

    async def read_file(url: str) -> bytes | None:
        return b"\x89PNG" if url == "http://x/1" else None

    with raw_server([response(chunks({"content": "ok"}))]) as server:
        request = query_of("look", message={"attachments": [png, {**png, "url": "http://x/3"}, text]})
        events_of(bot(f"http://127.0.0.1:{server.port}/v1", read_file=read_file), request)
    texts = "look\n\n[Attached file a.png (image/png)]\na.png***blue\n\n[Attached file b.txt (text/plain)]\ninside"
    address = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()
    assert asked(server)["messages"][0]["content"] == [
        {"type": "text", "text": texts},
        {"type": "image_url", "image_url": {"url": address}},
    ]


def test_calls_come_as_json_chunks_and_results_go_back() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    result = {"role": "tool", "name": "f", "tool_call_id": "c1", "content": "4"}
    first = {"index": 0, "id": "c9", "type": "function", "function": {"name": "g", "arguments": ""}}
    deltas = [
        {"content": None, "tool_calls": [first]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
    ]
    events, server = answered(
        response(chunks(*deltas)), tools=[WEATHER], tool_calls=[call], tool_results=[result],
        extra_params={"tool_choice": "required"},
    )  # fmt: skip
    found = [event.data["choices"][0] for event in events if event.type == "json"]
    assert [choice["finish_reason"] for choice in found] == [None, None, "tool_calls"]
    assert found[0]["delta"]["tool_calls"][0]["function"] == {"name": "g", "arguments": ""}
    body = asked(server)
    assert body["tools"] == [WEATHER]
    assert body["tool_choice"] == "required"
    assert body["messages"][1:] == [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "4"},
    ]


def test_a_server_that_does_not_stream_is_understood_too() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    other = {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}}
    whole = {"choices": [{"message": {"content": "Hello", "tool_calls": [call, other]}, "finish_reason": "stop"}]}
    events, _ = answered(response(json.dumps(whole).encode(), content_type="application/json"))
    assert said(events) == "Hello"
    calls = [event.data["choices"][0]["delta"].get("tool_calls") for event in events if event.type == "json"]
    assert [each[0]["index"] for each in calls if each] == [0, 1]


@pytest.mark.parametrize(
    ("script", "sentence", "can_retry"),
    [
        (response(b'{"error": {"message": "no x here"}}', status="404 No"), "answered 404: no x here", False),
        (response(b'{"error": "busy"}', status="429 Too Many"), "The backend answered 429: busy", True),
        (response(b'{"detail": "no tools here"}', status="400 Bad"), "The backend answered 400: no tools here", False),
        (response(b"<h1>down</h1>", status="503 Gone"), "The backend answered 503: <h1>down</h1>", True),
        (response(b"", status="500 Internal Server Error"), "The backend answered 500: Internal Server Error", True),
        (response(b'data: {"error": {"message": "out of memory"}}\n\n'), "The backend failed: out of memory", True),
        (response(b"hello", content_type="text/plain"), "neither an event stream nor JSON", True),
        (response(b"data: [DONE]\n\n"), "an answer without any text", True),
        (response(b"data: {}\n\n").replace(b"\r\n\r\n", b"\r\nContent-Length: 99\r\n\r\n"), "broke off", True),
        (b"", "broke off", True),
    ],
    ids=["404", "429", "400", "503", "500", "in the stream", "no stream", "nothing", "cut", "closed at once"],
)  # fmt: skip
def test_what_goes_wrong_there_is_an_error_with_the_servers_own_sentence(
    script: bytes, sentence: str, can_retry: bool
) -> None:
    events, _ = answered(script)
    (error,) = [event.data for event in events if event.type == "error"]
    assert sentence in error["text"]
    assert error["allow_retry"] == can_retry


def test_what_was_said_before_a_failure_is_given() -> None:
    events, _ = answered(response(chunks({"content": "Half an"}, end=b'data: {"error": {"message": "gone"}}\n\n')))
    assert [event.type for event in events] == ["text", "error", "done"]


def test_nothing_at_the_address_is_said_with_what_to_do() -> None:
    (error, done) = events_of(bot("http://127.0.0.1:9"), query_of("Hi"))
    assert error.data["text"].startswith("Nothing answers at http://127.0.0.1:9/v1. Start the server")
    assert done.type == "done"


def test_the_key_goes_to_the_server_and_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, f" {KEY}\n")
    body = json.dumps({"error": {"message": "x" * 490 + f"the key {KEY} is wrong"}}).encode()
    with raw_server([response(body, status="401 Unauthorized")]) as server:
        backend = bot(f"http://127.0.0.1:{server.port}/v1", key_variable=SECRET)
        events = events_of(backend, query_of("Hi"))
    assert f"Authorization: Bearer {KEY}".encode().lower() in server.requests[0].lower()
    shown = json.dumps([event.data for event in events]) + repr(backend) + repr(backend.backend)  # type: ignore[attr-defined]
    assert "sk-" not in shown
    assert "The backend answered 401: xxx" in shown


def test_a_missing_key_is_said_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET, raising=False)
    backend = Backend.at("http://localhost:1", key_variable=SECRET)
    with pytest.raises(KeyMissing):
        backend.key()
    made = stand_in("GPT-4o", backend=backend)
    assert made is not None
    assert SECRET in events_of(made, query_of("Hi"))[0].data["text"]


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1"),
        ("http://localhost:11434/", "http://localhost:11434/v1"),
        (" https://example.com/api/v1/ ", "https://example.com/api/v1"),
        ("http://localhost:1/v1/chat/completions", "http://localhost:1/v1"),
        ("http://localhost:1/v1?x=1#y", "http://localhost:1/v1"),
    ],
)
def test_an_address_is_taken_as_people_write_it(typed: str, url: str) -> None:
    assert Backend.at(typed).url == url


@pytest.mark.parametrize(
    "typed", ["localhost:11434", "ftp://x", "", "http://", "http://x:port", "http://user:secret@x/v1"]
)
def test_an_address_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        Backend.at(typed)
    assert "http://localhost:11434/v1" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_models_are_named_for_all_bots_or_for_some() -> None:
    backend = Backend("http://x/v1", model="llama3", models={"gpt-4o": "qwen"})
    assert [backend.model_for(name) for name in ("GPT-4o", "Claude-Instant")] == ["qwen", "llama3"]
    assert Backend("http://x/v1").model_for("GPT-4o") == "GPT-4o"


def test_only_chat_models_are_handed_over_and_it_is_said_who_answers() -> None:
    backend = Backend.at("http://x", model="llama3")
    handed = {
        name: type(stand_in(name, backend=backend)).__name__ for name in ("GPT-9", "Echo", "DALL-E-3", "ToolCaller")
    }
    assert handed == {
        "GPT-9": "BackendStandIn", "Echo": "EchoStandIn", "DALL-E-3": "ImageStandIn", "ToolCaller": "ChatStandIn",
    }  # fmt: skip
    made = stand_in("GPT-9", backend=backend)
    assert made is not None
    assert made.introduction_message == "**GPT-9** is answered by the model `llama3` of http://x/v1, and not by Poe."


@pytest.fixture
def endless() -> Iterator[tuple[str, list[float]]]:
    """A backend that never stops, and when its readers left."""
    left: list[float] = []

    async def completions(request: Request) -> Response:
        async def body() -> Any:
            try:
                while True:
                    yield chunks({"content": "on and "}, end=b"")
                    await asyncio.sleep(0.01)
            finally:
                left.append(time.monotonic())

        return StreamingResponse(body(), media_type="text/event-stream")

    async def models(request: Request) -> Response:
        return JSONResponse({})

    app = Starlette(routes=[Route("/v1/chat/completions", completions, methods=["POST"]), Route("/v1/models", models)])
    with serving(app) as port:
        yield f"http://127.0.0.1:{port}/v1", left


def test_closing_the_answer_closes_the_connection_at_once(endless: tuple[str, list[float]]) -> None:
    url, left = endless

    async def leave() -> float:
        context = RequestContext(http_request=None)  # type: ignore[arg-type]
        answer = bot(url).handle_query(query_of("Hi"), context)
        for _ in range(3):
            await anext(answer)  # type: ignore[call-overload]
        begun = time.monotonic()
        await answer.aclose()  # type: ignore[attr-defined]
        while not left and time.monotonic() - begun < 3:
            await asyncio.sleep(0.005)
        return left[0] - begun

    assert asyncio.run(leave()) < 0.5
