"""Chat-completions requests as queries: what counts, what is passed over, what is refused with which sentence."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from asking_stand_ins import WEATHER
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.simulator.openai_api import ApiError, completion_request, stored

PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()


def body(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "Echo", "messages": list(messages) or [{"role": "user", "content": "hi"}], **fields}


def query(*messages: Any, **fields: Any) -> QueryRequest:
    return completion_request(body(*messages, **fields)).request


def refused(given: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        completion_request(given)
    return caught.value


def test_roles_and_texts_become_messages() -> None:
    request = query(
        {"role": "system", "content": "Be kind"},
        {"role": "developer", "content": [{"type": "text", "text": "Be"}, {"type": "text", "text": "brief"}]},
        {"role": "user", "content": "hi", "name": "ada"},
        {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "bye"},
    )
    assert [(message.role, message.content) for message in request.query] == [
        ("system", "Be kind"), ("system", "Be\n\nbrief"), ("user", "hi"), ("bot", "hello"), ("user", "bye"),
    ]  # fmt: skip
    assert request.query[2].sender is not None
    assert request.query[2].sender.name == "ada"
    assert request.skip_system_prompt


def test_hints_go_with_the_query_and_unknown_fields_are_parameters() -> None:
    call = completion_request(
        body(
            temperature=1, stop=["END", " "], max_tokens=9, max_completion_tokens=7, stream=True, seed=3, top_p=0.5,
            stream_options={"include_usage": True}, aspect="3:2", reasoning_effort="low", extra_body={"tone": "dry"},
        ),
        user_id="u-1",
    )  # fmt: skip
    assert (call.model, call.is_stream, call.with_usage, call.max_tokens) == ("Echo", True, True, 7)
    assert (call.request.temperature, call.request.stop_sequences) == (1.0, ["END"])
    assert call.request.query[-1].parameters == {"aspect": "3:2", "reasoning_effort": "low", "tone": "dry"}
    assert call.request.user_id == "u-1"
    assert call.request.message_id.startswith("m-")


def test_files_of_every_kind_become_attachments() -> None:
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a%20b.jpg?x=1"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/picture"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "JVBERi0="}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
    ]
    files = query({"role": "user", "content": parts}).query[-1].attachments
    assert [(file.name, file.content_type) for file in files] == [
        ("image_1.png", "image/png"), ("a b.jpg", "image/jpeg"), ("picture", "image/*"),
        ("a.pdf", "application/pdf"), ("audio_5.mp3", "audio/mpeg"),
    ]  # fmt: skip
    assert files[3].url == "data:application/pdf;base64,JVBERi0="


def test_data_urls_are_handed_to_the_file_store() -> None:
    kept: list[tuple[bytes, str, str]] = []

    async def upload(content: bytes, name: str, content_type: str) -> Attachment:
        kept.append((content, name, content_type))
        return Attachment(url=f"http://files/{len(kept)}", name=name, content_type=content_type)

    parts = [
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "file", "file": {"filename": "t.txt", "file_data": "data:text/plain,a%20b"}},
    ]
    request = asyncio.run(stored(query({"role": "user", "content": parts}), upload))
    assert kept == [(b"\x89PNG", "image_1.png", "image/png"), (b"a b", "t.txt", "text/plain")]
    assert [file.url for file in request.query[-1].attachments] == [
        "http://files/1", "https://example.com/a.png", "http://files/2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "status"),
    [("data:image/png", 400), ("data:image/png;base64,%%%", 400), ("data:;base64," + "A" * 67_000_000, 413)],
    ids=["no data", "no base64", "too large"],
)
def test_data_urls_that_hold_no_file_are_refused(data: str, status: int) -> None:
    request = query({"role": "user", "content": [{"type": "image_url", "image_url": {"url": data}}]})

    async def upload(content: bytes, name: str, content_type: str) -> Attachment:
        raise AssertionError

    with pytest.raises(ApiError) as caught:
        asyncio.run(stored(request, upload))
    assert caught.value.status == status


def with_part(kind: str, value: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": kind, kind: value}]}


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_calls_and_results_of_this_turn_are_the_querys_own_and_earlier_ones_are_messages() -> None:
    round_ = [
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "4"},
    ]
    request = query({"role": "user", "content": "one"}, *round_, {"role": "user", "content": "two"}, *round_)
    assert [message.role for message in request.query] == ["user", "bot", "tool", "user"]
    assert request.query[1].message_type == "function_call"
    assert json.loads(request.query[1].content) == [CALL]
    assert json.loads(request.query[2].content)[0]["content"] == "4"
    assert [call.id for call in request.tool_calls or ()] == ["c1"]
    assert [(result.name, result.content) for result in request.tool_results or ()] == [("f", "4")]


@pytest.mark.parametrize(
    ("choice", "offered", "extra"),
    [
        (None, 2, None),
        ("auto", 2, None),
        ("none", 0, None),
        ("required", 2, {"tool_choice": "required"}),
        ({"type": "function", "function": {"name": "f"}}, 1, {"tool_choice": "required"}),
    ],
)
def test_a_tool_choice_decides_which_tools_are_offered(choice: Any, offered: int, extra: Any) -> None:
    tools = [WEATHER, {"type": "function", "function": {"name": "f", "strict": True}}]
    request = query(tools=tools, tool_choice=choice)
    assert len(request.tools or ()) == offered
    assert request.extra_params == extra


@pytest.mark.parametrize(
    ("given", "sentence", "code"),
    [
        ([], "The body is no JSON object.", "invalid_parameter"),
        ({"messages": []}, "The request has no model.", "missing_parameter"),
        (body(model=" "), "The request has no model.", "missing_parameter"),
        ({"model": "Echo"}, "The request has no messages.", "missing_parameter"),
        ({"model": "Echo", "messages": []}, "The request has no messages.", "missing_parameter"),
        (body({"role": "owner", "content": "x"}), "messages[0] has no role", "invalid_parameter"),
        (body("x"), "messages[0] has no role", "invalid_parameter"),
        (body({"role": "user", "content": 3}), "messages[0] is neither", "invalid_parameter"),
        (body({"role": "user", "content": [{"type": "video"}]}), "messages[0].content[0] cannot", "invalid_parameter"),
        (body(with_part("image_url", {"url": "file:///x"})), "content[0] cannot be used", "invalid_parameter"),
        (body(with_part("image_url", {"url": "https://[x/"})), "malformed", "invalid_parameter"),
        (body(with_part("file", {"file_id": "x"})), "no file_data", "invalid_parameter"),
        (
            body({"role": "tool", "tool_call_id": "c9", "content": ""}),
            "messages[0] answers no call",
            "invalid_parameter",
        ),
        (body({"role": "assistant", "tool_calls": [{"id": 3}]}), "messages[0].tool_calls[0]", "invalid_parameter"),
        (body(n=2), "n is 2. Poe gives one choice: n must be 1.", "invalid_parameter"),
        (body(n=True), "n is True", "invalid_parameter"),
        (body(temperature=3), "temperature is 3. It is a number from 0 to 2.", "invalid_parameter"),
        (body(temperature=float("nan")), "temperature is nan", "invalid_parameter"),
        (body(max_tokens=0), "max_tokens is 0", "invalid_parameter"),
        (body(stream="yes"), "stream is 'yes'", "invalid_parameter"),
        (body(stream_options=3), "stream_options", "invalid_parameter"),
        (body(stop=[3]), "stop cannot be read", "invalid_parameter"),
        (body(tools=3), "tools is no list", "invalid_parameter"),
        (body(tools=[{"type": "custom"}]), "tools[0] is no function", "invalid_parameter"),
        (body(tools=[{"function": {"name": "f", "parameters": 3}}]), "parameters of f", "invalid_parameter"),
        (body(tools=[WEATHER], tool_choice={"function": {"name": "g"}}), "'g', which is none", "invalid_parameter"),
        (body(tools=[WEATHER], tool_choice=3), "tool_choice cannot be read", "invalid_parameter"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(given: Any, sentence: str, code: str) -> None:
    error = refused(given)
    assert (error.status, error.body["error"]["type"]) == (400, "invalid_request_error")
    assert error.body["error"]["code"] == code
    assert sentence in error.body["error"]["message"]


def test_a_long_value_is_not_repeated_in_full() -> None:
    assert len(refused(body(stream="x" * 10_000)).body["error"]["message"]) < 300


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
parts = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image_url", "file", "input_audio"])},
    optional={"text": json_values, "image_url": json_values, "file": json_values, "input_audio": json_values},
)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system"])},
    optional={
        "content": st.text(max_size=8) | st.lists(parts | json_values, max_size=3) | json_values,
        "tool_calls": st.lists(json_values, max_size=2) | json_values,
        "tool_call_id": json_values,
        "name": json_values,
    },
)


@settings(max_examples=40, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "model": st.just("Echo") | json_values,
            "messages": st.lists(messages | json_values, max_size=4) | json_values,
        },
        optional={
            name: json_values
            for name in (
                "n",
                "stream",
                "stream_options",
                "stop",
                "temperature",
                "max_tokens",
                "tools",
                "tool_choice",
                "x",
            )
        },
    )
)
def test_any_body_is_read_or_refused(given_body: dict[str, Any]) -> None:
    with suppress(ApiError):
        completion_request(given_body)
