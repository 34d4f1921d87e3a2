"""What becomes of a tunnel's agent when the process that opened it is interrupted, killed or ends by itself."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

STANDIN = Path(__file__).parents[1] / "standin_ngrok.py"
ROOT = Path(__file__).parents[2]
TOKEN = "2kXq7WzRtY8uIoP4sD6fGhJ3kLzXcVbN_5mQwErTyUiOpAsDf"

OWNER = """
import os, sys, time
from pathlib import Path
from poe_notebook.errors import TunnelError
from poe_notebook.runtime.ngrok import NgrokTunnel

agent, port, out, manner = sys.argv[1:]
tunnel = NgrokTunnel(ngrok_path=agent, token=os.environ.pop("TOKEN"))
try:
    said = tunnel.open(int(port))
except TunnelError as error:
    said = str(error)
if manner == "fork" and os.fork() == 0:
    time.sleep(30)
Path(out + ".new").write_text(said)
os.replace(out + ".new", out)
while manner not in ("leave", "raise"):
    try:
        time.sleep(0.05)
    except KeyboardInterrupt:
        Path(out + ".interrupted").touch()
if manner == "raise":
    raise SystemExit(3)
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the watchdog needs POSIX")


def eventually(is_so: Callable[[], object], *, within_s: float = 3.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.02)
    return bool(is_so())


class Owner:
    """A process that opens a tunnel, leads a group of its own and can be interrupted or killed."""

    def __init__(self, folder: Path, listener: socket.socket, manner: str) -> None:
        self.folder, self.listener = folder, listener
        self.said = folder / "said"
        agent = folder / "agent"
        start = f'{shlex.quote(sys.executable)} -I -S {shlex.quote(str(STANDIN))} "$@"'
        agent.write_text(f"#!/bin/sh\n{start}\nexit 1\n" if manner == "wrapper" else f"#!/bin/sh\nexec {start}\n")
        agent.chmod(0o700)
        command = [sys.executable, "-c", OWNER, str(agent), str(listener.getsockname()[1]), str(self.said), manner]
        self.process = subprocess.Popen(
            command, cwd=ROOT, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def opens(self) -> bool:
        """Whether a visitor of the public address arrives at the owner's port."""
        assert eventually(self.said.exists, within_s=8)
        address = urlsplit(self.said.read_text())
        self.listener.settimeout(3)
        with socket.create_connection((address.hostname, address.port), 3):
            self.listener.accept()[0].close()
        return True

    def agent(self) -> int:
        report = self.folder / "report"
        assert eventually(report.exists, within_s=8)
        return json.loads(report.read_text())["pid"]

    def agent_runs(self) -> bool:
        ps = subprocess.run(["ps", "-o", "stat=", "-p", str(self.agent())], capture_output=True, check=False)
        return ps.stdout.strip() not in (b"",) and not ps.stdout.startswith(b"Z")

    def leaves_nothing(self) -> bool:
        """Whether both the agent and the folder with the token go, and soon."""
        return eventually(lambda: not self.agent_runs()) and eventually(
            lambda: not list(self.folder.glob("poe-notebook-tunnel-*"))
        )

    def signal_group(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)


@pytest.fixture
def owned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Owner]]:
    surroundings = {"XDG_CONFIG_HOME": tmp_path, "TMPDIR": tmp_path, "STANDIN_NGROK_REPORT": tmp_path / "report"}
    for name, path in surroundings.items():
        monkeypatch.setenv(name, str(path))
    monkeypatch.setenv("TOKEN", TOKEN)
    monkeypatch.delenv("NGROK_AUTHTOKEN", raising=False)
    owners: list[Owner] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def start(manner: str = "stay", mode: str = "") -> Owner:
            monkeypatch.setenv("STANDIN_NGROK", mode)
            owners.append(Owner(tmp_path, listener, manner))
            return owners[-1]

        yield start
        for owner in owners:
            with contextlib.suppress(ProcessLookupError):
                owner.signal_group(signal.SIGKILL)
            owner.process.communicate()


def test_an_interrupt_of_the_owners_group_leaves_the_tunnel_open(owned: Callable[..., Owner]) -> None:
    owner = owned()
    assert owner.opens()
    owner.signal_group(signal.SIGINT)
    assert eventually(Path(f"{owner.said}.interrupted").exists)
    assert owner.agent_runs()
    assert owner.opens()


@pytest.mark.parametrize("manner", ["stay", "fork", "wrapper"])
def test_a_killed_owner_leaves_neither_agent_nor_token(owned: Callable[..., Owner], manner: str) -> None:
    owner = owned(manner)
    assert owner.opens()
    owner.process.kill()
    owner.process.wait()
    assert owner.leaves_nothing()


def test_an_owner_killed_while_the_agent_starts_leaves_nothing_either(owned: Callable[..., Owner]) -> None:
    owner = owned(mode="silent")
    assert owner.agent_runs()
    owner.process.kill()
    owner.process.wait()
    assert owner.leaves_nothing()


@pytest.mark.parametrize(("manner", "mode"), [("leave", ""), ("raise", ""), ("leave", "refuse-token")])
def test_an_owner_that_ends_by_itself_prints_nothing_and_leaves_nothing(
    owned: Callable[..., Owner], manner: str, mode: str
) -> None:
    owner = owned(manner, mode)
    assert owner.process.communicate(timeout=8) == (b"", b"")
    assert owner.process.returncode == (3 if manner == "raise" else 0)
    assert owner.said.read_text().startswith("ngrok refused the token" if mode else "http://127.0.0.1")
    assert TOKEN[:6] not in owner.said.read_text()
    assert owner.leaves_nothing()
