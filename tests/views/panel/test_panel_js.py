"""The panel's script in a real browser, without Jupyter: what it makes of messages, of lost and hostile ones too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import labs
import pytest

from poe_notebook.conversation import Conversation, Reply
from poe_notebook.protocol.events import Event
from poe_notebook.views.panel.scripts import COMPARE, PANEL, script, style_sheet
from poe_notebook.views.panel.view import PanelView

pytestmark = pytest.mark.browser
PAGE = """<!doctype html><meta charset="utf-8"><title>panel</title><style>STYLE</style><body><script type="module">
import makeWidget from "/panel.js";
const heard = new Map();
window.sent = [];
window.model = {
  get: (name) => window.start, set() {}, save_changes() {},
  on: (name, hear) => heard.set(name, [...(heard.get(name) ?? []), hear]), off() {},
  send: (message, callbacks, buffers) => sent.push([message, (buffers ?? []).map((b) => b.byteLength)]),
};
window.tell = (message, name = "msg:custom") => (heard.get(name) ?? []).forEach((hear) => hear(message));
window.openPanel = (start, views) => {
  window.start = start;
  const widget = makeWidget();
  widget.initialize({ model });
  for (let i = 0; i < views; i++) {
    const el = document.createElement("div");
    document.body.append(el);
    widget.render({ model, el });
  }
};
</script>"""
HEAD = {
    "bot": "Shout",
    "badges": [["this kernel", "info"]],
    "stopped": "",
    "notes": [],
    "no_files": "",
    "limits": {"files": 3, "bytes": 1000, "piece": 400, "chars": 100},
    "form": None,
    "cost": "",
    "bots": [["Echo", "this kernel"], ["Elsewhere", "stand-in"], ["GPT-3.5-Turbo", "stand-in"]],
}
NASTY = (
    '"><img src=x onerror="window.ran=1"><script>window.ran=2</script><svg onload=window.ran=3>javascript:window.ran=4'
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with labs.browser() as running:
        yield running


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page()

    def serve(route: Any) -> None:
        is_script = route.request.url.endswith(".js")
        body = script(*PANEL) if is_script else PAGE.replace("STYLE", style_sheet("panel"))
        route.fulfill(body=body, content_type="text/javascript" if is_script else "text/html")

    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.route("**/*", serve)
    page.goto("http://panel.test/")
    page.wait_for_function("() => window.openPanel")
    yield page
    assert page.errors == []
    page.close()


class Kernel:
    """The kernel's side of a panel, with a page instead of a comm; messages can get lost."""

    times_given = 1

    def __init__(self, page: Any, *, views: int = 1, introduction: str = "", **head: Any) -> None:
        self.page, self.lost, self.replies = page, False, []
        self.conversation = Conversation("Shout")
        self.parts: list[tuple[str, list[Reply]]] = [("", self.replies)]
        self.view = PanelView("Shout", parts=lambda: self.parts, redact=str)
        self.view.introduce({**HEAD, **head}, introduction)
        page.evaluate("([start, views]) => openPanel(start, views)", [self.view.snapshot(), views])
        self.view.widget = self  # type: ignore[assignment]

    def send(self, message: dict[str, Any], buffers: Any = None) -> None:
        if not self.lost:
            self.page.evaluate("(m) => tell(m)", json.loads(json.dumps(message)))

    def sent(self, kind: str) -> list[dict[str, Any]]:
        return [message for message, _ in self.page.evaluate("sent") if message["kind"] == kind]

    def turn(self, said: str, *events: tuple[str, dict[str, Any]], ask: int | None = None) -> Any:
        _, reply = self.conversation.ask(said, route="kernel")
        self.replies.append(reply)
        turn = self.view.begin(reply, ask=ask)
        for type_, data in events:
            reply.add(Event(type_, data, 0.1))
        return turn

    def answered(self, said: str, text: str, **more: Any) -> Any:
        turn = self.turn(said, ("text", {"text": text}), **more)
        turn.reply.add(Event("done", {}, 0.2))
        self.view.end(turn)
        return turn


