"""Two answers side by side: what changed is said, marked and told apart, in HTML and in text."""

from __future__ import annotations

import re
import time

import pytest
from recorded import an_exchange

from poe_notebook.tracing.exchange import Exchange, Place, Raised
from poe_notebook.views.replay import replay_bundle

HOSTILE = "<script>x</script></td><b onclick=y>\x1b[2J\u202e"


def shown(before: Exchange, after: Exchange) -> tuple[str, str]:
    made = replay_bundle(before, after)
    return made["text/html"], made["text/plain"]


def failed() -> Exchange:
    raised = Raised(0.02, "ValueError", "no more", ["Traceback"], at=Place("Cell In[3]", 5))
    return an_exchange("HELLO ", "THERE", outcome="failed", raised=raised)


def test_what_changed_is_said_first_and_marked_in_both_columns() -> None:
    html, text = shown(failed(), an_exchange("Hello ", "THERE, ", "friend", number=9, generation=2))
    assert "Shout again: exchange 7, then 9" in text
    assert "Before: failed. Now: done." in text
    assert "The text has changed: 1 word went, 2 words came." in text
    assert "<del>HELLO</del> THERE" in html
    assert "<ins>Hello</ins> THERE<ins>, friend</ins>" in html
    assert "[-HELLO-]{+Hello+} THERE{+, friend+}" in text
    for title in ("exchange 7 · generation 1", "exchange 9 · generation 2"):
        assert title in html
        assert title in text


def test_the_shape_of_both_answers_stands_in_one_table() -> None:
    more = [(0.5, "suggested_reply", {"text": "and then?"})]
    _, text = shown(failed(), an_exchange("Hello ", more=more, number=9, generation=2))
    rows = {line.split()[0]: line for line in text.split("\n") if line.startswith("  ") and line.strip()}
    assert re.search(r"failed +done +changed", rows["outcome"])
    assert "ValueError: no more" in rows["raised"]
    assert re.search(r"in order +text × 2, error, done +text, suggested_reply, done +changed", text)
    assert re.search(r"longest gap +10 ms +490 ms +slower", text)
    assert re.search(r"suggestions +- +and then\? +changed", text)
    assert re.search(r"Poe shows +It failed\. +- +changed", text)
    assert "first text   10 ms" in text
    assert "files" not in rows


def test_answers_that_are_the_same_are_said_to_be() -> None:
    html, text = shown(an_exchange("HELLO"), an_exchange("HELLO", number=8))
    assert "Both are done." in text
    assert "The text is the same." in text
    assert "changed" not in text
    assert "<del>" not in html


def test_lines_far_from_a_change_are_folded() -> None:
    lines = [f"line {at}\n" for at in range(40)]
    other = [*lines[:20], "another\n", *lines[21:]]
    html, _ = shown(an_exchange(*lines), an_exchange(*other, number=8))
    assert html.count("are the same</summary>") == 2
    assert "18 lines are the same" in html
    assert "<td" in html.partition("line 18")[0]


def test_both_stand_on_one_time_axis() -> None:
    slow = an_exchange("a", more=[(2.0, "text", {"text": "b"})], number=8)
    html, text = shown(an_exchange("a"), slow)
    assert html.count('class="poe-ribbon-axis"') == 1
    assert ">before</text>" in html
    assert ">now</text>" in html
    assert "before: 2 events" in text
    assert "now:    3 events" in text


def test_nothing_of_an_answer_gets_out_of_its_place() -> None:
    raised = Raised(0.0, HOSTILE, HOSTILE, [HOSTILE])
    bad = an_exchange(HOSTILE, bot=HOSTILE, raised=raised, more=[(0.1, HOSTILE, {}), (0.1, "file", {"name": HOSTILE})])
    html, text = shown(bad, an_exchange("x" + HOSTILE, bot=HOSTILE, number=8, raised=raised))
    assert "<script" not in html
    assert "<b onclick" not in html
    assert "\x1b" not in html + text
    assert "\u202e" not in html + text


def test_keys_spread_over_events_are_taken_out() -> None:
    made = replay_bundle(
        an_exchange("my ", "se", "cret"),
        an_exchange("secret", number=8),
        redact=lambda text: text.replace("secret", "…"),
    )
    assert "secret" not in made["text/plain"]
    assert "secret" not in made["text/html"]


@pytest.mark.parametrize("outcome", ["open", "stopped", "refused"])
def test_an_answer_that_never_came_can_be_compared(outcome: str) -> None:
    _, text = shown(an_exchange(server=None, outcome=outcome), an_exchange("a", number=8))
    assert "Now: done." in text


def test_long_answers_are_compared_soon_and_shown_in_bounds() -> None:
    words = [f"word{at % 997} " for at in range(60_000)]
    began = time.process_time()
    html, text = shown(an_exchange(*words), an_exchange(*reversed(words), number=8))
    assert time.process_time() - began < 5
    assert len(html) < 400_000
    assert len(text) < 60_000
    assert "Words are compared up to 20,000 characters" in text


def test_a_long_word_in_a_table_may_be_broken_so_that_the_last_column_is_seen() -> None:
    raised = Raised(0.02, "KeyError", "'<" + "averylongword" * 12 + "&'", ["Traceback"])
    html, _ = shown(an_exchange("a", outcome="failed", raised=raised), an_exchange("b", number=9))
    words = "&#x27;&lt;" + "averylongword" * 12 + "&amp;&#x27;"
    assert f'<span class="poe-block-break">{words}</span>' in html
    assert ".poe-block-break {overflow-wrap: anywhere;}" in html
    assert "poe-block-break" not in "".join(shown(an_exchange("a"), an_exchange("b", number=9)))
