"""The tunnel through ngrok: real pyngrok, real processes and sockets, and a stand-in for the agent."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pyngrok import conf, ngrok, process

from poe_notebook.errors import TunnelError
from poe_notebook.runtime import ngrok_agent, ngrok_download
from poe_notebook.runtime.ngrok import NgrokTunnel
from poe_notebook.runtime.tunnel import START_COMMAND, Tunnel

STANDIN = Path(__file__).parents[1] / "standin_ngrok.py"
ROOT = Path(__file__).parents[2]
TOKEN = "2kXq7WzRtY8uIoP4sD6fGhJ3kLzXcVbN_5mQwErTyUiOpAsDf"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in is started through a shell script")


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a stand-in agent, in surroundings that hold no token of this machine's."""
    for name in ("NGROK_AUTHTOKEN", "PYNGROK_NGROK_PATH", "STANDIN_NGROK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STANDIN_NGROK_REPORT", str(tmp_path / "report"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(conf, "DEFAULT_NGROK_CONFIG_PATH", str(tmp_path / "ngrok" / "ngrok.yml"))
    path = tmp_path / "agent"
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(str(STANDIN))} "$@"\n')
    path.chmod(0o700)
    return str(path)


@pytest.fixture
def tunnel(agent: str) -> Iterator[NgrokTunnel]:
    made = NgrokTunnel(ngrok_path=agent, token=TOKEN, start_deadline_s=10)
    yield made
    made.close()


@pytest.fixture
def reported(tmp_path: Path, agent: str) -> Callable[[], dict]:
    return lambda: json.loads((tmp_path / "report").read_text())


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = subprocess.check_output(["ps", "-o", "stat=", "-p", str(pid)], text=True)
    except (ProcessLookupError, subprocess.CalledProcessError):
        return False
    return not state.startswith("Z")


def eventually(is_so: Callable[[], object], *, within_s: float = 3.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.02)
    return bool(is_so())


def shown(error: BaseException) -> str:
    """Everything a traceback, a debugger or a log could show of an error raised below the test's own frame."""
    assert error.__traceback__ is not None
    frames = error.__traceback__.tb_next
    report = traceback.TracebackException(type(error), error, frames, capture_locals=True)
    assert "ngrok.py" in "".join(report.format())
    return "".join(report.format()) + repr(error) + repr(vars(error))


@contextlib.contextmanager
def forked() -> Iterator[None]:
    """A process that holds open all that this one holds open."""
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    yield
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def folders(tmp_path: Path) -> list[Path]:
    return list(tmp_path.glob("poe-notebook-tunnel-*"))


def test_importing_the_tunnel_imports_neither_pyngrok_nor_yaml() -> None:
    code = "import sys, poe_notebook.runtime.ngrok; assert not {'pyngrok', 'yaml', 'ssl'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_request_comes_through_and_closing_leaves_nothing(
    tunnel: NgrokTunnel, port: int, reported: Callable[[], dict], tmp_path: Path
) -> None:
    as_protocol: Tunnel = tunnel
    assert as_protocol.status().state == "closed"
    url = tunnel.open(port)
    assert fetch(url) == b"hello"
    status = tunnel.status()
    assert (status.state, status.public_url, status.port) == ("open", url, port)
    assert 0 <= status.age_s < 5

    assert folders(tmp_path)
    tunnel.close()
    tunnel.close()
    assert tunnel.status().state == "closed"
    assert START_COMMAND in tunnel.status().detail
    with pytest.raises(OSError, match="refused"):
        fetch(url)
    assert not is_running(reported()["pid"])
    assert not folders(tmp_path)
    assert not [path for path in process._current_processes if str(tmp_path) in path]
    assert eventually(lambda: not any(thread.name == "poe-tunnel-log" for thread in threading.enumerate()))


def test_opening_again_gives_the_same_address(tunnel: NgrokTunnel, port: int, reported: Callable[[], dict]) -> None:
    url = tunnel.open(port)
    pid = reported()["pid"]
    assert tunnel.open(port) == url
    assert reported()["pid"] == pid


def test_opening_for_another_port_or_domain_replaces_the_agent(
    tunnel: NgrokTunnel, port: int, reported: Callable[[], dict]
) -> None:
    tunnel.open(1)
    first = reported()["pid"]
    assert fetch(tunnel.open(port)) == b"hello"
    second = reported()["pid"]
    assert not is_running(first)
    assert tunnel.open(port, domain="https://Bot.example.test/") == "https://bot.example.test"
    assert not is_running(second)


