"""Poe, offline, towards bots: what a query carries, what the settings change, what becomes of an answer."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from endpoints import http_request
from offline import Offline, Recorder, offline

import poe_notebook as fp
from poe_notebook.attaching import as_file
from poe_notebook.conversation import Conversation
from poe_notebook.errors import CommandError
from poe_notebook.protocol.identifiers import is_identifier


@pytest.fixture(scope="module")
def poe() -> Iterator[Offline]:
    with offline() as running:
        yield running


def png() -> bytes:
    from PIL import Image

    picture = io.BytesIO()
    Image.new("RGB", (8, 4), (200, 30, 30)).save(picture, format="PNG")
    return picture.getvalue()


# What a query carries.


def test_a_query_carries_identifiers_of_poes_form_and_a_message_as_poe_sends_it(poe: Offline) -> None:
    bot = poe.serve(Recorder(), "Ids")
    poe.ask("Ids", "hello")
    request = bot.last
    tags = {"message_id": "m", "user_id": "u", "conversation_id": "c", "metadata": "d"}
    for name, tag in tags.items():
        assert is_identifier(getattr(request, name))
        assert getattr(request, name).startswith(f"{tag}-")
    assert is_identifier(request.bot_query_id)
    message = request.query[-1]
    assert (message.role, message.content, message.content_type) == ("user", "hello", "text/markdown")
    assert message.sender is not None
    assert message.sender.id == request.user_id
    assert is_identifier(message.message_id)
    assert message.timestamp > 1_600_000_000_000_000
    assert [user.id for user in request.users] == [request.user_id]
    assert request.language_code == "en"


def test_the_conversation_grows_by_both_sides_and_a_new_one_forgets_it(poe: Offline) -> None:
    bot = poe.serve(Recorder(lambda request: [f"answer {len(request.query)}"]), "Grows")
    first, second = poe.ask("Grows", "one"), poe.ask("Grows", "two")
    assert [(m.role, m.content) for m in bot.last.query] == [("user", "one"), ("bot", "answer 1"), ("user", "two")]
    assert bot.last.query[1].message_id == first.message_id != second.message_id
    assert bot.requests[0].conversation_id == bot.requests[1].conversation_id
    poe.ask("Grows", "three", new=True)
    assert [m.content for m in bot.last.query] == ["three"]
    assert bot.last.conversation_id != bot.requests[0].conversation_id


def test_metadata_comes_back_to_the_bot_that_wrote_it_and_to_no_other(poe: Offline) -> None:
    writer = poe.serve(
        Recorder(lambda r: ["step", fp.DataResponse(metadata="first"), fp.DataResponse(metadata="mine")]), "Writer"
    )
    reader = poe.serve(Recorder(), "Reader")
    chat = Conversation("Writer")
    for bot in ("Writer", "Reader", "Writer"):
        poe.say(chat, "next", bot=bot)
    own = [m.metadata for m in writer.last.query if m.metadata is not None]
    assert own == ["mine"]
    assert all(m.metadata is None for m in reader.last.query)


def test_a_bot_that_forwards_its_own_metadata_to_another_shows_it_nothing(poe: Offline) -> None:
    inner = poe.serve(Recorder(), "Inner")

    class Outer(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            self.requests.append(request)
            async for part in fp.stream_request(request, "Inner", request.access_key):
                yield part
            yield fp.DataResponse(metadata="secret of Outer")

    outer = poe.serve(Outer(server_bot_dependencies={"Inner": 1}), "Outer")
    poe.ask("Outer", "one")
    poe.ask("Outer", "two")
    assert [m.metadata for m in outer.last.query if m.role == "bot"] == ["secret of Outer"]
    assert [m.content for m in inner.last.query] == ["one", "heard", "two"]
    assert all(m.metadata is None for m in inner.last.query)


def test_a_system_message_and_a_users_parameters_go_along_and_controls_give_the_rest(poe: Offline) -> None:
    controls = fp.ParameterControls(
        sections=[
            fp.Section(
                name="Look",
                controls=[
                    fp.DropDown(
                        label="Style",
                        parameter_name="style",
                        options=[fp.ValueNamePair(value="a", name="A"), fp.ValueNamePair(value="b", name="B")],
                    ),
                    fp.Slider(label="Size", parameter_name="size", min_value=2, max_value=9, step=1),
                    fp.ToggleSwitch(label="Loud", parameter_name="loud"),
                    fp.TextField(label="Title", parameter_name="title", default_value="untitled"),
                    fp.AspectRatio(
                        label="Shape", parameter_name="shape", options=[fp.AspectRatioOption(width=3, height=2)]
                    ),
                ],
            )
        ]
    )
    bot = poe.serve(Recorder(parameter_controls=controls), "Formed")
    poe.ask("Formed", "go", parameters={"size": 5, "other": [1]}, system="be brief")
    begun = {"style": "a", "loud": False, "title": "untitled", "shape": "3:2"}
    assert bot.last.query[-1].parameters == {**begun, "size": 5, "other": [1]}
    assert (bot.last.query[0].role, bot.last.query[0].content) == ("system", "be brief")
    poe.ask("Formed", "again")
    assert [m.role for m in bot.last.query] == ["system", "user", "bot", "user"]
    assert bot.last.query[1].parameters["size"] == 5


def test_more_than_a_thousand_earlier_messages_are_cut_at_the_old_end(poe: Offline) -> None:
    bot = poe.serve(Recorder(lambda r: ["x"]), "Long")
    chat = Conversation("Long")
    for n in range(520):
        _, reply = chat.ask(f"message {n}", route="kernel")
        reply.add(fp_text("x"))
    poe.say(chat, "last")
    assert len(bot.last.query) == 1_001
    assert bot.last.query[-1].content == "last"


def fp_text(text: str) -> Any:
    from poe_notebook.protocol.events import Event

    return Event("text", {"text": text})


# Attachments.


@pytest.mark.parametrize("reads", [True, False])
def test_a_text_file_is_read_for_the_bot_if_it_wants_that(poe: Offline, reads: bool) -> None:
    bot = poe.serve(Recorder(allow_attachments=True, expand_text_attachments=reads), f"Text{reads}")
    poe.ask(f"Text{reads}", "what is in it?", attach=[as_file(b"three blue herons", name="birds.txt")])
    file = bot.last.query[-1].attachments[0]
    assert (file.name, file.content_type) == ("birds.txt", "text/plain")
    assert file.parsed_content == ("three blue herons" if reads else None)
    path = file.url.removeprefix(poe.address)
    assert http_request(poe.port, path, method="GET", key=None).body == b"three blue herons"


@pytest.mark.parametrize("sees", [True, False])
def test_an_image_is_described_for_the_bot_if_it_wants_that(poe: Offline, sees: bool) -> None:
    bot = poe.serve(Recorder(allow_attachments=True, enable_image_comprehension=sees), f"Image{sees}")
    poe.ask(f"Image{sees}", "what is on it?", attach=[as_file(png(), name="red.png")])
    described = bot.last.query[-1].attachments[0].parsed_content
    assert (described is not None) == sees
    if sees:
        assert described is not None
        assert described.startswith("red.png***")
        assert "8" in described


def test_a_bot_that_allows_no_files_is_not_sent_any(poe: Offline) -> None:
    poe.serve(Recorder(allow_attachments=False), "NoFiles")
    with pytest.raises(CommandError, match="takes no files"):
        poe.ask("NoFiles", "look", attach=[as_file(b"x", name="x.txt")])


def test_a_bot_that_has_images_described_gets_one_with_a_message(poe: Offline) -> None:
    poe.serve(Recorder(allow_attachments=True, enable_image_comprehension=True), "OneImage")
    two = [as_file(png(), name="a.png"), as_file(png(), name="b.png")]
    with pytest.raises(CommandError, match="2 images"):
        poe.ask("OneImage", "look", attach=two)


def test_a_file_stays_readable_in_later_turns_at_a_fresh_address(poe: Offline) -> None:
    bot = poe.serve(Recorder(allow_attachments=True), "Later")
    poe.ask("Later", "keep this", attach=[as_file(b"kept", name="kept.txt")])
    poe.ask("Later", "and now?")
    file = bot.last.query[0].attachments[0]
    assert file.parsed_content == "kept"
    assert http_request(poe.port, file.url.removeprefix(poe.address), method="GET", key=None).body == b"kept"


def test_a_file_that_a_bot_sent_is_in_the_conversation_and_can_be_fetched(poe: Offline) -> None:
    class Sender(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            self.requests.append(request)
            await self.post_message_attachment(message_id=request.message_id, file_data=b"\x89data", filename="d.bin")
            yield "here"

    bot = poe.serve(Sender(), "Sender")
    reply = poe.ask("Sender", "send")
    assert [file.name for file in reply.attachments] == ["d.bin"]
    assert poe.simulator.files.resolve(reply.attachments[0].url) == b"\x89data"
    poe.ask("Sender", "again")
    assert [file.name for file in bot.last.query[1].attachments] == ["d.bin"]


# Several in one chat.


def test_a_bot_that_is_called_into_a_chat_is_told_what_the_others_said(poe: Offline) -> None:
    first = poe.serve(Recorder(lambda r: ["I say red"]), "Ann")
    second = poe.serve(Recorder(), "Bea")
    chat = Conversation("Ann")
    poe.say(chat, "which colour?")
    poe.say(chat, "@Bea and you?", bot="Bea")
    story, question = second.last.query
    assert (story.role, question.role, question.content) == ("user", "user", "@Bea and you?")
    assert "Ann: I say red" in story.content
    assert "which colour?" in story.content
    poe.say(chat, "thanks Ann")
    assert "Bea: heard" in first.last.query[0].content


def test_with_that_prompting_off_messages_come_as_they_are(poe: Offline) -> None:
    poe.serve(Recorder(lambda r: ["I say red"]), "Ann")
    plain = poe.serve(Recorder(enable_multi_bot_chat_prompting=False), "Plain")
    chat = Conversation("Ann")
    poe.say(chat, "which colour?")
    poe.say(chat, "and you?", bot="Plain")
    assert [(m.role, m.content) for m in plain.last.query] == [
        ("user", "which colour?"),
        ("bot", "I say red"),
        ("user", "and you?"),
    ]
    assert plain.last.query[1].sender is not None
    assert plain.last.query[1].sender.name == "Ann"


def test_roles_alternate_where_the_bot_wants_it(poe: Offline) -> None:
    poe.serve(Recorder(), "Ann")
    strict = poe.serve(Recorder(enforce_author_role_alternation=True), "Strict")
    chat = Conversation("Ann")
    poe.say(chat, "one")
    poe.say(chat, "two", bot="Strict")
    assert [m.role for m in strict.last.query] == ["user"]
    assert strict.last.query[0].content.endswith("\n\ntwo")


def test_users_of_one_chat_have_names_and_ids_of_their_own(poe: Offline) -> None:
    bot = poe.serve(Recorder(enable_multi_entity_prompting=False), "Group")
    chat = Conversation("Group")
    poe.say(chat, "I am Ann", user="Ann")
    poe.say(chat, "and I Bea", user="Bea")
    senders = [m.sender for m in bot.last.query if m.role == "user"]
    assert [sender.name for sender in senders if sender is not None] == ["Ann", "Bea"]
    assert len({sender.id for sender in senders if sender is not None}) == 2
    assert {user.name for user in bot.last.users} == {"Ann", "Bea"}
    assert bot.last.user_id == next(user.id for user in bot.last.users if user.name == "Bea")


# Answers.


def test_poes_own_suggestions_show_only_where_the_bot_wants_some_and_gives_none(poe: Offline) -> None:
    wants = fp.MetaResponse(text="", suggested_replies=True)
    poe.serve(Recorder(lambda r: [wants, "a"]), "Wants")
    poe.serve(Recorder(lambda r: [wants, "a", fp.PartialResponse(text="my own", is_suggested_reply=True)]), "Gives")
    poe.serve(Recorder(lambda r: ["a"]), "Silent")
    assert poe.ask("Wants", "tell me of herons").suggested_replies
    assert poe.ask("Gives", "tell me of herons").suggested_replies == ["my own"]
    assert poe.ask("Silent", "tell me of herons").suggested_replies == []


def test_an_answer_that_failed_before_showing_anything_is_asked_for_once_more(poe: Offline) -> None:
    failing = [fp.ErrorResponse(text="try me again", allow_retry=True)]
    bot = poe.serve(Recorder(lambda r: failing if len(bot.requests) == 1 else ["well"]), "Again")
    reply = poe.ask("Again")
    assert (reply.state, reply.text, len(bot.requests)) == ("done", "well", 2)
    assert bot.requests[0].message_id == bot.requests[1].message_id


@pytest.mark.parametrize(
    "answer",
    [
        [fp.ErrorResponse(text="no", allow_retry=False)],
        ["shown", fp.ErrorResponse(text="no", allow_retry=True)],
    ],
    ids=["that forbids it", "that has shown something"],
)
def test_an_answer_is_not_asked_for_again(poe: Offline, answer: list[Any]) -> None:
    bot = poe.serve(Recorder(lambda r: answer), "Once")
    reply = poe.ask("Once")
    assert reply.failure is not None
    assert (reply.failure.text, len(bot.requests)) == ("no", 1)


def test_a_file_without_a_text_is_an_answer(poe: Offline) -> None:
    raw = fp.ServerSentEvent(
        event="file", data=json.dumps({"url": "http://127.0.0.1/x", "content_type": "video/mp4", "name": "x.mp4"})
    )
    bot = poe.serve(Recorder(lambda r: [raw]), "FileOnly")
    reply = poe.ask("FileOnly")
    assert (reply.state, len(reply.attachments), bot.errors) == ("done", 1, [])


def test_limits_end_an_answer_with_a_sentence(poe: Offline) -> None:
    poe.serve(Recorder(lambda r: ["x" * 60_000] * 2), "TooLong")
    poe.serve(Recorder(lambda r: ["x"] * 10_001), "TooMany")
    too_long, too_many = poe.ask("TooLong"), poe.ask("TooMany")
    assert too_long.failure is not None
    assert "100,000 characters" in too_long.failure.text
    assert too_many.failure is not None
    assert "10,000 events" in too_many.failure.text
    poe.simulator.limit("2026")
    try:
        assert poe.ask("TooLong", new=True).state == "done"
    finally:
        poe.simulator.limit("2025")


def test_the_strict_limits_cut_a_bot_off_whose_first_event_is_late(
    poe: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:

    class Slow(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            await asyncio.sleep(0.4)
            yield "late"

    poe.serve(Slow(), "Slow")
    assert poe.ask("Slow").text == "late"
    poe.simulator.limit("strict")
    assert poe.simulator.poe.limits.first_event_s == 5.0
    poe.simulator.poe.limits = replace(poe.simulator.poe.limits, first_event_s=0.1)
    try:
        reply = poe.ask("Slow")
        assert reply.failure is not None
        assert "first event" in reply.failure.text
    finally:
        poe.simulator.limit("2025")


# Reactions.


def test_a_reaction_is_reported_and_later_queries_carry_it(poe: Offline) -> None:
    bot = poe.serve(Recorder(), "Reacted")
    reply = poe.ask("Reacted")
    assert reply.exchange is not None
    poe.session.chats.react(reply.exchange, "like")
    assert [(r.reaction, r.message_id) for r in bot.reactions] == [("like", reply.message_id)]
    assert [(f.feedback_type, f.conversation_id) for f in bot.feedback] == [("like", bot.last.conversation_id)]
    poe.ask("Reacted", "again")
    assert [r.reaction for r in bot.last.query[1].reactions] == ["like"]
    assert [f.type for f in bot.last.query[1].feedback] == ["like"]
    poe.session.chats.react(reply.exchange, "heart")
    poe.ask("Reacted", "and now?")
    assert ([r.reaction for r in bot.last.query[1].reactions], bot.last.query[1].feedback) == (["heart"], [])
