"""What Python hands over is made sure of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from poe_notebook.errors import CommandError
from poe_notebook.given import exchange_given, port_given, seconds_given, text_given


@pytest.mark.parametrize("value", [None, 1, 0.5, 3600])
def test_a_time_to_wait_is_a_positive_number_or_none(value: Any) -> None:
    assert seconds_given(value) == value


@pytest.mark.parametrize("value", ["3", 0, -1, True, float("nan"), [1]])
def test_anything_else_is_no_time(value: Any) -> None:
    with pytest.raises(CommandError, match="The timeout cannot be"):
        seconds_given(value)


@pytest.mark.parametrize("value", [None, 0, 8765, 65_535])
def test_a_port_is_a_number(value: Any) -> None:
    assert port_given(value) == value


@pytest.mark.parametrize("value", [-1, 65_536, "80", 8.5])
def test_anything_else_is_no_port(value: Any) -> None:
    with pytest.raises(CommandError, match="The port cannot be"):
        port_given(value)


def test_a_text_is_a_text() -> None:
    assert text_given("Shout", "name", example="x") == "Shout"
    with pytest.raises(CommandError, match=r"b'x' \(bytes\) is no name\.\nFor example: 'Shout'"):
        text_given(b"x", "name", example="Shout")


def test_a_reply_stands_for_its_exchange_unless_it_has_none() -> None:
    assert exchange_given(SimpleNamespace(exchange="the exchange")) == "the exchange"
    assert exchange_given(None) is None
    assert exchange_given("Shout") == "Shout"
    with pytest.raises(CommandError, match="was not recorded"):
        exchange_given(SimpleNamespace(exchange=None))


@pytest.mark.parametrize("which", [3.5, -1.0, True, float("nan")])
def test_a_number_that_is_not_whole_is_no_exchange(which: Any) -> None:
    with pytest.raises(CommandError, match=r"There is no exchange .*\.\nExchanges have whole numbers"):
        exchange_given(which)
    assert exchange_given(3) == 3
