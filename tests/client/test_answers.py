"""The answers of bots as the library's functions give them: what is sent, what comes, what a cut makes of it."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastapi_poe
import httpx
import pytest
from endpoints import query
from places import Place, everywhere
from recording_poe import DONE, KEY, RecordingPoe, Reply, Script, holds_key, plain, poe, shown, sse, text

from poe_notebook.client import settings, uploads
from poe_notebook.client.answers import get_bot_response, get_bot_response_sync, get_final_response, stream_request
from poe_notebook.client.retries import Restart
from poe_notebook.errors import BotError, BotErrorNoRetry, InvalidParameterError
from poe_notebook.protocol.messages import ProtocolMessage
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import MetaResponse, PartialResponse

ROOT = Path(__file__).resolve().parents[2]
REQUEST = QueryRequest.model_validate(query("hi"))
MESSAGES = [ProtocolMessage(role="user", content="hi")]
FILE = ("file", {"url": "https://files.example/1", "content_type": "image/png", "name": "1.png"})


def again(words: str, index: int | None = None) -> tuple[str, dict[str, Any]]:
    return "replace_response", {"text": words, **({} if index is None else {"index": index})}


def at(index: int, words: str) -> tuple[str, dict[str, Any]]:
    return "text", {"text": words, "index": index}


def suggestion(words: str) -> tuple[str, dict[str, Any]]:
    return "suggested_reply", {"text": words}


def asked(*script: Script, **options: Any) -> tuple[list[Any], Exception | None, int]:
    """Ask with ``stream_request``; gives the responses, the error, and how often the server was asked."""

    async def ask(url: str) -> tuple[list[Any], Exception | None]:
        got: list[Any] = []
        given = {"base_url": f"{url}/bot/", "retry_sleep_time": 0, **options}
        try:
            async for response in stream_request(REQUEST, "Bot", KEY, **given):
                got.append(response)
        except BotError as error:
            return got, error
        return got, None

    with poe(*script) as server:
        got, error = asyncio.run(ask(server.url))
        return got, error, len(server.seen)


def final(*script: Script, **options: Any) -> str:
    with poe(*script) as server:
        url = f"{server.url}/bot/"
        return asyncio.run(get_final_response(REQUEST, "Bot", KEY, base_url=url, retry_sleep_time=0, **options))


# Signatures.


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (stream_request, fastapi_poe.stream_request),
        (get_bot_response, fastapi_poe.get_bot_response),
        (get_bot_response_sync, fastapi_poe.get_bot_response_sync),
        (get_final_response, fastapi_poe.get_final_response),
        (uploads.upload_file, fastapi_poe.upload_file),
        (uploads.upload_file_sync, fastapi_poe.upload_file_sync),
        (settings.sync_bot_settings, fastapi_poe.sync_bot_settings),
    ],
    ids=lambda function: function.__name__,
)
def test_the_parameters_are_the_librarys(mine: Callable[..., Any], theirs: Callable[..., Any]) -> None:
    ours, official = inspect.signature(mine).parameters, inspect.signature(theirs).parameters
    assert [(p.name, p.kind) for p in ours.values()] == [(p.name, p.kind) for p in official.values()]
    for name, parameter in official.items():
        if name not in ("on_error", "base_url"):  # ours prints nothing, and follows POE_BASE_URL
            assert ours[name].default == parameter.default


# What is sent.


@pytest.mark.parametrize(
    "hints",
    [
        {},
        {"temperature": 0.5, "skip_system_prompt": True, "stop_sequences": ["END"]},
        {"logit_bias": {"x": -100}, "adopt_current_bot_name": False, "temperature": 0.0},
    ],
)
def test_the_library_sends_the_same_query(hints: dict[str, Any]) -> None:
    theirs = [fastapi_poe.ProtocolMessage(role="user", content="hi", parameters={"a": 1})]
    mine = [ProtocolMessage(role="user", content="hi", parameters={"a": 1})]

    async def ask(url: str) -> None:
        async for _ in get_bot_response(mine, "Bot", KEY, base_url=url, **hints):
            pass
        async for _ in get_bot_response(theirs, "Bot", KEY, base_url=url, **hints):
            pass
        async for _ in fastapi_poe.get_bot_response(theirs, "Bot", KEY, base_url=url, **hints):
            pass

    with poe(sse(text("x"), DONE)) as server:
        asyncio.run(ask(f"{server.url}/bot/"))
    *ours, official = server.seen
    expected = official.json
    assert {expected.pop("api_key"), expected.pop("access_key")} == {"<missing>"}
    for seen in ours:
        assert seen.json == expected
        assert seen.path == official.path == "/bot/Bot"
        for header in ("authorization", "content-type", "accept", "cache-control"):
            assert seen.headers[header] == official.headers[header]


def test_the_query_is_made_when_the_function_is_called() -> None:
    messages = list(MESSAGES)
    with poe(sse(text("x"), DONE)) as server:
        answer = get_bot_response_sync(messages, "Bot", KEY, base_url=f"{server.url}/bot/")
        messages.append(ProtocolMessage(role="user", content="too late"))
        list(answer)
    assert len(server.seen[0].json["query"]) == 1
    with pytest.raises(ValueError, match="content"):
        get_bot_response_sync([{"role": "user"}], "Bot", KEY)


def test_the_environment_may_name_another_poe(monkeypatch: pytest.MonkeyPatch) -> None:
    with poe(sse(text("x"), DONE)) as server:
        monkeypatch.setenv("POE_BASE_URL", server.url)
        list(get_bot_response_sync(MESSAGES, "Bot", KEY))
    assert server.seen[0].path == "/bot/Bot"


def test_a_deprecated_access_key_warns_where_it_is_given() -> None:
    with poe(sse(text("x"), DONE)) as server:

        async def ask() -> None:
            async for _ in stream_request(REQUEST, "Bot", KEY, access_key="old", base_url=f"{server.url}/bot/"):
                pass
            await get_final_response(REQUEST, "Bot", KEY, access_key="old", base_url=f"{server.url}/bot/")

        with pytest.warns(DeprecationWarning, match="access_key") as caught:
            asyncio.run(ask())
    assert [each.filename for each in caught] == [__file__] * 2


# Cuts.


def test_a_cut_answer_begins_again_after_a_replace_response() -> None:
    meta = ("meta", {"suggested_replies": True})
    got, error, times = asked(sse(meta, text("Once "), is_cut=True), sse(meta, text("Once upon"), DONE))
    assert (error, times) == (None, 2)
    assert isinstance(got[0], MetaResponse)
    assert got[1:] == [PartialResponse(text="Once "), Restart(), PartialResponse(text="Once upon")]
    assert (got[2].text, got[2].is_replace_response, got[2].index) == ("", True, None)


def test_each_of_parallel_answers_begins_again() -> None:
    got, error, _ = asked(sse(at(1, "a"), at(2, "b"), is_cut=True), sse(at(1, "A"), at(2, "B"), DONE))
    assert error is None
    assert {each.index for each in got[2:4]} == {1, 2}
    assert all(type(each) is Restart for each in got[2:4])
    assert [each.text for each in got[4:]] == ["A", "B"]


def test_files_and_suggestions_that_came_before_a_cut_do_not_come_twice() -> None:
    one, two = suggestion("More"), suggestion("Less")
    got, error, _ = asked(sse(FILE, one, one, text("a"), is_cut=True), sse(FILE, one, two, text("b"), DONE))
    assert error is None
    assert sum(1 for each in got if each.attachment) == 1
    assert [each.text for each in got if each.is_suggested_reply] == ["More", "More", "Less"]


def test_an_answer_that_was_only_files_is_not_restarted() -> None:
    got, error, _ = asked(sse(FILE, is_cut=True), sse(FILE, text("b"), DONE))
    assert error is None
    assert [type(each) for each in got] == [PartialResponse, PartialResponse]


def test_a_cut_is_tried_again_as_often_as_was_said() -> None:
    heard: list[str] = []
    got, error, times = asked(sse(text("a"), is_cut=True), num_tries=3, on_error=lambda error, what: heard.append(what))
    assert times == 3
    assert type(error) is BotError
    assert heard == [f"Bot request to Bot failed on try {n}" for n in (1, 2, 3)]
    assert [each.text for each in got] == ["a", "", "a", "", "a"]


def test_if_nothing_more_comes_after_a_cut_the_text_stands() -> None:
    got, error, times = asked(sse(text("a"), is_cut=True), plain("gone", status=500))
    assert (got, times) == ([PartialResponse(text="a")], 2)
    assert "500" in str(error)


def test_after_a_cut_a_refusal_is_not_tried_again() -> None:
    _, error, times = asked(sse(text("a"), is_cut=True), plain("no", status=401), sse(text("b"), DONE), num_tries=5)
    assert type(error) is BotErrorNoRetry
    assert times == 2


def test_an_answer_that_has_only_said_how_to_show_it_may_fail_and_be_tried_again() -> None:
    meta = ("meta", {"content_type": "text/plain"})
    got, error, times = asked(sse(meta, ("error", {"text": "busy"})), sse(meta, text("a"), DONE))
    assert (error, times) == (None, 2)
    assert [type(each) for each in got] == [MetaResponse, PartialResponse]


@pytest.mark.parametrize("end", [("error", {"text": "no"}), ("text", {})])
def test_a_failure_of_the_bot_after_text_is_not_tried_again(end: tuple[str, dict[str, Any]]) -> None:
    got, error, times = asked(sse(text("a"), end), num_tries=3)
    assert (got, times) == ([PartialResponse(text="a")], 1)
    assert isinstance(error, BotError)


def test_a_key_that_a_bot_sends_back_is_in_no_error() -> None:
    _, error, _ = asked(sse(("error", {"text": f"your key {KEY}", "allow_retry": False})))
    assert not holds_key(shown(error))


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    asked(sse(text("a"), is_cut=True))
    assert capfd.readouterr() == ("", "")


# The whole text.


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([text("a"), text("b")], "ab"),
        ([text("a"), again("x"), text("y")], "xy"),
        ([("meta", {}), suggestion("More?"), text("a"), suggestion("Less?")], "a"),
        ([FILE], ""),
        ([("json", {"choices": []})], ""),
        ([("data", {"metadata": "m"}), text("a")], "a"),
        ([at(1, "a"), at(2, "b"), at(1, "c")], "ac\n\nb"),
        ([at(1, "a"), at(2, "b"), again("x", 1), at(2, "d")], "x\n\nbd"),
        ([at(1, "a"), again("", 1), at(2, "b")], "b"),
    ],
)
def test_the_final_response_is_the_whole_text(events: list[Any], expected: str) -> None:
    assert final(sse(*events, DONE)) == expected


@pytest.mark.parametrize("events", [[], [("meta", {})], [suggestion("a")], [("data", {"metadata": "m"})]])
def test_nothing_at_all_is_an_error(events: list[Any]) -> None:
    with pytest.raises(BotError, match="Bot Bot sent no response"):
        final(sse(*events, DONE))


def test_the_final_response_of_a_cut_answer_is_that_of_the_second_try() -> None:
    assert final(sse(text("Once "), is_cut=True), sse(text("Once upon"), DONE)) == "Once upon"


# From synchronous code.


def words(server: RecordingPoe, **options: Any) -> str:
    answer = get_bot_response_sync(MESSAGES, "Bot", KEY, base_url=f"{server.url}/bot/", **options)
    return "".join(response.text for response in answer if isinstance(response, PartialResponse))


@everywhere
def test_the_synchronous_form_works_anywhere(place: Place) -> None:
    answer = sse(*[text(f"{n} ") for n in range(500)], DONE)
    with poe(answer) as server, warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert place(lambda: words(server)) == "".join(f"{n} " for n in range(500))


@everywhere
def test_text_comes_as_it_streams(place: Place) -> None:
    def first() -> str:
        started = time.monotonic()
        answer = get_bot_response_sync(MESSAGES, "Bot", KEY, base_url=f"{server.url}/bot/")
        got = next(answer)
        assert time.monotonic() - started < 0.3
        answer.close()
        return got.text

    with poe(Reply([*sse(text("a")).pieces, 0.5, *sse(text("b"), DONE).pieces])) as server:
        assert place(first) == "a"


@everywhere
def test_leaving_early_ends_the_query(place: Place) -> None:
    def leave() -> str:
        for response in get_bot_response_sync(MESSAGES, "Bot", KEY, base_url=f"{server.url}/bot/"):
            return response.text
        return ""

    with poe(Reply([*sse(text("a")).pieces, *[0.005, *sse(text("b" * 1000)).pieces] * 400])) as server:
        assert place(leave) == "a"
        assert server.left.wait(1)


@everywhere
def test_an_error_comes_out(place: Place) -> None:
    fails = sse(("error", {"text": "too long", "allow_retry": False}))
    with poe(fails) as server, pytest.raises(BotErrorNoRetry, match="too long"):
        place(lambda: words(server))


@everywhere
def test_functions_are_called_in_the_synchronous_form_too(place: Place) -> None:
    def weather() -> str:
        return "rain"

    tool = fastapi_poe.ToolDefinition(
        type="function",
        function={"name": "weather", "description": "", "parameters": {"type": "object", "properties": {}}},
    )
    delta = {"tool_calls": [{"index": 0, "id": "x", "type": "function", "function": {"name": "weather"}}]}
    asks = sse(("json", {"choices": [{"delta": delta}]}), DONE)
    with poe(asks, sse(text("It rains."), DONE)) as server:
        assert place(lambda: words(server, tools=[tool], tool_executables=[weather])) == "It rains."
    assert server.seen[1].json["tool_results"][0]["content"] == '"rain"'


def test_a_session_in_a_cell_is_refused_at_once() -> None:
    async def cell() -> None:
        async with httpx.AsyncClient() as session:
            get_bot_response_sync(MESSAGES, "Bot", KEY, session=session)

    with pytest.raises(InvalidParameterError, match="session"):
        asyncio.run(cell())


def test_a_handler_may_ask_another_bot_while_its_loop_runs() -> None:
    async def many(url: str) -> list[str]:
        return await asyncio.gather(
            *[get_final_response(REQUEST, f"Bot{n}", KEY, base_url=f"{url}/bot/") for n in range(20)]
        )

    with poe(lambda seen: sse(text(seen.path), DONE)) as server:
        assert asyncio.run(many(server.url)) == [f"/bot/Bot{n}" for n in range(20)]


def test_it_works_in_a_script_that_ends_in_the_middle() -> None:
    code = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from poe_notebook.client.answers import get_bot_response_sync
from poe_notebook.protocol.messages import ProtocolMessage
messages = [ProtocolMessage(role="user", content="hi")]
ask = lambda: get_bot_response_sync(messages, "Bot", "k" * 32, base_url=sys.argv[1] + "/bot/")
print("".join(response.text for response in ask()))
left = ask()
print(next(left).text)
"""
    endless = Reply([*sse(text("a")).pieces, *[0.01, *sse(text("b" * 1000)).pieces] * 1000])
    with poe(sse(text("whole"), DONE), endless) as server:
        done = subprocess.run([sys.executable, "-c", code, server.url], capture_output=True, text=True, timeout=20)
        assert server.left.wait(1)
    assert (done.returncode, done.stdout, done.stderr) == (0, "whole\na\n", "")