def text(page: Any) -> str:
    return str(page.evaluate("document.querySelector('.poe-panel-inner').innerText"))


def test_a_page_that_missed_a_message_asks_and_is_put_right(page: Any) -> None:
    kernel = Kernel(page)
    kernel.answered("one", "ANSWER1")
    kernel.lost = True
    kernel.answered("two", "ANSWER2")
    kernel.lost = False
    kernel.answered("three", "ANSWER3")
    assert [wish["kind"] for wish in kernel.sent("sync")] == ["sync"]
    assert "ANSWER3" not in text(page)
    page.locator(".poe-panel-text").fill("a draft")
    kernel.view.sync()
    for words in ("ANSWER1", "ANSWER2", "ANSWER3"):
        assert text(page).count(words) == 1
    assert page.locator(".poe-panel-text").input_value() == "a draft"
    kernel.answered("four", "fourth")
    assert text(page).count("fourth") == 1


def test_what_has_been_heard_already_is_not_heard_again(page: Any) -> None:
    kernel = Kernel(page)
    old = kernel.view.snapshot()
    kernel.answered("one", "first")
    kernel.send(old)
    kernel.send({**old, "kind": "head", "head": {**HEAD, "bot": "Old", "introduction": ""}})
    assert "first" in text(page)
    assert page.locator(".poe-panel-title strong").inner_text() == "Shout"
    for nonsense in ({"kind": "explode"}, {"kind": "turn", "turn": "m-x", "message": {}}, {"kind": "constructor"}):
        kernel.send(nonsense)
    kernel.answered("two", "second")
    assert "second" in text(page)


def test_two_views_of_a_panel_show_the_same_and_keep_their_own_drafts(page: Any) -> None:
    kernel = Kernel(page, views=2)
    areas = page.locator(".poe-panel-text")
    areas.nth(1).fill("a draft")
    areas.nth(0).fill("hello")
    areas.nth(0).press("Enter")
    [wish] = kernel.sent("send")
    assert page.locator(".poe-panel-pending").count() == 2
    kernel.answered("hello", "ANSWER", ask=wish["ask"])
    assert page.locator(".poe-panel-pending").count() == 0
    assert page.locator(".poe-turn-answer p", has_text="ANSWER").count() == 2
    assert [areas.nth(n).input_value() for n in (0, 1)] == ["", "a draft"]


def test_what_was_refused_comes_back_into_the_field(page: Any) -> None:
    kernel = Kernel(page)
    area = page.locator(".poe-panel-text")
    area.fill("hello")
    area.press("Enter")
    assert area.input_value() == ""
    assert page.get_by_role("button", name="Stop").is_visible(), "from the first instant"
    area.press("Enter")
    assert len(kernel.sent("send")) == 1
    kernel.view.say("No such bot.", tone="bad", ask=kernel.sent("send")[0]["ask"])
    assert area.input_value() == "hello"
    assert page.get_by_role("button", name="Send").is_visible()
    area.fill("x" * 101)
    area.press("Enter")
    assert "101 characters; 100 is the most" in page.locator(".poe-panel-notes").inner_text()
    assert len(kernel.sent("send")) == 1


def test_a_panel_whose_kernel_has_gone_says_so_and_keeps_what_was_said(page: Any) -> None:
    kernel = Kernel(page)
    kernel.turn("one", ("text", {"text": "so far"})).update()
    page.evaluate("tell(undefined, 'comm_live_update')")
    assert "The kernel was restarted" in page.locator(".poe-panel-banner").inner_text()
    assert page.locator(".poe-panel-text").is_disabled()
    assert "one" in text(page)
    assert "The end did not arrive." in text(page)
    assert page.locator("body > .poe-live-region").inner_text().startswith("The kernel was restarted")


