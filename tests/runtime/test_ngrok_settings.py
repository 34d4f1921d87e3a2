"""The token and the network settings of an ngrok agent: where they are taken from and how they stay unseen."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyngrok import conf

from poe_notebook.errors import TunnelError
from poe_notebook.keys import Secret
from poe_notebook.runtime.ngrok_settings import AgentSettings, encode_config, find_settings, redact

TOKEN = "2kXq7WzRtY8uIoP4sD6fGhJ3kLzXcVbN_5mQwErTyUiOpAsDf"
OTHER = "9pLmKoIjNuHbYgVtFcRdXeSzWaQ1234567_ABCDEFGHIJKLMN"

VERSION_3 = f"""\
version: "3"
agent:
  authtoken: {TOKEN}
  proxy_url: http://me:secret@proxy.test
  web_addr: 0.0.0.0:4040
  log_format: json
"""
VERSION_2 = f"""\
version: "2"
authtoken: {TOKEN}
proxy_url: http://me:secret@proxy.test
server_addr: connect.example.test:443
tunnels: {{}}
"""


@pytest.fixture
def default_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ngrok.yml"
    monkeypatch.setattr(conf, "DEFAULT_NGROK_CONFIG_PATH", str(path))
    monkeypatch.delenv("NGROK_AUTHTOKEN", raising=False)
    return path


def encoded(token: Secret | None = None) -> dict:
    return json.loads(encode_config(find_settings(token, require_token=True)))


def test_ngroks_own_config_file_gives_token_and_proxy_and_nothing_else(default_config: Path) -> None:
    default_config.write_text(VERSION_3)
    agent = {"authtoken": TOKEN, "proxy_url": "http://me:secret@proxy.test", "inspect_db_size": -1}
    assert encoded() == {"version": "3", "agent": agent}


def test_a_config_file_of_version_2_is_translated(default_config: Path) -> None:
    default_config.write_text(VERSION_2)
    assert encoded()["agent"]["authtoken"] == TOKEN
    assert encoded()["agent"]["connect_url"] == "connect.example.test:443"


def test_the_token_given_wins_over_the_environment_and_that_over_the_file(
    default_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    default_config.write_text(VERSION_3)
    monkeypatch.setenv("NGROK_AUTHTOKEN", f" {OTHER}\n")
    assert encoded()["agent"]["authtoken"] == OTHER
    assert encoded(Secret("given"))["agent"]["authtoken"] == "given"


@pytest.mark.parametrize("text", ["", "[]", "version: 3\nagent: text\n", "agent:\n  authtoken:\n"])
def test_a_config_file_without_a_token_counts_as_none(default_config: Path, text: str) -> None:
    default_config.write_text(text)
    with pytest.raises(TunnelError, match="no ngrok token"):
        find_settings(None, require_token=True)
    assert find_settings(None, require_token=False).token is None


def test_a_broken_config_file_is_named_and_not_quoted(default_config: Path) -> None:
    default_config.write_text(f"agent: [authtoken: {TOKEN}\n")
    with pytest.raises(TunnelError, match=r"ngrok\.yml is not valid YAML") as caught:
        find_settings(None, require_token=True)
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert caught.value.__context__ is None
    assert TOKEN[:6] not in "".join(report.format())


def test_settings_show_neither_token_nor_proxy(default_config: Path) -> None:
    default_config.write_text(VERSION_3)
    found = find_settings(None, require_token=True)
    assert TOKEN[:6] not in repr(found)
    assert "secret" not in repr(found)
    assert "secret" not in redact("proxyconnect http://me:secret@proxy.test refused", found)


@settings(max_examples=60, deadline=None)
@given(
    token=st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789_", min_size=8, max_size=50),
    start=st.integers(0, 40),
    size=st.integers(4, 50),
    before=st.sampled_from([" ", '"', "token: ", "\\n", "="]),
)
def test_no_piece_of_a_token_survives_redaction(token: str, start: int, size: int, before: str) -> None:
    piece = token[start : start + size]
    hidden = redact(f"refused{before}{token} and {before}{piece}... again", AgentSettings(Secret(token)))
    assert token not in hidden
    assert len(piece) < 4 or piece not in hidden
    assert hidden.startswith("refused")
    assert hidden.endswith("again")
