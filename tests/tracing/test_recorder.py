"""The trace: what the two ends write, without keys, within its bound, from several threads at once."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import threading
import time
import tracemalloc
import weakref
from datetime import UTC, datetime
from typing import Any

import pytest

from poe_notebook.keys import HIDDEN, Redactor, Secret
from poe_notebook.protocol.events import encode, encode_text
from poe_notebook.tracing.exchange import Exchange, Place, Tap
from poe_notebook.tracing.recorder import CURRENT, EXCHANGE_HEADER, Recording, Trace

KEY = "k3yk3yk3yk3yk3yk3yk3yk3yk3yk3y00"


def a_trace(max_bytes: int = 64 * 1024 * 1024) -> Trace:
    redactor = Redactor()
    redactor.add(Secret(KEY))
    return Trace(redactor, max_bytes=max_bytes, label=lambda name: "Cell In[3]" if name == __file__ else None)


def server(
    trace: Trace,
    *,
    bot: str = "Bot",
    message_id: str = "m-1",
    kind: str = "query",
    asked_by: Recording | None = None,
    **request: Any,
) -> Recording:
    headers = {EXCHANGE_HEADER.lower(): asked_by.reference} if asked_by is not None else {}
    return trace.begin_server(bot=bot, kind=kind, message_id=message_id, request=request, headers=headers)


def client(trace: Trace, *, bot: str = "Bot", message_id: str = "m-1") -> Recording:
    return trace.begin_client(bot=bot, kind="query", message_id=message_id, route="kernel", request={}, url="http://x")


# Both ends.


def test_an_asker_and_the_bot_in_one_kernel_write_one_exchange() -> None:
    trace = a_trace()
    asking = client(trace)
    answering = server(trace, asked_by=asking)
    answering.event("text", b"x")
    asking.event("text", b"x")
    assert len(trace) == 1
    exchange = trace[0]
    assert exchange.server is answering.tap
    assert exchange.client is asking.tap
    assert exchange.server is not exchange.client
    assert exchange.route == "kernel"


def test_a_second_request_in_the_name_of_an_exchange_is_one_of_its_own() -> None:
    trace = a_trace()
    asking = client(trace)
    first, second = (server(trace, asked_by=asking) for _ in range(2))
    assert [exchange.number for exchange in trace] == [1, 2]
    assert (first.exchange.number, second.exchange.number) == (1, 2)


def test_calls_at_once_to_one_bot_for_one_message_are_not_mixed_up() -> None:
    trace = a_trace()
    first, second = client(trace), client(trace)
    assert server(trace, asked_by=second).exchange is second.exchange
    assert server(trace, asked_by=first).exchange is first.exchange


def test_a_request_that_names_no_exchange_of_this_trace_joins_none() -> None:
    trace, other = a_trace(), a_trace()
    asking = client(trace)
    server(trace)
    server(trace, asked_by=client(other))
    assert len(trace) == 3
    assert asking.exchange.server is None


def test_only_who_is_asked_from_here_knows_the_poe_of_this_kernel() -> None:
    trace = a_trace()
    trace.poe_url = "http://127.0.0.1:1"
    asking = client(trace)
    assert [server(trace, asked_by=asking).poe_url for _ in range(2)] == ["http://127.0.0.1:1"] * 2
    assert server(trace).poe_url == server(trace, asked_by=client(a_trace())).poe_url == ""


def test_the_last_exchange_is_the_users_and_not_what_its_handler_asked() -> None:
    trace = a_trace()
    answering = server(trace, bot="Outer", asked_by=client(trace, bot="Outer"))
    inner = answering.nested(bot="Inner", url="https://api.poe.com/bot/Inner", request={})
    assert trace.last() is answering.exchange
    assert trace.last("Inner") is inner.exchange


def test_what_names_an_exchange_is_not_in_the_recorded_headers() -> None:
    trace = a_trace()
    answering = server(trace, asked_by=client(trace))
    assert answering.exchange.request_headers == {}


def test_a_call_of_a_handler_is_recorded_under_the_exchange_that_it_answers() -> None:
    trace = a_trace()
    trace.poe_url = "http://127.0.0.1:1"
    answering = server(trace, asked_by=client(trace))
    inner = answering.nested(bot="Other", url="http://127.0.0.1:1/bot/Other", request={"message_id": "m-1"})
    outer = answering.nested(bot="Other", url="https://api.poe.com/bot/Other", request={})
    assert inner.exchange.parent == outer.exchange.parent == answering.exchange.number
    assert (inner.exchange.route, outer.exchange.route) == ("simulator", "poe")


def test_a_call_that_has_ended_is_not_joined() -> None:
    trace = a_trace()
    asking = client(trace)
    asking.end("failed", "The connection failed.")
    assert server(trace, asked_by=asking).exchange is not asking.exchange
    assert trace._asked == {}


def test_what_a_handler_asks_is_a_child_of_its_exchange() -> None:
    trace = a_trace()
    answering = server(trace, bot="Caller")

    def ask_two() -> None:
        CURRENT.set(answering)
        client(trace, bot="First")
        trace.begin_client(bot="Second", kind="query", message_id="m", route="poe", request={})

    contextvars.copy_context().run(ask_two)
    elsewhere = client(trace, bot="Third")
    told = trace.begin_client(bot="Fourth", kind="query", message_id="m", route="poe", request={}, parent=1)
    seen = trace.begin_server(bot="Fifth", kind="query", message_id="m", request={}, headers={}, parent=2)
    assert trace[0].children == [2, 3, 5]
    assert [exchange.bot for exchange in trace.calls_of(trace[0])] == ["First", "Second", "Fourth"]
    assert [exchange.parent for exchange in trace] == [None, 1, 1, None, 1, 2]
    assert elsewhere.exchange.parent is None
    assert told.exchange.parent == 1
    assert trace.calls_of(trace[1]) == [seen.exchange]


def test_times_count_from_the_start_at_both_ends() -> None:
    trace = a_trace()
    asking = client(trace)
    time.sleep(0.05)
    answering = server(trace, asked_by=asking)
    at_s = answering.event("text", b"x")
    asking.event("text", b"x")
    answering.end("done")
    assert 0.05 <= at_s == trace[0].events[0].at_s < 0.2
    assert trace[0].first_text_s == at_s
    assert trace[0].duration_s is not None
    assert trace[0].duration_s >= at_s


def test_what_the_bots_end_saw_counts_before_the_askers() -> None:
    trace = a_trace()
    asking = client(trace)
    asking.event("text", b"asker")
    assert [event.raw for event in trace[0].events] == [b"asker"]
    server(trace, asked_by=asking).event("text", b"bot")
    assert [event.raw for event in trace[0].events] == [b"bot"]


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        (["done"], "done"),
        (["done", "failed"], "failed"),
        (["failed", "done"], "failed"),
        (["done", "stopped"], "stopped"),
        (["stopped", "done"], "stopped"),
        (["failed", "stopped"], "failed"),
        (["refused", "stopped"], "refused"),
    ],
)
def test_of_what_the_two_ends_say_the_worse_counts(ends: list[Any], outcome: str) -> None:
    trace = a_trace()
    asking = client(trace)
    pens = [asking, server(trace, asked_by=asking)]
    for pen, end in zip(pens, ends, strict=False):
        pen.end(end)
    assert trace[0].outcome == outcome


def test_what_both_ends_note_is_kept() -> None:
    trace = a_trace()
    asking = client(trace)
    answering = server(trace, asked_by=asking)
    asking.end("failed", "The bot sent too much.")
    answering.end("stopped", "The handler was cancelled.")
    assert trace[0].note == "The bot sent too much. The handler was cancelled."


def test_an_end_is_timed_once() -> None:
    trace = a_trace()
    pen = server(trace)
    pen.end("done")
    first = trace[0].duration_s
    time.sleep(0.01)
    pen.end("failed", "late")
    assert trace[0].duration_s == first


# Finding.


def test_exchanges_are_found_by_place_number_and_bot() -> None:
    trace = a_trace()
    for bot, kind in (("A", "query"), ("B", "query"), ("A", "settings")):
        server(trace, bot=bot, kind=kind)
    assert (trace[0].bot, trace[-1].kind, len(trace)) == ("A", "settings", 3)
    assert trace.last() is trace[1]
    assert trace.last("A") is trace[0]
    assert trace.last("C") is None
    assert trace.numbered(2) is trace[1]
    assert trace.numbered(9) is None
    assert "3 exchanges" in repr(trace)
    with pytest.raises(IndexError):
        trace[3]


# Keys.


def test_no_key_is_kept_wherever_it_comes_in() -> None:
    trace = a_trace()
    pen = trace.begin_client(
        bot=KEY, kind=KEY, message_id=KEY, route="poe", request={KEY: [KEY, {"a": KEY}]}, url=f"http://x/{KEY}"
    )
    pen.answered(200, {"x-echo": KEY, KEY: "x", "Set-Cookie": "session=1"})
    pen.event(KEY, f"event: {KEY}\ndata: {{}}\n\n".encode())
    pen = trace.begin_server(
        bot="Bot",
        kind="query",
        message_id="m2",
        request={"x": KEY},
        headers={"Authorization": f"Bearer {KEY}", "x": KEY},
    )
    raws = [f'event: text\ndata: {{"text":"{text}"}}\n\n'.encode() for text in ("a", KEY, "b")]
    pen.event("text", raws[1])
    pen.batch(raws, b"".join(raws), [1.0, 2.0, 3.0])
    pen.log("stdout", f"key {KEY}\n")
    pen.raised(_raised_with_a_key())
    pen.blocked(Place("x.py", 1), from_s=0.0, length_s=1.0, inside=KEY)
    pen.report("cost", KEY, **{KEY: [KEY]})
    pen.responded({KEY: KEY})
    pen.end("failed", f"with {KEY}")
    shown = "".join(everything(exchange) for exchange in trace)
    assert KEY not in shown
    assert KEY[:12] not in shown
    assert shown.count(HIDDEN) >= 25
    assert "session=1" not in shown
    assert [event.raw for event in trace[1].events[1:]] == [
        raws[0],
        raws[1].replace(KEY.encode(), b"[key hidden]"),
        raws[2],
    ]


def _raised_with_a_key() -> Exception:
    try:
        password, padded, listed = KEY, "x" * 100 + KEY, [{"a": KEY}]
        raise ValueError(password + padded + str(listed))
    except ValueError as error:
        return error


def everything(exchange: Exchange) -> str:
    """All that an exchange holds, as one text."""
    parts = [repr(getattr(exchange, name)) for name in Exchange.__slots__ if name not in ("server", "client")]
    for tap in (exchange.server, exchange.client):
        parts += [repr(tap), *map(repr, tap.events)] if tap is not None else []
    return "".join(parts)


def test_a_key_learnt_later_is_not_in_what_comes_later() -> None:
    trace = a_trace()
    pen = server(trace)
    pen.event("text", b"event: text\ndata: another-key\n\n")
    trace.redactor.add(Secret("another-key"))
    pen.event("text", b"event: text\ndata: another-key\n\n")
    assert [b"another-key" in event.raw for event in trace[0].events] == [True, False]


# Events that cross together.


def test_events_of_a_batch_keep_their_own_times() -> None:
    trace = a_trace()
    pen = server(trace)
    raws = [encode_text("a"), encode("file", {"name": "b"}), encode("done", {})]
    start_s = pen.start_s
    pen.batch(raws, b"".join(raws), [start_s + 0.25, start_s + 0.5, start_s + 1.0])
    assert [(event.at_s, event.type, event.raw) for event in trace[0].events] == [
        (pytest.approx(at_s), type_, raw)
        for at_s, type_, raw in zip((0.25, 0.5, 1.0), ("text", "file", "done"), raws, strict=True)
    ]
    assert trace[0].first_text_s == pytest.approx(0.25)


def test_the_end_of_an_answer_is_kept_when_there_is_no_room_for_the_rest() -> None:
    trace = a_trace(max_bytes=100_000)
    for way in ("alone", "together"):
        pen = server(trace)
        raws = [encode_text("x" * 1000)] * 50 + [encode("error", {"text": "sorry"}), encode("done", {})]
        if way == "alone":
            for raw in raws:
                pen.event(raw[7:].split(b"\n")[0].decode(), raw)
        else:
            pen.batch(raws, b"".join(raws), [1.0] * len(raws))
        kept = pen.tap.events.types
        assert kept[-3:] == ["text", "error", "done"]
        assert 10 < len(kept) < 30
        assert len(kept) + pen.tap.omitted == len(raws)


# What is printed.


def test_a_line_grows_up_to_its_end() -> None:
    trace = a_trace()
    pen = server(trace)
    for source, text in [("stdout", "a"), ("stdout", " b"), ("stdout", "\n"), ("stderr", "c"), ("stdout", "d\n")]:
        pen.log(source, text)
    assert [(line.source, line.text) for line in trace[0].logs] == [
        ("stdout", "a b\n"),
        ("stderr", "c"),
        ("stdout", "d\n"),
    ]


def test_a_key_that_is_printed_in_pieces_is_taken_out_of_its_line() -> None:
    trace = a_trace()
    pen = server(trace)
    for piece in ("the key is ", KEY[:5], KEY[5:20], KEY[20:] + ", well\n"):
        pen.log("stdout", piece)
    assert [line.text for line in trace[0].logs] == ["the key is [key hidden], well\n"]


def test_a_line_belongs_to_one_exchange() -> None:
    trace = a_trace()
    first, second = server(trace), server(trace)
    first.log("stdout", "a")
    second.log("stdout", "b")
    assert [[line.text for line in exchange.logs] for exchange in trace] == [["a"], ["b"]]


def test_lines_of_several_threads_and_exchanges_stay_whole() -> None:
    trace = a_trace()
    pens = [server(trace), server(trace)]

    def print_lines(pen: Recording, name: int) -> None:
        for n in range(50):
            for piece in (f"{name}", ":", f"{n}", "\n"):
                pen.log("stdout", piece)

    async def run() -> None:
        await asyncio.gather(*(asyncio.to_thread(print_lines, pens[name % 2], name) for name in range(8)))

    asyncio.run(run())
    for side in (0, 1):
        lines = [line.text for line in trace[side].logs]
        assert sorted(lines) == sorted(f"{name}:{n}\n" for name in range(side, 8, 2) for n in range(50))


# Exceptions.


class Own(Exception):
    """An error whose text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError


