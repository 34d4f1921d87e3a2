"""Running a tutorial notebook outside a front end: cell by cell in a real kernel, its answers streamed to a terminal.

The kernel is a process of its own, started as any Jupyter front end would; nothing of the toolkit runs in this one.
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

from poe_notebook.errors import PoeNotebookError

__all__ = ["FIRST", "find_tutorial", "open_in_lab", "run_in_terminal"]

FIRST = "01_first_bot.ipynb"
_START_S = 60.0
_CELL_S = 120.0
_SHOWN_LINES = 40
_UNDER_WAY = re.compile(r"\n+(waiting|answering) …$")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def find_tutorial(name: str) -> Path:
    """Find a notebook: a path, or the name of one that came with the package."""
    here = Path(__file__).parent
    for candidate in (Path(name), here / "notebooks" / name, here.parent / "notebooks" / name):
        if candidate.is_file():
            return candidate
    raise PoeNotebookError(
        f"There is no notebook {name!r}, neither here nor among the tutorials.",
        now=f"Type: python -m poe_notebook demo {FIRST}",
    )


def run_in_terminal(notebook: Path, *, out: TextIO) -> int:
    """Run a notebook and write what a reader would see; 0 if every cell succeeded."""
    import nbformat

    paper = _Paper(out)
    started = time.monotonic()
    paper.note(f"Running {notebook.name} in a kernel of its own, offline and with no account.")
    with _kernel(notebook.parent) as client:
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.cell_type == "markdown":
                paper.prose(cell.source)
            elif cell.cell_type == "code" and not _run_cell(client, cell.source, paper):
                paper.note("The cell failed, so the run ends here.")
                return 1
    paper.note(f"Done in {time.monotonic() - started:.1f} s. Next: python -m poe_notebook lab")
    return 0


def open_in_lab(notebook: Path, *, browser: bool) -> int:
    """Open a copy of a notebook in JupyterLab, in the current folder, and wait until that ends."""
    if find_spec("jupyterlab") is None:
        raise PoeNotebookError("JupyterLab is not installed.", now='Type: python -m pip install ".[lab]"')
    if not notebook.resolve().is_relative_to(Path.cwd()):
        copy = Path.cwd() / notebook.name
        if not copy.exists():
            shutil.copyfile(notebook, copy)
        notebook = copy
    place = quote(notebook.resolve().relative_to(Path.cwd()).as_posix())
    command = [sys.executable, "-m", "jupyter", "lab", f"--LabApp.default_url=/lab/tree/{place}"]
    command += [] if browser else ["--no-browser"]
    command += ["--allow-root"] if _is_root() else []  # in a container; JupyterLab would refuse
    return subprocess.call(command)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


@contextmanager
def _kernel(folder: Path) -> Iterator[Any]:
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3")
    manager.kernel_spec.argv[0] = sys.executable
    # The package has to be found in the kernel too where it runs from a source tree.
    places = [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(place for place in places if place)}
    manager.start_kernel(cwd=str(folder), env=environment, stderr=subprocess.DEVNULL)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=_START_S)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _run_cell(client: Any, source: str, paper: _Paper) -> bool:
    paper.code(source)
    wanted, succeeded = client.execute(source, allow_stdin=False), True
    until = time.monotonic() + _CELL_S
    while time.monotonic() < until:
        try:
            message = client.get_iopub_msg(timeout=1)
        except queue.Empty:
            continue
        if message["parent_header"].get("msg_id") != wanted:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] == "idle":
            return succeeded
        if kind == "error":
            succeeded = False
            paper.error("\n".join(content["traceback"]))
        paper.output(kind, content)
    paper.note(f"The cell did not end within {_CELL_S:.0f} s.")
    return False


class _Paper:
    """A terminal to write on: colours only for one, and displays that grow are written on, not repeated."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._has_colours = out.isatty() and "NO_COLOR" not in os.environ
        self._width = min(shutil.get_terminal_size((100, 24)).columns, 100)
        self._shown: dict[str, str] = {}

    def prose(self, source: str) -> None:
        for paragraph in source.strip().split("\n\n"):
            if paragraph.startswith("#"):
                self._write("\n" + self._paint(paragraph.lstrip("# "), "1") + "\n")
                continue
            text = _plain_markdown(paragraph)
            wrapped = text if text.startswith("- ") else textwrap.fill(text, self._width)
            self._write("\n" + wrapped + "\n")

    def code(self, source: str) -> None:
        self._shown.clear()  # what an earlier cell showed is on paper and stays as it is
        lines = "\n".join(f"  {line}".rstrip() for line in source.split("\n"))
        self._write("\n" + self._paint(lines, "36") + "\n\n")

    def note(self, text: str) -> None:
        self._write("\n" + self._paint(text, "2") + "\n")

    def error(self, text: str) -> None:
        self._write((text if self._has_colours else _ANSI.sub("", text)) + "\n")

    def output(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "stream":
            self._write(content["text"])
        key = content.get("transient", {}).get("display_id", "")
        if kind in ("display_data", "execute_result"):
            self._shown.pop(key, None)
        if kind in ("display_data", "execute_result") or (kind == "update_display_data" and key in self._shown):
            self._display(content["data"].get("text/plain", ""), key)

    def _display(self, text: str, key: str) -> None:
        """Write what is new of a display: the rest if it grew, all of it again if it changed before its end."""
        is_growing = _UNDER_WAY.search(text) is not None
        text = _UNDER_WAY.sub("", text).rstrip("\n")
        before = self._shown.get(key, "")
        self._shown[key] = text
        if text.startswith(before):
            new = _shortened(text[len(before) :])
        else:
            new = "\n" + self._paint("(the answer so far was replaced)", "2") + "\n" + text
        self._write(new if is_growing else new + "\n")

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._has_colours else text

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def _shortened(text: str) -> str:
    lines = text.split("\n")
    if len(lines) <= _SHOWN_LINES:
        return text
    rest = len(lines) - _SHOWN_LINES
    return "\n".join([*lines[:_SHOWN_LINES], f"  … and {rest} more lines, easier to read in JupyterLab"])


def _plain_markdown(text: str) -> str:
    text = re.sub(r"\[([^\]]+)\]\(([^)]+)\)", r"\1 (\2)", text)
    return re.sub(r"\*\*?|`", "", text)
