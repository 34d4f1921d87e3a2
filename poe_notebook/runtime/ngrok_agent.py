"""One ngrok agent: the process, its private folder and its log, started by pyngrok and ended with the kernel.

pyngrok is told to run a small launcher, which becomes the agent (same process number) after starting the watchdog.
That keeps the agent's own error output out of the cell, gives this agent an entry of its own among pyngrok's, and lets
``cut`` end it while pyngrok still waits for its first line. The token is in the folder's config file and nowhere else.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO, cast

from poe_notebook.runtime.ngrok_settings import AgentSettings, encode_config, redact
from poe_notebook.runtime.watchdog import LIFELINE

__all__ = ["Agent"]

_LAUNCHER = """#!/bin/sh
unset NGROK_AUTHTOKEN NGROK_API_KEY POE_API_KEY POE_ACCESS_KEY
TUNNEL_FOLDER={folder} TUNNEL_AGENT=$$ TUNNEL_KERNEL={kernel} {python} -I -S {watchdog} </dev/null >/dev/null 2>&1 &
exec {binary} "$@" </dev/null 2>>{folder}/stderr
"""

_LOGGERS = ("pyngrok.process.ngrok", "pyngrok.process", "pyngrok.ngrok", "pyngrok.installer")
_STOP_S = 2.0
_STDERR_BYTES = 20_000
_TROUBLE_CHARS = 200
_SESSION_ERROR = re.compile(r"lvl=eror msg=\"[^\"]*session[^\"]*\".*?\berr=(\"(?:[^\"\\]|\\.)*\"|\S+)")


class Agent:
    """A private folder with a launcher, and the process once ``start`` has run. ``end`` it in any case."""

    def __init__(self, binary: str, settings: AgentSettings) -> None:
        self.binary, self._settings = binary, settings
        self.cut_by = ""
        self.trouble = ""
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="poe-notebook-tunnel-"))
        self._lifeline = _Lifeline()
        try:
            _write_private(self._folder / "ngrok.yml", encode_config(settings))
            self._stderr = open(_write_private(self._folder / "stderr", b""), "rb")  # noqa: SIM115 (read after a crash)
            self._launcher = _make_launcher(self._folder, binary)
            self._lifeline.tie(self._folder / LIFELINE)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def start(self, port: int, *, domain: str | None, deadline_s: float) -> str:
        """Start the agent, open one endpoint and return its public address.

        Raises what pyngrok raises, with ngrok's text in it, token included: never let that reach a reader.
        """
        from pyngrok import conf, ngrok

        config = conf.PyngrokConfig(
            ngrok_path=str(self._launcher),
            config_path=str(self._folder / "ngrok.yml"),
            start_new_session=True,
            monitor_thread=False,
            startup_timeout=int(deadline_s) + 5,
        )
        config.auth_token = None  # pyngrok fills it from the environment and would put it on the command line
        deadline = threading.Timer(deadline_s, self.cut, ("deadline",))
        deadline.daemon = True
        deadline.start()
        try:
            with _unlogged():
                started = ngrok.get_ngrok_process(config)
                self._follow(started.proc)
                # not ngrok.connect: should the agent die just now, that would start, or even download, another
                endpoints = f"{started.api_url}/api/endpoints"
                asked = _endpoint(port, domain)
                given = ngrok.api_request(endpoints, method="POST", data=asked, timeout=deadline_s)
                return str(given.get("url") or given["public_url"])
        finally:
            deadline.cancel()

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def exit_code(self) -> int | None:
        """Give the ended process's code (minus the signal that killed it)."""
        return self._process.poll() if self._process is not None else None

    def stderr(self) -> str:
        """Give what the agent wrote to its error output, token included."""
        self._stderr.seek(0)
        return self._stderr.read(_STDERR_BYTES).decode("utf-8", "replace")

    def cut(self, reason: str) -> None:
        """Have the watchdog kill the agent now, at whatever point of its start it is."""
        self.cut_by = self.cut_by or reason
        self._lifeline.cut()

    def end(self) -> None:
        """End the process, wait for it, and leave neither folder nor entry behind."""
        from pyngrok import process

        try:
            if self._process is not None:
                _stop(self._process)
            with _unlogged():
                process.kill_process(str(self._launcher))
        finally:
            self._lifeline.cut()
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._reader is not None:
            self._reader.join(_STOP_S)
        self._stderr.close()

    def _follow(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        if process.stdout is not None:
            self._reader = threading.Thread(
                target=self._read_log, args=(process.stdout,), name="poe-tunnel-log", daemon=True
            )
            self._reader.start()

    def _read_log(self, log: IO[str]) -> None:
        """Keep the pipe from filling up, and remember what troubles the session until it is established again."""
        with log:
            for raw in cast(TextIO, log).buffer:  # bytes: one that does not decode must not end the reading
                line = raw.decode("utf-8", "replace")
                found = _SESSION_ERROR.search(line)
                if found:
                    self.trouble = redact(found[1].strip('"'), self._settings)[:_TROUBLE_CHARS]
                elif "session established" in line:
                    self.trouble = ""


class _Lifeline:
    """The pipe between kernel and watchdog. It ends with this process, however that ends."""

    def __init__(self) -> None:
        self._descriptor = -1
        self._lock = threading.Lock()

    def tie(self, path: Path) -> None:
        if os.name == "posix":
            os.mkfifo(path, 0o600)
            self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # to write only would wait for a reader

    def cut(self) -> None:
        with self._lock:
            if self._descriptor >= 0:
                os.write(self._descriptor, b".")  # its end alone would not do: a forked process may hold it open too
                os.close(self._descriptor)
                self._descriptor = -1


def _endpoint(port: int, domain: str | None) -> dict[str, Any]:
    endpoint: dict[str, Any] = {"name": "poe-notebook", "upstream": {"url": f"http://127.0.0.1:{port}"}}
    return {**endpoint, "url": f"https://{domain}"} if domain else endpoint


def _make_launcher(folder: Path, binary: str) -> Path:
    if os.name != "posix":
        return Path(shutil.copy2(binary, folder / "ngrok.exe"))
    watchdog = Path(__file__).with_name("watchdog.py")
    words = {"folder": folder, "kernel": os.getpid(), "python": sys.executable, "watchdog": watchdog, "binary": binary}
    text = _LAUNCHER.format(**{name: shlex.quote(str(word)) for name, word in words.items()})
    return _write_private(folder / "ngrok", text.encode(), mode=0o700)


def _write_private(path: Path, content: bytes, *, mode: int = 0o600) -> Path:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    return path


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()  # the watchdog ends what else is in its group
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP_S)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Drop what pyngrok logs on this thread: an error line would land in a cell, and it may quote the token."""
    thread = threading.get_ident()

    def from_elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != thread

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(from_elsewhere)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(from_elsewhere)