def test_an_exception_is_kept_with_its_lines_by_the_names_that_the_author_knows() -> None:
    trace = a_trace()
    pen = server(trace)
    try:
        _fail()
    except ZeroDivisionError as error:
        pen.raised(error)
    raised = trace[0].raised
    assert raised is not None
    assert (raised.type, raised.message) == ("ZeroDivisionError", "division by zero")
    assert isinstance(raised.error, ZeroDivisionError)
    text = "\n".join(raised.lines)
    assert "Cell In[3], line " in text
    assert "1 / 0" in text
    assert __file__ not in text


def _fail() -> None:
    1 / 0  # noqa: B018


def test_an_exception_without_text_is_kept_all_the_same() -> None:
    trace = a_trace()
    server(trace).raised(Own())
    raised = trace[0].raised
    assert raised is not None
    assert raised.type == "Own"
    assert "RuntimeError" in raised.message


def test_the_text_of_an_exception_is_kept_within_measure() -> None:
    trace = a_trace()
    server(trace).raised(ValueError("x" * 10_000_000))
    raised = trace[0].raised
    assert raised is not None
    assert len(raised.message) + sum(map(len, raised.lines)) < 200_000


class Failure(Exception):
    """An error that can be watched."""


def test_the_frames_of_old_failures_are_let_go() -> None:
    trace = a_trace()
    alive: list[weakref.ref[Any]] = []
    for _ in range(30):
        error = Failure()
        alive.append(weakref.ref(error))
        server(trace).raised(error)
    del error
    gc.collect()
    assert [ref() is not None for ref in alive] == [False] * 10 + [True] * 20
    first = trace[0].raised
    assert first is not None
    assert (first.type, first.error) == ("Failure", None)


