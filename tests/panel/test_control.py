"""A panel over real bots on loopback, driven as its page and as Python would, with the page's end recorded."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest

from poe_notebook.errors import BotNotFound, CommandError
from poe_notebook.panel import Panel
from poe_notebook.protocol.controls import ParameterControls, Section, Slider, TextField
from poe_notebook.protocol.responses import PartialResponse
from poe_notebook.protocol.settings import SettingsResponse
from poe_notebook.session import Session

SECRET = "sk-panel-4Rt9vBn2Wq8Xc5Lp7"


class Page:
    """Stands where the widget would: keeps what was sent, as a page that joins in at any time would get it."""

    times_given = 1

    def __init__(self, panel: Panel, session: Session) -> None:
        self.panel, self.session, self.sent = panel, session, []
        self.view = session.thread.run(panel.pages.open())
        self.view.widget = self
        self.asks = 0

    def send(self, message: dict[str, Any], buffers: Sequence[Any] | None = None) -> None:
        self.sent.append(json.loads(json.dumps(message)))

    def wish(self, kind: str, buffers: Sequence[Any] = (), **fields: Any) -> int:
        self.asks += 1
        self.panel.pages.take({"kind": kind, "ask": self.asks, **fields}, buffers)
        return self.asks

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.sent if message["kind"] == kind]

    def wait(self, kind: str, count: int = 1, within_s: float = 5.0) -> dict[str, Any]:
        until(lambda: len(self.of(kind)) >= count, within_s)
        return self.of(kind)[count - 1]

    def say(self, text: str, **fields: Any) -> dict[str, Any]:
        """Send a message and wait until its turn has ended."""
        count = len(self.of("close")) + 1
        self.wish("send", text=text, files=fields.pop("files", []), parameters=fields.pop("parameters", {}))
        return self.wait("close", count)


def until(holds: Callable[[], Any], within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


class Bot:
    """What the tests' bots have heard."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.reactions: list[str] = []
        self.go_on = threading.Event()


@pytest.fixture(scope="module")
def bot() -> Bot:
    return Bot()


@pytest.fixture(scope="module")
def session(bot: Bot) -> Iterator[Session]:
    running = Session()

    class Shout:
        """Answers in capitals, with one suggestion, and says what parameters and files came."""

        async def get_response(self, request: Any) -> AsyncIterator[Any]:
            bot.heard.append(request)
            last = request.query[-1]
            yield last.content.upper()
            if last.parameters:
                yield f" with {sorted(last.parameters.items())}"
            for file in last.attachments:
                yield f" [{file.name}: {file.parsed_content}]"
            yield PartialResponse(text="More", is_suggested_reply=True)

        async def get_settings(self, request: Any) -> SettingsResponse:
            sliders = [
                Slider(label="Detail", parameter_name="detail", min_value=1, max_value=5, step=1),
                TextField(label="Greeting", parameter_name="greeting", default_value="hi"),
            ]
            return SettingsResponse(
                introduction_message="I **shout**.",
                allow_attachments=True,
                cost_label="3 points",
                parameter_controls=ParameterControls(sections=[Section(controls=list(sliders))]),
            )

        async def on_reaction_with_context(self, request: Any, context: Any) -> None:
            bot.reactions.append(request.reaction)

    async def slow(request: Any) -> AsyncIterator[str]:
        for n in range(200):
            yield f"w{n} "
            await asyncio.sleep(0.02)

    async def failing(request: Any) -> AsyncIterator[str]:
        yield "so far"
        raise ValueError("no more")

    async def leaking(request: Any) -> AsyncIterator[str]:
        yield f"the key is {SECRET}, keep it"

    running.serving.serve(as_bot(Shout), name="Shout")
    for name, handler in (("Slow", slow), ("Failing", failing), ("Leaking", leaking)):
        running.serving.serve(handler, name=name)
    yield running
    running.close()


def as_bot(shape: type) -> Any:
    from poe_notebook.bot.base import PoeBot

    return type(shape.__name__, (shape, PoeBot), {})()


