"""A process of its own that kills a tunnel's agent as soon as the kernel that wanted it is gone.

The agent leads a session of its own, so that a kernel interrupt does not end it; a killed kernel would leave it behind.
This file is run as a script, as a child of the agent, and imports nothing but the standard library. The kernel holds
a named pipe open: a byte or the end of it means "kill". As this process stays in the agent's session, the agent's
number cannot be given to another process, so killing by number is safe even after the agent has ended.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
from contextlib import suppress

__all__ = ["LIFELINE", "POLL_S", "watch"]

LIFELINE = "lifeline"
"""Name of the pipe in the agent's folder."""

POLL_S = 1.0
"""A process forked from the kernel holds the pipe open too, so the kernel's own number is looked at this often."""


def watch(folder: str, *, agent: int, kernel: int) -> None:
    """Wait until agent or kernel is gone, then end the agent's group and remove its folder, which holds the token."""
    os.setpgid(0, 0)
    try:
        pipe = os.open(os.path.join(folder, LIFELINE), os.O_RDONLY | os.O_NONBLOCK)
        while os.getppid() == agent and _is_held(pipe) and _is_alive(kernel):
            select.select([pipe], [], [], POLL_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(agent, signal.SIGKILL)  # the group: the agent may be a wrapper that started the real one
        shutil.rmtree(folder, ignore_errors=True)


def _is_held(pipe: int) -> bool:
    try:
        os.read(pipe, 1)
    except BlockingIOError:
        return True
    return False


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    watch(os.environ["TUNNEL_FOLDER"], agent=int(os.environ["TUNNEL_AGENT"]), kernel=int(os.environ["TUNNEL_KERNEL"]))
