"""Which calls are taken, which key a bot gets of several, and what is said when there is none."""

from __future__ import annotations

import traceback
import warnings
from typing import Any

import pytest

from poe_notebook.bot.base import PoeBot
from poe_notebook.server.access import AppError, served_bots
from poe_notebook.server.run import make_app

OWN, GIVEN, API, ENVIRONMENT, ENVIRONMENT_API = (letter * 32 for letter in "abcde")
KEYS = {OWN, GIVEN, API, ENVIRONMENT, ENVIRONMENT_API, "short", "x" * 40}


@pytest.fixture(autouse=True)
def no_keys_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POE_ACCESS_KEY", "POE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def key_of(bot: Any, **given: Any) -> tuple[str, bool]:
    """Give the key that a bot is served with, and whether where it came from is deprecated."""
    call = {"access_key": "", "api_key": "", "bot_name": "", "allow_without_key": False, **given}
    [served] = served_bots(bot, **call)
    return served.key.reveal() if served.key is not None else "", bool(served.deprecated)


def refusal(bot: Any, **given: Any) -> str:
    """Give what the error says in which a call ends; it never holds a key."""
    with pytest.raises(AppError) as caught:
        make_app(bot, **given)
    assert isinstance(caught.value, ValueError)
    everything = "".join(traceback.format_exception(caught.value))
    assert not [key for key in KEYS if key in everything and key != "short"]
    return str(caught.value)


@pytest.mark.parametrize(
    ("own", "given", "environment", "found"),
    [
        (OWN, {}, {"POE_ACCESS_KEY": ENVIRONMENT}, (OWN, False)),
        (OWN, {"access_key": OWN, "api_key": OWN}, {}, (OWN, False)),
        ("own, short", {}, {}, ("own, short", False)),
        (None, {"access_key": GIVEN, "api_key": API}, {"POE_ACCESS_KEY": ENVIRONMENT}, (GIVEN, False)),
        (None, {"access_key": f" {GIVEN}\n"}, {}, (GIVEN, False)),
        (None, {"api_key": API}, {"POE_ACCESS_KEY": ENVIRONMENT, "POE_API_KEY": ENVIRONMENT_API}, (ENVIRONMENT, False)),
        (None, {"api_key": API}, {"POE_API_KEY": ENVIRONMENT_API}, (API, True)),
        (None, {}, {"POE_API_KEY": ENVIRONMENT_API}, (ENVIRONMENT_API, True)),
        ("", {"access_key": GIVEN}, {}, (GIVEN, False)),
        (None, {"allow_without_key": True}, {}, ("", False)),
        (None, {"allow_without_key": True}, {"POE_ACCESS_KEY": ENVIRONMENT}, (ENVIRONMENT, False)),
        (None, {"allow_without_key": True}, {"POE_API_KEY": "x" * 40}, ("", False)),
        (None, {"access_key": None, "bot_name": None, "allow_without_key": True}, {}, ("", False)),
    ],
)
def test_a_key_is_found_in_the_librarys_order(
    own: str | None,
    given: dict[str, Any],
    environment: dict[str, str],
    found: tuple[str, bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    bot = PoeBot(access_key=own)
    before = dict(vars(bot))
    assert key_of(bot, **given) == found
    assert key_of(bot, **given) == found
    assert vars(bot) == before


def test_several_bots_have_keys_of_their_own_or_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    bots = [PoeBot(path="/one", access_key=OWN), PoeBot(path="/two")]
    monkeypatch.setenv("POE_ACCESS_KEY", ENVIRONMENT)
    served = served_bots(bots, access_key="", bot_name="", api_key="", allow_without_key=False)
    assert [one.key.reveal() for one in served if one.key is not None] == [OWN, ENVIRONMENT]
    assert served_bots((), access_key="", bot_name="", api_key="", allow_without_key=False) == []


@pytest.mark.parametrize(
    ("bot", "given", "said"),
    [
        (PoeBot(), {}, "PoeBot has no access key"),
        (PoeBot(access_key="  "), {}, "PoeBot has no access key"),
        ([PoeBot(access_key=OWN), PoeBot(path="/two")], {}, "PoeBot has no access key"),
        (PoeBot(), {"access_key": "short"}, "has 5 characters"),
        (PoeBot(), {"access_key": "short", "allow_without_key": True}, "has 5 characters"),
        (PoeBot(access_key=OWN), {"access_key": GIVEN}, "another one is given as access_key"),
        (PoeBot(access_key=OWN), {"api_key": API}, "another one is given as api_key"),
        (PoeBot(access_key=OWN, bot_name="A"), {"bot_name": "B"}, "'A', and the call says 'B'"),
        ([PoeBot(access_key=OWN)], {"access_key": OWN}, "together with access_key"),
        ([PoeBot(access_key=OWN)], {"api_key": API, "bot_name": "A"}, "together with api_key and bot_name"),
        ([PoeBot(access_key=OWN), PoeBot(access_key=GIVEN)], {}, "the same path, '/'"),
        (PoeBot(path="here", access_key=OWN), {}, "begins with a slash"),
        (PoeBot, {"access_key": GIVEN}, "make_app(PoeBot())"),
        (lambda request: "x", {"access_key": GIVEN}, "is no bot"),
        ("Shout", {"access_key": GIVEN}, "is no bot"),
    ],
)
def test_a_call_that_cannot_be_meant_is_an_error_that_says_why(bot: Any, given: dict[str, Any], said: str) -> None:
    assert said in refusal(bot, **given)


def test_a_users_api_key_in_the_environment_is_no_access_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POE_API_KEY", "x" * 40)
    assert "The access key from POE_API_KEY has 40 characters" in refusal(PoeBot())


def test_what_is_deprecated_warns_at_the_callers_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.warns(DeprecationWarning, match="from api_key is deprecated") as warned:
        make_app(PoeBot(), api_key=API)
    assert warned[0].filename == __file__
    monkeypatch.setenv("POE_API_KEY", ENVIRONMENT_API)
    with pytest.warns(DeprecationWarning, match="POE_API_KEY is deprecated"):
        make_app(PoeBot())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_app(PoeBot(), access_key=GIVEN)