def test_without_its_kernel_a_panel_offers_nothing_that_only_the_kernel_can_do(page: Any) -> None:
    kernel = Kernel(page)
    kernel.answered("one", "ANSWER")
    page.get_by_role("button", name="Copy the answer as Markdown").click()
    page.get_by_role("button", name="React", exact=True).click()
    page.evaluate("tell(undefined, 'comm_live_update')")
    count = page.evaluate("sent.length")
    for name in ("Copy the answer as Markdown", "Like", "Dislike", "React", "Download the transcript", "New conv"):
        button = page.locator(f'button[aria-label^="{name}"]')
        assert button.get_attribute("aria-disabled") == "true", name
        assert "not possible. The kernel was restarted" in button.get_attribute("aria-label")
        assert "The kernel was restarted" in button.get_attribute("title")
        button.click(force=True)
    assert page.evaluate("sent.length") == count
    assert not page.get_by_role("button", name="As Markdown", exact=True).is_visible()
    assert page.locator(".poe-go").get_attribute("aria-label") == "Send", "there is nothing to stop"


def test_an_introduction_is_read_from_its_beginning(page: Any) -> None:
    top = "() => document.querySelector('.poe-panel-list').scrollTop"
    kernel = Kernel(page, introduction="A paragraph of some words.\n\n" * 60)
    page.wait_for_timeout(100)
    assert page.evaluate(top) == 0
    assert not page.get_by_role("button", name="Latest").is_visible()
    page.locator(".poe-panel-list").hover()
    page.mouse.wheel(0, 400)
    page.wait_for_function(f"({top})() > 300")
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(100)
    turn = kernel.answered("hello", "An answer. " * 20)
    page.wait_for_function(f"({top})() > 900")
    kernel.replies.clear()
    kernel.parts.append(("Earlier conversation", [turn.reply]))
    kernel.view.set_aside([turn.reply], "Earlier conversation")
    page.wait_for_function(f"({top})() === 0")
    page.locator(".poe-panel-text").fill("again")
    page.locator(".poe-panel-text").press("Enter")
    page.wait_for_function(f"({top})() > 900")


def test_a_suggested_reply_is_sent_as_the_bot_gave_it(page: Any) -> None:
    suggested = ["a reply\nwith lines", "", "   ", "\u202egnp", "x" * 2_500, "y" * 200_001]
    kernel = Kernel(page, limits={**HEAD["limits"], "chars": 100_000})
    turn = kernel.turn("one", ("text", {"text": "x"}), *(("suggested_reply", {"text": each}) for each in suggested))
    turn.reply.add(Event("done", {}, 0.2))
    kernel.view.end(turn)
    buttons = page.locator(".poe-suggestion")
    shown = buttons.all_inner_texts()
    assert shown[:2] == ["a reply with lines", "\\u202egnp"]
    assert shown[2].endswith("… (2,500 characters in all)")
    assert len(shown) == 4
    for nth, text in ((0, suggested[0]), (1, suggested[3]), (2, suggested[4])):
        buttons.nth(nth).click()
        wish = kernel.sent("send")[-1]
        assert wish["text"] == text
        kernel.view.say("No.", ask=wish["ask"])
    buttons.nth(3).click()
    assert len(kernel.sent("send")) == 3
    assert "too long to be sent" in page.locator(".poe-panel-notes").inner_text()


def test_the_name_of_a_file_cannot_pretend_to_be_another(page: Any) -> None:
    kernel = Kernel(page)
    name = "\u202egnp.exe"
    page.locator("input[type=file]").set_input_files([{"name": name, "mimeType": "", "buffer": b"MZ"}])
    page.wait_for_function("sent.length === 1")
    assert page.locator(".poe-panel-file-name").inner_text() == "\\u202egnp.exe"
    assert page.get_by_role("button", name="Remove \\u202egnp.exe").count() == 1
    assert kernel.sent("file")[0]["name"] == name


