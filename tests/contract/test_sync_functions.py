"""The functions that wait, called from a cell, from a thread of a kernel and from a script.

A server of the library's answers; a stand-in for Poe takes files and settings.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import fastapi_poe as theirs
import pytest
from endpoints import KEY
from kernels import ROOT, Kernel
from recording_poe import RecordingPoe, in_json, plain, poe
from their_server import their_server

WORK = """
def work(bots, poe, key):
    import poe_notebook as fp
    file = fp.upload_file_sync(b"words", file_name="a.txt", api_key=key, base_url=f"{poe}/poe_api/")
    message = fp.ProtocolMessage(role="user", content="hi", attachments=[file])
    answer = fp.get_bot_response_sync([message], "Bot", key, base_url=bots)
    fp.sync_bot_settings("Bot", key, settings={"rate_card": "free"}, base_url=f"{poe}/bot/")
    return [part.text for part in answer]
"""
IN_THREAD = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor() as threads:
    done = threads.submit(work, *given).result()
"""


class Bot(theirs.PoeBot):
    async def get_response(self, request: Any) -> AsyncIterator[Any]:
        [message] = request.query
        yield theirs.PartialResponse(text=message.content)
        yield theirs.PartialResponse(text=f" {message.attachments[0].name} {message.attachments[0].url}")


@pytest.fixture(scope="module")
def bots() -> Iterator[str]:
    """Where the library's server is."""
    with their_server(Bot(path="/Bot")) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture
def stand_in() -> Iterator[RecordingPoe]:
    """Where files and settings go to."""
    with poe(in_json({"attachment_url": "https://x/a", "mime_type": "text/plain"}), plain("ok", status=200)) as running:
        yield running


def in_script(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("where", ["cell", "thread", "script"])
def test_files_answers_and_settings_come_and_go_wherever_they_are_waited_for(
    kernel: Kernel, bots: str, stand_in: RecordingPoe, where: str
) -> None:
    given = f"given = {(bots, stand_in.url, KEY)!r}\n"
    call = IN_THREAD if where == "thread" else "done = work(*given)\n"
    code = f"{given}{WORK}\n{call}\nprint(done)"
    printed = in_script(code) if where == "script" else kernel.run(code).stdout
    assert printed == "['hi', ' a.txt https://x/a']\n"
    upload, settings = stand_in.seen
    assert upload.headers["authorization"] == KEY
    assert b"words" in upload.body
    assert settings.json == {"rate_card": "free"}
    assert settings.path == f"/bot/update_settings/Bot/{KEY}/1.2"
