"""Who answers a name, and what a turn that cannot be begun leaves behind: nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from offline import Offline, Recorder, offline

import poe_notebook as fp
from poe_notebook.attaching import File, as_file
from poe_notebook.conversation import Conversation
from poe_notebook.errors import BotNotFound, CommandError, InvalidParameterError, PoeNotebookError


@pytest.fixture(scope="module")
def poe() -> Iterator[Offline]:
    with offline() as running:
        yield running


# Who answers.


def test_a_name_in_another_case_is_the_kernels_bot_and_the_same_conversation(poe: Offline) -> None:
    bot = poe.serve(Recorder(), "Shout")
    replies = [poe.ask(name, name) for name in ("Shout", "shout", "SHOUT")]
    assert [(reply.route, reply.bot) for reply in replies] == [("kernel", "Shout")] * 3
    assert [m.content for m in bot.last.query if m.role == "user"] == ["Shout", "shout", "SHOUT"]
    assert poe.ask("echo", "hi").bot == "Echo"


def test_names_that_differ_in_their_case_alone_are_each_their_own(poe: Offline) -> None:
    poe.serve(Recorder(lambda r: ["upper"]), "TWIN")
    poe.serve(Recorder(lambda r: ["lower"]), "twin")
    assert [poe.ask(name).text for name in ("TWIN", "twin")] == ["upper", "lower"]


@pytest.mark.parametrize("name", ["A.b-C_1", "0", "x" * 100])
def test_every_name_that_poe_allows_can_be_asked_and_can_ask(poe: Offline, name: str) -> None:
    class Relay(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            async for part in fp.stream_request(request, name, request.access_key):
                yield part

    poe.serve(Recorder(), name)
    poe.serve(Relay(server_bot_dependencies={name: 1}), "Relay-To-It")
    assert poe.ask("Relay-To-It").text == "heard"


def test_via_simulator_means_the_stand_in_and_where_there_is_none_the_badge_says_who_answered(poe: Offline) -> None:
    poe.serve(Recorder(), "GPT-4o")
    assert poe.ask("GPT-4o").text == "heard"
    stood_in = poe.ask("GPT-4o", "hi", via="simulator")
    assert (stood_in.route, "Stand-in for GPT-4o" in stood_in.text) == ("simulator", True)
    poe.serve(Recorder(), "Own")
    assert poe.ask("Own", via="simulator").route == "kernel"
    poe.session.serving.stop("GPT-4o")


def test_a_misspelt_name_is_told_the_near_ones_of_both_kinds(poe: Offline) -> None:
    poe.serve(Recorder(), "Parrot")
    with pytest.raises(BotNotFound, match=r"Did you mean Parrot\?"):
        poe.ask("Parot")
    with pytest.raises(BotNotFound, match="names such as Echo"):
        poe.ask("Ecko")


# Turns that cannot be begun.


def unchanged(poe: Offline, bot: Recorder, name: str) -> None:
    """The next turn knows only of the first, and no exchange is left open."""
    poe.ask(name, "next")
    assert [(m.role, m.content) for m in bot.last.query] == [("user", "first"), ("bot", "heard"), ("user", "next")]
    assert not [exchange for exchange in poe.session.trace if exchange.outcome == "open"]


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"faults": "nonsense"}, InvalidParameterError),
        ({"faults": ["cut@3", "cut@x"]}, InvalidParameterError),
        ({"parameters": {"a": {1, 2}}}, CommandError),
        ({"parameters": {"a": float("nan")}}, CommandError),
        ({"parameters": [1]}, CommandError),
        ({"attach": [File("big.bin", b"x" * 50_000_001)]}, PoeNotebookError),
        ({"attach": [File("x", url="http://127.0.0.1:9/x")]}, PoeNotebookError),
        ({"via": "poe"}, PoeNotebookError),
        ({"via": "moon"}, CommandError),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, dict) else "",
)
def test_a_turn_that_cannot_be_begun_leaves_the_conversation_as_it_was(
    poe: Offline, options: dict[str, Any], kind: type[Exception]
) -> None:
    bot = poe.serve(Recorder(), "Steady")
    poe.ask("Steady", "first", new=True)
    with pytest.raises(kind):
        poe.ask("Steady", "lost", system="never said", **options)
    with pytest.raises(kind):
        poe.ask("Steady", "lost", new=True, **options)
    unchanged(poe, bot, "Steady")


@pytest.mark.parametrize("message", [3, None, b"bytes", ["a"]])
def test_a_message_that_is_no_text_is_said(poe: Offline, message: Any) -> None:
    bot = poe.serve(Recorder(), "Steady")
    poe.ask("Steady", "first", new=True)
    with pytest.raises(CommandError, match=r"A message is a str\."):
        poe.ask("Steady", message)
    unchanged(poe, bot, "Steady")


def test_a_file_for_a_bot_that_takes_none_leaves_the_conversation_as_it_was(poe: Offline) -> None:
    bot = poe.serve(Recorder(allow_attachments=False), "Closed")
    poe.ask("Closed", "first", new=True)
    with pytest.raises(CommandError, match="takes no files"):
        poe.ask("Closed", "look", attach=[as_file(b"x")])
    unchanged(poe, bot, "Closed")


def test_a_bot_whose_settings_could_not_be_had_says_so_where_they_matter(poe: Offline) -> None:
    class Failing(Recorder):
        async def get_settings(self, setting: fp.SettingsRequest) -> fp.SettingsResponse:
            raise ValueError("no")

    poe.serve(Failing(), "Failing")
    assert poe.ask("Failing").text == "heard"
    with pytest.raises(CommandError, match="get_settings of this bot failed: ValueError"):
        poe.ask("Failing", "look", attach=[as_file(b"x")])
    with pytest.raises(PoeNotebookError, match="What it raised: %poe inspect") as caught:
        poe.session.chats.settings("Failing")
    number = int(str(caught.value).rpartition(" ")[2])
    exchange = poe.session.trace.numbered(number)
    assert exchange is not None
    assert exchange.raised is not None
    assert exchange.raised.message == "no"


def test_faults_may_be_one_text(poe: Offline) -> None:
    poe.serve(Recorder(), "Faulty")
    assert poe.ask("Faulty", faults="cut@1").state == "failed"
    assert poe.ask("Faulty", faults=["delay=0.01", "split=1"]).text == "heard"


# A system message, mentions, reactions.


def test_a_long_chat_keeps_its_system_message(poe: Offline) -> None:
    from poe_notebook.protocol.events import Event

    bot = poe.serve(Recorder(), "Long")
    chat = Conversation("Long")
    _, reply = chat.ask("again and again", route="kernel")
    reply.add(Event("text", {"text": "x"}))
    chat.turns *= 600
    poe.say(chat, "last", system="be brief")
    assert (bot.last.query[0].role, bot.last.query[0].content) == ("system", "be brief")
    assert (len(bot.last.query), bot.last.query[-1].content) == (1_002, "last")


def test_merged_messages_carry_what_the_latest_one_has(poe: Offline) -> None:
    """The first turn got no answer, so two messages of the user stand together."""
    failing = [fp.ErrorResponse(text="no", allow_retry=False)]
    bot = poe.serve(
        Recorder(lambda r: failing if len(bot.requests) == 1 else ["well"], enforce_author_role_alternation=True),
        "Alternating",
    )
    poe.ask("Alternating", "one", parameters={"size": 1}, attach=[as_file(b"1", name="1.txt")])
    poe.ask("Alternating", "two", parameters={"size": 2}, attach=[as_file(b"2", name="2.txt")])
    [merged] = bot.last.query
    assert (merged.content, merged.parameters) == ("one\n\ntwo", {"size": 2})
    assert {file.name for file in merged.attachments} == {"1.txt", "2.txt"}


def test_what_others_said_is_told_without_their_reactions_and_parameters(poe: Offline) -> None:
    poe.serve(Recorder(), "Ann")
    bea = poe.serve(Recorder(), "Bea")
    reply = poe.ask("Ann", "which colour?", parameters={"size": 1}, new=True)
    assert reply.exchange is not None
    poe.session.chats.react(reply.exchange, "heart")
    poe.ask("Ann", "@Bea and you?")
    story, _ = bea.last.query
    assert "Ann: heard" in story.content
    assert (story.reactions, story.parameters, story.message_id) == ([], {}, "")


@pytest.mark.parametrize(
    ("message", "called"),
    [
        ("@Bea hi", "Bea"),
        ("  @bea, hi", "Bea"),
        ("@Bea", "Bea"),
        ("@Bea.", "Bea"),
        ("hi @Bea", "Ann"),
        ("@home I was", "Ann"),
        ("@Beatrice hi", "Ann"),
        ("bea@example.com", "Ann"),
    ],
)
def test_a_mention_calls_the_bot_that_it_names_and_nothing_else_is_one(poe: Offline, message: str, called: str) -> None:
    poe.serve(Recorder(), "Ann")
    poe.serve(Recorder(), "Bea")
    assert poe.ask("Ann", message, new=True).bot == called


def test_a_turn_of_a_chat_that_was_begun_anew_can_still_be_reacted_to(poe: Offline) -> None:
    bot = poe.serve(Recorder(), "Reacted")
    old = poe.ask("Reacted")
    poe.ask("Reacted", new=True)
    own = poe.say(Conversation("Reacted"), "of a panel, say")
    for reply, name in ((old, "👍"), (own, "sad")):
        assert reply.exchange is not None
        assert poe.session.chats.react(reply.exchange, name).was_told
    assert [(r.message_id, r.reaction) for r in bot.reactions] == [(old.message_id, "like"), (own.message_id, "sad")]


def test_a_reaction_to_a_bot_that_is_gone_is_kept_and_said_to_be_untold(poe: Offline) -> None:
    poe.serve(Recorder(), "Gone")
    reply = poe.ask("Gone")
    poe.session.serving.stop("Gone")
    assert reply.exchange is not None
    reacted = poe.session.chats.react(reply.exchange, "heart")
    assert reacted[:3] == ("heart", "❤️", False)


@pytest.mark.parametrize("reaction", ["rocket", "", "🚀", "👍👍"])
def test_a_reaction_that_poe_does_not_have_names_those_that_it_has(poe: Offline, reaction: str) -> None:
    poe.serve(Recorder(), "Reacted")
    reply = poe.ask("Reacted")
    assert reply.exchange is not None
    with pytest.raises(CommandError, match="like, dislike, heart"):
        poe.session.chats.react(reply.exchange, reaction)


def test_on_poe_itself_the_users_key_goes_to_poe_while_the_simulator_is_in_use(
    poe: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find their address in the same variables."""
    monkeypatch.setenv("POE_API_KEY", "a-key-of-the-user-0000")
    monkeypatch.setenv("POE_BASE_URL", "http://127.0.0.1:9")
    poe.session.use_simulator()
    try:
        assert os.environ["POE_BASE_URL"] == poe.address
        reply = poe.session.chats.turn("GPT-4o", "hi", via="poe", attach=[])
        with pytest.raises(PoeNotebookError, match="/bot/GPT-4o failed"):
            reply.run()
        with pytest.raises(PoeNotebookError, match=r"http://127\.0\.0\.1:9/poe_api"):
            poe.session.chats.turn("GPT-4o", "hi", via="poe", attach=[as_file(b"x", name="x.txt")])
    finally:
        poe.session.outside.use_poe()
