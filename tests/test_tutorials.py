"""The README's first command: the tutorial in a real kernel, streamed to a terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from poe_notebook.__main__ import main
from poe_notebook.tutorials import FIRST, find_tutorial

ROOT = Path(__file__).parent.parent


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "poe_notebook", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=90, check=False)


def test_the_demo_runs_the_tutorial_streams_its_answers_and_succeeds(tmp_path: Path) -> None:
    started = time.monotonic()
    ran = run("demo", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr
    assert time.monotonic() - started < 60
    for words in ("HELLO FROM A NOTEBOOK", "generation 2", "ZeroDivisionError", "the kernel hums", "Done in"):
        assert words in ran.stdout
    assert not ran.stderr
    assert not list(tmp_path.iterdir())


def notebook(path: Path, *cells: str) -> None:
    import nbformat  # takes a second

    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)


def test_the_demo_writes_an_answer_while_it_comes(tmp_path: Path) -> None:
    body = "import asyncio\nasync def get_response(request):\n    for n in range(8):\n        yield f'piece{n} '\n"
    cells = ["%load_ext poe_notebook", f"%%poebot Slow\n{body}        await asyncio.sleep(0.25)\n", "%poe chat Slow hi"]
    notebook(tmp_path / "slow.ipynb", *cells)
    command = [sys.executable, "-u", "-m", "poe_notebook", "demo", str(tmp_path / "slow.ipynb")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    seen: list[tuple[float, str]] = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while piece := os.read(process.stdout.fileno(), 65536):
            seen.append((time.monotonic(), piece.decode()))
    assert process.returncode == 0
    written = "".join(text for _, text in seen)
    assert written.count("piece0 piece1") == 1
    assert "piece7" in written
    times = [at for at, text in seen if "piece" in text]
    assert len(times) >= 4
    assert times[-1] - times[0] > 1


def test_a_failing_cell_ends_the_demo_with_one(tmp_path: Path) -> None:
    notebook(tmp_path / "fails.ipynb", "1 / 0", "print('not' + 'reached')")
    ran = run("demo", str(tmp_path / "fails.ipynb"))
    assert ran.returncode == 1
    assert "ZeroDivisionError" in ran.stdout
    assert "notreached" not in ran.stdout


def test_lab_opens_a_copy_of_the_tutorial_in_this_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "poe_notebook", "lab", "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    environment["JUPYTER_CONFIG_DIR"] = str(tmp_path / "config")
    log = tmp_path / "lab.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        until = time.monotonic() + 40
        while not (found := re.search(r"http://(?:127\.0\.0\.1|localhost):\d+/lab\S*01_first_bot\S*", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        assert httpx.get(found.group().replace("localhost", "127.0.0.1"), follow_redirects=True).status_code == 200
        assert (tmp_path / FIRST).is_file()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_an_unknown_notebook_is_an_error_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "nowhere.ipynb"]) == 1
    assert "There is no notebook 'nowhere.ipynb'" in capsys.readouterr().err


def test_the_tutorial_is_saved_with_outputs_and_without_widgets_scripts_or_paths() -> None:
    import nbformat

    book = nbformat.read(find_tutorial(FIRST), as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert sum(bool(cell.outputs) for cell in code) >= 12
    assert "widgets" not in book.metadata
    text = find_tutorial(FIRST).read_text("utf-8")
    for forbidden in ("widget-view", "<script", str(ROOT), "/tmp/", "/root/"):
        assert forbidden not in text
    assert len(text) < 400_000
