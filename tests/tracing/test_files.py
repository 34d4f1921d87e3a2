"""Saved traces: what is written can be read by people and read back; what is no trace is refused, with its line."""

from __future__ import annotations

import json
import time
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.errors import TraceFileError
from poe_notebook.keys import Redactor, Secret
from poe_notebook.protocol.events import encode, encode_text
from poe_notebook.tracing.exchange import Blocked, Chunk, Exchange, LogLine, Place, Raised, Recorded, Report, Tap
from poe_notebook.tracing.files import load, save
from poe_notebook.tracing.lines import event_fields, exchange_lines, json_line
from poe_notebook.tracing.parsing import read_lines
from poe_notebook.tracing.reading import type_of
from poe_notebook.tracing.recorder import Trace

KEY = "k3yk3yk3yk3yk3yk3yk3yk3yk3yk3y00"
HEAD = '{"poe_notebook":"trace","version":"1.0"}'
RAWS = [
    encode_text("Hello ☕ \ud800"),
    encode("meta", {"content_type": "text/plain"}),
    b'event: text\r\ndata: {"text": "crlf"}\r\n\r\n',
    b"event: odd\ndata: no json\n\n",
    b"event: text\ndata: \xff\xfe\n\n",
    b'event: text\ndata: {"text":NaN}\n\n',
    b'event: text\ndata: {"text":"a","text":"b"}\n\n',
    b": a comment\ndata: x\n\n",
    b"",
    b"event: done\ndata: {}\n\n",
]


def a_trace(**options: Any) -> Trace:
    redactor = Redactor()
    redactor.add(Secret(KEY))
    return Trace(redactor, **options)


def an_exchange(number: int = 1, **fields: Any) -> Exchange:
    typed = [Recorded(at / 8, type_of(raw), raw) for at, raw in enumerate(RAWS)]
    values: dict[str, Any] = {
        "bot": "Bot",
        "kind": "query",
        "message_id": "m-1",
        "route": "kernel",
        "url": "http://127.0.0.1:8765/Bot",
        "generation": 3,
        "request": {
            "type": "query",
            "query": [{"role": "user", "content": "hi\u2028there ☕"}],
            "x": [None, True, 1.5],
        },
        "request_headers": {"host": "127.0.0.1:8765", "x": "y"},
        "server": Tap(200, events=typed, headers={"content-type": "text/event-stream"}, ended_s=1.5, omitted=2),
        "client": Tap(200, events=typed[:3], chunks=[Chunk(0.25, 100), Chunk(0.5, 50)], ended_s=1.75),
        "logs": [LogLine(0.125, "stdout", "a line\n"), LogLine(0.25, "log", "slow", "WARNING")],
        "reports": [Report(0.25, "cost", "Authorised.", {"amounts": [1, 2]})],
        "blocked": [Blocked(0.5, 0.25, Place("Cell In[3]", 4, "get_response", "time.sleep(1)"), "sleep")],
        "raised": Raised(
            0.75, "ValueError", "no", ["Traceback", "  x"], at=Place("Cell In[3]", 5), variables={"n": "1"}
        ),
        "outcome": "failed",
        "note": "A note.",
    }
    started_at = datetime(2026, 3, 4, 14, 3, 22, 123456, tzinfo=UTC)
    return Exchange(number, started_at=started_at, **{**values, **fields})


def values_of(exchange: Exchange) -> list[Any]:
    """An exchange as plain values, to compare it with another."""
    taps = [
        tap and (tap.status, tap.headers, list(tap.events), tap.chunks, tap.ended_s, tap.omitted)
        for tap in (exchange.server, exchange.client)
    ]
    names = [name for name in Exchange.__slots__ if name not in ("server", "client")]
    return [*(getattr(exchange, name) for name in names), *taps]


def saved(tmp_path: Path, *exchanges: Exchange, name: str = "a.jsonl") -> Path:
    return save(tmp_path / name, exchanges, redactor=Redactor())


# There and back.


