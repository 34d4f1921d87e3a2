"""What counts as a bot, and what is made of functions and objects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial, wraps
from typing import Any

import fastapi_poe
import pytest

from poe_notebook.bot.base import PoeBot
from poe_notebook.bot.handlers import METHODS, check_handler, function_bot, is_bot, is_bot_class, servable
from poe_notebook.errors import CellHasNoBot
from poe_notebook.protocol.settings import SettingsResponse


class Ours(PoeBot):
    """A bot."""


class Below(Ours):
    """A bot of a bot."""


class Theirs(fastapi_poe.PoeBot):
    """A genuine bot of the official library."""


class Bystander:
    """No bot, though it has the method."""

    async def get_response(self, request: Any) -> AsyncIterator[str]:
        yield "x"


@pytest.mark.parametrize("kind", [Ours, Below, Theirs])
def test_classes_below_poebot_are_bot_classes_and_their_objects_bots(kind: Any) -> None:
    assert is_bot_class(kind)
    assert is_bot(kind())
    assert not is_bot(kind)
    assert not is_bot_class(kind())


@pytest.mark.parametrize("value", [PoeBot, fastapi_poe.PoeBot, Bystander, int, None, 3, "PoeBot", len])
def test_the_base_itself_and_all_else_is_no_bot_class(value: Any) -> None:
    assert not is_bot_class(value)
    assert not is_bot(value)


async def asynchronous(request: Any) -> AsyncIterator[str]:
    yield "x"


async def coroutine(request: Any) -> str:
    return "x"


def generator(request: Any) -> Any:
    yield "x"


def plain(request: Any) -> str:
    return "x"


@wraps(asynchronous)
def wrapped(request: Any) -> Any:
    return asynchronous(request)


@pytest.mark.parametrize(
    ("handler", "is_plain"),
    [(asynchronous, False), (coroutine, False), (wrapped, False), (generator, True), (plain, True)],
)
def test_plain_functions_are_known_from_asynchronous_ones(handler: Any, is_plain: bool) -> None:
    bot = function_bot({"get_response": handler}, name="Bot")
    assert servable(bot, name="Bot").is_plain is is_plain


def test_what_a_bot_overrides_is_what_is_called() -> None:
    class WithContext(PoeBot):
        async def get_response_with_context(self, request: Any, context: Any) -> Any:
            yield "x"

    class Plain(PoeBot):
        def get_response(self, request: Any) -> str:  # type: ignore[override]
            return "plain"

    class PlainWithContext(PoeBot):
        def get_response_with_context(self, request: Any, context: Any) -> str:  # type: ignore[override]
            return f"plain {context}"

    context: Any = "context"
    request: Any = "request"
    assert not servable(WithContext(), name="x").is_plain
    assert servable(Plain(), name="x").is_plain
    assert servable(Plain(), name="x").respond(request, context) == "plain"
    assert servable(PlainWithContext(), name="x").is_plain
    assert servable(PlainWithContext(), name="x").respond(request, context) == "plain context"


def test_functions_may_take_self() -> None:
    def with_self(self: Any, request: Any) -> str:
        return f"{type(self).__name__} {request}"

    bot: Any = function_bot({"get_response": with_self}, name="Named")
    assert bot.get_response("r") == "Named r"
    other: Any = function_bot({"get_response": lambda request: request}, name="Named")
    assert other.get_response("r") == "r"


def test_a_callable_that_is_no_function_will_do() -> None:
    bot: Any = function_bot({"get_response": partial(lambda word, request: word + request, "a")}, name="Bot")
    assert bot.get_response("r") == "ar"


def test_a_handler_without_a_request_is_said() -> None:
    with pytest.raises(CellHasNoBot, match="takes no request"):
        function_bot({"get_response": lambda: "x"}, name="Bot")


async def settings_of(bot: Any) -> Any:
    return await bot.get_settings_with_context(None, None)


async def two(request: Any, other: Any) -> Any:
    yield request


async def with_a_default(self: Any, request: Any, other: Any = None, *rest: Any, **more: Any) -> Any:
    yield request


async def by_name(request: Any, *, key: str) -> Any:
    yield request


async def with_context(request: Any, context: Any) -> Any:
    yield request


def test_a_handler_that_needs_more_than_the_request_is_said() -> None:
    with pytest.raises(CellHasNoBot, match="get_response of Bot needs other too, which nobody gives it") as caught:
        function_bot({"get_response": two}, name="Bot")
    assert "Write: async def get_response(request):" in caught.value.now
    with pytest.raises(CellHasNoBot, match="needs key too"):
        function_bot({"get_response": by_name}, name="Bot")
    function_bot({"get_response": with_a_default}, name="Bot")
    function_bot({"get_response": lambda *all_of_them: "x"}, name="Bot")
    function_bot({"get_response_with_context": with_context}, name="Bot")


def test_a_handler_of_a_class_is_held_to_the_same() -> None:
    class Two(PoeBot):
        async def get_response(self, request: Any, other: Any) -> Any:  # type: ignore[override]
            yield "x"

    class WithContext(PoeBot):
        async def get_response_with_context(self, request: Any, context: Any) -> Any:
            yield "x"

    with pytest.raises(CellHasNoBot, match="get_response of Two needs other too"):
        check_handler(Two(), name="Two")
    check_handler(WithContext(), name="x")
    check_handler(PoeBot(), name="x")


def test_settings_of_a_cell_are_the_bots_unless_it_has_the_method() -> None:
    import asyncio

    given = SettingsResponse(introduction_message="given")
    bot = function_bot({"get_response": plain}, name="Bot", settings=given)
    assert asyncio.run(settings_of(bot)) is given

    async def get_settings(setting: Any) -> SettingsResponse:
        return SettingsResponse(introduction_message="own")

    bot = function_bot({"get_response": plain, "get_settings": get_settings}, name="Bot", settings=given)
    assert asyncio.run(settings_of(bot)).introduction_message == "own"


def test_each_method_of_a_bot_is_one_that_the_library_has_too() -> None:
    assert all(hasattr(fastapi_poe.PoeBot, method) and hasattr(PoeBot, method) for method in METHODS)
