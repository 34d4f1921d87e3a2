"""A real kernel for tests: run cells as a front end would, and see what each showed, with the time it came."""

from __future__ import annotations

import os
import queue
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client import BlockingKernelClient, KernelManager

ROOT = Path(__file__).parent.parent
ANSI = re.compile(r"\x1b\[[0-9;]*m")
LOAD = "%load_ext poe_notebook"


@dataclass
class Ran:
    """What one cell did: its messages in order, each with the seconds since the cell was sent."""

    code: str
    sent_at: float
    messages: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    status: str = ""
    idle_s: float = 0.0

    def of_type(self, *types: str) -> list[tuple[float, dict[str, Any]]]:
        """The contents of the messages of some types, with their times."""
        return [(at, m["content"]) for at, m in self.messages if m["msg_type"] in types]

    @property
    def stdout(self) -> str:
        """What the cell printed."""
        return "".join(c["text"] for _, c in self.of_type("stream") if c["name"] == "stdout")

    @property
    def stderr(self) -> str:
        """What the cell wrote to stderr."""
        return "".join(c["text"] for _, c in self.of_type("stream") if c["name"] == "stderr")

    @property
    def bundles(self) -> list[dict[str, Any]]:
        """The data of everything that the cell displayed, updates applied in place."""
        shown: list[dict[str, Any]] = []
        at: dict[str, int] = {}
        for _, message in self.messages:
            type_, content = message["msg_type"], message["content"]
            if type_ not in ("display_data", "update_display_data", "execute_result"):
                continue
            key = content.get("transient", {}).get("display_id")
            if key in at:
                shown[at[key]] = content["data"]
            elif type_ != "update_display_data":  # else it is an earlier cell's output, a status line say
                if key is not None:
                    at[key] = len(shown)
                shown.append(content["data"])
        return shown

    @property
    def text(self) -> str:
        """All that a reader of plain text sees: displays, results and streams."""
        return "\n".join([*(b.get("text/plain", "") for b in self.bundles), self.stdout, self.stderr, self.error])

    @property
    def result(self) -> str:
        """The plain text of the cell's last expression."""
        return "".join(c["data"].get("text/plain", "") for _, c in self.of_type("execute_result"))

    @property
    def error(self) -> str:
        """The traceback as shown, without colours; empty if the cell succeeded."""
        return ANSI.sub("", "\n".join("\n".join(c["traceback"]) for _, c in self.of_type("error")))


class Kernel:
    """A kernel process and a client to it."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client
        self.stray: list[dict[str, Any]] = []
        self._running: dict[str, Ran] = {}

    def send(self, code: str, **options: Any) -> Ran:
        """Send a cell and do not wait."""
        ran = Ran(code, time.monotonic())
        self._running[self.client.execute(code, **options)] = ran
        return ran

    def wait(self, *cells: Ran, timeout: float = 30.0) -> None:
        """Wait until cells have ended."""
        until = time.monotonic() + timeout
        while not all(cell.idle_s for cell in cells):
            if not self.pump(0.1) and time.monotonic() > until:
                raise TimeoutError(f"cells have not ended: {[cell.code for cell in cells if not cell.idle_s]}")
        while not all(cell.status for cell in cells) and self.pump_reply():
            pass

    def run(self, code: str, *, timeout: float = 30.0, **options: Any) -> Ran:
        """Run a cell to its end."""
        ran = self.send(code, **options)
        self.wait(ran, timeout=timeout)
        return ran

    def value(self, expression: str) -> Any:
        """Evaluate an expression to a plain value."""
        ran = self.run(f"print(repr({expression}))")
        assert not ran.error, ran.error
        return eval(ran.stdout)

    def pump(self, timeout: float) -> bool:
        """Take in one message; false if none came."""
        try:
            message = self.client.get_iopub_msg(timeout=timeout)
        except queue.Empty:
            return False
        ran = self._running.get(message["parent_header"].get("msg_id", ""))
        if ran is None:
            self.stray.append(message)
            return True
        at = time.monotonic() - ran.sent_at
        ran.messages.append((at, message))
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            ran.idle_s = at
        return True

    def settle(self, seconds: float) -> None:
        """Take in what comes for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.pump(0.05)

    def pump_reply(self) -> bool:
        """Take in one reply; false if none came, which is late after a cell has ended."""
        try:
            reply = self.client.get_shell_msg(timeout=1)
        except queue.Empty:
            return False
        ran = self._running.get(reply["parent_header"].get("msg_id", ""))
        if ran is not None:
            ran.status = reply["content"].get("status", "")
        return True

    def interrupt(self) -> float:
        """Interrupt the kernel; gives the time at which it was done."""
        self.manager.interrupt_kernel()
        return time.monotonic()


@contextmanager
def kernel(*, load: bool = True, environment: dict[str, str] | None = None) -> Iterator[Kernel]:
    """Start a kernel with the package on its path, and end it."""
    manager = KernelManager(kernel_name="python3")
    paths = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    env = {**os.environ, "PYTHONPATH": paths, **(environment or {})}
    for name in ("POE_API_KEY", "POE_ACCESS_KEY", "POE_BASE_URL"):
        if name not in (environment or {}):
            env.pop(name, None)
    manager.kernel_spec.argv[0] = sys.executable
    manager.start_kernel(env=env)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        running = Kernel(manager, client)
        if load:
            ran = running.run(LOAD)
            assert not ran.error, ran.error
        yield running
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
