"""A recorded query asked again: through the simulated Poe, as it was, to what the bot is now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import offline
import pytest
from offline import Recorder
from recorded import an_exchange

import poe_notebook as fp
from poe_notebook.attaching import File
from poe_notebook.errors import BotNotFound, CommandError
from poe_notebook.keeping import load_trace, save_trace
from poe_notebook.tracing.exchange import Exchange


@pytest.fixture
def poe() -> Iterator[offline.Offline]:
    with offline.offline() as running:
        yield running


def failing(request: Any) -> Any:
    yield "so far "
    raise ValueError("no more")


def latest(poe: offline.Offline) -> Exchange:
    return poe.session.exchange()


def test_the_new_answer_comes_from_the_new_generation_to_the_same_request(poe: offline.Offline) -> None:
    poe.serve(failing, "Bot")
    assert poe.ask("Bot", "hello").state == "failed"
    before = latest(poe)
    mended = poe.serve(Recorder(lambda request: ["all ", "is well"]), "Bot")
    reply = poe.session.chats.replay(before).run()
    after = reply.exchange
    assert after is not None
    assert (before.text, before.outcome, before.generation) == ("so far ", "failed", 1)
    assert (after.text, after.outcome, after.generation) == ("all is well", "done", 2)
    assert after.number > before.number
    same = ("conversation_id", "user_id", "query", "users")
    assert {name: after.request[name] for name in same} == {name: before.request[name] for name in same}
    assert after.message_id != before.message_id
    assert mended.last.message_id == after.message_id
    assert latest(poe) is after


def test_a_replay_is_no_turn_of_the_conversation(poe: offline.Offline) -> None:
    bot = poe.serve(Recorder(lambda request: [str(len(request.query))]), "Bot")
    poe.ask("Bot", "one")
    poe.session.chats.replay(latest(poe)).run()
    poe.ask("Bot", "two")
    assert [message.content for message in bot.last.query] == ["one", "1", "two"]


def test_its_files_can_still_be_read_and_what_the_bot_stored_comes_back(poe: offline.Offline) -> None:
    bot = poe.serve(Recorder(lambda request: ["ok", fp.DataResponse(metadata="kept")], allow_attachments=True), "Bot")
    poe.ask("Bot", "read this", attach=[File("a.txt", b"in the file", "text/plain")])
    poe.ask("Bot", "and now?")
    poe.session.chats.replay(latest(poe)).run()
    first, answer, last = bot.last.query
    assert first.attachments[0].parsed_content == "in the file"
    assert (answer.metadata, last.content) == ("kept", "and now?")


def test_another_bot_may_be_asked_the_same(poe: offline.Offline) -> None:
    poe.serve(Recorder(lambda request: ["one"]), "One")
    poe.serve(Recorder(lambda request: ["two"]), "Two")
    poe.ask("One", "hello")
    reply = poe.session.chats.replay(latest(poe), bot="Two").run()
    assert (reply.bot, reply.text, reply.route) == ("Two", "two", "kernel")
    stand_in = poe.session.chats.replay(latest(poe), bot="Echo").run()
    assert (stand_in.route, stand_in.state) == ("simulator", "done")


def test_an_exchange_out_of_a_file_is_replayed_like_any_other(poe: offline.Offline, tmp_path: Path) -> None:
    poe.serve(Recorder(lambda request: ["heard ", request.query[-1].content]), "Bot")
    poe.ask("Bot", "hello")
    save_trace(poe.session.trace, tmp_path / "a.jsonl", bot="Bot")
    loaded = [exchange for exchange in load_trace(poe.session.trace, tmp_path / "a.jsonl") if exchange.kind == "query"]
    reply = poe.session.chats.replay(loaded[-1]).run()
    assert reply.text == "heard hello"


@pytest.mark.parametrize(
    ("exchange", "said"),
    [
        (an_exchange(kind="settings"), "a settings request, no question"),
        (an_exchange(kind=""), "could not be read"),
        (an_exchange(request={"type": "query"}), "cannot be read"),
        (an_exchange(request={**an_exchange().request, "query": []}), "no message"),
    ],
)
def test_what_is_no_question_is_refused_in_words(poe: offline.Offline, exchange: Exchange, said: str) -> None:
    poe.serve(failing, "Shout")
    with pytest.raises(CommandError, match=said):
        poe.session.chats.replay(exchange)
    with pytest.raises(CommandError, match=said):
        poe.session.chats.play_back(exchange)


def test_a_bot_that_is_gone_is_named(poe: offline.Offline) -> None:
    with pytest.raises(BotNotFound, match="Gone"):
        poe.session.chats.replay(an_exchange(bot="Gone"))


def test_a_played_answer_is_shown_as_a_recording_and_recorded_by_nobody(poe: offline.Offline) -> None:
    poe.serve(failing, "Bot")
    poe.ask("Bot", "hello")
    before, count = latest(poe), len(poe.session.trace)
    reply = poe.session.chats.play_back(before).run()
    assert len(poe.session.trace) == count
    assert (reply.route, reply.text, reply.state) == ("recording", "so far ", "failed")
    assert reply.exchange is before
    assert reply.failure is not None
    assert reply.failure.error_type == "ValueError"
    assert f"%poe debug {before.number}" in reply.failure.hint


def test_a_played_answer_that_cannot_be_read_fails_as_it_did(poe: offline.Offline) -> None:
    poe.serve(Recorder(lambda request: [fp.ServerSentEvent("not json", "text")]), "Bot")
    asked = poe.ask("Bot", "hello")
    reply = poe.session.chats.play_back(latest(poe)).run()
    assert reply.state == asked.state == "failed"
    assert reply.failure is not None
    assert asked.failure is not None
    assert reply.failure.text == asked.failure.text
    assert "cannot be read" in reply.failure.text


def test_a_played_answer_is_given_up_after_the_time_that_was_said(poe: offline.Offline) -> None:
    slow = an_exchange("so far", more=[(30.0, "text", {"text": "late"})])
    began = time.monotonic()
    reply = poe.session.chats.play_back(slow, timeout_s=0.3).run()
    assert time.monotonic() - began < 5
    assert (reply.state, reply.text) == ("failed", "so far")
    assert reply.failure is not None
    assert "No end of the answer within 0.3 s" in reply.failure.text


def test_a_handlers_own_call_is_not_the_latest_question(poe: offline.Offline) -> None:
    async def asking(request: fp.QueryRequest) -> Any:
        async for part in fp.stream_request(request, "Echo", request.access_key):
            yield part.text

    bot = fp.SettingsResponse(server_bot_dependencies={"Echo": 1})
    poe.session.serving.serve(_with_settings(asking, bot), name="Caller")
    poe.ask("Caller", "hello")
    assert latest(poe).bot == "Caller"
    assert poe.session.exchange("-1").bot == "Caller"
    assert poe.session.exchange("Echo").parent == latest(poe).number
    with pytest.raises(CommandError, match="no exchange '-2'"):
        poe.session.exchange("-2")


def _with_settings(handler: Any, settings: fp.SettingsResponse) -> fp.PoeBot:
    class Caller(fp.PoeBot):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            async for item in handler(request):
                yield item

        async def get_settings(self, setting: fp.SettingsRequest) -> fp.SettingsResponse:
            return settings

    return Caller()


def test_a_pinned_bot_is_imported_from_where_its_class_stands(poe: offline.Offline, tmp_path: Path) -> None:
    poe.serve(Recorder(lambda request: ["ok"]), "Bot")
    poe.ask("Bot", "hello")
    assert poe.session.pin(-1, tmp_path / "test_a.py").place == "offline:Recorder"
    poe.serve(failing, "my-bot")
    poe.ask("my-bot", "hello")
    assert poe.session.pin("my-bot", tmp_path / "test_a.py").place == "my_bot"
