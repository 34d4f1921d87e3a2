"""The rules: each finds what it is for, at the very event, and a good answer breaks none."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from poe_notebook.checks.finding import Finding
from poe_notebook.checks.rules import RULES, findings_of
from poe_notebook.protocol.events import encode, encode_text
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.tracing.exchange import Blocked, Exchange, Place, Raised, Recorded, Report, Tap

DONE = ("done", {})
HELLO = ("text", {"text": "Hello"})
LINE = Place("Cell In[3]", 5, "get_response", "client.get(url)")


def raw_event(type_: str, data: str) -> bytes:
    return f"event: {type_}\ndata: {data}\n\n".encode()


def answered(*events: Any, **fields: Any) -> Exchange:
    """An exchange whose answer has these events: type and data each, or raw bytes."""
    tap = Tap(200, ended_s=1.0)
    for at, event in enumerate(events):
        raw = event if isinstance(event, bytes) else encode(*event)
        tap.events.extend([at / 100], raw, [len(raw)])
    return exchange(**{"server": tap, **fields})


def exchange(**fields: Any) -> Exchange:
    values: dict[str, Any] = {"bot": "Bot", "kind": "query", "outcome": "done", "started_at": datetime.now(UTC)}
    return Exchange(1, **{**values, **fields})


def found(*events: Any, **fields: Any) -> list[Finding]:
    return findings_of(answered(*events, **fields))


def rules(findings: Sequence[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


def file(**data: Any) -> tuple[str, dict[str, Any]]:
    return "file", {"url": "https://x/a", "content_type": "image/png", "name": "a.png", **data}


# Answers that break nothing.


@pytest.mark.parametrize(
    "events",
    [
        [HELLO, DONE],
        [("meta", {"content_type": "text/plain", "suggested_replies": True, "linkify": False}), HELLO, DONE],
        [("ping", {}), ("meta", {}), HELLO, ("data", {"metadata": "x"}), ("suggested_reply", {"text": "More"}), DONE],
        [file(inline_ref="ab"), ("text", {"text": "![a][ab] and ![b][c]\n\n[c]: https://x/y.png\n"}), DONE],
        [file(), DONE],
        [("json", {"choices": []}), DONE],
        [("replace_response", {"text": "a", "index": 1}), DONE],
        [("text", {"text": "```html\n<html>\n\n<p>x</p></html>\n```\n\n<html><p>y</p></html>"}), DONE],
        [HELLO, b"event: done\n\n"],
    ],
)
def test_a_good_answer_breaks_no_rule(events: list[Any]) -> None:
    assert found(*events) == []


@pytest.mark.parametrize("kind", ["settings", "report_error", "report_reaction"])
def test_what_is_no_query_has_no_answer_to_judge(kind: str) -> None:
    assert findings_of(exchange(kind=kind, server=Tap(200, ended_s=0.1))) == []


@pytest.mark.parametrize("events", [[], [HELLO], [("meta", {})]])
def test_an_open_answer_is_judged_only_as_far_as_it_has_come(events: list[Any]) -> None:
    assert found(*events, outcome="open") == []
    assert rules(found(HELLO, ("meta", {}), outcome="open")) == ["late-meta"]


# One rule each.


@pytest.mark.parametrize(
    ("events", "rule", "severity", "event", "words"),
    [
        ([DONE], "no-answer", "error", 1, "without any text"),
        ([("meta", {}), ("suggested_reply", {"text": "x"}), DONE], "no-answer", "error", 3, "yield some text"),
        ([HELLO, HELLO], "broken-off", "error", 2, "after event 2"),
        ([HELLO, ("meta", {}), DONE], "late-meta", "warning", 2, "as number 2"),
        ([("ping", {}), HELLO, ("meta", {}), DONE], "late-meta", "warning", 3, "as number 3"),
        ([HELLO, DONE, HELLO, HELLO, DONE], "after-the-end", "warning", 3, "3 events came after done"),
        ([HELLO, ("error", {"text": "x"}), DONE, HELLO], "after-the-end", "warning", 4, "1 event came after error"),
        ([HELLO, ("txt", {}), ("txt", {}), DONE], "unknown-event", "warning", 2, "2 events of the unknown type 'txt'"),
        ([HELLO, ("suggested_replies", {}), DONE], "unknown-event", "warning", 2, "'suggested_reply'"),
        ([raw_event("text", "Hello"), DONE], "no-object", "error", 1, "is no JSON"),
        ([raw_event("text", '["a"]'), DONE], "no-object", "error", 1, "JSON, but a list"),
        ([raw_event("text", "null"), DONE], "no-object", "error", 1, "JSON, but null"),
        ([("text", {}), DONE], "required-field", "error", 1, "comes without 'text'"),
        ([("text", {"text": 3}), DONE], "required-field", "error", 1, "has a number as 'text'"),
        ([HELLO, file(url=None), DONE], "required-field", "error", 2, "comes without 'url'"),
        ([HELLO, ("data", {"metadata": {}}), DONE], "required-field", "error", 2, "has an object as 'metadata'"),
        ([("meta", {"suggested_replies": "yes"}), HELLO, DONE], "optional-field", "warning", 1, "a string as"),
        ([("text", {"text": "a", "index": True}), DONE], "optional-field", "warning", 1, "a boolean as 'index'"),
        ([("meta", {"content_type": "text/html"}), HELLO, DONE], "content-type", "warning", 1, "as plain text"),
        ([("text", {"text": "![a][b]"}), file(inline_ref="b"), DONE], "late-file", "warning", 2, "event 2, after"),
        ([HELLO, ("text", {"text": " ![a][b]"}), DONE], "unfilled-place", "warning", 2, "places a file called 'b'"),
        (
            [HELLO, ("text", {"text": "<html>\n"}), ("text", {"text": "\n</html>"}), DONE],
            "cut-html",
            "warning",
            2,
            "emp",
        ),
        ([HELLO, ("text", {"text": "it is [key hidden]"}), DONE], "key-in-answer", "error", 2, "in 1 of its events"),
        ([file()] * 21 + [DONE], "many-files", "warning", 21, "21 files"),
        ([("text", {"text": "x" * 60_000})] * 2 + [DONE], "many-characters", "warning", 2, "120,000 characters"),
        ([("text", {"text": "x" * 60_000})] * 9 + [DONE], "many-characters", "error", 2, "540,000 characters"),
        ([HELLO] * 10_001 + [DONE], "many-events", "warning", 10_001, "10,002 events"),
    ],
)
def test_a_broken_rule_is_found_at_its_event(
    events: list[Any], rule: str, severity: str, event: int, words: str
) -> None:
    [finding] = [each for each in found(*events) if each.rule != "error-event"]
    assert (finding.rule, finding.severity, finding.event) == (rule, severity, event)
    assert words in f"{finding.title} {finding.now}"
    assert finding.why
    assert finding.now
    assert finding.where == f"event {event:,}"


def test_what_a_replacement_dropped_is_not_judged() -> None:
    assert found(("text", {"text": "![a][b]"}), ("replace_response", {"text": "fine"}), DONE) == []


def test_an_error_event_says_what_its_user_sees_and_whether_to_ask_again() -> None:
    [finding] = found(HELLO, ("error", {"text": "Too long.", "allow_retry": False}), DONE, outcome="failed")
    assert (finding.rule, finding.event) == ("error-event", 2)
    assert "the user sees 'Too long.'" in finding.title
    assert "Change something first" in finding.now
    [finding] = found(("error", {}), DONE, outcome="failed")
    assert "without a text" in finding.title
    assert finding.now.startswith("Ask again")


def test_an_unknown_error_type_is_named_beside_the_error() -> None:
    findings = found(("error", {"text": "x", "error_type": "oops"}), DONE, outcome="failed")
    assert rules(findings) == ["error-event", "error-type"]


@pytest.mark.parametrize(("at_s", "count"), [(4.9, 0), (5.1, 1)])
def test_a_first_event_after_five_seconds_is_late(at_s: float, count: int) -> None:
    tap = Tap(200, events=[Recorded(at_s, "text", encode_text("x")), Recorded(at_s, "done", encode("done", {}))])
    assert rules(findings_of(exchange(server=tap))) == ["slow-start"] * count


def test_settings_that_came_late_are_late_too() -> None:
    assert rules(findings_of(exchange(kind="settings", server=Tap(200, ended_s=6.0)))) == ["slow-start"]


@pytest.mark.parametrize(("length_s", "severity"), [(599, None), (601, "warning"), (3601, "error")])
def test_an_answer_that_takes_too_long_is_found(length_s: float, severity: str | None) -> None:
    exchange = answered(HELLO, DONE)
    assert exchange.server is not None
    exchange.server.ended_s = length_s
    assert [finding.severity for finding in findings_of(exchange)] == ([severity] if severity else [])


# What handlers do.


def raised(type_: str, message: str, **fields: Any) -> Exchange:
    error = Raised(0.01, type_, message, ["Traceback"], at=LINE)
    return answered(("error", {"text": "This bot failed."}), DONE, raised=error, outcome="failed", **fields)


@pytest.mark.parametrize(
    ("type_", "message", "rule", "words"),
    [
        ("ZeroDivisionError", "division by zero", "raised", "%poe replay"),
        (
            "HandlerMistake",
            "The handler of Bot gave 3.\nText is wanted.\nWrite: yield str(value)",
            "no-answer-item",
            "st",
        ),
        ("RuntimeError", "<Future> attached to a different loop", "other-loop", "inside the handler"),
        ("RuntimeError", "<Lock> is bound to a different event loop", "other-loop", "inside the handler"),
        ("RuntimeError", "Event loop is closed", "other-loop", "inside the handler"),
        ("RuntimeError", "asyncio.run() cannot be called from a running event loop", "running-loop", "await work()"),
        ("RuntimeError", "This event loop is already running", "running-loop", "await work()"),
        ("NameError", "name 'client' is not defined", "name", "the cell that defines `client`"),
        ("ModuleNotFoundError", "No module named 'openai.types'", "module", "%pip install openai"),
        ("ReadTimeout", "", "timeout", "Give it longer"),
        ("StopIteration", "", "nothing-left", "`next(iterator, None)`"),
        ("StopAsyncIteration", "", "nothing-left", "`await anext(iterator, None)`"),
        ("KeyMissing", "No key.\nKeys are needed.\nType: this", "key-missing", "Type: this"),
        (
            "BotError",
            '{"text": "Message m-1: Bot called GPT-4o, a bot that has 0 or undefined call count in its settings"}',
            "undeclared-bot",
            '{"GPT-4o": 1}',
        ),
        ("BotError", "m-1 called on bot that has 0 or undefined call count in settings", "undeclared-bot", "OTHER_BOT"),
        (
            "BotError",
            '{"text": "Message m-1: Bot called Echo more often than the 2 times in its settings"}',
            "called-too-often",
            "as many calls",
        ),
        (
            "BotError",
            '{"text": "Message m-1: Circle called Circle more often than the 1 times in its settings"}',
            "circle",
            "Ask another bot",
        ),
    ],
)
def test_an_exception_is_one_finding_with_its_cause_its_line_and_the_next_step(
    type_: str, message: str, rule: str, words: str
) -> None:
    [finding] = findings_of(raised(type_, message))
    assert (finding.rule, finding.severity) == (rule, "error")
    assert words in finding.now
    assert finding.place == LINE
    assert finding.where == "Cell In[3], line 5"
    assert finding.why


def test_an_exception_says_when_it_came() -> None:
    assert "before it gave anything" in findings_of(raised("ValueError", "no"))[0].title
    late = answered(HELLO, HELLO, ("error", {}), DONE, raised=Raised(0.1, "ValueError", "no", []), outcome="failed")
    assert findings_of(late)[0].title == "The handler raised ValueError after 2 events of its answer: no"


def test_a_refused_call_that_the_handler_swallowed_is_found_in_the_call() -> None:
    text = "Message m-1: Bot called Echo, a bot that has 0 or undefined call count in its settings"
    call = answered(("error", {"text": text}), DONE, bot="Echo", outcome="failed")
    [finding] = findings_of(answered(HELLO, DONE), calls=[call])
    assert finding.rule == "undeclared-bot"
    assert '{"Echo": 1}' in finding.now


def test_a_refused_call_is_told_once() -> None:
    text = "m-1 called on bot that has 0 or undefined call count in settings"
    call = answered(("error", {"text": text}), DONE, bot="Echo", outcome="failed")
    findings = findings_of(raised("BotError", json.dumps({"text": text})), calls=[call])
    assert rules(findings) == ["undeclared-bot"]
    assert '{"Echo": 1}' in findings[0].now
    [finding] = found(("error", {"text": text}), DONE, outcome="failed")
    assert finding.rule == "undeclared-bot"


def test_calls_beyond_the_settings_are_found_before_poe_refuses_them() -> None:
    calls = [answered(HELLO, DONE, bot=bot) for bot in ("Echo", "Echo", "Other", "Fine")]
    settings = {"server_bot_dependencies": {"echo": 1, "Fine": 9}}
    findings = findings_of(answered(HELLO, DONE), calls=calls, settings=settings)
    assert [(finding.rule, finding.title.split()[3]) for finding in findings] == [
        ("called-too-often", "Echo"),
        ("undeclared-bot", "Other"),
    ]
    assert findings_of(answered(HELLO, DONE), calls=calls) == []


# Whom it asked.


def failing_call(number: int = 11, **fields: Any) -> Exchange:
    call = answered(("error", {"text": "This bot failed."}), DONE, outcome="failed", **{"bot": "Inner", **fields})
    call.number = number
    return call


def test_the_failure_of_a_bot_that_was_asked_is_named_as_its_own() -> None:
    own = Raised(
        0.1, "ValueError", "no such sky", [], at=Place("Cell In[4]", 3, "get_response", "raise ValueError(sky)")
    )
    error = json.dumps({"allow_retry": False, "text": "This bot failed."})
    [finding] = findings_of(raised("BotErrorNoRetry", error), calls=[failing_call(9), failing_call(raised=own)])
    assert finding.title == (
        "The bot Inner, which the handler asked, failed: "
        "ValueError: no such sky (Cell In[4], line 3: raise ValueError(sky))"
    )
    assert (finding.rule, finding.place, finding.is_exception) == ("called-bot-failed", LINE, True)
    assert "`%poe inspect 11`" in finding.now
    [unknown] = findings_of(raised("BotError", error), calls=[failing_call(bot="Elsewhere")])
    assert unknown.title == "The bot Elsewhere, which the handler asked, failed: This bot failed."


def test_an_error_of_the_handlers_own_is_its_own_whatever_became_of_a_call() -> None:
    assert rules(findings_of(raised("ValueError", "no"), calls=[failing_call()])) == ["raised"]
    assert rules(findings_of(raised("BotError", "no"), calls=[])) == ["raised"]


def test_a_bot_that_asks_itself_is_told_so_once() -> None:
    settings = {"server_bot_dependencies": {"Bot": 1}}
    calls = [failing_call(bot="bot"), failing_call(bot="bot")]
    [finding] = findings_of(raised("BotError", "no"), calls=calls, settings=settings)
    assert finding.rule == "circle"
    assert finding.title == "The bot asks itself: bot asked bot, and that failed: This bot failed."
    [swallowed] = findings_of(answered(HELLO, DONE), calls=calls, settings=settings)
    assert (swallowed.rule, swallowed.title) == ("circle", "The bot asks itself: bot asked bot.")


def test_a_second_try_of_a_call_is_not_another_call() -> None:
    request, settings = {"query": [{"content": "a"}]}, {"server_bot_dependencies": {"Inner": 1}}
    again = answered(HELLO, DONE, bot="Inner", request=request)
    calls = [failing_call(request=request), again]
    assert findings_of(answered(HELLO, DONE), calls=calls, settings=settings) == []
    other = answered(HELLO, DONE, bot="Inner", request={"query": []})
    [finding] = findings_of(answered(HELLO, DONE), calls=[*calls, other], settings=settings)
    assert finding.title == "The handler asked Inner 2 times, and the bot's settings declare 1."
    [finding] = findings_of(answered(HELLO, DONE), calls=[again], settings={})
    assert finding.title == "The handler asked Inner once, and the bot's settings declare none."


# Modules beside the notebook.


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("/home/me/helper_c.py", "helper_c"),
        ("C:\\me\\helper_c.py", "helper_c"),
        ("/home/me/tools/__init__.py", "tools"),
        ("/x/lib/python3.12/site-packages/httpx/_client.py", ""),
        ("/x/lib/python3.12/json/decoder.py", ""),
        ("/tmp/ipykernel_12/34.py", ""),
        ("Cell In[3]", ""),
    ],
)
def test_a_line_in_a_module_of_the_authors_own_has_the_module_loaded_again(file: str, module: str) -> None:
    for type_, message in (("KeyError", "'x'"), ("NameError", "name 'x' is not defined"), ("TimeoutError", "")):
        error = Raised(0.1, type_, message, [], at=Place(file, 5, "go", "go()"))
        [finding] = found(("error", {}), DONE, raised=error, outcome="failed")
        assert (f"importlib.reload({module})" in finding.now) is bool(module)
        assert ("%autoreload 2" in finding.now) is bool(module)


# What failed beside it.


def test_what_failed_unheard_is_found_with_its_line_and_what_to_do() -> None:
    values = {"file": "Cell In[3]", "line": 5, "function": "work", "code": "raise OSError"}
    reports = [Report(0.1, "thread", "OSError: thread died", values)] * 2 + [Report(0.2, "task", "KeyError: 'x'", {})]
    thread, task = found(HELLO, DONE, reports=reports)
    assert thread.title == "A thread that the handler started failed 2 times: OSError: thread died"
    assert thread.place == Place("Cell In[3]", 5, "work", "raise OSError")
    assert "asyncio.to_thread" in thread.now
    assert task.title == "A background task that the handler started failed: KeyError: 'x'"
    assert (task.place, task.rule, task.severity) == (None, "unheard", "warning")


def test_what_a_file_says_of_a_failure_may_be_odd() -> None:
    reports = [Report(0.1, "callback", "X", {"file": 3, "line": "a"}), Report(0.1, "task", "Y", {"file": "f"})]
    assert [finding.place for finding in found(HELLO, DONE, reports=reports)] == [None, None]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("time.sleep(2)", "asyncio.sleep"),
        ("requests.get(url)", "httpx.AsyncClient"),
        ("numbers.sort()", "to_thread"),
    ],
)
def test_a_blocked_loop_is_found_with_its_line_and_what_to_write_instead(code: str, words: str) -> None:
    at = Place("Cell In[3]", 7, "get_response", code)
    stretches = [Blocked(0.1, 0.4, at, "x.y"), Blocked(0.9, 1.25, at, "x.y")]
    [finding] = found(HELLO, DONE, blocked=stretches)
    assert (finding.rule, finding.severity, finding.place) == ("blocked-loop", "warning", at)
    assert "for 1.2 s, the longest of 2 times (in x.y)" in finding.title
    assert words in finding.now


def test_a_handler_that_asks_too_often_is_found() -> None:
    assert rules(found(HELLO, DONE, children=list(range(2, 103)))) == ["many-calls"]


# Requests, settings, reports.


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 413, 422, 429, 501, 502, 599, None])
def test_a_refusal_is_found_with_its_status_and_what_to_do(status: int | None) -> None:
    [finding] = findings_of(exchange(outcome="refused", note="It says so.", client=Tap(status)))
    assert (finding.rule, finding.severity) == ("refused", "error")
    assert "It says so." in finding.title
    assert (str(status) in finding.title) == (status is not None)
    assert finding.why


def test_settings_that_poe_would_drop_are_found() -> None:
    good = SettingsResponse(introduction_message="Hi").model_dump()
    assert findings_of(exchange(kind="settings", response=good, server=Tap(200))) == []
    controls = {"api_version": "2", "sections": [{"name": "a", "controls": [{"control": "divider"}]}]}
    for settings, rule, words in (
        ({"parameter_controls": controls}, "dropped-controls", "response_version None"),
        ({"response_version": 1, "parameter_controls": controls}, "dropped-controls", "response_version 1"),
        (
            {
                "response_version": 2,
                "parameter_controls": {"sections": [{"name": "a", "controls": [{"control": "dropdown"}]}]},
            },
            "dropped-controls",
            "parameter_controls",
        ),
        ({"response_version": 2, "introduction": "x"}, "settings", "introduction_message"),
        ({"response_version": 2, "allow_attachments": "maybe"}, "settings", "allow_attachments is a string"),
        ([1], "settings", "no JSON object"),
    ):
        findings = findings_of(exchange(kind="settings", response=settings, server=Tap(200)))
        assert rules(findings) == [rule], findings
        assert words in findings[0].title
    assert findings_of(exchange(kind="settings", server=Tap(200))) == []


def test_what_poe_reported_and_what_was_put_in_are_told() -> None:
    reports = [Report(0.1, "poe", "No text."), Report(0.2, "fault", "cut after 3 events"), Report(0.3, "cost", "12")]
    findings = found(HELLO, DONE, reports=reports)
    assert [(f.rule, f.severity) for f in findings] == [("reported", "warning"), ("fault", "note")]


def test_a_stopped_answer_says_whether_its_handler_has_come_back() -> None:
    exchange = answered(HELLO, outcome="stopped")
    [finding] = findings_of(exchange)
    assert (finding.rule, finding.severity) == ("stopped", "note")
    assert exchange.server is not None
    exchange.server.ended_s = None
    [finding] = findings_of(exchange)
    assert (finding.severity, "has not come back" in finding.title) == ("warning", True)


def test_what_the_trace_had_no_room_for_is_told_and_not_judged() -> None:
    exchange = answered(("meta", {}))
    assert exchange.server is not None
    exchange.server.omitted = 500
    assert rules(findings_of(exchange)) == ["left-out"]
    many = answered(*[HELLO] * 10_001)
    assert many.server is not None
    many.server.omitted = 9
    findings = findings_of(many)
    assert rules(findings) == ["many-events", "left-out"]
    assert "more than 10,001 events" in findings[0].title


# All together.


def test_the_gravest_come_first_and_then_the_order_of_the_answer() -> None:
    findings = found(
        HELLO,
        ("meta", {}),
        ("odd", {}),
        ("text", {}),
        DONE,
        blocked=[Blocked(0.1, 0.5, LINE)],
        reports=[Report(0.1, "fault", "split")],
    )
    assert [(f.severity, f.rule) for f in findings] == [
        ("error", "required-field"),
        ("warning", "blocked-loop"),
        ("warning", "late-meta"),
        ("warning", "unknown-event"),
        ("note", "fault"),
    ]


def test_a_finding_reads_as_a_few_lines_of_text() -> None:
    [finding] = found(HELLO, ("meta", {}), DONE)
    assert str(finding).split("\n") == [
        "warning: A meta event came as number 2, and Poe ignores it there. (event 2)",
        "meta counts only as the first event of an answer.",
        "Yield the MetaResponse before anything else.",
    ]


def test_every_rule_says_what_it_finds() -> None:
    assert all(rule.__doc__ for rule in RULES)
    assert len({rule.__name__ for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("count", [100_000])
def test_a_hundred_thousand_events_are_judged_quickly(count: int) -> None:
    raws = [encode_text(f"word {at} ") for at in range(count)]
    tap = Tap(200, ended_s=9.0)
    tap.events.extend([at / count for at in range(count)], b"".join(raws), map(len, raws))
    began = time.perf_counter()
    findings = findings_of(exchange(server=tap, outcome="open"))
    assert time.perf_counter() - began < 1.5  # measured: 0.13 s on an idle core
    assert "many-events" in rules(findings)


@pytest.mark.parametrize("data", ["[" * 50_000, "NaN", "3", '"x"', "{", "\ud800", '{"text": {"text": {}}}'])
@pytest.mark.parametrize("type_", ["text", "meta", "file", "error", "data", "suggested_reply", "json", "done", "odd"])
def test_no_data_makes_a_rule_fail(type_: str, data: str) -> None:
    raw = f"event: {type_}\ndata: {data}\n\n".encode("utf-8", "surrogatepass")
    for outcome in ("done", "failed", "stopped", "open"):
        findings_of(answered(raw, raw, HELLO, outcome=outcome), settings={"server_bot_dependencies": [3]})
