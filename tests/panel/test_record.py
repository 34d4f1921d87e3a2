"""What was said in a panel: nothing is lost, and what no longer counts is said to."""

from __future__ import annotations

from poe_notebook.conversation import Conversation, Reply
from poe_notebook.panel.record import Record


def replies(count: int) -> list[Reply]:
    conversation = Conversation("Shout")
    return [conversation.ask(f"message {n}", route="kernel")[1] for n in range(count)]


def told(record: Record) -> list[tuple[str, list[str]]]:
    return [(words, [reply.message.content[-1] for reply in part]) for words, part in record.parts]


def test_turns_set_aside_stay_where_they_were_and_count_no_more() -> None:
    record, (a, b, c, d, e) = Record(), replies(5)
    for reply in (a, b, c):
        record.add(reply)
    record.set_aside([b, c], "edited")
    record.add(d)
    assert told(record) == [("", ["0"]), ("edited", ["1", "2"]), ("", ["3"])]
    record.set_aside([a, d], "new")
    record.add(e)
    assert told(record) == [("edited", ["1", "2"]), ("new", ["0", "3"]), ("", ["4"])]
    assert record.replies == [e]
    assert record.find(a.message_id) is None
    assert record.find(e.message_id) is e


def test_a_conversation_gives_back_a_turn_and_all_after_it() -> None:
    conversation = Conversation("Shout")
    a, b, c = (conversation.ask(str(n), route="kernel")[1] for n in range(3))
    assert conversation.take_back(b) == [b, c]
    assert conversation.turns == [a]
    request, _ = conversation.ask("again", route="kernel")
    assert [message.content for message in request.query] == ["0", "again"]
