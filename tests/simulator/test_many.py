"""Many at once and for long: conversations that never mix, and turns that stay as quick as they were."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from typing import Any

from offline import Offline, Recorder, offline

import poe_notebook as fp
from poe_notebook.conversation import Conversation
from poe_notebook.protocol.events import Event


class Counter(Recorder):
    """Says what it was told so far by this user, and remembers it in the metadata."""

    async def get_response(self, request: fp.QueryRequest) -> Any:
        await asyncio.sleep(0.001)
        told = [m.content for m in request.query if m.role == "user"]
        kept = [m.metadata for m in request.query if m.metadata is not None]
        yield fp.DataResponse(metadata=told[-1])
        yield f"{'/'.join(told)} {'/'.join(map(str, kept))}"


def test_conversations_of_two_users_at_once_never_mix() -> None:
    async def talk(poe: Offline, name: str) -> list[str]:
        chat = Conversation("Counter")
        answers = []
        for n in range(10):
            turn = poe.session.chats.next_turn(chat, f"{name}{n}", route="kernel", user=name)
            answers.append((await turn.arun()).text)
        return answers

    async def everybody(poe: Offline) -> list[list[str]]:
        return await asyncio.gather(*(talk(poe, name) for name in "abcd"))

    with offline() as poe:
        poe.serve(Counter(), "Counter")
        said = asyncio.run(everybody(poe))
    for name, answers in zip("abcd", said, strict=True):
        for n, answer in enumerate(answers):
            told = "/".join(f"{name}{i}" for i in range(n + 1))
            kept = "/".join(f"{name}{i}" for i in range(n))
            assert answer == f"{told} {kept}"


def test_ten_thousand_messages_make_no_turn_slower() -> None:
    def long_chat() -> Conversation:
        chat = Conversation("Heard")
        for n in range(510):  # what is older is not in a query
            _, reply = chat.ask(f"message {n}", route="kernel")
            reply.add(Event("text", {"text": "answer"}))
        return chat

    def took_s(chat: Conversation) -> float:
        gc.collect()  # else every second turn has a full one in it, which may always be the longer chat's
        began = time.perf_counter()
        assert poe.say(chat, "hello").text == "heard"
        return time.perf_counter() - began

    with offline() as poe:
        bot = poe.serve(Recorder(), "Heard")
        poe.ask("Heard")
        shorter, longer = long_chat(), Conversation("Heard")
        longer.turns = shorter.turns * 20
        pairs = [(took_s(shorter), took_s(longer)) for _ in range(5)]
        assert len(bot.last.query) == 1_001
    before_s, after_s = map(min, zip(*pairs, strict=True))
    assert after_s < 2 * before_s


def test_a_session_that_ends_leaves_no_port_and_no_file() -> None:
    with offline() as poe:
        poe.serve(Recorder(), "Heard")
        poe.ask("Heard")
        file = poe.session.thread.run(poe.simulator.upload(b"kept", "kept.txt"))
        stored = poe.simulator.files.file_at(file.url)
        assert stored is not None
        path = poe.simulator.files.path(stored.file_id)
        assert path.parent.stat().st_mode & 0o077 == 0
        port = poe.port
    assert not path.parent.exists()
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