def test_two_tunnels_and_somebody_elses_pyngrok_do_not_meet(agent: str, port: int, tmp_path: Path) -> None:
    config = tmp_path / "theirs.yml"
    config.write_text('version: "3"\nagent: {}\n')
    theirs = conf.PyngrokConfig(ngrok_path=agent, config_path=str(config))
    their_url = ngrok.connect(str(port), pyngrok_config=theirs).public_url
    tunnels = [NgrokTunnel(ngrok_path=agent, token=TOKEN) for _ in range(2)]
    try:
        urls = [tunnel.open(port) for tunnel in tunnels]
        assert len({their_url, *urls}) == 3
        tunnels[0].close()
        assert fetch(urls[1]) == fetch(str(their_url)) == b"hello"
        tunnels[1].close()
        assert fetch(str(their_url)) == b"hello"
    finally:
        process.kill_process(agent)
        for tunnel in tunnels:
            tunnel.close()


@pytest.mark.parametrize("domain", ["", "bot", "http://bot.example.test", "bot.example.test/path", "a..b", "-a.test"])
def test_what_is_no_domain_is_refused_before_anything_starts(tunnel: NgrokTunnel, domain: str, tmp_path: Path) -> None:
    with pytest.raises(TunnelError, match="is not a domain"):
        tunnel.open(1, domain=domain)
    assert not (tmp_path / "report").exists()


def test_an_address_that_is_not_https_is_refused(
    tunnel: NgrokTunnel, monkeypatch: pytest.MonkeyPatch, reported: Callable[[], dict]
) -> None:
    monkeypatch.setenv("STANDIN_NGROK", "plain")
    with pytest.raises(TunnelError, match="not https"):
        tunnel.open(1)
    assert not is_running(reported()["pid"])


def test_the_token_is_in_a_private_file_and_nowhere_else(
    agent: str, port: int, reported: Callable[[], dict], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NGROK_AUTHTOKEN", TOKEN)
    monkeypatch.setenv("POE_API_KEY", "not for the agent")
    tunnel = NgrokTunnel(ngrok_path=agent)
    try:
        tunnel.open(port)
        started = reported()
        assert started["token"] == TOKEN
        assert (started["config_mode"], started["folder_mode"]) == (0o600, 0o700)
        assert started["environment"] == []
        assert started["session"] == started["pid"]
        commands = subprocess.check_output(["ps", "-eww", "-o", "args"], text=True)
        assert started["config"] in commands
        assert TOKEN not in commands
        written = [path for path in tmp_path.rglob("*") if path.is_file() and not path.name.startswith("report")]
        assert [path.name for path in written if TOKEN in path.read_text()] == ["ngrok.yml"]
        assert TOKEN not in f"{tunnel!r} {vars(tunnel)!r} {tunnel.status()!r}"
    finally:
        tunnel.close()


def test_without_a_token_nothing_starts_and_the_error_says_where_to_get_one(agent: str, tmp_path: Path) -> None:
    with pytest.raises(TunnelError, match="get-started/your-authtoken") as caught:
        NgrokTunnel(ngrok_path=str(tmp_path / "none")).open(1)
    assert "NGROK_AUTHTOKEN" in caught.value.now
    assert list(tmp_path.iterdir()) == [Path(agent)]


def test_a_token_can_be_left_out_where_none_is_required(agent: str, port: int, reported: Callable[[], dict]) -> None:
    tunnel = NgrokTunnel(ngrok_path=agent, require_token=False)
    try:
        assert fetch(tunnel.open(port)) == b"hello"
        assert reported()["token"] == ""
    finally:
        tunnel.close()


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("refuse-token", "refused the token .*ERR_NGROK_107"),
        ("mistyped-token", "refused the token .*ERR_NGROK_105"),
        ("sessions", "ERR_NGROK_108"),
        ("old", "too old"),
        ("old-config", "too old"),
        ("offline", "could not reach ngrok's servers within 0.7 s"),
        ("silent", "did not come up within 0.7 s"),
        ("taken", "ERR_NGROK_334"),
        ("reserved", "does not give this account the domain bot.example.test: ERR_NGROK_320"),
    ],
)
def test_each_failure_names_its_cause_and_never_the_token(
    agent: str, monkeypatch: pytest.MonkeyPatch, reported: Callable[[], dict], tmp_path: Path, mode: str, said: str
) -> None:
    monkeypatch.setenv("STANDIN_NGROK", mode)
    monkeypatch.setenv("NO_PROXY", "*")
    tunnel = NgrokTunnel(ngrok_path=agent, token=TOKEN, start_deadline_s=0.7 if mode in ("offline", "silent") else 10)
    began = time.monotonic()
    with pytest.raises(TunnelError, match=said) as caught:
        tunnel.open(1, domain="bot.example.test")
    assert time.monotonic() - began < 3
    assert caught.value.now
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert TOKEN[:6] not in shown(caught.value)
    assert tunnel.status().state == "closed"
    assert not is_running(reported()["pid"])
    assert not folders(tmp_path)


