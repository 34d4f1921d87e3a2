"""Posting files while answering: uploads over a real socket, ``file`` events in the answer they belong to."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi_poe import base as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from posting_bots import STORED, Storing, answered, posting, request_as
from recording_poe import KEY, RecordingPoe, Seen, holds_key, plain, poe, shown

from poe_notebook.bot.base import PoeBot
from poe_notebook.bot.posting import generate_inline_ref, get_filename_from_url
from poe_notebook.client.sync import run
from poe_notebook.client.uploads import AttachmentUploadError
from poe_notebook.errors import InvalidParameterError
from poe_notebook.protocol.limits import ATTACHMENT_BYTES
from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.requests import QueryRequest

OTHER_KEY = "x" * 32


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingPoe]:
    """Where uploads go to: a stand-in for Poe that stores whatever comes."""
    with poe(STORED) as running:
        monkeypatch.setenv("POE_BASE_URL", running.url)
        yield running


def sent(seen: Seen) -> tuple[str, bytes]:
    """Give the name and the content of the only part of a multipart body."""
    head, _, rest = seen.body.partition(b"\r\n\r\n")
    name = re.search(rb'filename="([^"]*)"', head)
    assert name is not None
    return name[1].decode(), rest.rpartition(b"\r\n--")[0]


def opened(text: str, *, mode: str, folder: Path) -> Any:
    path = folder / "own.txt"
    path.write_text(text)
    return open(path, mode)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda folder: "my words", ""),
        (lambda folder: b"my words", ""),
        (lambda folder: bytearray(b"my words"), ""),
        (lambda folder: io.BytesIO(b"my words"), ""),
        (lambda folder: io.StringIO("my words"), ""),
        (lambda folder: opened("my words", mode="rb", folder=folder), ""),
        (lambda folder: opened("my words", mode="r", folder=folder), ""),
        (lambda folder: opened("my words", mode="rb", folder=folder), "own.txt"),
    ],
)
def test_whatever_the_file_is_given_as_is_uploaded_and_announced(
    make: Any, name: str, server: RecordingPoe, tmp_path: Path
) -> None:
    data = make(tmp_path)
    outcome = run(answered(posting(file_data=data, **({} if name else {"filename": "dummy.txt"}))))
    if hasattr(data, "close"):
        data.close()
    known_as = name or "dummy.txt"
    assert sent(server.seen[0]) == (known_as, b"my words")
    assert server.seen[0].headers["authorization"] == KEY
    event = {"url": "https://files.example/1", "content_type": "text/x-test", "name": known_as, "inline_ref": None}
    assert outcome.events == [("file", event), ("text", {"text": "attached"}), ("done", {})]


@pytest.mark.parametrize(
    ("given_names", "name"),
    [
        ({}, "A heron.png"),
        ({"download_filename": "b.png"}, "b.png"),
        ({"filename": "c.png", "download_filename": "b.png"}, "c.png"),
    ],
)
def test_poe_downloads_what_is_given_by_its_address(
    given_names: dict[str, str], name: str, server: RecordingPoe
) -> None:
    url = "https://images.example/A%20heron.png?size=1"
    outcome = run(answered(posting(download_url=url, **given_names)))
    form = {"download_url": url} | ({"download_filename": name} if given_names else {})
    assert server.seen[0].form == form
    assert outcome.names == [name]


@given(st.text(alphabet="/ab%20?#é.", max_size=12))
@settings(max_examples=100)
def test_a_name_is_taken_from_an_address_as_by_the_library(rest: str) -> None:
    url = f"https://example.com{rest}"
    assert get_filename_from_url(url) == theirs.get_filename_from_url(url)


def test_an_inline_file_is_announced_under_the_reference_that_the_handler_gets(server: RecordingPoe) -> None:
    class Bot(PoeBot):
        async def get_response(self, request: QueryRequest) -> AsyncIterator[str]:
            response = await self.post_message_attachment(
                message_id=request.message_id, file_data=b"x", filename="x.png", is_inline=True
            )
            yield f"![heron][{response.inline_ref}]"

    outcome = run(answered(Bot(access_key=KEY)))
    reference = outcome.events[0][1]["inline_ref"]
    assert re.fullmatch(r"[A-Za-z0-9]{8}", reference)
    assert outcome.events[1] == ("text", {"text": f"![heron][{reference}]"})
    assert len({generate_inline_ref() for _ in range(100)}) == 100


# Keys.


def test_the_old_call_with_a_key_first_works_and_warns_at_the_authors_line(server: RecordingPoe) -> None:
    class Bot(PoeBot):
        async def get_response(self, request: QueryRequest) -> AsyncIterator[str]:
            await self.post_message_attachment(
                OTHER_KEY, request.message_id, file_data=b"x", filename="x", content_type="text/plain"
            )
            yield "attached"

    with pytest.warns(DeprecationWarning, match="access key|content_type") as warned:
        outcome = run(answered(Bot(access_key=KEY)))
    assert outcome.types == ["file", "text", "done"]
    assert server.seen[0].headers["authorization"] == OTHER_KEY
    assert {str(each.message).split()[0] for each in warned} == {"The", "content_type"}
    assert {each.filename for each in warned} == {__file__}


def test_a_key_for_a_bot_that_has_none_is_taken_without_a_word(server: RecordingPoe) -> None:
    bot = posting(access_key=OTHER_KEY, file_data=b"", filename="x")
    bot.access_key = None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run(answered(bot)).names == ["x"]
    assert server.seen[0].headers["authorization"] == OTHER_KEY


def test_a_bot_without_a_key_uses_the_one_that_its_server_demands(server: RecordingPoe) -> None:
    bot = posting(file_data=b"x", filename="x")
    bot.access_key = None
    run(answered(bot, request_as(access_key=OTHER_KEY)))
    assert server.seen[0].headers["authorization"] == OTHER_KEY
    [error] = run(answered(bot)).raised
    assert isinstance(error, InvalidParameterError)
    assert "access key" in str(error)
    assert len(server.seen) == 1


# Limits and faults.


def test_a_refused_upload_is_an_error_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with poe(plain(f"no, {KEY}", status=400)) as refusing:
        monkeypatch.setenv("POE_BASE_URL", refusing.url)
        [error] = run(answered(posting(file_data=b"x", filename="x"))).raised
    assert isinstance(error, AttachmentUploadError)
    assert "400" in str(error)
    assert not holds_key(shown(error))


def test_a_file_over_the_limit_is_refused_before_it_is_sent(server: RecordingPoe) -> None:
    [error] = run(answered(posting(file_data=bytes(ATTACHMENT_BYTES + 1), filename="big"))).raised
    assert "50 MB" in str(error)
    assert not server.seen


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"file_data": b"x", "filename": "x", "download_url": "https://a.example/x"},
            "Both download_url and file_data",
        ),
        ({"filename": "x"}, "neither download_url nor file_data"),
        ({"file_data": b"x"}, "no name"),
        ({"file_data": 7, "filename": "x"}, "int"),
    ],
)
def test_arguments_that_do_not_go_together_are_an_error(
    arguments: dict[str, Any], said: str, server: RecordingPoe
) -> None:
    [error] = run(answered(posting(**arguments))).raised
    assert isinstance(error, ValueError)
    assert said in str(error)
    assert not server.seen


# What may be replaced.


def test_a_subclass_may_upload_in_its_own_way() -> None:
    seen: list[dict[str, Any]] = []

    class Bot(Storing):
        async def _upload_file(self, **given: Any) -> Attachment:
            seen.append(given)
            return await super()._upload_file(**given)

        async def get_response(self, request: QueryRequest) -> AsyncIterator[str]:
            await self.post_message_attachment(message_id=request.message_id, file_data=b"x", filename="x")
            await self.post_message_attachment(message_id=request.message_id, file_data=b"x", base_url="https://b/")
            yield ""

    assert run(answered(Bot(access_key=KEY))).names == ["x", "stored"]
    assert seen[0] == {"file": b"x", "file_url": None, "file_name": "x", "api_key": KEY, "base_url": None}
    assert seen[1]["base_url"] == "https://b/"