def test_what_is_saved_comes_back_as_it_was(tmp_path: Path) -> None:
    exchange = an_exchange()
    [loaded] = load(saved(tmp_path, exchange), a_trace())
    assert values_of(loaded) == values_of(exchange)
    assert loaded.raised is not None
    assert loaded.raised.error is None


def test_an_exchange_with_nothing_in_it_comes_back_too(tmp_path: Path) -> None:
    exchange = Exchange(1, "", "", datetime.now(UTC), outcome="refused")
    assert values_of(load(saved(tmp_path, exchange), a_trace())[0]) == values_of(exchange)


@settings(max_examples=60, deadline=None)
@given(
    raws=st.lists(st.binary(max_size=40) | st.text(max_size=20).map(encode_text), max_size=5),
    body=st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9)),
    lines=st.lists(st.text(max_size=20), max_size=3),
)
def test_whatever_was_recorded_comes_back(
    tmp_path_factory: pytest.TempPathFactory, raws: list[bytes], body: dict[str, Any], lines: list[str]
) -> None:
    tap = Tap(status=200)
    for at, raw in enumerate(raws):
        tap.events.extend([at / 8], raw, [len(raw)])
    logs = [LogLine(0.5, "stdout", line) for line in lines]
    exchange = Exchange(1, "Bot", "query", datetime.now(UTC), server=tap, request=body, logs=logs, outcome="done")
    [loaded] = load(saved(tmp_path_factory.mktemp("trace"), exchange), a_trace())
    assert values_of(loaded) == values_of(exchange)


@settings(max_examples=100, deadline=None)
@given(
    text=st.text(st.characters(min_codepoint=0x1E, max_codepoint=0x80) | st.sampled_from('"\\/\n☕'), max_size=12),
    at_s=st.sampled_from([0.0, 1e-6, 0.1234564, 7.0, 123456.5]) | st.floats(0, 1e6),
)
def test_the_short_way_for_plain_pieces_writes_and_reads_what_the_long_one_does(text: str, at_s: float) -> None:
    event = Recorded(at_s, "text", encode_text(text))
    line = list(exchange_lines(an_exchange(server=Tap(200, events=[event]), client=None), clean=bytes))[-1]
    assert line == json_line(event_fields(event))
    begin = [HEAD, '{"exchange":1,"started_at":"2026-01-01T00:00:00"}', '{"end":"server"}']
    spaced = json.dumps(json.loads(line)).encode()  # which the short way does not know
    lines = [each.encode() + b"\n" for each in begin] + [line, spaced]
    [exchange] = read_lines(lines, name="x")
    assert exchange.server is not None
    short, other = exchange.server.events
    assert short == other == (round(at_s, 6), "text", event.raw)


def test_loaded_exchanges_get_new_numbers_and_keep_their_family(tmp_path: Path) -> None:
    parent, child = an_exchange(7, children=[8, 99]), an_exchange(8, parent=7)
    path = saved(tmp_path, parent, child, an_exchange(9, parent=3))
    trace = a_trace()
    trace.add(an_exchange())
    loaded = load(path, trace)
    assert [exchange.number for exchange in trace] == [1, 2, 3, 4]
    assert [(exchange.parent, exchange.children) for exchange in loaded] == [(None, [3]), (2, []), (None, [])]


def test_an_answer_saved_before_its_end_is_a_stopped_one(tmp_path: Path) -> None:
    [loaded] = load(saved(tmp_path, an_exchange(outcome="open", note="")), a_trace())
    assert (loaded.outcome, loaded.note) == ("stopped", "Saved before it had ended.")


# For people.


def test_a_file_reads_well_line_by_line(tmp_path: Path) -> None:
    lines = saved(tmp_path, an_exchange()).read_text("utf-8").splitlines()
    assert json.loads(lines[0])["poe_notebook"] == "trace"
    assert lines[1].startswith('{"exchange":1,"bot":"Bot","kind":"query","outcome":"failed"')
    assert '{"log":"stdout","at_s":0.125,"text":"a line\\n"}' in lines
    assert '{"at_s":0.125,"type":"meta","data":{"content_type":"text/plain"}}' in lines
    assert '{"at_s":0.375,"type":"odd","raw":"event: odd\\ndata: no json\\n\\n"}' in lines
    assert '{"at_s":0.5,"type":"text","base64":"ZXZlbnQ6IHRleHQKZGF0YTog//4KCg=="}' in lines
    for line in lines:
        assert line.isprintable()
        json.loads(line)


