"""Genuine bots of fastapi_poe 0.0.83: served by us as by its own server; and that server asked by our client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import endpoints
import fastapi_poe as theirs
import pytest
from endpoints import KEY, Answer, Kernel, http_request, query
from fastapi_poe.base import InsufficientFundError
from sse_starlette import ServerSentEvent
from their_server import their_server

from poe_notebook.client.answers import stream_request
from poe_notebook.client.query import stream_events
from poe_notebook.errors import BotError, BotErrorNoRetry
from poe_notebook.keys import Secret
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import DataResponse, MetaResponse, PartialResponse
from poe_notebook.protocol.tools import ToolDefinition

FILE = theirs.Attachment(url="https://x/f.png", content_type="image/png", name="f.png", inline_ref="r")


class Scripted(theirs.PoeBot):
    """A bot of the library that gives what a test wants given, and keeps what it hears."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.script: list[Any] = []
        self.heard: list[Any] = []

    async def get_response(self, request: Any) -> AsyncIterator[Any]:
        self.heard.append(request)
        for item in self.script:
            if isinstance(item, BaseException):
                raise item
            yield item

    async def get_settings(self, setting: Any) -> theirs.SettingsResponse:
        return theirs.SettingsResponse(
            introduction_message="hello", allow_attachments=True, server_bot_dependencies={"GPT": 2}
        )

    async def on_feedback(self, feedback_request: Any) -> None:
        self.heard.append(("feedback", feedback_request.feedback_type))

    async def on_reaction_with_context(self, reaction_request: Any, context: Any) -> None:
        self.heard.append(("reaction", reaction_request.reaction, context.http_request.method))

    async def on_error(self, error_request: Any) -> None:
        self.heard.append(("error", error_request.message))


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with endpoints.kernel() as running:
        yield running


@pytest.fixture(scope="module")
def both(kernel: Kernel) -> Iterator[tuple[Scripted, int]]:
    """One bot, served by the library on a port of its own; ours serves it as ``Bot``."""
    bot = Scripted(path="/Bot")
    with their_server(bot) as port:
        kernel.serve(bot)
        yield bot, port


def answers(kernel: Kernel, both: tuple[Scripted, int], body: Any) -> tuple[Answer, Answer]:
    """What ours answers, and what theirs does."""
    bot, port = both
    bot.heard.clear()
    return kernel.post(body), http_request(port, "/Bot", body=body)


