"""JupyterLab and Notebook 7 in Chromium for tests: a server of its own, a notebook open in a page, cells run in it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SETTINGS = {
    # No pop-up over the page, and every cell in it, not only those in view.
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}
WIDGET = "application/vnd.jupyter.widget-view+json"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def chromium() -> str:
    """The browser's path. Without one the test is skipped, except in CI, where it fails."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    message = "Chromium is not installed: apt install chromium, or set CHROMIUM to its path"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@dataclass
class Lab:
    """A running JupyterLab: its address, its folder, and a browser to look at it."""

    url: str
    folder: Path
    browser: Any

    @contextmanager
    def notebook(self, name: str, *, theme: str = "light", height: int = 1000, app: str = "lab") -> Iterator[Notebook]:
        """Open a notebook of the folder in a page of its own, in JupyterLab or, as ``app="notebook"``, Notebook 7."""
        context = self.browser.new_context(viewport={"width": 1180, "height": height})
        page = context.new_page()
        place = "notebooks" if app == "notebook" else f"lab/workspaces/w{time.time_ns()}/tree"
        notebook = Notebook(page, f"{self.url}/{place}/{name}")
        try:
            notebook.open(theme)
            yield notebook
        finally:
            notebook.end_kernel()
            context.close()

    def write(self, name: str, cells: list[str]) -> None:
        """Write a notebook of code cells into the folder."""
        import nbformat

        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        book.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nbformat.write(book, self.folder / name)


class Notebook:
    """An open notebook, driven through JupyterLab's own commands."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self._url = page, url

    def open(self, theme: str = "light") -> None:
        """Load the page and wait for an idle kernel."""
        self.page.goto(self._url)
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
        self.command("apputils:change-theme", {"theme": THEMES[theme]})
        self.page.evaluate("window.jupyterapp.shell.collapseLeft?.()")
        self.wait_idle()

    def command(self, name: str, arguments: dict[str, Any] | None = None, *, wait: bool = True) -> None:
        """Run a command of JupyterLab."""
        call = f"window.jupyterapp.commands.execute({name!r}, {json.dumps(arguments or {})})"
        self.page.evaluate(f"async () => {{ await {call} }}" if wait else f"() => {{ {call} }}")

    def wait_idle(self, timeout: float = 60) -> None:
        """Wait until the kernel is idle and no cell is queued."""
        self.page.wait_for_function(
            """() => {
                const panel = window.jupyterapp.shell.currentWidget;
                const kernel = panel?.sessionContext?.session?.kernel;
                const queued = [...document.querySelectorAll('.jp-InputPrompt')].some(p => p.innerText.includes('*'));
                return kernel && kernel.status === 'idle' && !queued;
            }""",
            timeout=timeout * 1000,
        )

    def run_all(self, *, wait: bool = True) -> None:
        """Run All Cells."""
        self.command("notebook:run-all-cells", wait=False)
        if wait:
            self.page.wait_for_timeout(300)
            self.wait_idle()

    def save(self) -> None:
        """Save the notebook."""
        self.command("docmanager:save")

    def restart_kernel(self) -> None:
        """Restart the kernel without asking."""
        self.page.evaluate(
            "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart() }"
        )
        self.wait_idle()

    def reload(self) -> None:
        """Load the page anew, as after closing it."""
        self.page.reload()
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
        self.wait_idle()

    def end_kernel(self) -> None:
        """Shut the kernel down, so that it does not outlive the test."""
        self.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget?.sessionContext?.shutdown() }")

    def outputs(self) -> list[str]:
        """The text of every output area that has one, top to bottom."""
        return [text for text in self.page.locator(".jp-Cell-outputArea").all_inner_texts() if text.strip()]

    def screenshot(self, name: str) -> None:
        """Keep a picture for people, in the folder that SCREENSHOTS names."""
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"))


@contextmanager
def browser() -> Iterator[Any]:
    """Start Chromium."""
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        yield running
        running.close()


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    """Start JupyterLab over a folder, with settings and data of its own, and a browser."""
    chromium()
    process, url = _start_server(folder)
    try:
        with browser() as running:
            yield Lab(url, folder / "notebooks", running)
    finally:
        process.terminate()
        process.wait(20)


def _start_server(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    (folder / "notebooks").mkdir()
    for plugin, values in SETTINGS.items():
        file = folder / "settings" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "PYTHONPATH": os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part),
    }
    for name in ("POE_API_KEY", "POE_ACCESS_KEY", "POE_BASE_URL"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password="]
    command += [f"--ServerApp.root_dir={folder / 'notebooks'}", "--expose-app-in-browser", "--LabApp.news_url="]
    command += ["--JupyterNotebookApp.expose_app_in_browser=True"]
    with (folder / "lab.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    _wait_for(url, process, folder / "lab.log")
    return process, url


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{url}/api", timeout=2)
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