def test_letters_stay_letters_in_a_file(tmp_path: Path) -> None:
    exchange = an_exchange(
        request={"query": "über ☕"}, server=Tap(200, events=[Recorded(0.5, "text", encode_text("naïve"))])
    )
    text = saved(tmp_path, exchange).read_text("utf-8")
    assert "über ☕" in text
    assert '{"text":"naïve"}' in text


def test_a_file_that_is_no_trace_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "main.py"
    path.write_text("import os\n")
    with pytest.raises(TraceFileError, match=r"main\.py is there already"):
        save(path, [], redactor=Redactor())
    assert path.read_text() == "import os\n"
    saved(tmp_path, an_exchange())
    assert len(load(saved(tmp_path, an_exchange(), an_exchange(2)), a_trace())) == 2
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".part"] == []


def test_a_place_that_cannot_be_written_or_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(TraceFileError, match="cannot be written"):
        save(tmp_path / "no" / "such.jsonl", [], redactor=Redactor())
    with pytest.raises(TraceFileError, match=r"cannot be read: No such file"):
        load(tmp_path / "none.jsonl", a_trace())
    with pytest.raises(TraceFileError, match="cannot be read"):
        load(tmp_path, a_trace())


# What is no trace.


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        ([], r"a\.jsonl is empty"),
        (["import os"], r"a\.jsonl, line 1: this is no JSON"),
        (["[1]"], r"line 1: this is a list"),
        (['{"log": {}}'], r"line 1: this is no saved trace"),
        (['{"poe_notebook":"trace","version":"2.0"}'], r"line 1: the file has format '2\.0'"),
        (['{"poe_notebook":"trace","version":7}'], r"line 1: 'version' is a number; it must be a string"),
        ([HEAD, '{"exchange":1'], r"line 2: this is no JSON"),
        ([HEAD, '{"exchange":"one"}'], r"line 2: 'exchange' is a string; it must be a whole number"),
        ([HEAD, '{"exchange":1,"started_at":"soon"}'], r"line 2: 'started_at' is no date"),
        ([HEAD, '{"exchange":1,"started_at":"2026-01-01","bot":[]}'], r"line 2: 'bot' is a list"),
        ([HEAD, '{"exchange":1,"started_at":"2026-01-01","request":[1]}'], r"'request' is a list; it must be an obj"),
        ([HEAD, '{"type":"text","at_s":1,"data":{}}'], r"line 2: it comes before the first exchange"),
        ([HEAD, "EXCHANGE", '{"type":"text","at_s":1,"data":{}}'], r"line 3: an event comes before its end"),
        ([HEAD, "EXCHANGE", '{"end":"server","chunks":[3]}'], r"line 3: a chunk is a number"),
        ([HEAD, "EXCHANGE", '{"end":"server","chunks":[["x",3]]}'], r"line 3: 'chunks' is a string"),
        ([HEAD, "EXCHANGE", '{"end":"server","status":true}'], r"line 3: 'status' is a boolean"),
        ([HEAD, "EXCHANGE", '{"end":"server"}', '{"type":"text","at_s":NaN}'], r"line 4: .*JSON has no NaN"),
        ([HEAD, '{"exchange":1,"started_at":"0001-01-01T00:00:00+23:59"}'], r"line 2: 'started_at' is of the year 1\."),
        (
            [HEAD, '{"exchange":1,"started_at":"9999-12-31T23:59:59-23:59"}'],
            r"line 2: 'started_at' is of the year 9999",
        ),
        (
            [HEAD, "EXCHANGE", '{"end":"server"}', '{"type":"text","at_s":1e308,"data":{"text":"x"}}'],
            r"line 4: 'at_s' is more than 2,678,400 s",
        ),
        (
            [HEAD, "EXCHANGE", '{"end":"server"}', '{"at_s":9999999.5,"type":"text","data":{"text":"x"}}'],
            r"line 4: 'at_s' is more",
        ),
        ([HEAD, "EXCHANGE", '{"end":"server"}', '{"type":"text","at_s":1' + "0" * 400 + "}"], "line 4: 'at_s' is more"),
        ([HEAD, "EXCHANGE", '{"end":"server","ended_s":1e300}'], r"line 3: 'ended_s' is more than"),
        ([HEAD, "EXCHANGE", '{"end":"server"}', '{"type":"text","base64":"?"}'], r"line 4: 'base64' is no base64"),
        ([HEAD, "EXCHANGE", '{"end":"server"}', '{"type":"a\\nb","data":{}}'], r"line 4: .*line break"),
        ([HEAD, "[" * 100_000], r"line 2: this is no JSON"),
        (
            [HEAD, '{"exchange":1,"started_at":"2026-01-01","request":' + '{"a":' * 150 + "1" + "}" * 151],
            "nested deeper",
        ),
        ([HEAD, '{"exchange":' + "9" * 5000 + "}"], r"line 2: "),
    ],
)
def test_what_is_no_trace_is_refused_with_its_line_and_a_reason(tmp_path: Path, lines: list[str], refusal: str) -> None:
    exchange = '{"exchange":1,"started_at":"2026-01-01T00:00:00"}'
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(exchange if line == "EXCHANGE" else line for line in lines))
    with pytest.raises(TraceFileError, match=refusal):
        load(path, a_trace())