def test_an_exceptions_line_and_variables_are_kept() -> None:
    trace = a_trace()

    def get_response(count: int, words: list[str]) -> int:
        longer, unseen = "z" * 500, trace
        return count // len(words[1:]) + bool(longer) + bool(unseen)

    try:
        get_response(3, ["a"])
    except ZeroDivisionError as error:
        server(trace).raised(error)
    raised = trace[0].raised
    assert raised is not None
    assert raised.at is not None
    assert str(raised.at).startswith("Cell In[3], line ")
    assert raised.at.function.endswith("get_response")
    assert raised.at.code == "return count // len(words[1:]) + bool(longer) + bool(unseen)"
    assert raised.variables["count"] == "3"
    assert raised.variables["words"] == "['a']"
    assert len(raised.variables["longer"]) == 120
    assert raised.variables["unseen"] == "<Trace>"


def test_the_authors_own_line_is_named_not_one_of_a_library() -> None:
    trace = a_trace()
    try:
        json.loads("{")
    except ValueError as error:
        server(trace).raised(error)
    raised = trace[0].raised
    assert raised is not None
    assert raised.at is not None
    assert raised.at.code == 'json.loads("{")'


class Unwilling:
    """An object whose text cannot be had."""

    def __repr__(self) -> str:
        raise RuntimeError