@pytest.fixture
def panel(session: Session) -> Panel:
    return session.panel("Shout")


@pytest.fixture
def page(panel: Panel, session: Session) -> Page:
    session.thread.run(panel.pages._first_look())
    return Page(panel, session)


# From Python.


def test_send_gives_the_reply_and_the_conversation_goes_on(panel: Panel, bot: Bot) -> None:
    assert panel.send("hello").text.startswith("HELLO")
    reply = panel.send("again")
    assert reply.state == "done"
    assert [message.content.split()[0] for message in bot.heard[-1].query] == ["hello", "HELLO", "again"]
    assert [each.message.content for each in panel.replies] == ["hello", "again"]
    assert repr(panel) == "<Panel: chat with Shout, 2 turns>"


def test_new_begins_another_conversation_and_keeps_the_first(panel: Panel, bot: Bot) -> None:
    first = panel.send("one").exchange
    panel.new()
    assert panel.replies == []
    second = panel.send("two").exchange
    assert first is not None
    assert second is not None
    assert first.request["conversation_id"] != second.request["conversation_id"]
    assert len(bot.heard[-1].query) == 1
    text = panel.transcript()
    assert "*Earlier conversation:*" in text
    assert text.index("ONE") < text.index("TWO")


def test_two_panels_of_one_bot_do_not_mix(session: Session, bot: Bot) -> None:
    one, other = session.panel("Shout"), session.panel("Shout")
    one.send("mine")
    other.send("yours")
    one.send("mine too")
    assert "yours" not in str([message.content for message in bot.heard[-1].query])


def test_files_parameters_and_a_system_message_go_along(session: Session, bot: Bot, tmp_path: Any) -> None:
    note = tmp_path / "note.txt"
    note.write_text("remember")
    panel = session.panel("Shout", system="Be loud.", parameters={"greeting": "moin"})
    reply = panel.send("look", attach=[note, b"raw"], parameters={"detail": 4})
    assert "[note.txt: remember]" in reply.text
    assert "('detail', 4), ('greeting', 'moin')" in reply.text
    assert bot.heard[-1].query[0].content == "Be loud."


def test_another_bot_answers_when_it_is_called(panel: Panel, session: Session) -> None:
    assert panel.send("hello").bot == "Shout"
    reply = panel.send("@Failing what now?")
    assert (reply.bot, reply.route, reply.state) == ("Failing", "kernel", "failed")
    assert panel.send("and you?").bot == "Shout"
    assert panel.send("hello", bot="GPT-3.5-Turbo").route == "simulator"


def test_an_unknown_bot_is_an_error_before_anything_is_sent(session: Session, panel: Panel) -> None:
    with pytest.raises(BotNotFound):
        session.panel("Nobody-Knows")
    with pytest.raises(BotNotFound):
        panel.send("hello", bot="Nobody-Knows")
    assert panel.replies == []


def test_stop_ends_an_answer_and_says_what_the_handler_did(session: Session) -> None:
    panel = session.panel("Slow")
    threading.Timer(0.3, panel.stop).start()
    started = time.monotonic()
    reply = panel.send("go")
    assert time.monotonic() - started < 0.9
    assert reply.state == "stopped"
    assert reply.text.startswith("w0 w1 ")
    assert "The handler was cancelled after" in reply.note
    panel.stop()  # with nothing under way it does nothing
    assert "*Stopped. The handler was cancelled" in panel.transcript()


