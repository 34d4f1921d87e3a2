"""Finding the ngrok agent and fetching it the first time."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from poe_notebook.errors import TunnelError
from poe_notebook.runtime import ngrok_download
from poe_notebook.runtime.ngrok_download import find_agent

WRITES_IT = "import sys; print('Downloading 1%'); open(sys.argv[1], 'w').write('agent')"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "new" / "ngrok"


def test_an_agent_that_is_there_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "given").touch()
    (tmp_path / "variable").touch()
    monkeypatch.setenv("PYNGROK_NGROK_PATH", str(tmp_path / "variable"))
    assert find_agent(str(tmp_path / "given"), cancelled=threading.Event()) == str(tmp_path / "given")
    assert find_agent(None, cancelled=threading.Event()) == str(tmp_path / "variable")


def test_a_downloaded_agent_is_put_in_its_place_without_a_word(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ngrok_download, "_DOWNLOAD", WRITES_IT)
    assert find_agent(str(place), cancelled=threading.Event()) == str(place)
    assert place.read_text() == "agent"
    assert list(place.parent.iterdir()) == [place]
    assert capfd.readouterr() == ("", "")


def test_pyngroks_failed_download_is_told_in_one_line(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        with pytest.raises(TunnelError, match="could not be downloaded") as caught:
            find_agent(str(place), cancelled=threading.Event())
    assert "PyngrokNgrokInstallError" in caught.value.why
    assert "PYNGROK_NGROK_PATH" in caught.value.now
    assert len(str(caught.value).splitlines()) == 3
    assert list(place.parent.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TunnelError, match=r"FileExistsError|NotADirectoryError"):
        find_agent(str(tmp_path / "file" / "ngrok"), cancelled=threading.Event())


@pytest.mark.parametrize("ended_by", ["cancelling", "the deadline"])
def test_a_download_that_takes_too_long_is_ended(place: Path, monkeypatch: pytest.MonkeyPatch, ended_by: str) -> None:
    monkeypatch.setattr(ngrok_download, "_DOWNLOAD", "import time; time.sleep(60)")
    cancelled = threading.Event()
    if ended_by == "cancelling":
        threading.Timer(0.1, cancelled.set).start()
    else:
        monkeypatch.setattr(ngrok_download, "_DOWNLOAD_S", 0.2)
    began = time.monotonic()
    with pytest.raises(TunnelError, match="was closed" if ended_by == "cancelling" else r"not there after 0\.2 s"):
        find_agent(str(place), cancelled=cancelled)
    assert time.monotonic() - began < 3
    assert list(place.parent.iterdir()) == []