def test_variables_that_cannot_be_shown_are_named_by_their_type() -> None:
    trace = a_trace()
    try:
        odd, nested, large = Unwilling(), [Unwilling()], b"y" * 10_000_000
        raise ValueError(bool(odd) and bool(nested) and len(large))
    except ValueError as error:
        server(trace).raised(error)
    raised = trace[0].raised
    assert raised is not None
    assert raised.variables["odd"] == "<Unwilling>"
    assert raised.variables["nested"] == "[<Unwilling>]"
    assert raised.variables["large"].startswith("b'yyy")


# What others report.


def test_costs_complaints_and_blocked_stretches_are_kept() -> None:
    trace = a_trace()
    pen = server(trace)
    pen.report("cost", "Authorised 12 points.", amount_usd_milli_cents=1200, outcome="success")
    pen.report("poe", "No text before done.", event=3)
    blocked = pen.blocked(Place("Cell In[3]", 4, "get_response", "time.sleep(2)"), from_s=0.5, length_s=0.3)
    blocked.length_s = 2.0
    exchange = trace[0]
    assert [(report.source, report.values) for report in exchange.reports] == [
        ("cost", {"amount_usd_milli_cents": 1200, "outcome": "success"}),
        ("poe", {"event": 3}),
    ]
    assert [(str(each.at), each.length_s) for each in exchange.blocked] == [("Cell In[3], line 4", 2.0)]


