"""From what ngrok says to what a reader is told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poe_notebook.keys import Secret
from poe_notebook.runtime.ngrok_errors import Failure, Said, explain
from poe_notebook.runtime.ngrok_settings import AgentSettings

TOKEN = "2kXq7WzRtY8uIoP4sD6fGhJ3kLzXcVbN_5mQwErTyUiOpAsDf"


def failure(said: str, *, overdue_s: float | None = None) -> Failure:
    own = AgentSettings(Secret(TOKEN, origin="from NGROK_AUTHTOKEN"))
    return Failure(Said(said), "/opt/my agents/ngrok", own, "bot.example.test", overdue_s)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("it is not valid. ERR_NGROK_107", "refused the token (from NGROK_AUTHTOKEN): ERR_NGROK_107"),
        ("needs an account ERR_NGROK_4018", "refused the token"),
        ("is already online ERR_NGROK_334", "Another ngrok agent of this account is in the way: ERR_NGROK_334"),
        ("too old ERR_NGROK_120", "'/opt/my agents/ngrok' update"),
        ("ngrok client exception, API returned 404: page not found", "too old"),
        ("not for the free plan ERR_NGROK_313", "the domain bot.example.test: ERR_NGROK_313"),
        ("something new ERR_NGROK_9999", "https://ngrok.com/docs/errors/err_ngrok_9999"),
        ("dial tcp: lookup connect.ngrok-agent.com: no such host", "could not reach ngrok's servers"),
        ("ngrok: 4: exec: /opt/ngrok: not found", "cannot be run"),
        ('{"msg": "no", "details": {"err": "a reason\\r\\n\\r\\nand more"}}', "\na reason\n"),
        ("", "opened no tunnel"),
    ],
)
def test_each_sign_leads_to_its_cause(said: str, told: str) -> None:
    error = explain(failure(said))
    assert told in str(error)
    assert error.now


def test_a_known_code_outweighs_a_passed_deadline() -> None:
    assert "ERR_NGROK_108" in str(explain(failure("session limit ERR_NGROK_108", overdue_s=20)))
    assert "within 20 s" in str(explain(failure("dial tcp: i/o timeout", overdue_s=20)))


@pytest.mark.parametrize("spared", ["", "127.0.0.1,localhost"])
def test_a_proxy_that_catches_this_machine_is_named_when_the_deadline_passes(
    monkeypatch: pytest.MonkeyPatch, spared: str
) -> None:
    for name in ("HTTP_PROXY", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://proxy.example.test:3128")
    monkeypatch.setenv("no_proxy", spared)
    assert ("NO_PROXY" in explain(failure("", overdue_s=20)).now) is not bool(spared)


@settings(max_examples=80, deadline=None)
@given(
    before=st.text(max_size=20),
    after=st.sampled_from(["", " ERR_NGROK_107", " ERR_NGROK_9999", " dial tcp", " Permission denied", '"}']),
    size=st.integers(4, len(TOKEN)),
    overdue_s=st.sampled_from([None, 20.0]),
)
def test_no_error_and_no_repr_holds_a_piece_of_the_token(
    before: str, after: str, size: int, overdue_s: float | None
) -> None:
    told = failure(f"{before}{TOKEN[:size]}...{after}", overdue_s=overdue_s)
    assert TOKEN[:4] not in f"{told!r} {explain(told)} {explain(told)!r}"
