"""The files of the simulated Poe: kept privately, bounded, and reached by addresses that expire."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from apps import serving
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from poe_notebook.errors import PoeNotebookError
from poe_notebook.simulator import private_folder
from poe_notebook.simulator.file_responses import file_route
from poe_notebook.simulator.files import FileError, FileStore

BASE = "http://127.0.0.1:1"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def store(temporary: Path) -> Iterator[FileStore]:
    made = FileStore(clock=Clock())
    yield made
    made.close()


def later(store: FileStore, seconds: float) -> None:
    store._clock.now += seconds  # type: ignore[attr-defined]


def test_a_file_comes_back_as_it_was(store: FileStore) -> None:
    file = store.add(b"\0\xff bytes", name="../a b.bin")
    assert (file.name, file.content_type, file.size_bytes) == ("a b.bin", "application/octet-stream", 8)
    assert store.read(file.file_id) == b"\0\xff bytes"
    assert store.resolve(store.url(file, BASE)) == b"\0\xff bytes"


def test_the_folder_is_private_made_at_first_use_and_gone_at_the_end(store: FileStore, temporary: Path) -> None:
    assert not list(temporary.iterdir())
    file = store.add(b"secret", name="x")
    (folder,) = temporary.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    store.close()
    assert not list(temporary.iterdir())
    for use in (lambda: store.read(file.file_id), lambda: store.add(b"", name="y")):
        with pytest.raises(FileError):
            use()
    store.close()


def test_a_process_that_ends_leaves_no_folder_and_a_fork_of_it_takes_none_away(temporary: Path) -> None:
    script = """
import os, sys
from poe_notebook.simulator.files import FileStore
store = FileStore()
file = store.add(b"kept", name="x")
child = os.fork()
if not child:
    sys.exit()