def test_what_poe_complains_of_stands_on_the_exchange_that_it_is_about_and_once() -> None:
    trace = a_trace()
    for message_id in ("m-1", "m-2"):
        server(trace, message_id=message_id)
    about = {"message_id": "m-1", "data": KEY}
    for metadata in (about, about, {"message_id": "m-9"}, {}, "m-1", None):
        server(trace, kind="report_error", message_id="", message="No text before done.", metadata=metadata)
    server(trace, kind="report_error", bot="Other", message_id="", message="Of another.", metadata=about)
    [report] = trace[0].reports
    assert (report.source, report.text) == ("poe", "No text before done.")
    assert report.values == {"metadata": {"message_id": "m-1", "data": HIDDEN}}
    assert trace[1].reports == []


def test_what_answers_a_request_for_settings_is_kept_if_there_is_room() -> None:
    trace = a_trace(max_bytes=100_000)
    server(trace, kind="settings").responded({"allow_attachments": True})
    assert trace[0].response == {"allow_attachments": True}
    server(trace, kind="settings").responded({"introduction_message": "x" * 1_000_000})
    assert trace[1].response is None


# Exchanges from elsewhere.


def test_an_exchange_from_elsewhere_gets_the_next_number_and_counts() -> None:
    trace = a_trace(max_bytes=1_000_000)
    server(trace)
    for _ in range(60):
        from_elsewhere = Exchange(1, "Old", "query", datetime.now(UTC), server=Tap(200))
        for n in range(20):
            from_elsewhere.events.add(float(n), "text", encode_text("x" * 1000))
        trace.add(from_elsewhere)
    assert trace[-1].number == 61
    assert trace[-1].bot == "Old"
    assert trace.size_bytes <= 1_000_000
    assert 30 < len(trace) < 50


def test_the_exchanges_are_a_table_when_pandas_is_there() -> None:
    trace = a_trace()
    assert list(trace.to_dataframe().columns)[:2] == ["started_at", "bot"]
    server(trace).end("done")
    client(trace, bot="Other")
    table = trace.to_dataframe()
    assert list(table["bot"]) == ["Bot", "Other"]
    assert list(table["outcome"]) == ["done", "open"]
    assert list(table.index) == [1, 2]


# The bound.


def test_the_oldest_exchanges_go_when_the_bound_is_reached() -> None:
    trace = a_trace(max_bytes=1_000_000)
    for n in range(200):
        pen = server(trace, message_id=f"m-{n}")
        pen.event("text", b"x" * 20_000)
        pen.end("done")
        assert trace.size_bytes <= 1_000_000
    assert trace.dropped == 200 - len(trace)
    assert 30 < len(trace) < 50
    assert trace[-1].number == 200
    assert trace[0].number == trace.dropped + 1
    assert "dropped" in repr(trace)


