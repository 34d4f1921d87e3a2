"""Which Poe the environment names: put there, put back, and never taken from the user."""

from __future__ import annotations

import os

import pytest

from poe_notebook.keys import Secret
from poe_notebook.outside import Outside

ADDRESS, KEY = "http://127.0.0.1:8764", Secret("the-simulators-key")


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    monkeypatch.setenv("POE_BASE_URL", "so that what a test leaves there is taken away")
    monkeypatch.delenv("POE_BASE_URL")
    monkeypatch.setenv("POE_API_KEY", "own-key")
    return Outside()


def environment() -> tuple[str | None, str | None]:
    return os.environ.get("POE_BASE_URL"), os.environ.get("POE_API_KEY")


def own_key(outside: Outside) -> str | None:
    key = outside.api_key()
    return key.reveal() if key is not None else None


def test_what_stood_in_the_environment_is_put_back(outside: Outside) -> None:
    for _ in range(2):
        outside.use_simulator(ADDRESS, KEY)
        outside.use_simulator(ADDRESS, KEY)
        assert (outside.uses, environment()) == ("simulator", (ADDRESS, "the-simulators-key"))
        assert own_key(outside) == "own-key"
        outside.use_poe()
        outside.use_poe()
        assert (outside.uses, environment()) == ("poe", (None, "own-key"))


def test_a_key_that_the_user_sets_meanwhile_counts_and_stays(outside: Outside) -> None:
    """The error that says that there is none tells how to set one, and that has to help."""
    outside.use_simulator(ADDRESS, KEY)
    os.environ["POE_API_KEY"] = "newer-key"
    assert (own_key(outside), outside.uses) == ("newer-key", "simulator")
    outside.use_poe()
    assert environment() == (None, "newer-key")


def test_an_address_that_the_user_sets_meanwhile_counts_and_stays(outside: Outside) -> None:
    outside.use_simulator(ADDRESS, KEY)
    os.environ["POE_BASE_URL"] = "http://other:1/bot/"
    assert outside.uses == "poe"
    assert outside.address("/bot") == "http://other:1/bot/"
    outside.use_poe()
    assert environment() == ("http://other:1/bot/", "own-key")
    outside.use_simulator(ADDRESS, KEY)
    outside.use_poe()
    assert environment() == ("http://other:1/bot/", "own-key")


def test_a_variable_that_the_user_deletes_meanwhile_stays_deleted(outside: Outside) -> None:
    outside.use_simulator(ADDRESS, KEY)
    del os.environ["POE_API_KEY"]
    assert own_key(outside) is None
    outside.use_poe()
    assert environment() == (None, None)


@pytest.mark.parametrize(
    ("before", "address"),
    [
        (None, "https://api.poe.com/bot/"),
        ("", "https://api.poe.com/bot/"),
        ("http://proxy:1/", "http://proxy:1/bot/"),
        ("http://proxy:1/bot", "http://proxy:1/bot/"),
    ],
)
def test_poe_itself_is_where_it_was_while_the_simulator_is_in_use(
    outside: Outside, monkeypatch: pytest.MonkeyPatch, before: str | None, address: str
) -> None:
    if before is not None:
        monkeypatch.setenv("POE_BASE_URL", before)
    assert outside.address("/bot") == address
    outside.use_simulator(ADDRESS, KEY)
    assert outside.address("/bot") == address
    outside.use_poe()
    assert os.environ.get("POE_BASE_URL") == before