def test_options_that_cannot_be_seen_are_neither_sent_nor_counted(page: Any) -> None:
    condition = {"comparator": "eq", "left": {"parameter_name": "tog"}, "right": {"literal": True}}
    inner = {"control": "text_field", "label": "Inner", "parameter_name": "inner", "placeholder": ""}
    controls = [
        {"control": "toggle_switch", "label": "Tog", "parameter_name": "tog"},
        {"control": "condition", "condition": condition, "controls": [inner]},
    ]
    section = {"name": None, "collapsed": False, "cards": [{"name": None, "controls": controls}]}
    kernel = Kernel(page, form={"sections": [section], "values": {"tog": False, "inner": "dflt"}})
    options = page.locator(".poe-options")
    options.click()
    page.get_by_role("switch", name="Tog").click()
    page.get_by_label("Inner").fill("typed")
    assert options.get_attribute("aria-label") == "Options, 2 changed"
    page.get_by_role("switch", name="Tog").click()
    assert options.get_attribute("aria-label") == "Options"
    page.locator(".poe-panel-text").fill("go")
    page.locator(".poe-panel-text").press("Enter")
    assert kernel.sent("send")[0]["parameters"] == {"tog": False}


def test_files_go_in_pieces_each_after_the_one_before_has_arrived(page: Any) -> None:
    kernel = Kernel(page)
    picker = page.locator("input[type=file]")
    files = [{"name": f"{n}.bin", "mimeType": "", "buffer": bytes(900)} for n in range(2)]
    picker.set_input_files(files[:1])
    page.wait_for_function("sent.length === 1")
    first = kernel.sent("file")[0]
    assert (first["name"], first["size"], first["at"]) == ("0.bin", 900, 0)
    assert page.evaluate("sent[0][1]") == [400]
    kernel.view.answer("file", id=first["id"], got=400)
    page.wait_for_function("sent.length === 2")
    assert "44 %" in page.locator(".poe-panel-file").inner_text()
    page.locator(".poe-panel-text").fill("go")
    page.locator(".poe-panel-text").press("Enter")
    assert "still on their way" in page.locator(".poe-panel-notes").inner_text()
    kernel.view.answer("file", id=first["id"], got=800)
    page.wait_for_function("sent.length === 3")
    kernel.view.answer("file", id=first["id"], got=None)
    page.wait_for_function("document.querySelector('.poe-panel-file').innerText.includes('900 B')")
    picker.set_input_files([{"name": "big.bin", "mimeType": "", "buffer": bytes(1001)}])
    assert "big.bin has 1.00 kB, and 1.00 kB is the most" in page.locator(".poe-panel-notes").inner_text()
    picker.set_input_files(files[1:])
    page.wait_for_function("sent.length === 4")
    kernel.view.answer("file", id=kernel.sent("file")[3]["id"], refused="The disk is full.")
    page.locator(".poe-panel-note", has_text="The disk is full.").wait_for()
    assert page.locator(".poe-panel-file").count() == 1
    page.get_by_role("button", name="Remove 0.bin").click()
    assert kernel.sent("drop")[0]["id"] == first["id"]


def test_a_bot_without_files_has_its_buttons_off_with_the_reason(page: Any) -> None:
    Kernel(page, no_files="Shout takes no files: its setting allow_attachments is off.")
    attach = page.get_by_role("button", name="Attach files: not possible.")
    assert attach.get_attribute("aria-disabled") == "true"
    attach.click(force=True)
    assert "allow_attachments is off" in page.locator(".poe-panel-notes").inner_text()
    assert page.locator(".poe-panel-file").count() == 0


def test_names_of_bots_are_completed_with_the_arrows(page: Any) -> None:
    kernel = Kernel(page)
    area = page.locator(".poe-panel-text")
    area.type("@E")
    assert page.locator(".poe-mention").all_inner_texts() == ["Echo\nthis kernel", "Elsewhere\nstand-in"]
    area.press("ArrowDown")
    assert area.get_attribute("aria-activedescendant") == page.locator(".poe-mention >> nth=1").get_attribute("id")
    area.press("Tab")
    assert area.input_value() == "@Elsewhere "
    area.press("Escape")
    area.type("hi @E")
    assert not page.locator(".poe-mentions").is_visible(), "only what a message begins with is a bot that is called"
    area.press("Enter")
    assert kernel.sent("send")[0]["text"] == "@Elsewhere hi @E"


