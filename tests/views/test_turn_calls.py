"""Calls of tools and of other bots, as they stand in a turn: folded, laid out, bounded, and never more than text."""

from __future__ import annotations

import json
from typing import Any

from views_media import assert_ours

from poe_notebook.conversation import Conversation, Reply
from poe_notebook.protocol.call_pieces import GrowingCall
from poe_notebook.protocol.events import Event
from poe_notebook.reply import NestedCall
from poe_notebook.views.turn_calls import calls_html, calls_text

NASTY = '"><img src=x onerror=alert(1)></details><script>alert(1)</script>'


def a_call(name: str | None, arguments: str, result: str | None = None) -> GrowingCall:
    return GrowingCall(name=name, result=result, _arguments=[arguments])


def a_reply(*calls: Any, nested: tuple[NestedCall, ...] = ()) -> Reply:
    _, reply = Conversation("Shout").ask("hello", route="kernel")
    for index, (name, arguments) in enumerate(calls):
        call = {
            "index": index,
            "id": f"c{index}",
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        reply.add(Event("json", {"choices": [{"delta": {"tool_calls": [call]}}]}))
    reply.nested = list(nested)
    return reply


def test_an_answer_without_calls_shows_none() -> None:
    assert (calls_html(a_reply()), calls_text(a_reply())) == ("", [])


def test_a_tool_call_shows_its_arguments_laid_out_and_that_no_result_came() -> None:
    reply = a_reply(("weather", '{"city": "Zürich", "days": 2}'))
    html = calls_html(reply)
    assert "<code>weather</code>" in html
    assert "{\n  &quot;city&quot;: &quot;Zürich&quot;,\n  &quot;days&quot;: 2\n}" in html
    assert "no result in this answer" in html
    assert html.startswith('<div class="poe-turn-calls" role="group" aria-label="Calls"><details class=')
    assert calls_text(reply) == ['Tool call weather({"city": "Zürich", "days": 2})']


def test_arguments_that_were_cut_off_stay_as_they_came() -> None:
    assert "<pre>{&quot;city&quot;: &quot;Zü</pre>" in calls_html(a_reply(("weather", '{"city": "Zü')))


def test_a_call_of_another_bot_shows_who_how_long_and_what_it_called_in_turn() -> None:
    inner = NestedCall("Inner", text="deep", outcome="failed", number=9)
    outer = NestedCall(
        "GPT-4o", "poe", "sunny", "done", 1.25, 8, tool_calls=[a_call("sky", "{}", '{"blue": true}')], calls=[inner]
    )
    html, lines = calls_html(a_reply(nested=(outer,))), calls_text(a_reply(nested=(outer,)))
    assert "<bdi>GPT-4o</bdi>" in html
    assert "Poe · 1.25 s · 5 characters · fp.inspect(8)" in html
    assert html.index("sunny") < html.index("sky") < html.index("Result") < html.index("<bdi>Inner</bdi>")
    assert lines[0] == "Asked GPT-4o (Poe · 1.25 s · 5 characters · fp.inspect(8)): sunny"
    assert lines[1:] == [
        "  Tool call sky({})",
        '    gave {"blue": true}',
        "  Asked Inner (4 characters · failed · fp.inspect(9)): deep",
    ]


def test_many_and_long_and_deep_calls_are_bounded_and_counted() -> None:
    deep = NestedCall("B7")
    for n in reversed(range(7)):
        deep = NestedCall(f"B{n}", calls=[deep])
    reply = a_reply(*[("t", json.dumps("x" * 30_000))] * 60, nested=(deep,))
    html, lines = calls_html(reply), calls_text(reply)
    assert "… and 10 more tool calls" in html
    assert "… and 10 more tool calls" in lines
    assert "B4" in html
    assert "B5" not in html
    assert len(html) < 60 * 5_000
    assert max(map(len, lines)) < 600


def test_nothing_of_a_call_gets_out() -> None:
    nested = NestedCall(NASTY, NASTY, NASTY, tool_calls=[a_call(NASTY, NASTY, NASTY)])
    assert_ours(calls_html(a_reply((NASTY, NASTY), nested=(nested,))))
