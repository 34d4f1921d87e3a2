"""The calls in an answer's chunks: what is understood of them, how functions are called, what a bot is told of it."""

from __future__ import annotations

import asyncio
import functools
import json
import threading
import time
from typing import Any

import pytest
from calling_bots import FINAL, REQUEST, TOOLS, Bot, asks, call, chunk, in_json, run, weather, words
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.client.tools import run_tools
from poe_notebook.errors import InvalidParameterError
from poe_notebook.protocol.responses import PartialResponse

# Chunks.


@given(arguments=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4), data=st.data())
@settings(max_examples=60, deadline=None)
def test_however_a_call_is_cut_into_pieces_it_arrives_whole(arguments: dict[str, str], data: st.DataObject) -> None:
    whole = json.dumps(arguments)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    first, *rest = [call(piece, **({"name": "take", "id": "i"} if n == 0 else {})) for n, piece in enumerate(pieces)]
    bot = Bot(in_json(*map(chunk, [first, *rest])), FINAL)

    def take(**given: str) -> dict[str, str]:
        return given

    run(bot, take)
    assert bot.results() == [arguments]


def test_pieces_of_several_calls_and_of_parallel_answers_are_kept_apart() -> None:
    def at(index: int | None, delta: dict[str, Any]) -> PartialResponse:
        return PartialResponse(text="", data=chunk(delta), index=index)

    bot = Bot(
        [
            at(None, call('{"city":', name="weather", id="a", index=0)),
            at(None, call('{"city":', name="weather", id="b", index=1)),
            at(3, call('{"city":', name="weather", id="c", index=0)),
            at(None, call('"B"}', index=1)),
            at(3, call('"C"}', index=0)),
            at(None, call('"A"}', index=0)),
        ],
        FINAL,
    )
    run(bot, weather)
    assert bot.results() == ["rain in A", "rain in B", "rain in C"]


def test_calls_that_are_all_number_zero_are_told_apart_by_their_ids() -> None:
    first, second = (call(f'{{"city": "{id}"}}', name="weather", id=id) for id in "ab")
    bot = Bot(in_json(chunk(first), chunk(second)), FINAL)
    run(bot, weather)
    assert bot.results() == ["rain in a", "rain in b"]