def test_the_end_is_followed_until_somebody_reads_further_up(page: Any) -> None:
    kernel = Kernel(page)
    for n in range(3):
        kernel.answered(f"message {n}", "A paragraph of some words.\n\n" * 30)
    is_at_end = """() => { const l = document.querySelector('.poe-panel-list');
        return l.scrollHeight - l.scrollTop - l.clientHeight < 4; }"""
    page.wait_for_function(is_at_end)
    page.locator(".poe-panel-list").hover()
    page.mouse.wheel(0, -600)
    page.wait_for_function(f"!({is_at_end})()")
    top = page.evaluate("document.querySelector('.poe-panel-list').scrollTop")
    kernel.answered("one more", "More. " * 300)
    page.wait_for_timeout(100)
    assert page.evaluate("document.querySelector('.poe-panel-list').scrollTop") == top
    page.get_by_role("button", name="Latest").click()
    page.wait_for_function(is_at_end)


def test_nothing_hostile_runs_wherever_it_stands(page: Any) -> None:
    control = {"label": NASTY, "description": NASTY, "parameter_name": "x"}
    form = {
        "sections": [
            {
                "name": NASTY,
                "collapsed": False,
                "cards": [
                    {
                        "name": NASTY,
                        "controls": [
                            {"control": "text_field", "placeholder": NASTY, **control},
                            {"control": "drop_down", "options": [{"value": NASTY, "name": NASTY}], **control},
                            {
                                "control": "aspect_ratio",
                                "options": [{"value": NASTY, "width": 1, "height": 1}],
                                **control,
                            },
                        ],
                    }
                ],
            }
        ],
        "values": {"x": NASTY},
    }
    kernel = Kernel(
        page, introduction=NASTY, bot=NASTY, cost=NASTY, notes=[NASTY], form=form, bots=[[NASTY, NASTY]], stopped=NASTY
    )
    kernel.conversation.bot = NASTY
    turn = kernel.answered(NASTY, NASTY)
    turn.reply.suggested_replies.append(NASTY)
    kernel.view.set_aside([turn.reply], NASTY)
    kernel.view.say(NASTY, tone=NASTY)
    again = kernel.turn(NASTY, ("suggested_reply", {"text": NASTY}), ("error", {"text": NASTY, "error_type": NASTY}))
    kernel.view.end(again)
    page.locator(".poe-options").click()
    page.get_by_role("button", name="Edit and send again").last.click()
    kernel.send({"kind": "gone", "words": NASTY})
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    assert page.locator(".poe-panel img, .poe-panel script, .poe-panel iframe, .poe-panel a").count() == 0


def test_the_scripts_are_small_fetch_nothing_and_take_no_html_but_the_kernels() -> None:
    for names in (PANEL, COMPARE):
        whole = script(*names)
        assert len(whole.encode()) < 80_000
        for word in ("fetch(", "XMLHttpRequest", "WebSocket", "import(", "eval(", "insertAdjacentHTML", "outerHTML ="):
            assert word not in whole
    from importlib.resources import files

    folder = files("poe_notebook.views").joinpath("static", "panel")
    for file in folder.iterdir():
        lines = file.read_text("utf-8").splitlines()
        assert len(lines) <= 400, file.name
    taken = [
        line.strip() for line in script(*PANEL).split("// ---- dom.js ----")[1].splitlines() if "innerHTML" in line
    ]
    assert taken == [
        "template.innerHTML = still;",
        "if (old && ended && old.innerHTML !== ended.innerHTML) old.replaceWith(ended);",
        "this.introduction.innerHTML = introduction;",
    ]