SCRIPTS: dict[str, list[Any]] = {
    "text": [theirs.PartialResponse(text="a"), theirs.PartialResponse(text="é\u2028𝄞")],
    "empty text": [theirs.PartialResponse(text="")],
    "nothing": [],
    "replacement": [theirs.PartialResponse(text="a"), theirs.PartialResponse(text="b", is_replace_response=True)],
    "suggestion": [theirs.PartialResponse(text="b", is_suggested_reply=True)],
    "meta": [theirs.MetaResponse(text="", content_type="text/plain", linkify=False), theirs.PartialResponse(text="a")],
    "metadata": [theirs.DataResponse(metadata="m")],
    "attachment": [theirs.PartialResponse(text="see", attachment=FILE)],
    "debugging fields": [theirs.PartialResponse(text="a", full_prompt="p", raw_response={"x": 1}, request_id="r")],
    "error": [theirs.PartialResponse(text="a"), theirs.ErrorResponse(text="no", allow_retry=False)],
    "error type": [theirs.ErrorResponse(text="", error_type="user_caused_error")],
    "a user who cannot pay": [theirs.PartialResponse(text="a"), InsufficientFundError()],
    "raw events": [
        Scripted.meta_event(content_type="text/plain", suggested_replies=True),
        Scripted.text_event("a"),
        Scripted.replace_response_event("b"),
        Scripted.suggested_reply_event("c"),
        Scripted.file_event(url="u", content_type="t", name="n"),
        Scripted.data_event("m"),
        Scripted.error_event("no", error_type="insufficient_fund"),
    ],
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_bot_of_theirs_answers_the_same_from_our_server(
    kernel: Kernel, both: tuple[Scripted, int], name: str
) -> None:
    both[0].script = SCRIPTS[name]
    ours, own = answers(kernel, both, query("hi"))
    assert [(event.type, event.data) for event in ours.events] == [(event.type, event.data) for event in own.events]
    assert own.events[-1].type == "done"


def test_settings_and_reports_are_the_same(kernel: Kernel, both: tuple[Scripted, int]) -> None:
    ids = {"version": "1.2", "message_id": "m", "user_id": "u", "conversation_id": "c"}
    for body in (
        {"version": "1.2", "type": "settings"},
        {**ids, "type": "report_feedback", "feedback_type": "like"},
        {**ids, "type": "report_reaction", "reaction": "heart"},
        {"version": "1.2", "type": "report_error", "message": "late", "metadata": {}},
    ):
        ours, own = answers(kernel, both, body)
        assert (ours.status, ours.json) == (own.status, own.json)
        assert both[0].heard[: len(both[0].heard) // 2] == both[0].heard[len(both[0].heard) // 2 :]
    assert both[0].heard == [("error", "late")] * 2


@pytest.mark.parametrize(
    ("script", "difference"),
    [
        ([theirs.PartialResponse(text="", data={"choices": []})], ["json", "done"]),
        ([theirs.PartialResponse(text="a", index=2)], ["text", "done"]),
        ([theirs.ErrorResponse(text="no"), theirs.PartialResponse(text="after")], ["error", "done"]),
        ([Scripted.done_event(), theirs.PartialResponse(text="after")], ["done"]),
        ([ValueError("path")], ["error", "done"]),
    ],
    ids=["json", "index", "after error", "after done", "exception"],
)
def test_where_their_server_loses_or_says_too_much_ours_does_not(
    kernel: Kernel, both: tuple[Scripted, int], script: list[Any], difference: list[str]
) -> None:
    both[0].script = script
    ours, own = answers(kernel, both, query("hi"))
    assert [event.type for event in ours.events] == difference
    assert [(e.type, e.data) for e in ours.events] != [(e.type, e.data) for e in own.events]
    assert "path" not in ours.body.decode()


ATTACHED = [
    {"url": "u", "content_type": "text/plain", "name": "a.txt", "parsed_content": "words of a"},
    {"url": "u", "content_type": "text/html", "name": "b.html", "parsed_content": "words of b"},
    {"url": "u", "content_type": "application/pdf", "name": "c.pdf", "parsed_content": "words of c"},
    {"url": "u", "content_type": "image/png", "name": "d.png", "parsed_content": "d.png***a heron"},
    {"url": "u", "content_type": "image/png", "name": "e.png", "parsed_content": "a gull"},
    {"url": "u", "content_type": "audio/mp3", "name": "f.mp3", "parsed_content": "words of f"},
    {"url": "u", "content_type": "text/plain", "name": "g.txt"},
]


@pytest.mark.parametrize("how", ["insert", "concat", "neither"])
def test_what_poe_read_of_attachments_is_where_their_server_puts_it(
    kernel: Kernel, both: tuple[Scripted, int], how: str
) -> None:
    bot, _ = both
    bot.script = [theirs.PartialResponse(text="x")]
    bot.should_insert_attachment_messages = how == "insert"
    bot.concat_attachments_to_message = how == "concat"
    body = query("hi")
    body["query"][0]["attachments"] = ATTACHED[:4] if how == "concat" else ATTACHED
    try:
        answers(kernel, both, body)
    finally:
        bot.should_insert_attachment_messages, bot.concat_attachments_to_message = True, False
    ours, own = ([(m.role, m.content, len(m.attachments)) for m in request.query] for request in bot.heard)
    assert ours == own
    assert len(ours) == (6 if how == "insert" else 1)


def test_a_query_without_messages_is_no_server_error(kernel: Kernel, both: tuple[Scripted, int]) -> None:
    both[0].script = [theirs.PartialResponse(text="x")]
    assert kernel.post(query(query=[])).text == "x"


class Uploading(theirs.PoeBot):
    """Posts attachments, with the upload itself left out."""

    async def _upload_file(self, *, file: Any, file_url: Any, file_name: Any, api_key: str, base_url: str) -> Any:
        assert api_key == KEY
        return theirs.Attachment(url=f"https://poe/{file_name}", content_type="text/plain", name=file_name)

    async def get_response(self, request: Any) -> AsyncIterator[Any]:
        for name in ("one", "two"):
            uploaded = await self.post_message_attachment(
                message_id=request.message_id, file_data=b"x", filename=name, is_inline=name == "two"
            )
        yield theirs.PartialResponse(text=f"![]({uploaded.inline_ref})")
        await self.post_message_attachment(message_id=request.message_id, file_data=b"x", filename="three")


def test_posted_attachments_are_sent_before_the_text_that_uses_them(kernel: Kernel) -> None:
    kernel.serve(Uploading(access_key=KEY), "Uploading")
    events = kernel.ask(name="Uploading").events
    assert [event.data.get("name", event.type) for event in events] == ["one", "two", "text", "three", "done"]
    assert events[1].data["inline_ref"] in events[2].data["text"]
    assert events[0].data == {
        "url": "https://poe/one",
        "content_type": "text/plain",
        "name": "one",
        "inline_ref": None,
    }


def test_two_queries_at_once_get_their_own_attachments(kernel: Kernel) -> None:
    kernel.serve(Uploading(access_key=KEY), "Uploading")
    connections = [kernel.open(name="Uploading", message_id=f"m-{n}") for n in range(10)]
    for connection in connections:
        with connection:
            assert endpoints.body_of(connection).count(b"event: file") == 3


def test_a_bot_with_context_gets_the_http_request(kernel: Kernel) -> None:
    class Bot(theirs.PoeBot):
        async def get_response_with_context(self, request: Any, context: Any) -> AsyncIterator[Any]:
            body = await context.http_request.json()
            yield theirs.PartialResponse(text=f"{body['type']} {request.access_key == KEY}")

    kernel.serve(Bot(), "Context")
    assert kernel.ask(name="Context").text == "query True"


# Our client and their server.

REQUEST = QueryRequest.model_validate(query("hi"))


def asked(both: tuple[Scripted, int], script: list[Any], **options: Any) -> tuple[list[Any], Exception | None]:
    bot, port = both
    bot.script = script
    bot.heard.clear()

    async def ask() -> tuple[list[Any], Exception | None]:
        got: list[Any] = []
        given = {"base_url": f"http://127.0.0.1:{port}/", "retry_sleep_time": 0, **options}
        try:
            async for response in stream_request(REQUEST, "Bot", KEY, **given):
                got.append(response)
        except BotError as error:
            return got, error
        return got, None

    return asyncio.run(ask())


def test_our_client_reads_their_server(both: tuple[Scripted, int]) -> None:
    script = [item for item in SCRIPTS["raw events"] if item.event != "error"]
    got, error = asked(both, [*script, theirs.PartialResponse(text="see", attachment=FILE)])
    assert error is None
    meta, text, replacement, suggestion, file, data, attached, see = got
    assert isinstance(meta, MetaResponse)
    assert meta.content_type == "text/plain"
    assert (text, see) == (PartialResponse(text="a"), PartialResponse(text="see"))
    assert replacement.is_replace_response
    assert suggestion.is_suggested_reply
    assert file.attachment.name == "n"
    assert data.metadata == "m"
    assert attached.attachment.inline_ref == "r"


@pytest.mark.parametrize(("allow_retry", "times"), [(True, 2), (False, 1)])
def test_our_client_raises_their_errors(both: tuple[Scripted, int], allow_retry: bool, times: int) -> None:
    got, error = asked(both, [theirs.ErrorResponse(text="no", allow_retry=allow_retry)])
    assert got == []
    assert type(error) is (BotError if allow_retry else BotErrorNoRetry)
    assert '"text": "no"' in str(error)
    assert len(both[0].heard) == times


def test_our_client_is_refused_by_their_server_without_the_key(both: tuple[Scripted, int]) -> None:
    async def ask() -> None:
        url = f"http://127.0.0.1:{both[1]}/Bot"
        async for _ in stream_events(REQUEST, url, key=Secret("x" * 32)):
            pass

    with pytest.raises(BotErrorNoRetry, match="401"):
        asyncio.run(ask())


def test_their_request_goes_through_our_client(both: tuple[Scripted, int]) -> None:
    request: Any = theirs.QueryRequest.parse_obj({**query("from theirs"), "access_key": KEY, "api_key": KEY})
    both[0].script = [theirs.PartialResponse(text="x")]
    both[0].heard.clear()

    async def ask() -> list[str]:
        base_url = f"http://127.0.0.1:{both[1]}/"
        return [response.text async for response in stream_request(request, "Bot", KEY, base_url=base_url)]  # type: ignore[union-attr]

    assert asyncio.run(ask()) == ["x"]
    assert both[0].heard[0].query[0].content == "from theirs"


def raw(event: str, **data: Any) -> Any:
    return ServerSentEvent(data=json.dumps(data), event=event)


def test_our_client_reads_what_their_server_can_only_send_raw(both: tuple[Scripted, int]) -> None:
    chunk = {"choices": [{"delta": {"content": "x"}, "finish_reason": None}], "index": 3}
    script = [
        raw("ping"),
        raw("meta", linkify=True),
        raw("json", **chunk),
        raw("tomorrow", text="x"),
        raw("text", text="a", index=2),
    ]
    got, error = asked(both, [*script, ServerSentEvent(comment="still there"), raw("done"), raw("text", text="late")])
    assert error is None
    assert [type(response) for response in got] == [MetaResponse, PartialResponse, PartialResponse]
    assert (got[1].data, got[1].index) == (chunk, 3)
    assert (got[2].text, got[2].index) == ("a", 2)


def test_a_loop_written_for_their_client_meets_nothing_odd_in_what_ours_gives(both: tuple[Scripted, int]) -> None:
    script = [theirs.MetaResponse(text=""), theirs.PartialResponse(text="a"), theirs.DataResponse(metadata="m")]
    got, error = asked(both, [*script, theirs.PartialResponse(text="b", attachment=FILE)])
    assert error is None
    assert "".join(msg.text for msg in got if not msg.is_suggested_reply) == "ab"
    assert [msg.attachment.name for msg in got if msg.attachment] == ["f.png"]
    assert all(isinstance(msg, PartialResponse) for msg in got)
    assert [msg.metadata for msg in got if isinstance(msg, DataResponse)] == ["m"]


def test_the_debugging_fields_are_those_of_their_client_but_for_the_key(both: tuple[Scripted, int]) -> None:
    script = [theirs.MetaResponse(text="", suggested_replies=False), theirs.PartialResponse(text="a")]
    got, _ = asked(both, script)

    async def ask() -> list[Any]:
        base_url, request = f"http://127.0.0.1:{both[1]}/", theirs.QueryRequest(**query("hi"))
        return [message async for message in theirs.stream_request(request, "Bot", KEY, base_url=base_url)]

    official = asyncio.run(ask())
    assert [m.raw_response for m in got] == [m.raw_response for m in official]
    assert got[0].full_prompt == got[1].full_prompt == repr(REQUEST)
    assert KEY not in got[1].full_prompt


def test_tools_go_through_our_client_to_their_bots_and_back(both: tuple[Scripted, int]) -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}

    class Calling(theirs.PoeBot):
        async def get_response(self, request: Any) -> AsyncIterator[Any]:
            heard.append(request)
            if request.tool_results:
                yield raw("json", choices=[{"delta": {"content": request.tool_results[0].content}}])
            else:
                yield raw("json", choices=[{"delta": {"tool_calls": [call]}, "finish_reason": None}])

    def add(a: int, b: int) -> int:
        return a + b

    heard: list[Any] = []
    parameters = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
    function = {"name": "add", "description": "adds", "parameters": parameters}
    tools = [ToolDefinition.model_validate({"type": "function", "function": function})]
    with their_server(Calling(path="/Bot")) as port:
        got, error = asked((both[0], port), [], tools=tools, tool_executables=[add])
    assert error is None
    assert [response.text for response in got] == ["3"]
    assert heard[0].tools[0].function.name == "add"
    assert heard[1].tool_calls[0].function.arguments == '{"a": 1, "b": 2}'
    assert heard[1].tool_results[0].tool_call_id == "c1"


def test_all_of_a_query_arrives_at_their_bots_but_the_keys(both: tuple[Scripted, int]) -> None:
    bot, port = both
    bot.script, bot.should_insert_attachment_messages = [theirs.PartialResponse(text="x")], False
    bot.heard.clear()
    message = {
        "role": "user",
        "content": "hi",
        "attachments": ATTACHED,
        "parameters": {"shape": "3:2", "detail": 3},
        "sender": {"id": "u-1", "name": "Ada"},
        "reactions": [{"user_id": "u-1", "reaction": "heart"}],
        "feedback": [{"type": "like", "reason": None}],
        "metadata": "stored",
        "referenced_message": {"role": "bot", "content": "earlier"},
    }
    request = QueryRequest.model_validate({**query(query=[message]), "users": [{"id": "u-1"}], "temperature": 0.5})
    request.access_key = request.api_key = KEY

    async def ask() -> None:
        async for _ in stream_request(request, "Bot", KEY, base_url=f"http://127.0.0.1:{port}/"):
            pass

    try:
        asyncio.run(ask())
    finally:
        bot.should_insert_attachment_messages = True
    assert bot.heard[0].model_dump() == request.model_dump()
