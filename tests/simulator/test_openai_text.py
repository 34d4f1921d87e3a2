"""A bot's events as the text, the calls and the end of a completion."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.errors import BotError
from poe_notebook.protocol.events import Event
from poe_notebook.simulator.openai_api import ApiError, completion, completion_request, completion_stream
from poe_notebook.simulator.openai_text import CompletionText

DONE = Event("done", {})


def text(value: str, **more: Any) -> Event:
    return Event("text", {"text": value, **more})


def replace(value: str) -> Event:
    return Event("replace_response", {"text": value})


def chunk(delta: dict[str, Any]) -> Event:
    return Event("json", {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def file(url: str, content_type: str = "audio/mpeg", name: str = "a", reference: str | None = None) -> Event:
    return Event("file", {"url": url, "content_type": content_type, "name": name, "inline_ref": reference})


suggestion = Event("suggested_reply", {"text": "s"})


class Source:
    """Gives events, then raises if it has something to raise; knows whether it was closed."""

    def __init__(self, *events: Event | Exception) -> None:
        self.events, self.is_closed = events, False

    async def __call__(self) -> AsyncGenerator[Event, None]:
        try:
            for event in self.events:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.is_closed = True


def call(**fields: Any) -> Any:
    return completion_request({"model": "Echo", "messages": [{"role": "user", "content": "12345678"}], **fields})


def whole(*events: Event | Exception, **fields: Any) -> dict[str, Any]:
    return asyncio.run(completion(Source(*events)(), call(**fields), clock=lambda: 7.9))


def streamed(*events: Event | Exception, **fields: Any) -> list[dict[str, Any]]:
    async def gather() -> list[bytes]:
        return [
            raw async for raw in completion_stream(Source(*events)(), call(stream=True, **fields), clock=lambda: 7.9)
        ]

    raws = asyncio.run(gather())
    assert all(raw.startswith(b"data: ") and raw.endswith(b"\n\n") for raw in raws)
    if raws[-1] == b"data: [DONE]\n\n":
        raws.pop()
    return [json.loads(raw[6:]) for raw in raws]


def content_of(chunks: list[dict[str, Any]]) -> str:
    return "".join(each["choices"][0]["delta"].get("content", "") for each in chunks if each["choices"])


@pytest.mark.parametrize(
    ("events", "in_whole", "in_stream"),
    [
        ([text("a"), text("b")], "ab", "ab"),
        ([text("Draw"), replace("Drawn")], "Drawn", "Drawn"),
        ([text("Thinking…"), replace("Done"), text("!")], "Done!", "Thinking…\n\nDone!"),
        ([replace("x"), replace(""), text("y")], "y", "x\n\ny"),
        ([text("a", index=1), text("b", index=2), text("c", index=1)], "ac", "ac"),
        ([Event("meta", {}), suggestion, Event("data", {"metadata": "m"}), text("a"), Event("x", {})], "a", "a"),
        ([file("http://x/a(1).png", "image/png", "a[1]")], *["![a1](http://x/a%281%29.png)\n\n"] * 2),
        ([text("See"), file("http://x/a"), text("end")], *["See\n\n[a](http://x/a)\n\nend"] * 2),
        ([file("http://x/a", reference="r1"), text("![t][r1]")], *["![t][r1]\n\n[r1]: http://x/a"] * 2),
        ([chunk({"content": "in"}), chunk({"content": " chunks"}), chunk({"content": None})], *["in chunks"] * 2),
        ([], "", ""),
    ],
)  # fmt: skip
def test_events_become_one_text(events: list[Event], in_whole: str, in_stream: str) -> None:
    assert whole(*events, DONE)["choices"][0]["message"]["content"] == in_whole
    assert content_of(streamed(*events, DONE)) == in_stream


def test_a_completion_has_the_form_that_openai_gives_it() -> None:
    assert whole(text("1234"), DONE) | {"id": ""} == {
        "id": "",
        "object": "chat.completion",
        "created": 7,
        "model": "Echo",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "1234"},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
    }


def test_chunks_share_their_id_and_usage_comes_last_if_it_was_asked_for() -> None:
    chunks = streamed(text("1234"), DONE, stream_options={"include_usage": True})
    assert len({each["id"] for each in chunks}) == 1
    assert [each["usage"] for each in chunks] == [
        None,
        None,
        None,
        {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
    ]
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert chunks[2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[3]["choices"] == []
    assert "usage" not in streamed(text("x"), DONE)[0]


def piece(index: int, arguments: str, *, id: str | None = None, name: str | None = None) -> Event:
    function = {"name": name, "arguments": arguments}
    return chunk({"tool_calls": [{"index": index, "id": id, "type": None, "function": function}]})


@pytest.mark.parametrize("second", [1, 0], ids=["numbered", "all number 0"])
def test_calls_are_put_together_or_passed_on_in_pieces(second: int) -> None:
    events = [
        piece(0, "", id="c1", name="f"), piece(0, '{"a"'), piece(0, ": 1}"),
        piece(second, "{", id="c2", name="g"), piece(second, "}"), DONE,
    ]  # fmt: skip
    choice = whole(*events)["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert [(each["id"], each["function"]) for each in choice["message"]["tool_calls"]] == [
        ("c1", {"name": "f", "arguments": '{"a": 1}'}), ("c2", {"name": "g", "arguments": "{}"}),
    ]  # fmt: skip
    deltas = [each["choices"][0]["delta"] for each in streamed(*events)]
    pieces = [each["tool_calls"][0] for each in deltas if "tool_calls" in each]
    assert [each["index"] for each in pieces] == [0, 0, 0, 1, 1]
    assert pieces[0] == {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    assert pieces[1] == {"index": 0, "function": {"arguments": '{"a"'}}


def test_max_tokens_cuts_the_answer_and_ends_the_bot() -> None:
    source = Source(text("12345"), text("6789"), text("never"))

    async def ask() -> dict[str, Any]:
        return await completion(source(), call(max_tokens=2))

    answer = asyncio.run(ask())["choices"][0]
    assert (answer["message"]["content"], answer["finish_reason"]) == ("12345678", "length")
    assert source.is_closed
    chunks = streamed(text("12345"), text("6789"), text("never"), max_tokens=2)
    assert content_of(chunks) == "12345678"
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("data", "status", "type_"),
    [
        ({"text": "Out of luck"}, 500, "provider_error"),
        ({"error_type": "insufficient_fund"}, 402, "insufficient_credits"),
        ({"error_type": "user_message_too_long"}, 413, "request_too_large"),
        ({"error_type": "user_caused_error"}, 400, "invalid_request_error"),
        ({"error_type": "privacy_authorization_error"}, 403, "moderation_error"),
        ({"error_type": 3, "text": None}, 500, "provider_error"),
    ],
)
def test_a_bot_that_fails_at_once_is_an_error_of_the_response(data: dict[str, Any], status: int, type_: str) -> None:
    for way in (whole, streamed):
        with pytest.raises(ApiError) as caught:
            way(Event("meta", {}), Event("error", data), DONE)
        assert (caught.value.status, caught.value.body["error"]["type"]) == (status, type_)
        assert caught.value.body["error"]["message"]


def test_a_bot_that_fails_later_ends_the_stream_with_an_error_in_it() -> None:
    *chunks, last = streamed(text("a"), Event("error", {"text": "Out of luck"}), DONE)
    assert content_of(chunks) == "a"
    assert last == {"error": {"code": "internal_error", "type": "provider_error", "message": "Out of luck"}}
    assert streamed(text("a"), BotError("connection lost"))[-1]["error"]["type"] == "upstream_error"
    with pytest.raises(ApiError) as caught:
        whole(text("a"), BotError("connection lost"))
    assert caught.value.status == 502


def test_closing_the_stream_closes_the_bots_answer() -> None:
    source = Source(text("a"), text("b"), DONE)

    async def leave() -> None:
        stream = completion_stream(source(), call(stream=True))
        await anext(stream)
        await stream.aclose()

    asyncio.run(leave())
    assert source.is_closed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
types = st.sampled_from(["text", "replace_response", "file", "json", "meta", "data", "suggested_reply", "ping", "odd"])
fields = st.fixed_dictionaries(
    {},
    optional={name: json_values for name in ("text", "index", "url", "name", "inline_ref", "choices", "content_type")},
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(Event, types, fields), max_size=8), st.none() | st.integers(1, 3))
def test_any_events_make_a_completion(events: list[Event], max_tokens: int | None) -> None:
    taken = CompletionText(max_tokens=max_tokens)
    given_text = "".join(taken.take(event)[0] for event in events) + taken.end()
    assert taken.finish_reason in ("stop", "length", "tool_calls")
    if not any(event.type == "replace_response" for event in events):
        assert taken.text == given_text
