"""What requests of one conversation have in common is kept once, and counted once."""

from __future__ import annotations

from typing import Any

from poe_notebook.keys import Redactor, Secret
from poe_notebook.tracing.recorder import EXCHANGE_HEADER, Trace
from poe_notebook.tracing.recording import size_of

KEY = "k3yk3yk3yk3yk3yk3yk3yk3yk3yk3y00"


def a_trace(**options: Any) -> Trace:
    redactor = Redactor()
    redactor.add(Secret(KEY))
    return Trace(redactor, **options)


def message(number: int, **fields: Any) -> dict[str, Any]:
    return {"role": "user", "content": f"message {number} " * 20, "message_id": f"m-{number}", **fields}


def query(count: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": "query",
        "conversation_id": "c-1",
        "query": [message(number) for number in range(count)],
        "parameters": {},
        **fields,
    }


def ask(trace: Trace, request: dict[str, Any], *, received: dict[str, Any] | None = None) -> Any:
    pen = trace.begin_client(bot="Bot", kind="query", message_id="m", route="kernel", request=request)
    arrived = request if received is None else received
    trace.begin_server(
        bot="Bot", kind="query", message_id="m", request=arrived, headers={EXCHANGE_HEADER: pen.reference}
    ).end("done")
    pen.end("done")
    return pen.exchange


def test_a_conversation_takes_what_its_messages_take() -> None:
    trace = a_trace()
    exchanges = [ask(trace, query(count)) for count in range(1, 101)]
    assert [len(exchange.request["query"]) for exchange in exchanges] == list(range(1, 101))
    assert exchanges[-1].request == query(100)
    assert exchanges[-1].request["query"][0] is exchanges[0].request["query"][0]
    assert trace.size_bytes < 100 * 3_500 + size_of(query(100))


def test_what_a_dropped_exchange_was_counted_for_is_counted_for_the_next() -> None:
    trace = a_trace(max_bytes=400_000)
    for count in range(1, 200):
        ask(trace, query(count))
    assert trace.dropped
    assert trace.size_bytes <= 400_000
    kept = [exchange.request for exchange in trace]
    messages = {id(each): each for request in kept for each in request["query"]}
    rest = sum(size_of({**request, "query": []}) for request in kept)
    real_bytes = rest + size_of(list(messages.values()))
    assert real_bytes <= trace.size_bytes <= real_bytes + 2_700 * len(kept)


def test_a_message_that_has_changed_since_stays_as_it_is() -> None:
    trace = a_trace()
    ask(trace, query(3))
    later = query(4)
    later["query"][1] = message(1, reactions=[{"user_id": "u", "reaction": "like"}])
    assert ask(trace, later).request == later


def test_a_key_in_a_message_is_in_no_later_request_either() -> None:
    trace = a_trace()
    with_key = query(2)
    with_key["query"][0]["content"] = f"my key is {KEY}"
    ask(trace, with_key)
    with_key["query"].append(message(9, content=KEY))
    assert KEY not in repr([exchange.request for exchange in (*trace, ask(trace, with_key))])


def test_the_request_is_what_the_bot_received_and_what_was_asked_is_kept_beside_it() -> None:
    trace = a_trace()
    asked = query(2)
    received = query(2)
    received["query"][1]["parameters"] = {"size": 7}
    exchange = ask(trace, asked, received=received)
    assert exchange.request == received
    assert exchange.asked == asked
    assert exchange.request["query"][0] is exchange.asked["query"][0]


def test_what_arrives_as_it_was_asked_is_kept_once() -> None:
    exchange = ask(a_trace(), query(2))
    assert exchange.asked is None


def test_reports_between_two_queries_and_other_conversations_change_nothing() -> None:
    trace = a_trace()
    first = ask(trace, query(5))
    report = {"type": "report_reaction", "conversation_id": "c-1", "message_id": "m"}
    trace.begin_server(bot="Bot", kind="report_reaction", message_id="", request=report, headers={}).end("done")
    other = ask(trace, query(2, conversation_id="c-2"))
    again = ask(trace, query(6))
    assert again.request["query"][0] is first.request["query"][0]
    assert other.request["query"][0] is not first.request["query"][0]
    assert other.request["query"][0] == first.request["query"][0]


def test_keys_that_the_server_is_told_of_in_a_body_are_not_kept() -> None:
    exchange = ask(a_trace(), query(1, access_key="an unknown one", api_key="another"))
    assert "unknown" not in repr(exchange.request)
    assert "api_key" not in exchange.request