def test_an_agent_that_dies_at_once_and_one_that_cannot_be_run_are_told_apart(agent: str, tmp_path: Path) -> None:
    dying = tmp_path / "dying"
    dying.write_text(f"#!/bin/sh\necho 'something broke: {TOKEN}' >&2\nexit 2\n")
    dying.chmod(0o700)
    with pytest.raises(TunnelError, match=r"opened no tunnel\.\nsomething broke: ") as caught:
        NgrokTunnel(ngrok_path=str(dying), token=TOKEN).open(1)
    assert TOKEN[:6] not in shown(caught.value)
    (tmp_path / "text").write_text("not a program")
    with pytest.raises(TunnelError, match="cannot be run"):
        NgrokTunnel(ngrok_path=str(tmp_path / "text"), token=TOKEN).open(1)


def test_a_folder_that_cannot_be_made_is_said_so(
    tunnel: NgrokTunnel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(TunnelError, match="No private folder") as caught:
        tunnel.open(1)
    assert "FileNotFoundError" in caught.value.why
    assert TOKEN[:6] not in shown(caught.value)


def test_a_lost_agent_is_reported_and_opening_again_gives_the_domain_back(
    tunnel: NgrokTunnel, port: int, reported: Callable[[], dict]
) -> None:
    url = tunnel.open(port, domain="bot.example.test")
    first = reported()["pid"]
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: tunnel.status().state == "lost")
    status = tunnel.status()
    assert (status.public_url, status.port) == (url, port)
    assert START_COMMAND in status.detail
    assert tunnel.open(port, domain="bot.example.test") == url
    assert tunnel.status().state == "open"
    assert reported()["pid"] != first


def test_a_dead_agents_folder_goes_without_anybody_asking(
    tunnel: NgrokTunnel, port: int, reported: Callable[[], dict], tmp_path: Path
) -> None:
    tunnel.open(port)
    os.kill(reported()["pid"], signal.SIGKILL)
    assert eventually(lambda: not folders(tmp_path))


def test_a_session_in_trouble_is_told_without_the_token(
    tunnel: NgrokTunnel, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN_NGROK", "troubled")
    tunnel.open(port)
    assert eventually(lambda: "heartbeat timeout" in tunnel.status().detail)
    assert tunnel.status().state == "open"
    assert TOKEN[:6] not in tunnel.status().detail


def test_an_agent_may_log_without_end(
    tunnel: NgrokTunnel, port: int, monkeypatch: pytest.MonkeyPatch, reported: Callable[[], dict]
) -> None:
    monkeypatch.setenv("STANDIN_NGROK", "chatty")
    url = tunnel.open(port)
    counters = Path(f"/proc/{reported()['pid']}/io")
    if not counters.exists():
        pytest.skip("no /proc here to see how much was written")
    assert eventually(lambda: int(counters.read_text().split("wchar: ")[1].split()[0]) > 1_000_000)
    assert fetch(url) == b"hello"


def test_closing_ends_an_agent_that_ignores_being_asked(
    tunnel: NgrokTunnel, port: int, monkeypatch: pytest.MonkeyPatch, reported: Callable[[], dict]
) -> None:
    monkeypatch.setenv("STANDIN_NGROK", "deaf")
    monkeypatch.setattr(ngrok_agent, "_STOP_S", 0.2)
    tunnel.open(port)
    tunnel.close()
    assert not is_running(reported()["pid"])


def test_closing_ends_what_a_wrapper_around_the_agent_started(
    agent: str, port: int, reported: Callable[[], dict], tmp_path: Path
) -> None:
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\n{agent} "$@"\nexit 1\n')
    wrapper.chmod(0o700)
    tunnel = NgrokTunnel(ngrok_path=str(wrapper), token=TOKEN)
    assert fetch(tunnel.open(port)) == b"hello"
    tunnel.close()
    assert eventually(lambda: not is_running(reported()["pid"]))


@pytest.mark.parametrize("stage", ["download", "start", "start, with a forked process"])
def test_closing_stops_an_opening_that_is_under_way(
    agent: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stage: str
) -> None:
    monkeypatch.setenv("STANDIN_NGROK", "silent")
    monkeypatch.setattr(ngrok_download, "_DOWNLOAD", "import time; time.sleep(60)")
    tunnel = NgrokTunnel(ngrok_path=str(tmp_path / "new") if stage == "download" else agent, token=TOKEN)
    raised: list[Exception] = []

    def opening() -> None:
        try:
            tunnel.open(1)
        except TunnelError as error:
            raised.append(error)

    thread = threading.Thread(target=opening)
    thread.start()
    sign = ".download-*/" if stage == "download" else "report"
    assert eventually(lambda: list(tmp_path.glob(sign)))
    assert tunnel.status().state == "opening"
    with forked() if "forked" in stage else contextlib.nullcontext():
        began = time.monotonic()
        tunnel.close()
        thread.join(3)
        assert time.monotonic() - began < 2
    assert "closed" in str(raised[0])
    assert not folders(tmp_path)