os.waitpid(child, 0)
assert store.read(file.file_id) == b"kept"
"""
    ended = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TMPDIR": str(temporary)}, timeout=20)
    assert ended.returncode == 0
    assert not list(temporary.iterdir())


def test_the_folder_of_a_killed_process_is_swept_up_and_that_of_a_living_one_is_not(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_folder, "_SETTLED_S", 0.0)
    script = "from poe_notebook.simulator.files import FileStore\nFileStore().add(b'x', name='x')\nprint(flush=True)\n"
    script = script.replace("FileStore()", "store = FileStore(); store") + "import time; time.sleep(60)"
    environment = {**os.environ, "TMPDIR": str(temporary)}
    other = subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        other.stdout.readline()
        (theirs,) = temporary.iterdir()
        mine = FileStore()
        mine.add(b"x", name="x")
        assert theirs.exists()
        other.send_signal(signal.SIGKILL)
        other.wait()
        second = FileStore()
        second.add(b"x", name="x")
        assert not theirs.exists()
        assert len(list(temporary.iterdir())) == 2
    finally:
        other.kill()
        other.wait()
        other.stdout.close() if other.stdout else None
    mine.close()
    second.close()


def test_a_file_over_the_limit_is_refused_with_a_sentence(temporary: Path) -> None:
    store = FileStore(max_file_bytes=10)
    with pytest.raises(FileError, match="too large") as caught:
        store.add(b"12345678901", name="x.txt")
    assert caught.value.status == 413
    assert not list(temporary.iterdir())


def test_the_oldest_files_make_room_and_it_is_said(temporary: Path) -> None:
    store = FileStore(max_bytes=100)
    files = [store.add(b"x" * 30, name=f"{number}.txt") for number in range(6)]
    assert store.size_bytes <= 100
    assert store.dropped == 3
    assert store.read(files[-1].file_id)
    with pytest.raises(FileError, match="3 have made room for newer ones"):
        store.read(files[0].file_id)
    (folder,) = temporary.iterdir()
    assert len([path for path in folder.iterdir() if path.name[0] != "."]) == 3
    store.close()


def test_many_small_files_are_bounded_in_number(temporary: Path) -> None:
    store = FileStore(max_files=5)
    files = [store.add(b"", name="x") for _ in range(8)]
    assert len(store) == 5
    assert store.read(files[-1].file_id) == b""
    store.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=30), st.integers(1, 120))
def test_the_bound_holds_whatever_comes(sizes: list[int], max_bytes: int) -> None:
    store = FileStore(max_bytes=max_bytes)
    for size in sizes:
        try:
            store.add(b"x" * size, name="x")
        except FileError:
            assert size > max_bytes
        assert store.size_bytes <= max_bytes
    store.close()


def test_several_threads_lose_nothing_and_share_one_folder(store: FileStore, temporary: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        files = list(pool.map(lambda number: store.add(b"%d" % number, name="x"), range(200)))
    assert [store.read(file.file_id) for file in files] == [b"%d" % number for number in range(200)]
    assert len({file.file_id for file in files}) == 200
    assert len(list(temporary.iterdir())) == 1


def test_threads_that_make_room_at_once_keep_the_bound(temporary: Path) -> None:
    store = FileStore(max_bytes=3000)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.add(b"x" * 100, name="x"), range(300)))
    assert store.size_bytes <= 3000 + 8 * 100
    (folder,) = temporary.iterdir()
    assert len([path for path in folder.iterdir() if path.name[0] != "."]) == len(store)
    store.close()


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(
    store: FileStore, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "missing"))
    with pytest.raises(FileError, match="could not be kept") as caught:
        store.add(b"x", name="x")
    assert caught.value.status == 507


def test_an_address_works_for_ten_minutes_and_then_says_that_it_has_expired(store: FileStore) -> None:
    file = store.add(b"x", name="x")
    url = store.url(file, BASE)
    later(store, 600)
    assert store.resolve(url) == b"x"
    later(store, 2)
    assert store.resolve(url) is None
    with pytest.raises(FileError, match="expired") as caught:
        store.open(url)
    assert caught.value.status == 410
    assert store.file_at(url) == file
    assert store.resolve(store.url(file, BASE)) == b"x"


def test_an_address_cannot_be_guessed_prolonged_or_moved_to_another_file(store: FileStore) -> None:
    first, second = store.add(b"1", name="1"), store.add(b"2", name="2")
    url = store.url(first, BASE)
    forged = [
        url.replace(first.file_id, second.file_id),
        url.replace("expires=", "expires=9"),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url.partition("?")[0],
        f"{BASE}/files/{first.file_id}/1?expires=&signature=",
        FileStore().url(first, BASE),
    ]
    assert [store.file_at(each) for each in forged] == [None] * len(forged)


@settings(deadline=None)
@given(st.text())
def test_no_address_makes_the_store_stumble(url: str) -> None:
    store = FileStore()
    for given_url in (url, f"{BASE}/files/{url}?expires={url}&signature={url}"):
        assert store.resolve(given_url) is None
        assert store.file_at(given_url) is None
        with pytest.raises(PoeNotebookError):
            store.open(given_url)


@pytest.fixture
def served(store: FileStore) -> Iterator[str]:
    with serving(Starlette(routes=[file_route(store)])) as port:
        yield f"http://127.0.0.1:{port}"


def test_a_file_is_served_with_its_kind_and_its_name(store: FileStore, served: str) -> None:
    file = store.add("é".encode("latin-1"), name='naïve "x"\r\n résumé.txt')
    answer = httpx.get(store.url(file, served))
    assert (answer.status_code, answer.content) == (200, b"\xe9")
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "filename*=utf-8''na%C3%AFve%20%22x%22%20r%C3%A9sum%C3%A9.txt" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("content", "name", "how"),
    [
        (b"\x89PNG\r\n\x1a\n", "x.png", "inline"),
        (b"<script>", "x.html", "attachment"),
        (b"<svg>", "x.svg", "attachment"),
    ],
)
def test_what_could_run_in_a_browser_is_only_a_download(
    store: FileStore, served: str, content: bytes, name: str, how: str
) -> None:
    answer = httpx.get(store.url(store.add(content, name=name), served))
    assert answer.headers["content-disposition"].startswith(how)
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_part_of_a_file_can_be_asked_for(store: FileStore, served: str) -> None:
    url = store.url(store.add(b"0123456789", name="x.mp4"), served)
    answer = httpx.get(url, headers={"Range": "bytes=2-4"})
    assert (answer.status_code, answer.content) == (206, b"234")
    assert httpx.head(url).headers["content-length"] == "10"


def test_unknown_expired_and_dropped_files_are_refused_with_sentences(store: FileStore, served: str) -> None:
    url = store.url(store.add(b"x", name="x"), served)
    unknown = httpx.get(url.replace("signature=", "signature=0"))
    assert (unknown.status_code, unknown.text.split("\n")[0]) == (404, "There is no file at this address.")
    store._drop(store.open(url).file_id)
    assert httpx.get(url).status_code == 410
    assert "made room" in httpx.get(url).text
    later(store, 1000)
    assert "expired" in httpx.get(url).text


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_name_can_be_served(name: str) -> None:
    store = FileStore()
    file = store.add(b"x", name=name)
    assert store.file_at(store.url(file, BASE)) == file
    store.close()


def test_addresses_and_kinds_take_no_time(store: FileStore) -> None:
    file = store.add(b"x", name="x")
    begun = time.perf_counter()
    for _ in range(1000):
        store.open(store.url(file, BASE))
    assert time.perf_counter() - begun < 1.0