def test_one_answer_alone_does_not_break_the_bound_and_what_was_left_out_is_counted() -> None:
    trace = a_trace(max_bytes=1_000_000)
    kept = server(trace, message_id="m-0")
    kept.event("text", b"kept")
    pen = server(trace)
    for _ in range(1000):
        pen.event("text", b"x" * 10_000)
    for _ in range(1000):
        pen.log("stdout", "x" * 10_000 + "\n")
        pen.chunk(10_000)
    assert trace.size_bytes < 600_000
    assert len(trace) == 2
    tap = trace[1].server
    assert tap is not None
    assert tap.omitted == 3000 - len(tap.events) - len(trace[1].logs) - len(tap.chunks)
    assert len(tap.events) > 10


def test_an_exchange_that_was_dropped_takes_nothing_more() -> None:
    trace = a_trace(max_bytes=100_000)
    asking = client(trace)
    answering = server(trace, asked_by=asking)
    for n in range(100):
        server(trace, message_id=f"m-{n}").event("text", b"x" * 10_000)
    assert trace.numbered(1) is None
    for pen in (asking, answering):
        pen.event("text", b"y")
        pen.log("stdout", "y")
        pen.end("done")
        assert len(pen.tap.events) == 0
        assert pen.tap.omitted > 0


def test_an_asker_that_was_dropped_is_not_joined() -> None:
    trace = a_trace(max_bytes=100_000)
    asking = client(trace, message_id="m-asked")
    for n in range(50):
        server(trace, message_id=f"m-{n}").event("text", b"x" * 10_000)
    server(trace, asked_by=asking)
    assert trace[-1].client is None
    assert trace._asked == {}


def test_a_large_request_counts() -> None:
    trace = a_trace(max_bytes=1_000_000)
    for n in range(20):
        server(trace, message_id=f"m-{n}", query=[{"content": "x" * 100_000}])
    assert len(trace) < 11


@pytest.mark.parametrize("kind", ["events", "chunks", "lines", "exchanges"])
def test_what_is_counted_is_what_is_taken(kind: str) -> None:
    trace = a_trace()
    pen = server(trace)
    gc.collect()
    tracemalloc.start()
    before, counted = tracemalloc.get_traced_memory()[0], trace.size_bytes
    for n in range(2000):
        if kind == "events":
            pen.event("text", b"event: text\ndata: %d\n\n" % n)
        elif kind == "chunks":
            pen.chunk(n + 1000)
        elif kind == "lines":
            pen.log("stdout", f"line {n}\n")
        else:
            server(trace, message_id=f"m-{n}", query=[{"role": "user", "content": f"hello {n}"}]).end("done")
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert 0.6 < (trace.size_bytes - counted) / taken < 2


def test_pens_in_several_threads_lose_no_event_and_keep_the_bound() -> None:
    trace = a_trace(max_bytes=2_000_000)
    done: list[int] = []

    def write(name: int) -> None:
        for n in range(100):
            pen = client(trace, message_id=f"m-{name}-{n}")
            other = server(trace, asked_by=pen)
            for _ in range(10):
                pen.event("text", b"x" * 500)
                other.event("text", b"x" * 500)
            assert len(pen.tap.events) + pen.tap.omitted == 10
            other.end("done")
            pen.end("done")
            trace.last()
            list(trace)
        done.append(name)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(8))
    assert trace.size_bytes <= 2_100_000
    numbers = [exchange.number for exchange in trace]
    assert len(set(numbers)) == len(numbers)
    assert len(trace) + trace.dropped == max(numbers)
    assert max(numbers) >= 800, "more, where one end was dropped before the other came"
    recounted = sum(len(e.raw) for x in trace for tap in (x.server, x.client) if tap for e in tap.events)
    assert recounted < trace.size_bytes


def test_a_million_events_stay_within_the_bound_and_what_was_left_out_is_counted() -> None:
    trace = a_trace()
    pen = server(trace)
    raws = [encode_text(f"word {n} ") for n in range(500)]
    joined = b"".join(raws)
    tracemalloc.start()
    for n in range(2_000):
        pen.batch(raws, joined, [pen.start_s + n / 10] * 500)
    pen.end("done")
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(pen.tap.events) + pen.tap.omitted == 1_000_000
    assert len(pen.tap.events) > 250_000
    assert trace.size_bytes < 17 * 1024 * 1024
    assert taken < 20 * 1024 * 1024