def test_messages_from_threads_wait_for_each_other(session: Session, bot: Bot) -> None:
    panel = session.panel("Shout")
    threads = [threading.Thread(target=panel.send, args=(f"message {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(panel.replies) == 4
    assert len(bot.heard[-1].query) == 7


def test_the_transcript_is_markdown_or_json(panel: Panel) -> None:
    panel.send("hello")
    assert panel.transcript().startswith("# Chat with Shout\n\n## You\n\nhello\n")
    told = json.loads(panel.transcript("json"))
    assert told["bot"] == "Shout"
    assert told["turns"][0]["message"]["content"] == "hello"
    assert told["turns"][0]["answer"]["suggested_replies"] == ["More"]
    assert told["turns"][0]["set_aside"] is None
    with pytest.raises(CommandError, match="no transcript as 'pdf'"):
        panel.transcript("pdf")  # type: ignore[arg-type]


# From a page.


def test_a_page_begins_with_the_introduction_and_the_controls(page: Page) -> None:
    head = page.view.snapshot()["head"]
    assert "<strong>shout</strong>" in head["introduction"]
    assert [words for words, _ in head["badges"]] == ["this kernel", "generation 1"]
    assert head["form"]["values"] == {"detail": 1, "greeting": "hi"}
    assert head["cost"] == "3 points"
    assert head["no_files"] == ""
    names = dict(head["bots"])
    assert names["Slow"] == "this kernel"
    assert names["GPT-3.5-Turbo"] == "stand-in"


def test_a_message_of_a_page_is_opened_patched_and_closed(page: Page, bot: Bot) -> None:
    closed = page.say("hello", parameters={"detail": 3, "greeting": 5, "other": "x"})
    opened = page.of("open")[0]
    assert opened["ask"] == 1
    assert opened["turn"]["said"] == "hello"
    assert closed["turn"] == opened["turn"]["turn"]
    assert (closed["state"], closed["suggestions"]) == ("done", [{"shown": "More", "sent": "More"}])
    assert bot.heard[-1].query[-1].parameters == {"detail": 3, "greeting": "hi"}
    [turn] = page.view.snapshot()["groups"][0]["turns"]
    assert "HELLO with" in "".join(turn["start"]["parts"][0][1])
    numbers = [message["seq"] for message in page.sent if "seq" in message]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_an_answer_reaches_the_page_while_it_grows_and_stop_ends_it_at_once(session: Session) -> None:
    page = Page(session.panel("Slow"), session)
    page.wish("send", text="go")
    until(lambda: len(page.of("turn")) > 3)
    started = time.monotonic()
    page.wish("stop")
    closed = page.wait("close")
    assert time.monotonic() - started < 0.5
    assert closed["state"] == "stopped"
    assert closed["words"].startswith("Slow stopped after ")
    assert "The handler was cancelled" in closed["still"]


def test_stop_in_the_same_breath_as_send_is_heard(session: Session) -> None:
    page = Page(session.panel("Slow"), session)
    ask = page.wish("send", text="go")
    page.wish("stop")
    until(lambda: page.of("notice") or page.of("close"))
    if page.of("notice"):
        assert page.of("notice")[0]["ask"] == ask
        assert "Stopped before" in page.of("notice")[0]["words"]
    else:
        assert page.of("close")[0]["state"] == "stopped"


def test_a_second_message_while_one_is_answered_is_refused_and_said_to_be(session: Session) -> None:
    page = Page(session.panel("Slow"), session)
    page.wish("send", text="go")
    page.wait("open")
    ask = page.wish("send", text="me too")
    notice = page.wait("notice")
    assert notice["ask"] == ask
    assert "still answering" in notice["words"]
    page.wish("stop")
    page.wait("close")
    assert len(page.of("open")) == 1


def test_retry_sends_the_same_request_and_sets_the_first_answer_aside(page: Page, bot: Bot) -> None:
    turn = page.say("hello", parameters={"detail": 2})["turn"]
    page.wish("retry", turn=turn)
    page.wait("close", 2)
    first, second = bot.heard[-2:]
    assert [m.content for m in second.query] == [m.content for m in first.query] == ["hello"]
    assert second.query[-1].parameters == first.query[-1].parameters
    assert page.of("aside")[0] == {
        "kind": "aside",
        "seq": page.of("aside")[0]["seq"],
        "turns": [turn],
        "words": "Set aside: asked again",
    }
    assert [group["words"] for group in page.view.snapshot()["groups"]] == ["Set aside: asked again", ""]


def test_an_edit_takes_the_place_of_a_message_and_of_all_after_it(page: Page, bot: Bot) -> None:
    first = page.say("one")["turn"]
    page.say("two")
    page.wish("edit", turn=first, text="uno")
    page.wait("close", 3)
    assert [message.content for message in bot.heard[-1].query] == ["uno"]
    assert len(page.of("aside")[0]["turns"]) == 2
    page.wish("edit", turn=first, text="gone")
    assert "no longer part" in page.wait("notice")["words"]


def test_new_sets_all_aside(page: Page) -> None:
    page.say("one")
    page.wish("new")
    page.wait("aside")
    assert page.panel.replies == []
    page.wish("new")  # of an empty conversation nothing is set aside
    page.say("two")
    assert len(page.of("aside")) == 1


def test_a_reaction_reaches_the_bot_and_later_queries(page: Page, bot: Bot) -> None:
    turn = page.say("hello")["turn"]
    page.wish("react", turn=turn, reaction="heart")
    assert page.wait("reacted")["reaction"] == "heart"
    until(lambda: bot.reactions == ["heart"])
    page.say("more")
    assert [r.reaction for m in bot.heard[-1].query for r in m.reactions] == ["heart"]
    assert page.view.snapshot()["groups"][0]["turns"][0]["reaction"] == "heart"


def test_files_of_a_page_are_sent_with_its_message(page: Page, bot: Bot) -> None:
    piece = {"id": "f1", "name": "a.txt", "type": "text/plain", "size": 6}
    page.wish("file", [memoryview(b"abc")], at=0, **piece)
    assert page.wait("file")["got"] == 3
    page.wish("file", [memoryview(b"def")], at=3, **piece)
    assert page.wait("file", 2)["got"] is None
    page.say("look", files=["f1"])
    assert [(file.name, file.parsed_content) for file in bot.heard[-1].query[-1].attachments] == [("a.txt", "abcdef")]
    page.wish("send", text="again", files=["f1"])
    assert "has not arrived" in page.wait("notice")["words"]


def test_an_edited_message_and_a_retried_one_keep_their_files(page: Page, bot: Bot) -> None:
    page.wish("file", [memoryview(b"abc")], at=0, id="f1", name="a.txt", type="", size=3)
    page.wait("file")
    turn = page.say("look", files=["f1"])["turn"]
    page.wish("edit", turn=turn, text="look again")
    page.wait("close", 2)
    assert [file.parsed_content for file in bot.heard[-1].query[-1].attachments] == ["abc"]


def test_objects_of_the_kernel_are_attached_by_name_and_completed(page: Page, bot: Bot) -> None:
    class Broken:
        def to_csv(self) -> str:
            raise RuntimeError("no rows")

    page.panel.pages._namespace.update(report="some text", broken=Broken())
    page.wish("attach", id="k1", name="report")
    assert page.wait("file")["size"] == 9
    page.wish("attach", id="k2", name="nothing_there")
    assert "no file and no object 'nothing_there'" in page.wait("file", 2)["refused"]
    page.wish("attach", id="k3", name="broken")
    assert page.wait("file", 3)["refused"] == "broken gave RuntimeError: no rows"
    page.wish("names", start="rep")
    assert page.wait("names")["names"] == [["report", "str"]]
    page.say("look", files=["k1"])
    assert bot.heard[-1].query[-1].attachments[0].parsed_content == "some text"


def test_a_bot_that_takes_no_files_says_why_and_keeps_them_out(session: Session) -> None:
    def closed(request: Any) -> str:
        return "no"

    session.serving.serve(_without_files(closed), name="Closed")
    panel = session.panel("Closed")
    session.thread.run(panel.pages._first_look())
    page = Page(panel, session)
    assert "allow_attachments is off" in page.view.snapshot()["head"]["no_files"]
    page.wish("file", [memoryview(b"x")], at=0, id="f1", name="a", type="", size=1)
    page.wait("file")
    ask = page.wish("send", text="look", files=["f1"])
    notice = page.wait("notice")
    assert "takes no files" in notice["words"]
    assert notice["ask"] == ask
    assert panel.replies == []


def _without_files(handler: Any) -> Any:
    from poe_notebook.bot.base import PoeBot

    class Closed(PoeBot):
        async def get_response(self, request: Any) -> AsyncIterator[Any]:
            yield handler(request)

        async def get_settings(self, request: Any) -> SettingsResponse:
            return SettingsResponse(allow_attachments=False)

    return Closed()


def test_copies_and_transcripts_are_given_to_the_page(page: Page) -> None:
    turn = page.say("hello")["turn"]
    page.wish("fetch", what="answer", turn=turn)
    assert page.wait("text")["text"].startswith("HELLO")
    page.wish("fetch", what="markdown")
    assert page.wait("text", 2)["text"].startswith("# Chat with Shout")
    page.wish("fetch", what="json")
    assert json.loads(page.wait("text", 3)["text"])["bot"] == "Shout"


def test_nothing_of_a_key_reaches_the_page_a_transcript_or_the_saved_form(session: Session) -> None:
    from poe_notebook.keys import Secret

    session.redactor.add(Secret(SECRET))
    page = Page(session.panel("Leaking"), session)
    turn = page.say(f"is it {SECRET}?")["turn"]
    page.wish("fetch", what="answer", turn=turn)
    page.wait("text")
    page.wish("send", text=f"@{SECRET}", files=["no"])
    page.wait("notice")
    shown = json.dumps([page.sent, page.view.snapshot(), page.view.saved(), page.panel.transcript()])
    assert SECRET not in shown
    assert SECRET[:12] not in shown


def test_nonsense_from_a_page_changes_nothing(page: Page) -> None:
    for nonsense in (None, "send", [], {"kind": "explode"}, {"kind": "send"}, {"kind": ["send"]}):
        page.panel.pages.take(nonsense, [])
    page.wish("turn", turn="m-unknown", message={"kind": "sync"})
    page.wish("drop", id="f-unknown")
    page.wish("retry", turn="m-unknown")
    assert "no longer part" in page.wait("notice")["words"]
    assert page.panel.replies == []


def test_a_page_that_floods_is_bounded(session: Session) -> None:
    page = Page(session.panel("Shout"), session)
    blocked = threading.Event()
    session.thread.call(blocked.wait, 0.3)  # nothing is looked at meanwhile
    for _ in range(2_000):
        page.wish("fetch", what="markdown")
    blocked.set()
    time.sleep(0.1)
    assert len(page.of("text")) <= 300
    assert page.say("still here")["state"] == "done"


# How the bot stands.


def test_a_bot_defined_anew_during_an_answer_ends_it_on_its_generation(session: Session) -> None:
    go_on = threading.Event()

    async def first(request: Any) -> AsyncIterator[str]:
        yield "one "
        while not go_on.is_set():
            await asyncio.sleep(0.005)
        yield "end"

    async def second(request: Any) -> AsyncIterator[str]:
        yield "two"

    session.serving.serve(first, name="Changing")
    page = Page(session.panel("Changing"), session)
    session.serving.listen(page.panel)
    page.wish("send", text="go")
    until(lambda: "one" in json.dumps(page.of("turn")))
    session.serving.serve(second, name="Changing")
    until(lambda: ["generation 2", "muted"] in page.of("head")[-1]["head"]["badges"] if page.of("head") else False)
    go_on.set()
    page.wait("close")
    page.say("and now")
    assert [(reply.text, reply.generation) for reply in page.panel.replies] == [("one end", 1), ("two", 2)]
    assert "generation 1" in page.of("close")[0]["still"]
    assert "generation 2" in page.of("close")[1]["still"]


def test_a_bot_that_is_stopped_says_so_and_what_was_said_stays(session: Session) -> None:
    async def brief(request: Any) -> AsyncIterator[str]:
        yield "hello"

    session.serving.serve(brief, name="Brief")
    page = Page(session.panel("Brief"), session)
    page.say("hi")
    session.serving.stop("Brief")
    until(lambda: bool(page.of("head")) and "no longer served" in page.of("head")[-1]["head"]["stopped"])
    ask = page.wish("send", text="are you there?")
    notice = page.wait("notice")
    assert notice["ask"] == ask
    assert "No bot named 'Brief'" in notice["words"]
    assert len(page.panel.replies) == 1
    session.serving.serve(brief, name="Brief")
    until(lambda: page.of("head")[-1]["head"]["stopped"] == "")
    assert page.say("and now?")["state"] == "done"


def test_a_failure_is_a_turn_of_its_own_and_the_chat_goes_on(session: Session) -> None:
    page = Page(session.panel("Failing"), session)
    closed = page.say("hi")
    assert closed["state"] == "failed"
    assert "ValueError" in closed["still"]
    assert page.say("again")["state"] == "failed"


def test_a_stand_in_is_said_to_be_one(session: Session) -> None:
    page = Page(session.panel("GPT-3.5-Turbo"), session)
    assert ["stand-in", "warn"] in page.view.snapshot()["head"]["badges"]
    page.say("hello")
    assert "simulator" in page.of("close")[0]["still"]


def test_a_page_that_missed_something_gets_everything(page: Page) -> None:
    page.say("hello")
    page.wish("sync")

    def timeless(state: dict[str, Any]) -> dict[str, Any]:
        for group in state["groups"]:
            for turn in group["turns"]:
                turn["start"].pop("at_s")
        return state

    assert timeless(page.wait("state")) == timeless(json.loads(json.dumps(page.view.snapshot())))


def test_the_saved_form_holds_all_that_was_said_and_is_brought_up_to_date(page: Page) -> None:
    saved: list[dict[str, str]] = []
    page.view._outputs.append(saved.append)  # type: ignore[arg-type]
    turn = page.say("hello")["turn"]
    page.wish("retry", turn=turn)
    page.wait("close", 2)
    until(lambda: bool(saved) and saved[-1]["text/plain"].count("HELLO") == 2)
    html, text = saved[-1]["text/html"], saved[-1]["text/plain"]
    assert "<script" not in html
    assert html.count("poe-notebook tex2jax_ignore") == 1
    assert "<details" in html
    assert "[Set aside: asked again]" in text
    assert "I **shout**." in text
    assert "widget" not in str(list(saved[-1]))


def test_a_page_loaded_anew_gets_the_saved_form_to_put_into_the_notebook(page: Page) -> None:
    page.times_given = 2
    page.say("hello")
    assert "HELLO" in page.wait("saved")["bundle"]["text/plain"]


def test_closing_the_session_tells_the_page() -> None:
    running = Session()

    def hello(request: Any) -> str:
        return "hello"

    running.serving.serve(hello, name="Hello")
    page = Page(running.panel("Hello"), running)
    page.say("hi")
    running.close()
    assert "was unloaded" in page.of("gone")[0]["words"]
    page.wish("send", text="anybody?")  # tolerated, and nobody answers
    assert page.panel.pages._snapshot()["groups"]


# Weight.


def test_what_is_sent_for_an_event_does_not_grow_with_the_conversation(session: Session) -> None:
    async def long(request: Any) -> AsyncIterator[str]:
        yield "word " * 8_000

    async def short(request: Any) -> AsyncIterator[str]:
        for n in range(20):
            yield f"w{n} "
            await asyncio.sleep(0.06)

    session.serving.serve(long, name="Long")
    session.serving.serve(short, name="Short")
    page = Page(session.panel("Short"), session)
    for _ in range(5):
        page.panel.send("@Long go")
    page.sent.clear()
    page.say("now you")
    assert len(page.of("turn")) >= 10
    assert max(len(json.dumps(message)) for message in page.of("turn")) < 2_000
