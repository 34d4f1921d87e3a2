"""What went wrong with an ngrok agent, said in our own words: which cause it was, and what to type now.

ngrok's own text quotes the token in full, so it is only searched here for its ERR_NGROK codes and for signs of a dead
network; where no cause is recognised, one line of it is shown with the token taken out. Codes as listed at
https://ngrok.com/docs/errors (read in November 2026).
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from poe_notebook.errors import TunnelError
from poe_notebook.runtime.ngrok_settings import TOKEN_PAGE, TOKEN_VARIABLE, AgentSettings, redact
from poe_notebook.runtime.tunnel import START_COMMAND

__all__ = ["Failure", "Said", "explain"]

_REFUSED = {"105", "106", "107", "4018"}
_SESSIONS = {"108", "324", "334"}
_OLD = {"120", "121"}
_DOMAIN = {"313", "314", "316", "319", "320", "15002"}
_QUOTED_CHARS = 300

_CODE = re.compile(r"ERR_NGROK_(\d+)")
_OLD_SIGN = re.compile(r"unknown version '3'|API returned 404")
_NOT_RUN_SIGN = re.compile(r"Permission denied|Exec format error|[Cc]annot execute|exec: .*not found")
_NETWORK_SIGN = re.compile(
    r"dial tcp|no such host|failed to dial|i/o timeout|network is unreachable|server misbehaving|has no records"
    r"|x509|proxyconnect|failed to reconnect session"
)
_API_ERROR = re.compile(r'"err":\s*"((?:[^"\\]|\\.)*)')


class Said(str):
    """What the agent and pyngrok said, token and all; a debugger's list of local variables does not show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<what ngrok said>"

    @classmethod
    def by(cls, error: Exception, *, stderr: str) -> Said:
        """Gather every text in which the cause may be named, the most telling first: pyngrok's own is the vaguest."""
        texts = (getattr(error, "ngrok_error", None), getattr(error, "body", None), stderr, str(error))
        return cls("\n".join(str(text) for text in texts if text))


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed start and how it was being started; ``overdue_s`` is the deadline if it passed."""

    said: Said
    binary: str
    settings: AgentSettings
    domain: str | None = None
    overdue_s: float | None = None


def explain(failure: Failure) -> TunnelError:
    """Turn a failed start into the error for its cause; it holds no character of the token."""
    said = failure.said
    codes = set(_CODE.findall(said))
    if codes & _REFUSED:
        return _refused(failure.settings, code=min(codes & _REFUSED))
    if codes & _SESSIONS:
        return _sessions(code=min(codes & _SESSIONS))
    if codes & _OLD or _OLD_SIGN.search(said):
        return _old(failure.binary)
    if codes & _DOMAIN:
        return _domain(failure, code=min(codes & _DOMAIN))
    if codes:
        return _other(failure, code=min(codes))
    if _NETWORK_SIGN.search(said):
        return _network(failure)
    if failure.overdue_s is not None:
        return _overdue(failure.overdue_s)
    return _not_run(failure) if _NOT_RUN_SIGN.search(said) else _other(failure, code="")


def _refused(settings: AgentSettings, *, code: str) -> TunnelError:
    origin = settings.token.origin if settings.token is not None else "none was given"
    return TunnelError(
        f"ngrok refused the token ({origin}): ERR_NGROK_{code}.",
        why="It is mistyped, was reset or revoked, or is an API key rather than an authtoken.",
        now=f"Copy it again from {TOKEN_PAGE} and type: import getpass, os; "
        f'os.environ["{TOKEN_VARIABLE}"] = getpass.getpass("ngrok token: ")',
    )


def _sessions(*, code: str) -> TunnelError:
    return TunnelError(
        f"Another ngrok agent of this account is in the way: ERR_NGROK_{code}.",
        why="An account has a limited number of agents, endpoints and connections, and a domain serves one endpoint.",
        now=f"End the other one (https://dashboard.ngrok.com/agents lists them), then type: {START_COMMAND}",
    )


def _old(binary: str) -> TunnelError:
    return TunnelError(
        f"The ngrok agent at {binary} is too old.",
        why="ngrok serves only recent agents (ERR_NGROK_121), and ours are given config files of version 3.",
        now=f"Type in a terminal: {shlex.quote(binary)} update",
    )


def _domain(failure: Failure, *, code: str) -> TunnelError:
    return TunnelError(
        f"ngrok does not give this account the domain {failure.domain or 'of its choice'}: ERR_NGROK_{code}.",
        why="A domain must be reserved by the account whose token is used.",
        now=f"See https://dashboard.ngrok.com/domains, or leave the domain out: {START_COMMAND}",
    )


def _network(failure: Failure) -> TunnelError:
    waited = f" within {failure.overdue_s:g} s" if failure.overdue_s is not None else ""
    return TunnelError(
        f"The ngrok agent started but could not reach ngrok's servers{waited}.",
        why=_gist(failure),
        now="This machine needs a way out to connect.ngrok-agent.com:443 (Binder and many companies give none). "
        f"To look closer, type in a terminal: {shlex.quote(failure.binary)} diagnose",
    )


def _overdue(overdue_s: float) -> TunnelError:
    import urllib.request

    if urllib.request.getproxies().get("http") and not urllib.request.proxy_bypass("127.0.0.1"):
        now = 'A proxy is set that also catches 127.0.0.1; type: import os; os.environ["NO_PROXY"] = "127.0.0.1"'
    else:
        now = f"Try again: {START_COMMAND} (chatting with the bot in this notebook needs no tunnel)"
    return TunnelError(f"The ngrok agent did not come up within {overdue_s:g} s and was ended.", now=now)


def _not_run(failure: Failure) -> TunnelError:
    return TunnelError(
        f"The ngrok agent at {failure.binary} cannot be run.",
        why=_gist(failure),
        now="Remove that file and it is downloaded anew; if it is the folder for temporary files that forbids running "
        "programs, set TMPDIR to another one before the kernel starts.",
    )


def _other(failure: Failure, *, code: str) -> TunnelError:
    page = f"https://ngrok.com/docs/errors/err_ngrok_{code}" if code else "https://ngrok.com/docs/errors"
    return TunnelError(
        f"The ngrok agent at {failure.binary} opened no tunnel{f': ERR_NGROK_{code}' if code else ''}.",
        why=_gist(failure),
        now=f"The causes are listed at {page}. To see the agent at work, type in a terminal: "
        f"{shlex.quote(failure.binary)} http 8080",
    )


def _gist(failure: Failure) -> str:
    """One line of what was said, without the token."""
    in_api = _API_ERROR.search(failure.said)
    text = in_api[1].replace("\\n", "\n").replace("\\r", "") if in_api else str(failure.said)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return redact(lines[0], failure.settings)[:_QUOTED_CHARS] if lines else ""