@settings(max_examples=150, deadline=None)
@given(cut=st.integers(0, 4000), put=st.binary(max_size=6))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, cut: int, put: bytes
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    raw = saved(folder, an_exchange()).read_bytes()
    path = folder / "b.jsonl"
    path.write_bytes(raw[:cut] + put + raw[cut + len(put) :])
    trace = a_trace()
    with suppress(TraceFileError):
        load(path, trace)
    for exchange in trace:
        assert isinstance(exchange.text, str)
        assert len(list(exchange.events)) == len(exchange.events)


def test_a_later_minor_version_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    lines = [
        '{"poe_notebook":"trace","version":"1.7","colour":"blue"}',
        '{"exchange":3,"started_at":"2026-01-01T00:00:00","bot":"Bot","outcome":"paused","mood":[1]}',
        '{"smell":"roses","at_s":1}',
        '{"end":"server","status":200,"speed":9}',
        '{"at_s":0.5,"type":"text","data":{"text":"hi"},"weight":3}',
    ]
    path = tmp_path / "later.jsonl"
    path.write_text("\n".join(lines))
    [exchange] = load(path, a_trace())
    assert (exchange.bot, exchange.text, exchange.outcome) == ("Bot", "hi", "failed")


def test_an_earlier_minor_version_with_less_in_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "earlier.jsonl"
    path.write_text(f'{HEAD}\n{{"exchange":1,"started_at":"2026-01-01T00:00:00"}}\n{{"end":"client"}}\n')
    [exchange] = load(path, a_trace())
    assert exchange.client is not None
    assert exchange.request == {}


# Measure.


def test_what_is_loaded_stays_within_the_bound(tmp_path: Path) -> None:
    events = [Recorded(at / 100, "text", encode_text("x" * 1000)) for at in range(500)]
    path = saved(tmp_path, *(an_exchange(n, server=Tap(200, events=events)) for n in range(20)))
    trace = a_trace(max_bytes=2_000_000)
    tracemalloc.start()
    load(path, trace)[:] = []
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert trace.size_bytes <= 2_000_000
    assert taken < 3_000_000
    assert trace.dropped > 10


def test_a_hundred_thousand_events_are_written_and_read_in_seconds(tmp_path: Path) -> None:
    tap = Tap(status=200)
    for at in range(100_000):
        raw = encode_text(f"word {at} ")
        tap.events.extend([at / 1000], raw, [len(raw)])
    began = time.perf_counter()
    path = saved(tmp_path, an_exchange(server=tap))
    [loaded] = load(path, a_trace())
    assert time.perf_counter() - began < 12  # measured: 0.6 s on an idle core
    assert len(loaded.events) == 100_000
    assert list(loaded.events)[-1] == list(tap.events)[-1]


