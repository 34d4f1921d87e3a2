"""Keys: found in their places, compared in constant time, shown nowhere, taken out of everything."""

from __future__ import annotations

import base64
import copy
import hmac
import json
import pickle
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.errors import KeyMissing
from poe_notebook.keys import (
    HIDDEN,
    Redactor,
    Secret,
    environment_keys,
    find_access_key,
    find_api_key,
    new_access_key,
)

KEY = "s3cr3t-0123456789"


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POE_ACCESS_KEY", "POE_API_KEY", "NGROK_AUTHTOKEN", "MINE"):
        monkeypatch.delenv(name, raising=False)


def revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


# A secret.


def test_a_secret_shows_itself_to_reveal_alone() -> None:
    secret = Secret(KEY, origin="from MINE")
    assert secret.reveal() == KEY
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", repr([secret]), repr({"a": secret})):
        assert KEY not in shown
        assert "from MINE" in shown


@pytest.mark.parametrize("take_away", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars])
def test_a_secret_is_not_copied_or_written(take_away: Any) -> None:
    with pytest.raises(TypeError) as raised:
        take_away(Secret(KEY))
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("other", ["", KEY[:-1], KEY + "x", KEY.upper(), "é", "\ud800", "x" * 100_000])
def test_a_secret_matches_itself_alone(other: str) -> None:
    assert Secret(KEY).matches(KEY)
    assert not Secret(KEY).matches(other)
    assert Secret(other).matches(other)


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((a, b)) or False)
    assert not Secret(KEY).matches(KEY)
    assert compared == [(KEY.encode(), KEY.encode())]


def test_a_new_access_key_is_as_poe_makes_them_and_each_time_another() -> None:
    keys = {new_access_key().reveal() for _ in range(100)}
    assert len(keys) == 100
    assert all(len(key) == 32 and key.isalnum() and key.isascii() for key in keys)


# Finding.


def test_an_access_key_is_found_in_its_places_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_access_key() is None
    monkeypatch.setenv("POE_ACCESS_KEY", "general")
    monkeypatch.setenv("MINE", "mine")
    assert revealed(find_access_key()) == "general"
    assert revealed(find_access_key("MINE")) == "mine"
    assert revealed(find_access_key("MINE", given="given")) == "given"
    assert revealed(find_access_key(given="")) == "general"
    assert "POE_ACCESS_KEY" in repr(find_access_key())


def test_an_api_key_is_never_taken_for_an_access_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POE_API_KEY", "pk-user")
    assert find_access_key() is None
    assert revealed(find_api_key()) == "pk-user"
    assert revealed(find_api_key("given")) == "given"


@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_a_named_variable_that_is_empty_is_said(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is not None:
        monkeypatch.setenv("MINE", value)
    with pytest.raises(KeyMissing, match="MINE is not set") as raised:
        find_access_key("MINE")
    assert "getpass" in raised.value.now


def test_blanks_and_line_ends_around_a_key_are_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POE_ACCESS_KEY", "POE_API_KEY", "NGROK_AUTHTOKEN", "MINE"):
        monkeypatch.setenv(name, f" {KEY}\r\n")
    found = [find_access_key(), find_access_key("MINE"), find_access_key(given=f"{KEY}\n"), find_api_key()]
    assert {revealed(secret) for secret in [*found, find_api_key(f"\t{KEY}"), *environment_keys()]} == {KEY}
    for name in ("POE_ACCESS_KEY", "POE_API_KEY", "NGROK_AUTHTOKEN"):
        monkeypatch.setenv(name, "  ")
    assert [find_access_key(given=" "), find_access_key(), find_api_key(), *environment_keys()] == [None] * 3


# Taking out.


def redactor(*keys: str) -> Redactor:
    made = Redactor()
    for key in keys:
        made.add(Secret(key))
    return made


def test_a_key_is_taken_out_of_text_bytes_and_json() -> None:
    clean = redactor(KEY)
    assert clean.text(f"a {KEY} b {KEY}") == f"a {HIDDEN} b {HIDDEN}"
    assert clean.bytes(f"a {KEY} b".encode()) == f"a {HIDDEN} b".encode()
    value = {KEY: [KEY, {"a": (f"x{KEY}", 1, None, True, 2.5)}], 3: "x"}
    assert clean.value(value) == {HIDDEN: [HIDDEN, {"a": [f"x{HIDDEN}", 1, None, True, 2.5]}], "3": "x"}
    assert KEY in value  # what was given stays as it is


def test_what_holds_no_key_is_given_back_as_it_is() -> None:
    clean = redactor(KEY)
    for value in ("text", b"bytes", {"a": [1, "b"]}):
        assert clean.value(value) == value
    assert clean.bytes(b"bytes") == b"bytes"
    clean.add(None)


def test_a_short_value_is_left_alone() -> None:
    assert redactor("", "a", "abcde").text("abcde fghij") == "abcde fghij"
    assert redactor("abcdef").text("abcdef") == HIDDEN


@pytest.mark.parametrize("first", [0, 1])
def test_of_keys_that_begin_alike_no_rest_is_left(first: int) -> None:
    keys = ["abcdef", "abcdefghij"]
    clean = redactor(keys[first], keys[1 - first])
    assert clean.text("x abcdefghij abcdef") == f"x {HIDDEN} {HIDDEN}"


@given(rest=st.text(max_size=30), before=st.text(max_size=5), after=st.text(max_size=5), is_ascii=st.booleans())
@settings(max_examples=100)
def test_any_key_is_taken_out_of_the_json_that_holds_it(rest: str, before: str, after: str, is_ascii: bool) -> None:
    key = 'K"\\é' + rest + "end"
    written = json.dumps(key, ensure_ascii=is_ascii)[1:-1].encode("utf-8", "replace")
    raw = json.dumps({"text": before + key + after}, ensure_ascii=is_ascii).encode("utf-8", "replace")
    assert written in raw
    cleaned = redactor(key).bytes(raw)
    assert written not in cleaned
    assert HIDDEN.encode() in cleaned


def test_a_key_may_be_learnt_while_others_read() -> None:
    clean = redactor(KEY)
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(5000):
                assert clean.text(KEY) == HIDDEN
                assert clean.bytes(KEY.encode()) == HIDDEN.encode()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(100):
        clean.add(Secret(f"another-key-{n}"))
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("before", ["", "a", "ab", "user:"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
def test_a_key_is_found_in_base64_wherever_it_stands_there(before: str, after: str) -> None:
    redactor = Redactor()
    redactor.add(Secret(KEY))
    encoded = base64.b64encode(f"{before}{KEY}{after}".encode()).decode()
    clean = redactor.text(f"Basic {encoded}")
    assert HIDDEN in clean
    assert encoded[8:-8] not in clean
    assert HIDDEN.encode() in redactor.bytes(encoded.encode())


def test_a_key_is_found_as_addresses_and_html_write_it() -> None:
    redactor = Redactor()
    redactor.add(Secret("a key/with&signs <0123456789>"))
    assert redactor.text("?k=a%20key%2Fwith%26signs%20%3C0123456789%3E.") == f"?k={HIDDEN}."
    assert redactor.text("<p>a key/with&amp;signs &lt;0123456789&gt;</p>") == f"<p>{HIDDEN}</p>"


def test_the_places_of_keys_in_a_text_are_told_in_order() -> None:
    redactor = Redactor()
    redactor.add(Secret(KEY))
    redactor.add(Secret(KEY + "longer"))
    text = f"x{KEY}longer, {KEY}"
    assert [text[first:last] for first, last in redactor.places(text)] == [KEY + "longer", KEY]