@pytest.mark.parametrize(
    "deltas",
    [
        [{"tool_calls": [{"index": 0, "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}]}],
        [
            {"tool_calls": [{"function": {"name": "weather"}}]},
            {"tool_calls": [{"function": {"arguments": '{"city": "Oslo"}'}}]},
        ],
        [call(None, name="weather", id="x"), call('{"city": "Oslo"}')],
        [{"tool_calls": [{"index": None, "id": None, "function": {"name": "weather", "arguments": {"city": "Oslo"}}}]}],
        [{**call('{"city": "Oslo"}', name="weather", id="x"), "content": None}],
    ],
)
def test_what_providers_leave_away_is_made_up_for(deltas: list[dict[str, Any]]) -> None:
    bot = Bot(in_json(*map(chunk, deltas)), FINAL)
    run(bot, weather)
    assert bot.results() == ["rain in Oslo"]
    (made,) = bot.asked[1].tool_calls or ()
    assert made.id
    assert made.type == "function"
    assert bot.asked[1].tool_results[0].tool_call_id == made.id


def test_made_up_ids_differ_from_round_to_round() -> None:
    nameless = {"tool_calls": [{"function": {"name": "weather", "arguments": "{}"}}]}
    bot = Bot(in_json(chunk(nameless)), in_json(chunk(nameless)), FINAL)
    run(bot, weather)
    ids = [each.id for each in bot.asked[-1].tool_calls or ()]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    "delta", [None, [], {}, {"content": None}, {"tool_calls": None}, {"tool_calls": [None, 7]}, {"role": "assistant"}]
)
def test_empty_deltas_are_nothing(delta: Any) -> None:
    assert run(Bot(in_json(chunk(delta), {"choices": [{}]})), weather) == []


def test_the_content_of_the_last_chunk_is_kept() -> None:
    bot = Bot(in_json(chunk({"content": "It "}), chunk({"content": "rains."}, "stop")))
    assert words(run(bot, weather)) == "It rains."


def test_content_beside_a_call_is_kept_and_has_the_index_of_its_answer() -> None:
    both = {"content": "Let me see. ", **call('{"city": "Oslo"}', name="weather", id="x")}
    bot = Bot([PartialResponse(text="", data=chunk(both, "tool_calls"), index=2)], FINAL)
    got = run(bot, weather)
    assert got[0] == PartialResponse(text="Let me see. ", index=2)
    assert words(got) == "Let me see. It rains."


keys = st.sampled_from(
    ["choices", "delta", "content", "tool_calls", "function", "name", "arguments", "index", "id", "type"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@given(data=st.dictionaries(keys, values, max_size=3) | values.map(chunk))
@settings(max_examples=150, deadline=None)
def test_no_chunk_breaks_the_answer(data: dict[str, Any]) -> None:
    run(Bot(in_json(data), FINAL), weather)


# Functions.


def test_functions_of_all_kinds_are_called() -> None:
    async def slow(x: int) -> int:
        await asyncio.sleep(0)
        return x + 1

    def later(x: int) -> Any:
        return slow(x)

    def plain(x: int) -> dict[str, Any]:
        return {"é": [x, None, True]}

    def nothing() -> None:
        pass

    chunks = [chunk(call('{"x": 1}', name=name, id=name, index=n)) for n, name in enumerate(["slow", "later", "plain"])]
    bot = Bot(in_json(*chunks, chunk(call("", name="nothing", id="n", index=3))), FINAL)
    run(bot, slow, later, plain, nothing)
    assert bot.results() == [2, 2, {"é": [1, None, True]}, None]


def test_results_are_written_as_the_library_writes_them() -> None:
    def odd() -> Any:
        return {"a": "é", "b": [1.5, "x"]}

    bot = Bot(asks("{}", name="odd"), FINAL)
    run(bot, odd)
    assert bot.asked[1].tool_results[0].content == json.dumps(odd())


def test_coroutines_run_side_by_side_and_plain_functions_one_after_the_other_beside_them() -> None:
    log: list[str] = []
    together = asyncio.Barrier(3)

    async def a() -> None:
        await together.wait()

    async def b() -> None:
        await together.wait()

    async def c() -> None:
        await together.wait()

    def plain(n: int) -> None:
        log.append(f"begin {n}")
        time.sleep(0.01)
        log.append(f"end {n}")
        assert threading.current_thread() is not threading.main_thread()

    pieces = [chunk(call("", name=name, id=name, index=n)) for n, name in enumerate(["a", "b", "c"])]
    pieces += [chunk(call(f'{{"n": {n}}}', name="plain", id=f"p{n}", index=10 + n)) for n in range(3)]
    bot = Bot(in_json(*pieces), FINAL)
    run(bot, a, b, c, plain)
    assert bot.results() == [None] * 6
    assert log == [f"{what} {n}" for n in range(3) for what in ("begin", "end")]


def raises() -> None:
    raise LookupError("no such city")


def stops() -> Any:
    return next(iter(()))


async def raises_later() -> None:
    raise LookupError("not there either")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("unknown", "{}", "There is no function 'unknown'. There are: weather, raises"),
        ("", "{}", "There is no function ''"),
        ("weather", '{"city": ', "no JSON"),
        ("weather", '["Oslo"]', "no object"),
        ("weather", "{}", "TypeError: weather() missing 1 required positional argument: 'city'"),
        ("weather", '{"town": "Oslo"}', "TypeError: weather() got an unexpected keyword"),
        ("raises", "{}", "LookupError: no such city"),
        ("raises_later", "", "LookupError: not there either"),
        ("stops", "{}", "StopIteration"),
        ("thing", "{}", "TypeError: Object of type object is not JSON serializable"),
        ("nan", "{}", "ValueError: Out of range float"),
    ],
)
def test_what_goes_wrong_is_told_to_the_bot(name: str, arguments: str, said: str) -> None:
    def thing() -> object:
        return object()

    def nan() -> float:
        return float("nan")

    bot = Bot(asks(arguments, name=name), FINAL)
    assert words(run(bot, weather, raises, raises_later, stops, thing, nan)) == "It rains."
    (result,) = bot.results()
    assert list(result) == ["error"]
    assert said in result["error"]


def test_the_author_hears_in_the_log_of_a_function_that_raised(caplog: pytest.LogCaptureFixture) -> None:
    run(Bot(asks("{}", name="raises"), FINAL), raises)
    (record,) = caplog.records
    assert "The function raises failed" in record.getMessage()
    assert record.exc_info is not None
    assert "no such city" in str(record.exc_info[1])


def test_an_executable_without_a_name_is_refused_before_anything_is_asked() -> None:
    bot = Bot(FINAL)
    with pytest.raises(InvalidParameterError, match="__name__"):
        run(bot, functools.partial(weather, "Oslo"))
    assert bot.asked == []


def test_cancelling_the_answer_cancels_the_functions() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(20)
        finally:
            ended.append("cancelled")

    async def ask() -> None:
        async with asyncio.timeout(0.05):
            async for _ in run_tools(bot, REQUEST, tools=TOOLS, tool_executables=[wait]):
                pass

    bot = Bot(asks("", name="wait"))
    with pytest.raises(TimeoutError):
        asyncio.run(ask())
    assert ended == ["cancelled"]