def test_saving_streams(tmp_path: Path) -> None:
    exchange = an_exchange()
    lines = exchange_lines(exchange, clean=bytes)
    assert next(lines).startswith(b'{"exchange"')
    assert len(list(lines)) == 4 + 2 + len(RAWS) + 3


# Keys.


def test_no_key_is_in_a_file_even_one_learnt_after_it_was_recorded(tmp_path: Path) -> None:
    late = 'late-k3y-late-k3y-late-k3y-\xe9"x'
    raws = [encode_text(late), f"event: x\ndata: {late}\n\n".encode(), f"event: x\ndata: {late}\n\n".encode() + b"\xff"]
    exchange = an_exchange(
        bot=late,
        url=f"http://x/{late}",
        request={late: late},
        request_headers={late: late},
        response=late,
        server=Tap(200, events=[Recorded(0.1, "x", raw) for raw in raws], headers={late: late}),
        logs=[LogLine(0.1, "stdout", late)],
        reports=[Report(0.1, "cost", late, {late: late})],
        blocked=[Blocked(0.1, 0.1, Place(late, 1, late, late), late)],
        raised=Raised(0.1, late, late, [late], at=Place(late, 1, late, late), variables={late: late}),
        note=late,
        message_id=late,
    )
    redactor = Redactor()
    redactor.add(Secret(late))
    for name in ("a.jsonl", "a.har"):
        written = save(tmp_path / name, [exchange], redactor=redactor).read_bytes()
        assert b"late-k3y" not in written
        assert b"bGF0ZS1rM3k" not in written  # the same, in base64
        assert written.count(b"[key hidden]") >= 9


def test_a_key_put_into_a_file_is_not_loaded(tmp_path: Path) -> None:
    path = saved(
        tmp_path, an_exchange(request={"query": KEY}, server=Tap(200, events=[Recorded(0.1, "text", encode_text(KEY))]))
    )
    assert KEY in path.read_text()
    [loaded] = load(path, a_trace())
    assert KEY not in repr(values_of(loaded))


# HAR.


def test_a_har_file_holds_request_answer_and_times(tmp_path: Path) -> None:
    path = saved(tmp_path, an_exchange(), an_exchange(2, kind="settings", response={"a": 1}), name="a.har")
    log = json.loads(path.read_text())["log"]
    assert log["version"] == "1.2"
    assert log["creator"]["name"] == "poe_notebook"
    first, second = log["entries"]
    assert first["startedDateTime"] == "2026-03-04T14:03:22.123+00:00"
    assert first["request"]["method"] == "POST"
    assert first["request"]["url"] == "http://127.0.0.1:8765/Bot"
    assert json.loads(first["request"]["postData"]["text"])["type"] == "query"
    assert first["response"]["status"] == 200
    assert first["response"]["statusText"] == "OK"
    assert "event: done" in first["response"]["content"]["text"]
    assert first["time"] == sum(first["timings"].values()) == 1750
    assert first["response"]["_events"][1] == {"time": 125, "type": "meta"}
    assert json.loads(second["response"]["content"]["text"]) == {"a": 1}
    required = {"startedDateTime", "time", "request", "response", "cache", "timings"}
    for entry in log["entries"]:
        assert required <= set(entry)
        for side in ("request", "response"):
            assert {"httpVersion", "cookies", "headers", "headersSize", "bodySize"} <= set(entry[side])
        assert {"redirectURL", "content", "statusText"} <= set(entry["response"])


def test_a_bot_without_an_address_gets_one_in_a_har_file(tmp_path: Path) -> None:
    path = saved(tmp_path, an_exchange(url=""), an_exchange(2, url="", request_headers={}), name="b.har")
    urls = [entry["request"]["url"] for entry in json.loads(path.read_text())["log"]["entries"]]
    assert urls == ["http://127.0.0.1:8765/Bot", "http://bot.invalid/Bot"]
