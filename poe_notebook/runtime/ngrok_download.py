"""Finding the ngrok agent, and fetching it the first time. pyngrok knows where from; it runs in a process of its own.

In this process it would write its progress into whichever cell is running, could not be stopped, and would unpack
over a file that another kernel may be starting.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from poe_notebook.errors import TunnelError

__all__ = ["find_agent"]

_DOWNLOAD = "import sys; from pyngrok import installer; installer.install_ngrok(sys.argv[1])"
_DOWNLOAD_S = 60.0
_POLL_S = 0.1
_QUOTED_CHARS = 300


def find_agent(path: str | None, *, cancelled: threading.Event) -> str:
    """Give the path of the agent: the one named, else ``PYNGROK_NGROK_PATH``, else pyngrok's own place for it.

    If there is no file it is downloaded, once, in at most a minute; ``cancelled`` ends that early.
    """
    from pyngrok import conf

    binary = Path(conf.PyngrokConfig(ngrok_path=path).ngrok_path).expanduser().absolute()
    if not binary.exists():
        problem = _download(binary, cancelled)
        if problem:
            raise TunnelError(
                f"There is no ngrok agent at {binary}, and it could not be downloaded.",
                why=problem,
                now="Get it from https://ngrok.com/download and type: import os; "
                'os.environ["PYNGROK_NGROK_PATH"] = "/where/you/put/ngrok"',
            )
    return str(binary)


def _download(binary: Path, cancelled: threading.Event) -> str:
    """Put the agent at its place; returns what went wrong, or nothing."""
    try:
        binary.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=binary.parent) as folder:
            fetched = Path(folder) / binary.name
            problem = _fetch(fetched, cancelled)
            if not problem:
                os.replace(fetched, binary)
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    return problem


def _fetch(path: Path, cancelled: threading.Event) -> str:
    environment = {**os.environ, "TMPDIR": str(path.parent)}
    command = [sys.executable, "-P", "-c", _DOWNLOAD, str(path)]
    with tempfile.TemporaryFile() as errors:
        downloader = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
        )
        ended = _wait(downloader, cancelled)
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    if not ended:
        return (
            "It was given up because the tunnel was closed."
            if cancelled.is_set()
            else (f"It was not there after {_DOWNLOAD_S:g} s.")
        )
    return "" if downloader.returncode == 0 else (lines or ["The download ended without a word."])[-1][:_QUOTED_CHARS]


def _wait(downloader: subprocess.Popen[bytes], cancelled: threading.Event) -> bool:
    """Wait for the end; if it does not come in time, end it and say so."""
    deadline = time.monotonic() + _DOWNLOAD_S
    try:
        while downloader.poll() is None and time.monotonic() < deadline and not cancelled.wait(_POLL_S):
            pass
        return downloader.poll() is not None
    finally:
        if downloader.poll() is None:
            downloader.kill()
            downloader.wait()
