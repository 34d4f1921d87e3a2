"""The numbers that others rely on, and that the profiles say what the documents said."""

from __future__ import annotations

import dataclasses

import fastapi_poe.client
import pytest

from poe_notebook.protocol import limits


def test_the_protocol_version_is_the_one_of_the_library() -> None:
    assert limits.PROTOCOL_VERSION == fastapi_poe.client.PROTOCOL_VERSION


def test_the_response_version_is_the_one_of_the_library() -> None:
    settings = fastapi_poe.SettingsResponse()
    assert settings.response_version == limits.RESPONSE_VERSION


def test_the_profiles_differ_in_duration_and_length_only() -> None:
    old, new = (dataclasses.asdict(limits.PROFILES[year]) for year in ("2025", "2026"))
    assert {name for name in old if old[name] != new[name]} == {"response_s", "response_chars"}
    assert (old["response_s"], old["response_chars"]) == (600.0, 100_000)
    assert (new["response_s"], new["response_chars"]) == (3600.0, 512_000)


def test_the_constants_are_those_of_the_default_profile() -> None:
    profile = limits.LIMITS_2025
    assert profile.response_s == limits.RESPONSE_S
    assert profile.response_chars == limits.RESPONSE_CHARS
    assert profile.bot_calls_per_message == limits.BOT_CALLS_PER_MESSAGE == 100
    assert profile.first_response_s == limits.FIRST_RESPONSE_S == 5.0
    assert profile.attachments_per_response == limits.ATTACHMENTS_PER_RESPONSE == 20


def test_a_limit_cannot_be_changed_for_everybody() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        limits.LIMITS_2025.response_s = 1.0  # type: ignore[misc]
