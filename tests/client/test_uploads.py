"""Uploading over real sockets: what is sent, what is made of the answer, which arguments go together."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import fastapi_poe
import httpx
import pytest
from places import Place, everywhere
from recording_poe import KEY, RecordingPoe, Reply, Script, Seen, holds_key, in_json, plain, poe, shown

from poe_notebook.client import file_content
from poe_notebook.client.uploads import AttachmentUploadError, upload_file, upload_file_sync
from poe_notebook.errors import InvalidParameterError
from poe_notebook.protocol.messages import Attachment

ROOT = Path(__file__).resolve().parents[2]
UPLOADED = in_json({"attachment_url": "https://files.example/1", "mime_type": "text/plain", "file_id": "7"})


@pytest.fixture(autouse=True)
def no_poe_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POE_BASE_URL", raising=False)


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note é.txt"
    path.write_bytes(b"hello\r\nfile")
    return path


def uploaded(server: RecordingPoe, *args: Any, **options: Any) -> Attachment:
    given = {"api_key": KEY, "base_url": f"{server.url}/poe_api/", "retry_sleep_time": 0, **options}
    return upload_file_sync(*args, **given)


def failed(*script: Script, **options: Any) -> tuple[AttachmentUploadError, int]:
    with poe(*script) as server, pytest.raises(AttachmentUploadError) as caught:
        uploaded(server, **{"file": b"x", "file_name": "x.txt", **options})
    return caught.value, len(server.seen)


def content_in(seen: Seen) -> bytes:
    """Give the content of the only part of a multipart body."""
    return seen.body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]


@pytest.mark.parametrize(
    "given",
    [
        {"file": b"\x00\xff bytes", "file_name": "a.bin"},
        {"file": b"", "file_name": "empty.txt"},
        {"file": b"png", "file_name": 'with "quotes" é\n.png'},
        {"file": io.BytesIO(b"in memory"), "file_name": "memory.txt"},
        {"file_url": "https://example.com/a file?x=1&y=é"},
        {"file_url": "https://example.com/a", "file_name": "mine.pdf"},
        {"file": b"x", "file_name": "x.txt", "extra_headers": {"X-Mine": "1"}},
        {"file": b"x", "file_name": "x.txt", "extra_headers": {"Authorization": "other"}},
    ],
    ids=lambda given: " ".join(given),
)
def test_the_library_sends_the_same_and_makes_the_same_of_it(given: dict[str, Any]) -> None:
    options = {"api_key": KEY, "retry_sleep_time": 0}
    with poe(UPLOADED) as server:
        mine = asyncio.run(upload_file(base_url=f"{server.url}/poe_api/", **options, **given))
        if hasattr(given.get("file"), "seek"):
            given["file"].seek(0)
        theirs = asyncio.run(fastapi_poe.upload_file(base_url=f"{server.url}/poe_api/", **options, **given))
    assert server.seen[0].wire == server.seen[1].wire
    assert server.seen[0].path == "/poe_api/file_upload_3RD_PARTY_POST"
    assert mine.model_dump() == theirs.model_dump()


def test_the_key_goes_as_it_is_without_a_scheme() -> None:
    with poe(UPLOADED) as server:
        uploaded(server, b"x", file_name="x.txt", api_key=f" {KEY}\n")
    assert server.seen[0].headers["authorization"] == KEY


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (b"bytes", b"bytes"),
        (bytearray(b"more"), b"more"),
        (memoryview(b"view"), b"view"),
        ("text é𝄞", "text é𝄞".encode()),
        (io.StringIO("a text file é"), "a text file é".encode()),
        (io.BytesIO(b"opened"), b"opened"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_kind_of_file_is_sent_in_full(file: Any, content: bytes) -> None:
    with poe(UPLOADED) as server:
        given = uploaded(server, file, file_name="a.txt")
    assert content_in(server.seen[0]) == content
    assert given == Attachment(url="https://files.example/1", content_type="text/plain", name="a.txt")


def test_a_path_and_an_opened_file_have_their_own_name(note: Path) -> None:
    with poe(UPLOADED) as server, note.open("rb") as opened:
        assert uploaded(server, note).name == "note é.txt"
        assert uploaded(server, opened).name == "note é.txt"
        assert uploaded(server, note, file_name="other.md").name == "other.md"
        assert not opened.closed
    assert [content_in(seen) for seen in server.seen] == [b"hello\r\nfile"] * 3
    assert 'filename="note é.txt"'.encode() in server.seen[0].body


def test_an_opened_file_is_read_from_where_it_stands_and_stays_open(note: Path) -> None:
    with poe(UPLOADED) as server, note.open("rb", buffering=0) as opened:
        opened.seek(7)
        uploaded(server, opened)
        assert not opened.closed
    assert content_in(server.seen[0]) == b"file"


def test_every_try_sends_the_whole_file() -> None:
    with poe(plain("busy", status=503), plain("busy", status=503), UPLOADED) as server:
        uploaded(server, io.BytesIO(b"all of it"), file_name="a.txt", num_tries=3)
    assert [content_in(seen) for seen in server.seen] == [b"all of it"] * 3


def test_reading_a_slow_file_does_not_hold_up_the_loop() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            time.sleep(0.1)
            return super().read(size)

    async def upload_beside_a_clock() -> int:
        ticks = 0
        upload = asyncio.create_task(
            upload_file(Slow(b"x"), file_name="x.txt", api_key=KEY, base_url=f"{server.url}/poe_api/")
        )
        while not upload.done():
            await asyncio.sleep(0.01)
            ticks += 1
        await upload
        return ticks

    with poe(UPLOADED) as server:
        assert asyncio.run(upload_beside_a_clock()) >= 10


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "neither file nor file_url"),
        ({"file_url": ""}, "neither file nor file_url"),
        ({"file": b"x", "file_url": "https://example.com/x", "file_name": "x"}, "Both"),
        ({"file": b"", "file_url": "https://example.com/x", "file_name": "x"}, "Both"),
        ({"file": b"x"}, "file_name"),
        ({"file": "some/path.png"}, "pathlib.Path"),
        ({"file": io.BytesIO(b"x")}, "file_name"),
        ({"file": 7, "file_name": "x"}, "int"),
        ({"file": b"x", "file_name": "x", "api_key": ""}, "none was given"),
        ({"file": b"x", "file_name": "x", "api_key": "<missing>"}, "none was given"),
        ({"file": b"x", "file_name": "x", "api_key": f"{KEY}\r\nX-Evil: 1"}, "a character that no key has"),
    ],
)
def test_arguments_that_do_not_go_together_are_a_value_error(given: dict[str, Any], said: str) -> None:
    with poe(UPLOADED) as server, pytest.raises(ValueError, match=said) as caught:
        uploaded(server, **given)
    assert isinstance(caught.value, InvalidParameterError)
    assert server.seen == []
    assert not holds_key(shown(caught.value))


def test_a_file_opened_by_its_number_needs_a_name(note: Path) -> None:
    with note.open("rb") as first, open(first.fileno(), "rb", closefd=False) as opened, poe(UPLOADED) as server:
        with pytest.raises(InvalidParameterError, match="name"):
            uploaded(server, opened)
        assert uploaded(server, opened, file_name="a.txt").name == "a.txt"


@pytest.mark.parametrize("kind", ["bytes", "path", "opened", "text"])
def test_a_file_that_is_too_large_is_not_sent(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_content, "ATTACHMENT_BYTES", 3_000_000)
    content = b"x" * 3_000_001
    path = tmp_path / "big.bin"
    path.write_bytes(content)
    files: dict[str, Any] = {
        "bytes": content,
        "path": path,
        "opened": io.BytesIO(content),
        "text": io.StringIO("é" * 1_500_001),
    }
    with poe(UPLOADED) as server:
        with pytest.raises(AttachmentUploadError, match=r"big\.bin is too large .* more than 3 MB"):
            uploaded(server, files[kind], file_name="big.bin")
        assert server.seen == []
        uploaded(server, content[1:], file_name="big.bin")
    assert len(content_in(server.seen[0])) == 3_000_000


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    closed = io.BytesIO(b"x")
    closed.close()
    with poe(UPLOADED) as server:
        with pytest.raises(AttachmentUploadError, match="No such file"):
            uploaded(server, tmp_path / "nothing.txt")
        with pytest.raises(AttachmentUploadError, match="closed file"):
            uploaded(server, closed, file_name="x")
        with pytest.raises(AttachmentUploadError, match="surrogates"):
            uploaded(server, "\ud800", file_name="x")
    assert server.seen == []


@pytest.mark.parametrize(
    ("reply", "said", "tries"),
    [
        (plain("no such key", status=401), "401 Unauthorized: no such key", 1),
        (plain("too big", status=413), "413", 1),
        (plain("slow down", status=429), "429 Too Many Requests: slow down", 3),
        (plain("oops", status=500), "500 Internal Server Error: oops", 3),
        (plain("", status=502), "502 Bad Gateway: no text", 3),
        (in_json({"mime_type": "text/plain"}), "attachment_url", 3),
        (in_json({"attachment_url": None, "mime_type": "x"}), "attachment_url", 3),
        (in_json(["attachment_url", "mime_type"]), "JSON object", 3),
        (plain("<html>", status=200), "<html>", 3),
        (plain("[" * 200_000, status=200), "JSON object", 3),
        (Reply([b'{"attachment_url": '], is_cut=True), "was not uploaded", 3),
    ],
)
def test_a_refusal_is_said_with_status_and_body_and_tried_again_if_that_may_help(
    reply: Reply, said: str, tries: int
) -> None:
    heard: list[tuple[Exception, str]] = []
    error, times = failed(reply, num_tries=3, on_error=lambda error, what: heard.append((error, what)))
    assert said in str(error)
    assert times == tries
    assert [what for _, what in heard] == [f"upload attempt {n}/3 failed" for n in range(1, tries + 1)]
    assert heard[-1][0] is error


@pytest.mark.parametrize("num_tries", [0, 1])
def test_there_is_one_try_at_least(num_tries: int) -> None:
    assert failed(plain("oops", status=500), num_tries=num_tries)[1] == 1


def test_nobody_listening_is_said() -> None:
    with pytest.raises(AttachmentUploadError, match="nothing answers there"):
        upload_file_sync(b"x", file_name="x", api_key=KEY, base_url="http://127.0.0.1:1/", num_tries=1)


@pytest.mark.parametrize("base_url", ["http://[::1/", "ftp://h/", "not a url"])
def test_an_address_that_is_none_is_said(base_url: str) -> None:
    with pytest.raises(AttachmentUploadError, match="malformed"):
        upload_file_sync(b"x", file_name="x", api_key=KEY, base_url=base_url)


@pytest.mark.parametrize(
    "reply",
    [
        plain(f"wrong key {KEY}!", status=401),
        plain(f"{'x' * 490}{KEY}", status=500),
        in_json({"error": KEY}),
        Reply([KEY.encode()], is_cut=True),
    ],
)
def test_a_key_that_poe_sends_back_is_in_no_error(reply: Reply) -> None:
    error, _ = failed(reply)
    assert not holds_key(shown(error))


def test_a_header_that_cannot_be_sent_is_not_shown() -> None:
    error, times = failed(UPLOADED, extra_headers={"X-Token": f"{KEY}\r\nhush"})
    assert times == 0
    assert not holds_key(shown(error))


@pytest.mark.parametrize(
    ("variable", "path"), [("{}", "/poe_api"), ("{}/", "/poe_api"), ("{}/bot/", "/poe_api"), ("{}/x", "/x/poe_api")]
)
def test_the_environment_may_name_another_poe(variable: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with poe(UPLOADED) as server:
        monkeypatch.setenv("POE_BASE_URL", variable.format(server.url))
        asyncio.run(upload_file(b"x", file_name="x.txt", api_key=KEY))
    assert server.seen[0].path == f"{path}/file_upload_3RD_PARTY_POST"


def test_a_session_is_used_and_stays_open() -> None:
    async def upload() -> bool:
        async with httpx.AsyncClient(headers={"X-Session": "mine"}) as session:
            for _ in range(2):
                options = {"api_key": KEY, "base_url": server.url, "session": session}
                await upload_file(b"x", file_name="x.txt", **options)
            return session.is_closed

    with poe(UPLOADED) as server:
        assert not asyncio.run(upload())
    assert [seen.headers["x-session"] for seen in server.seen] == ["mine", "mine"]


# From synchronous code.


@everywhere
def test_the_synchronous_form_works_anywhere(place: Place) -> None:
    with poe(UPLOADED) as server:
        assert place(lambda: uploaded(server, b"x", file_name="x.txt")).url == "https://files.example/1"


def test_it_works_in_a_script() -> None:
    code = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from poe_notebook.client.uploads import upload_file_sync
print(upload_file_sync(b"x", file_name="x.txt", api_key="k" * 32, base_url=sys.argv[1]).url)
"""
    with poe(UPLOADED) as server:
        done = subprocess.run([sys.executable, "-c", code, server.url], capture_output=True, text=True, timeout=20)
    assert (done.stdout, done.stderr) == ("https://files.example/1\n", "")


def test_a_session_in_a_cell_is_refused_before_anything_is_begun(recwarn: pytest.WarningsRecorder) -> None:
    async def cell() -> None:
        async with httpx.AsyncClient() as session:
            with pytest.raises(ValueError, match="session"):
                uploaded(server, b"x", file_name="x.txt", session=session)

    with poe(UPLOADED) as server:
        asyncio.run(cell())
    assert server.seen == []
    assert not [each for each in recwarn if "never awaited" in str(each.message)]


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    failed(plain("oops", status=500))
    with poe(UPLOADED) as server:
        uploaded(server, b"x", file_name="x.txt")
    assert capfd.readouterr() == ("", "")
