"""What pinned tests ask and expect: bots of all kinds, at an address too, and refusals that a person understands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import endpoints
import pytest
from recorded import a_query

import poe_notebook as fp
from poe_notebook.errors import InvalidParameterError
from poe_notebook.pinned import Answer, ask

REQUEST = a_query("hello")


async def shout(request: fp.QueryRequest) -> Any:
    yield fp.MetaResponse(text="", content_type="text/markdown")
    for letter in request.query[-1].content.upper():
        yield letter
    yield fp.PartialResponse(text="more?", is_suggested_reply=True)


def plain(request: fp.QueryRequest) -> str:
    return "plain"


class Shout(fp.PoeBot):
    async def get_response(self, request: fp.QueryRequest) -> Any:
        async for item in shout(request):
            yield item


class Keyed(fp.PoeBot):
    async def get_response(self, request: fp.QueryRequest) -> Any:
        yield request.access_key


def saying(*items: Any) -> Answer:
    async def said(request: fp.QueryRequest) -> Any:
        for item in items:
            if isinstance(item, Exception):
                raise item
            yield item

    return ask(said, REQUEST)


@pytest.mark.parametrize("bot", [shout, Shout, Shout(), f"{__name__}:Shout"])
def test_a_bot_of_any_kind_is_asked_in_this_process(bot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType(__name__)
    vars(module).update(Shout=Shout)
    monkeypatch.setitem(__import__("sys").modules, __name__, module)
    answer = ask(bot, REQUEST)
    assert answer.text == "HELLO"
    answer.expect_outcome("done")
    answer.expect_order("meta", "text", "suggested_reply", "done")
    answer.expect_events({"meta": 1, "text": (2, 9), "suggested_reply": 1, "done": 1})
    answer.expect_first_text(within_s=5)
    answer.expect_similar("HELLO!", at_least=0.8)
    answer.expect_match("^HEL+O$")


def test_a_plain_function_and_a_module_with_a_handler_will_do() -> None:
    assert ask(plain, REQUEST).text == "plain"
    module = ModuleType("a_module")
    vars(module).update(get_response=plain)
    assert ask(module, REQUEST).text == "plain"


def test_a_test_may_run_where_a_loop_runs() -> None:
    async def within() -> str:
        return ask(shout, REQUEST).text

    assert asyncio.run(within()) == "HELLO"


def test_the_bots_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "k" * 32)
    assert ask(Keyed, REQUEST, key_variable="MY_KEY").text == "k" * 32


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        (lambda a: a.expect_order("text"), r"another order[\s\S]*pinned: text\n[\s\S]*now:    text, done"),
        (lambda a: a.expect_events({"text": 1, "file": 1}), r"text: 1 pinned, 2 now\n[\s\S]*file: 1 pinned, 0 now"),
        (lambda a: a.expect_events({"text": (3, 9), "done": 1}), "text: 3 to 9 pinned, 2 now"),
        (lambda a: a.expect_first_text(within_s=0.0), "first text came after"),
        (lambda a: a.expect_text("so it was"), r"so it \[-was-\]\{\+is\+\}"),
        (lambda a: a.expect_similar("quite other", at_least=0.9), r"no more than 0\.\d\d like the pinned one"),
        (lambda a: a.expect_match("never"), r"pattern: never[\s\S]*now:     so it is"),
        (lambda a: a.expect_outcome("failed"), "It was failed when it was pinned, and is done now"),
    ],
)
def test_what_is_not_met_is_said_in_words(expect: Any, said: str) -> None:
    with pytest.raises(AssertionError, match=said) as caught:
        expect(saying("so it ", "is"))
    assert "said answers differently" in str(caught.value)


def test_a_handlers_exception_is_the_cause() -> None:
    answer = saying("so far", ValueError("no more"))
    with pytest.raises(AssertionError, match="The handler raised ValueError: no more") as caught:
        answer.expect_outcome("done")
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(AssertionError, match="It has no text"):
        saying(ValueError("at once")).expect_first_text(within_s=5)


def test_an_answer_that_does_not_end_is_given_up() -> None:
    async def endless(request: fp.QueryRequest) -> Any:
        while True:
            yield "."
            await asyncio.sleep(0.01)

    began = time.monotonic()
    answer = ask(endless, REQUEST, timeout_s=0.3)
    assert time.monotonic() - began < 3
    with pytest.raises(AssertionError, match=r"No end of the answer came within 0\.3 s"):
        answer.expect_outcome("done")


def test_what_steers_a_terminal_is_spelled_out() -> None:
    with pytest.raises(AssertionError) as caught:
        saying("\x1b[2J\u202e").expect_text("x")
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)


def test_what_is_no_bot_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="is no bot"):
        ask(3, REQUEST)
    with pytest.raises(AssertionError, match="There is no module 'no_such_module'"):
        ask("no_such_module:Bot", REQUEST)
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        ask("needing_another:Bot", REQUEST)


@pytest.fixture(autouse=True)
def modules(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needing_another.py").write_text("import no_such_package\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture(scope="module")
def kernel() -> Iterator[endpoints.Kernel]:
    with endpoints.kernel() as running:
        running.serve(shout, "Shout")
        yield running


def test_a_bots_server_is_asked_at_its_address_with_the_key_of_the_environment(
    kernel: endpoints.Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = kernel.url("Shout")
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(AssertionError, match=r"variable MY_KEY, .* is not set\.\nSet it where pytest is run"):
        ask(url, REQUEST, key_variable="MY_KEY")
    monkeypatch.setenv("MY_KEY", endpoints.KEY)
    answer = ask(url, REQUEST, key_variable="MY_KEY")
    answer.expect_text("HELLO")
    monkeypatch.setenv("MY_KEY", "wrong" * 7)
    for address, why in [
        (url, "401"),
        (url.replace("Shout", "Nobody"), "404"),
        ("http://127.0.0.1:9/", "Nothing answers at that address"),
    ]:
        with pytest.raises(AssertionError, match=f"could not be asked: no answer came[\\s\\S]*{why}") as caught:
            ask(address, REQUEST, key_variable="MY_KEY")
        assert "differently" not in str(caught.value)
        assert "pin the turn again" not in str(caught.value)
