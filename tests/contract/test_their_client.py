"""The official library's client, fastapi_poe 0.0.83, gets from our server what it gets from its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import endpoints
import fastapi_poe as theirs
import httpx
import pytest
from endpoints import KEY, Kernel, query
from fastapi_poe.client import _BotContext
from recording_poe import in_json, poe

from poe_notebook.bot.base import PoeBot
from poe_notebook.protocol.events import ServerSentEvent
from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.responses import DataResponse, ErrorResponse, MetaResponse, PartialResponse
from poe_notebook.protocol.settings import SettingsResponse

REQUEST = theirs.QueryRequest.parse_obj({**query("hi"), "access_key": KEY, "api_key": KEY})
MESSAGES = [theirs.ProtocolMessage(role="user", content="hi")]


class Scripted(PoeBot):
    """Gives what a test wants given, and keeps what is reported to it."""

    def __init__(self) -> None:
        self.script: list[Any] = []
        self.reports: list[str] = []
        self.asked: list[Any] = []

    async def get_response(self, request: Any) -> AsyncIterator[Any]:
        self.asked.append(request)
        for item in self.script:
            if isinstance(item, BaseException):
                raise item
            yield item

    async def get_settings(self, setting: Any) -> SettingsResponse:
        return SettingsResponse(introduction_message="hello", server_bot_dependencies={"GPT": 1})

    async def on_error(self, error_request: Any) -> None:
        self.reports.append(error_request.message)


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with endpoints.kernel() as running:
        yield running


@pytest.fixture
def bot(kernel: Kernel) -> Scripted:
    made = Scripted()
    kernel.serve(made)
    return made


def asked(kernel: Kernel, bot: Scripted, *script: Any, **options: Any) -> tuple[list[Any], Exception | None]:
    bot.script = list(script)

    async def ask() -> tuple[list[Any], Exception | None]:
        got: list[Any] = []
        try:
            async for message in theirs.stream_request(
                REQUEST,
                "Bot",
                KEY,
                base_url=f"http://127.0.0.1:{kernel.port}/",
                on_error=lambda error, what: None,
                retry_sleep_time=0,
                **options,
            ):
                got.append(message)
        except theirs.BotError as error:
            return got, error
        return got, None

    return asyncio.run(ask())


def test_text_comes_piece_by_piece(kernel: Kernel, bot: Scripted) -> None:
    got, error = asked(kernel, bot, "a", PartialResponse(text="é\u2028\ud800"), "")
    assert error is None
    assert [message.text for message in got] == ["a", "é\u2028\ud800", ""]
    assert not any(message.is_replace_response or message.is_suggested_reply for message in got)
    assert bot.reports == []


def test_replacements_and_suggestions_come_as_such(kernel: Kernel, bot: Scripted) -> None:
    got, error = asked(
        kernel,
        bot,
        "a",
        PartialResponse(text="b", is_replace_response=True),
        PartialResponse(text="more", is_suggested_reply=True),
    )
    assert error is None
    assert [(m.text, m.is_replace_response, m.is_suggested_reply) for m in got] == [
        ("a", False, False),
        ("b", True, False),
        ("more", False, True),
    ]


def test_meta_comes_first(kernel: Kernel, bot: Scripted) -> None:
    got, error = asked(kernel, bot, MetaResponse(content_type="text/plain", suggested_replies=True, linkify=False), "a")
    assert error is None
    meta, _ = got
    assert isinstance(meta, theirs.MetaResponse)
    assert (meta.content_type, meta.suggested_replies, meta.linkify) == ("text/plain", True, False)


def test_files_json_and_indexes_come_whole(kernel: Kernel, bot: Scripted) -> None:
    file = Attachment(url="https://x/f.png", content_type="image/png", name="f.png", inline_ref="r")
    chunk = {"choices": [{"delta": {"content": "x"}, "finish_reason": None}]}
    got, error = asked(
        kernel,
        bot,
        PartialResponse(text="see", attachment=file),
        PartialResponse(text="", data=chunk),
        PartialResponse(text="second", index=2),
    )
    assert error is None
    assert got[0].attachment == theirs.Attachment(
        url="https://x/f.png", content_type="image/png", name="f.png", inline_ref="r"
    )
    assert [got[1].text, got[2].data, got[3].text, got[3].index] == ["see", chunk, "second", 2]
    assert bot.reports == []


def test_metadata_is_unknown_to_their_client_which_reports_it_and_goes_on(kernel: Kernel, bot: Scripted) -> None:
    got, error = asked(kernel, bot, "a", DataResponse(metadata="m"), "b")
    assert error is None
    assert [message.text for message in got] == ["a", "b"]
    assert bot.reports == ["Unknown event type: data"]


@pytest.mark.parametrize(
    ("script", "kind", "times"),
    [
        ([ErrorResponse(text="no", allow_retry=False)], theirs.BotErrorNoRetry, 1),
        ([ErrorResponse(text="no")], theirs.BotError, 2),
        (["a", ErrorResponse(text="no")], theirs.BotError, 1),
        ([ValueError("inside")], theirs.BotErrorNoRetry, 1),
        ([3], theirs.BotErrorNoRetry, 1),
    ],
    ids=["no retry", "retry", "after text", "exception", "mistake"],
)
def test_an_error_is_raised_and_retried_as_it_says(
    kernel: Kernel, bot: Scripted, script: list[Any], kind: type[Exception], times: int
) -> None:
    got, error = asked(kernel, bot, *script)
    assert type(error) is kind
    assert len(bot.asked) == times
    assert len(got) == (1 if script[0] == "a" else 0)
    assert "inside" not in str(error)
    assert isinstance(json.loads(str(error)), dict)


def test_an_answer_of_nothing_is_reported_to_the_bot(kernel: Kernel, bot: Scripted) -> None:
    got, error = asked(kernel, bot)
    assert (got, error) == ([], None)
    assert bot.reports == ["Bot returned no text in response"]


def test_get_bot_response_and_get_final_response_work(kernel: Kernel, bot: Scripted) -> None:
    bot.script = ["wrong", PartialResponse(text="right", is_replace_response=True), " answer"]
    base_url = f"http://127.0.0.1:{kernel.port}/"

    async def ask() -> tuple[list[str], str]:
        pieces = [m.text async for m in theirs.get_bot_response(MESSAGES, "Bot", KEY, base_url=base_url)]
        return pieces, await theirs.get_final_response(REQUEST, "Bot", KEY, base_url=base_url)

    assert asyncio.run(ask()) == (["wrong", "right", " answer"], "right answer")
    assert bot.asked[0].query[0].content == "hi"


def test_the_sync_function_works(kernel: Kernel, bot: Scripted) -> None:
    bot.script = ["a", "b"]
    base_url = f"http://127.0.0.1:{kernel.port}/"
    loop = asyncio.new_event_loop()
    try:
        got = [m.text for m in theirs.get_bot_response_sync(MESSAGES, "Bot", KEY, base_url=base_url)]
    finally:
        asyncio.set_event_loop(loop)
        loop.close()
        asyncio.set_event_loop(None)
    assert got == ["a", "b"]


def test_tools_are_called_and_their_results_come_back(kernel: Kernel, bot: Scripted) -> None:
    def add(a: int, b: int) -> int:
        called.append((a, b))
        return a + b

    called: list[tuple[int, int]] = []
    tool = {
        "type": "function",
        "function": {
            "name": "add",
            "description": "adds",
            "parameters": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}},
        },
    }
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}
    chunk = {"choices": [{"delta": {"tool_calls": [call]}, "finish_reason": None}]}

    class Calling(Scripted):
        async def get_response(self, request: Any) -> AsyncIterator[Any]:
            self.asked.append(request)
            if request.tool_results:
                yield f"it is {request.tool_results[0].content}"
            else:
                yield PartialResponse(text="", data=chunk)

    calling = Calling()
    kernel.serve(calling)
    got, error = asked(kernel, calling, tools=[theirs.ToolDefinition.parse_obj(tool)], tool_executables=[add])
    assert error is None
    assert called == [(1, 2)]
    assert got[-1].text == "it is 3"
    assert calling.asked[0].tools[0].function.name == "add"


def test_settings_are_fetched(kernel: Kernel, bot: Scripted) -> None:
    async def fetch() -> Any:
        async with httpx.AsyncClient() as session:
            context = _BotContext(endpoint=kernel.url(), session=session, api_key=KEY)
            await context.report_reaction("m", "u", "c", "like")
            return await context.fetch_settings()

    fetched = theirs.SettingsResponse.parse_obj(asyncio.run(fetch()))
    assert fetched.introduction_message == "hello"
    assert fetched.server_bot_dependencies == {"GPT": 1}


def test_a_wrong_key_gives_an_error(kernel: Kernel, bot: Scripted) -> None:
    async def ask() -> None:
        base_url = f"http://127.0.0.1:{kernel.port}/"
        async for _ in theirs.stream_request(
            REQUEST, "Bot", "x" * 32, base_url=base_url, on_error=lambda *_: None, retry_sleep_time=0
        ):
            pass

    with pytest.raises(theirs.BotError):
        asyncio.run(ask())
    assert bot.asked == []


def test_an_event_that_nobody_knows_is_passed_on_and_reported_by_their_client(kernel: Kernel, bot: Scripted) -> None:
    got, error = asked(kernel, bot, ServerSentEvent(event="tomorrow", data="{}"), "a")
    assert error is None
    assert [message.text for message in got] == ["a"]
    assert bot.reports == ["Unknown event type: tomorrow"]


def test_each_report_of_their_client_is_heard(kernel: Kernel) -> None:
    class Hearing(PoeBot):
        async def on_feedback(self, feedback_request: Any) -> None:
            heard.append(("feedback", feedback_request.feedback_type, feedback_request.message_id))

        async def on_reaction_with_context(self, reaction_request: Any, context: Any) -> None:
            heard.append(("reaction", reaction_request.reaction, reaction_request.user_id))

        async def on_error(self, error_request: Any) -> None:
            heard.append(("error", error_request.message, error_request.metadata))

    async def report() -> None:
        async with httpx.AsyncClient() as session:
            context = _BotContext(endpoint=kernel.url(), session=session, api_key=KEY)
            await context.report_feedback("m", "u", "c", "like")
            await context.report_reaction("m", "u", "c", "heart")
            await context.report_error("late", {"message_id": "m"})

    heard: list[Any] = []
    kernel.serve(Hearing())
    asyncio.run(report())
    assert heard == [("feedback", "like", "m"), ("reaction", "heart", "u"), ("error", "late", {"message_id": "m"})]


def test_all_of_a_query_of_their_client_arrives_but_the_keys_in_it(kernel: Kernel, bot: Scripted) -> None:
    file = theirs.Attachment(url="u", content_type="text/plain", name="a.txt", parsed_content="words of a")
    message = theirs.ProtocolMessage(
        role="user",
        content="hi",
        attachments=[file],
        parameters={"shape": "3:2"},
        sender=theirs.Sender(id="u-1", name="Ada"),
        referenced_message=theirs.ProtocolMessage(role="bot", content="earlier", metadata="stored"),
    )
    request = theirs.QueryRequest(
        **{**query(), "query": [message], "users": [theirs.User(id="u-1")], "extra_params": {"a": 1}}
    )
    request.access_key = request.api_key = "injected by whoever asks"
    bot.script, bot.should_insert_attachment_messages = ["x"], False
    base_url = f"http://127.0.0.1:{kernel.port}/"
    assert asyncio.run(theirs.get_final_response(request, "Bot", KEY, base_url=base_url)) == "x"
    assert bot.asked[0].model_dump() == {**request.model_dump(), "access_key": KEY, "api_key": KEY}


def test_what_poe_read_of_their_attachments_stands_ahead_of_the_message(kernel: Kernel, bot: Scripted) -> None:
    file = theirs.Attachment(url="u", content_type="text/plain", name="a.txt", parsed_content="words of a")
    bot.script = ["x"]

    async def ask() -> None:
        messages = [theirs.ProtocolMessage(role="user", content="hi", attachments=[file])]
        base_url = f"http://127.0.0.1:{kernel.port}/"
        async for _ in theirs.get_bot_response(messages, "Bot", KEY, base_url=base_url):
            pass

    asyncio.run(ask())
    inserted, message = bot.asked[0].query
    assert "words of a" in inserted.content
    assert (message.content, message.attachments[0].name) == ("hi", "a.txt")


def test_a_file_that_our_bot_posts_is_an_attachment_for_their_client(kernel: Kernel) -> None:
    class Posting(PoeBot):
        async def get_response(self, request: Any) -> AsyncIterator[Any]:
            posted = await self.post_message_attachment(
                message_id=request.message_id, file_data=b"x", filename="a.txt", is_inline=True, base_url=upload_to
            )
            yield f"![a][{posted.inline_ref}]"

    kernel.serve(Posting())
    with poe(in_json({"attachment_url": "https://x/a", "mime_type": "text/plain"})) as server:
        upload_to = f"{server.url}/poe_api/"
        got, error = asked(kernel, Scripted())
    assert error is None
    file, text = got
    assert (file.attachment.url, file.attachment.name) == ("https://x/a", "a.txt")
    assert text.text == f"![a][{file.attachment.inline_ref}]"
