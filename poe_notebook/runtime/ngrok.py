"""The tunnel made with ngrok, through pyngrok: opening, watching, closing.

Nothing here prints, and no error, repr or log shows a character of the token. pyngrok is imported when a tunnel is
opened, not before. On Windows there is no watchdog: a killed kernel leaves its agent running there.
"""

from __future__ import annotations

import re
import threading
import time
from urllib.parse import urlsplit

from poe_notebook.errors import TunnelError
from poe_notebook.keys import Secret
from poe_notebook.runtime.ngrok_agent import Agent
from poe_notebook.runtime.ngrok_download import find_agent
from poe_notebook.runtime.ngrok_errors import Failure, Said, explain
from poe_notebook.runtime.ngrok_settings import AgentSettings, find_settings
from poe_notebook.runtime.tunnel import START_COMMAND, TunnelStatus

__all__ = ["NgrokTunnel"]

_HOST = re.compile(r"(?=.{4,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


class NgrokTunnel:
    """A tunnel through ngrok's servers, one port at a time.

    ``token``: else ``NGROK_AUTHTOKEN``, else ngrok's own config file; ``require_token=False`` starts without any.
    ``ngrok_path``: the agent, else ``PYNGROK_NGROK_PATH``, else pyngrok's own, which is downloaded the first time
    (at most a minute, on top of ``start_deadline_s``).
    """

    name = "ngrok"

    def __init__(
        self,
        *,
        token: str | Secret | None = None,
        ngrok_path: str | None = None,
        start_deadline_s: float = 20.0,
        require_token: bool = True,
    ) -> None:
        given = Secret(token.strip()) if isinstance(token, str) else token
        self._token = given if given is not None and given.reveal() else None
        self._ngrok_path = ngrok_path
        self._start_deadline_s = start_deadline_s
        self._require_token = require_token
        self._turn = threading.Lock()
        self._closing = threading.Event()
        self._agent: Agent | None = None
        self._wanted: tuple[int, str | None] | None = None
        self._since = 0.0
        self._public_url: str | None = None

    def open(self, port: int, *, domain: str | None = None) -> str:
        """Give the port a public ``https`` address and return it; the agent has ``start_deadline_s`` to come up.

        Open already for this port and domain: the same address. Open for others, or lost: a new agent is started.
        Raises ``TunnelError``.
        """
        wanted = (port, _parse_domain(domain))
        with self._turn:
            self._closing.clear()
            if self._wanted == wanted and self._public_url and self._agent and self._agent.is_alive():
                return self._public_url
            self._end()
            self._wanted, self._since = wanted, time.monotonic()
            try:
                url = self._start(*wanted)
            except BaseException:
                self._end()
                raise
            self._since, self._public_url = time.monotonic(), url
            return url

    def status(self) -> TunnelStatus:
        """Tell how the tunnel is now, without waiting for anything."""
        agent, wanted, url = self._agent, self._wanted, self._public_url
        if wanted is None:
            return TunnelStatus()
        port, age_s = wanted[0], time.monotonic() - self._since
        if url is None or agent is None:
            return TunnelStatus("opening", None, port, age_s, f"The ngrok agent for port {port} is starting.")
        if not agent.is_alive():
            detail = f"The ngrok agent has ended (exit code {agent.exit_code()}), so {url} leads nowhere; "
            return TunnelStatus("lost", url, port, age_s, detail + f"type: {START_COMMAND}")
        detail = f"{url} leads to port {port}."
        if agent.trouble:
            detail = f"The ngrok agent has lost ngrok's servers and is trying to reach them again: {agent.trouble}"
        return TunnelStatus("open", url, port, age_s, detail)

    def close(self) -> None:
        """Take the public address away and end the agent; an ``open`` that is under way fails. Twice is fine."""
        self._closing.set()
        agent = self._agent
        if agent is not None and self._public_url is None:
            agent.cut("close")
        with self._turn:
            self._end()

    def _start(self, port: int, domain: str | None) -> str:
        settings = find_settings(self._token, require_token=self._require_token)
        binary = find_agent(self._ngrok_path, cancelled=self._closing)
        self._agent = agent = _make_agent(binary, settings)
        if self._closing.is_set():
            agent.cut("close")
        failure: TunnelError | None = None
        url = ""
        try:
            url = agent.start(port, domain=domain, deadline_s=self._start_deadline_s)
        except Exception as error:  # whatever it is, its text may quote the token
            failure = self._explain(error, agent=agent, settings=settings, domain=domain)
        if failure is not None:  # raised out here, so that the error carries no context with the token in it
            raise failure
        return _checked(url)

    def _explain(self, error: Exception, *, agent: Agent, settings: AgentSettings, domain: str | None) -> TunnelError:
        if agent.cut_by == "close":
            return TunnelError("The tunnel was closed while it was opening.", now=f"Type: {START_COMMAND}")
        overdue_s = self._start_deadline_s if agent.cut_by == "deadline" else None
        said = Said.by(error, stderr=agent.stderr())
        return explain(Failure(said, agent.binary, settings, domain, overdue_s))

    def _end(self) -> None:
        agent = self._agent
        self._wanted = self._public_url = self._agent = None
        if agent is not None:
            agent.end()


def _make_agent(binary: str, settings: AgentSettings) -> Agent:
    failure: TunnelError | None = None
    try:
        return Agent(binary, settings)
    except OSError as error:
        failure = TunnelError(
            "No private folder for the ngrok agent could be made.",
            why=f"{type(error).__name__}: {error}",
            now="Set TMPDIR to a folder on a local disk with room in it before the kernel starts.",
        )
    raise failure  # out here for the same reason as above


def _parse_domain(domain: str | None) -> str | None:
    if domain is None:
        return None
    host = domain.strip().lower().removeprefix("https://").rstrip("/")
    if not _HOST.fullmatch(host):
        raise TunnelError(
            f"{domain!r} is not a domain.",
            why="A tunnel's domain is a host name without scheme, port and path, such as my-bot.ngrok.app.",
            now="https://dashboard.ngrok.com/domains lists those of your account.",
        )
    return host


def _checked(url: str) -> str:
    """Let ``https`` through, and plain ``http`` on this machine, where a stand-in for the agent is tried out."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE):
        return url.rstrip("/")
    raise TunnelError(f"ngrok gave the address {url!r}, which is not https.", why="Poe calls https addresses only.")
