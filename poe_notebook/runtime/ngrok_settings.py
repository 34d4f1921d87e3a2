"""What an ngrok agent needs to be told: the token and the way to the network, and how both are kept out of sight.

The token comes from the caller, the environment or ngrok's own config file, and goes into a private file of our own:
never on a command line, where every user of the machine can read it. The agent's request inspector is switched off,
because it would show the bot's access key to anybody on the machine. Follows the agent's config file version 3.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from poe_notebook.errors import TunnelError
from poe_notebook.keys import HIDDEN, Redactor, Secret

__all__ = ["TOKEN_PAGE", "TOKEN_VARIABLE", "AgentSettings", "encode_config", "find_settings", "redact"]

TOKEN_VARIABLE = "NGROK_AUTHTOKEN"
TOKEN_PAGE = "https://dashboard.ngrok.com/get-started/your-authtoken"

_NETWORK = {
    "proxy_url": "proxy_url",
    "dns_resolver_ips": "dns_resolver_ips",
    "connect_url": "connect_url",
    "connect_cas": "connect_cas",
    "server_addr": "connect_url",
    "root_cas": "connect_cas",
}
"""Taken over from the user's own config file, so that a proxy set there works here; left the names of version 2."""

_PIECE_CHARS = 4
"""ngrok may quote a token cut short; pieces of so many characters and more are recognised."""


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """A token, if there is one, and the user's network settings (a proxy's address may hold a password)."""

    token: Secret | None = None
    network: dict[str, Any] = field(default_factory=dict, repr=False)


def find_settings(token: Secret | None, *, require_token: bool) -> AgentSettings:
    """Take the token given, else from ``NGROK_AUTHTOKEN``, else from ngrok's own config file.

    Raises ``TunnelError`` if there is none and one is required.
    """
    in_file, network = _read_default_config()
    found = token or _from_environment() or in_file
    if found is None and require_token:
        raise TunnelError(
            "There is no ngrok token, so no tunnel was started.",
            why=f"ngrok opens tunnels only for an account. A token is free: {TOKEN_PAGE}",
            now=f'Type: import getpass, os; os.environ["{TOKEN_VARIABLE}"] = getpass.getpass("ngrok token: ")',
        )
    return AgentSettings(found, network)


def encode_config(settings: AgentSettings) -> bytes:
    """Encode a config file for the agent (JSON, which is YAML too)."""
    agent: dict[str, Any] = {"inspect_db_size": -1, **settings.network}
    if settings.token is not None:
        agent["authtoken"] = settings.token.reveal()
    return json.dumps({"version": "3", "agent": agent}).encode()


def redact(text: str, settings: AgentSettings) -> str:
    """Give the text without the token, without recognisable pieces of it, and without the proxy's address."""
    redactor = Redactor()
    redactor.add(settings.token)
    proxy = str(settings.network.get("proxy_url") or "")
    redactor.add(Secret(proxy))
    return _without_pieces(redactor.text(text), settings.token.reveal() if settings.token is not None else "")


def _without_pieces(text: str, token: str) -> str:
    pieces = {token[at : at + _PIECE_CHARS] for at in range(len(token) - _PIECE_CHARS + 1)}
    hidden = [False] * len(text)
    for at in range(len(text)):
        if text[at : at + _PIECE_CHARS] in pieces:
            hidden[at : at + _PIECE_CHARS] = [True] * _PIECE_CHARS
    runs = groupby(zip(text, hidden, strict=True), key=lambda character: character[1])
    return "".join(HIDDEN if is_hidden else "".join(char for char, _ in run) for is_hidden, run in runs)


def _from_environment() -> Secret | None:
    value = os.environ.get(TOKEN_VARIABLE, "").strip()
    return Secret(value, origin=f"from {TOKEN_VARIABLE}") if value else None


def _read_default_config() -> tuple[Secret | None, dict[str, Any]]:
    from pyngrok import conf

    path = Path(conf.DEFAULT_NGROK_CONFIG_PATH)
    document = _parse_yaml(path)
    section = document.get("agent", {}) if str(document.get("version")) == "3" else document
    section = section if isinstance(section, dict) else {}
    token = str(section.get("authtoken") or "").strip()
    network = {_NETWORK[name]: value for name, value in section.items() if name in _NETWORK and value}
    return Secret(token, origin=f"from {path}") if token else None, network


def _parse_yaml(path: Path) -> dict[str, Any]:
    import yaml  # type: ignore[import-untyped]

    document = None
    valid = True
    try:
        document = yaml.safe_load(path.read_bytes())
    except OSError:
        return {}  # none there, or not for us to read: then it gives no token
    except yaml.YAMLError:
        valid = False
    if not valid:  # raised out here: the parser's error quotes the line, which may be the token's
        raise TunnelError(
            f"The ngrok config file {path} is not valid YAML.",
            why="The token and a proxy may be set in it, so it is not passed over.",
            now="Correct or remove it; to see what is wrong, type in a terminal: ngrok config check",
        )
    return document if isinstance(document, dict) else {}
