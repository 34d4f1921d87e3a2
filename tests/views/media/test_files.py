"""The files of a turn: which are at hand, how many of them there is room for, and that no key is in their names."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from poe_notebook.conversation import Conversation, Reply
from poe_notebook.protocol.events import Event
from poe_notebook.protocol.messages import Attachment
from poe_notebook.views.media.files import Room, TurnFiles, data_of


def a_reply(*urls: str, in_message: tuple[str, ...] = ()) -> Reply:
    sent = [Attachment(url=url, content_type="text/plain", name="sent") for url in in_message]
    _, reply = Conversation("Shout").ask("hello", route="kernel", attachments=sent)
    for url in urls:
        reply.add(Event("file", {"url": url, "content_type": "text/plain", "name": "given"}))
    return reply


@pytest.mark.parametrize(
    ("url", "data"),
    [
        ("data:text/plain;base64,aGk=", b"hi"),
        ("DATA:;Base64,aGk%3D", b"hi"),
        ("data:,h%69", b"hi"),
        ("data:text/plain;charset=utf-8;base64,aGk=", b"hi"),
        ("data:text/plain;base64,a", None),
        ("data:text/plain;base64,aGk=\nrest", None),
        ("https://x.example/a", None),
        ("data:no comma", None),
    ],
)
def test_what_a_data_address_holds_is_at_hand(url: str, data: bytes | None) -> None:
    assert data_of(url) == data


def test_files_are_counted_in_their_order_and_each_address_is_asked_for_once() -> None:
    asked: list[str] = []

    def resolve(url: str) -> bytes | None:
        asked.append(url)
        return b"content" if url.endswith("/b") else None

    reply, files = a_reply("http://f/b", in_message=("http://f/a",)), TurnFiles(resolve)
    assert files.take(reply)
    assert not files.take(reply)
    reply.add(Event("file", {"url": "data:,late", "content_type": "text/plain", "name": "late"}))
    assert files.take(reply)
    assert [(file.number, file.data) for file in files] == [(0, None), (1, b"content"), (2, b"late")]
    assert asked == ["http://f/a", "http://f/b"]


def test_there_is_room_for_the_first_files_and_smaller_ones_after_them() -> None:
    urls = [f"data:;base64,{base64.b64encode(bytes(size)).decode()}" for size in (6, 12, 5, 4)]
    files = TurnFiles()
    files.take(a_reply(*urls))
    assert files.kept(Room(10, 10, "kept here")) == {0, 3}
    assert files.kept(Room(10, 16, "kept here")) == {0, 2, 3}
    assert files.kept(Room(0, 0, "shown later")) == frozenset()


def test_why_there_is_no_room_is_said() -> None:
    room = Room(2_000_000, 6_000_000, "kept in the notebook")
    assert room.why_not(3_000_000) == "not kept in the notebook: larger than 2 MB"
    assert room.why_not(5) == "not kept in the notebook: the files of this turn have more than 6 MB together"
    assert Room(0, 0, "shown once the answer is done").why_not(5) == "shown once the answer is done"


def test_keys_are_taken_out_of_names_previews_and_the_files_themselves() -> None:
    hide: Any = lambda text: text.replace("SECRET", "[hidden]")
    reply = a_reply("data:,my%20SECRET")
    reply.attachments[0].name = "SECRET.txt"
    files = TurnFiles(redact=hide)
    files.take(reply)
    [file] = files
    assert (file.attachment.name, file.text, file.data) == ("[hidden].txt", "my [hidden]", b"my [hidden]")
