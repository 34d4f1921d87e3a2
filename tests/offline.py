"""A whole session without a notebook: bots served on real sockets, the simulated Poe asking them, for tests of both."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import endpoints

import poe_notebook as fp
from poe_notebook.conversation import Conversation, Reply
from poe_notebook.session import Session


class Offline:
    """A session, and short words for what tests ask of it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.simulator = session.simulator

    @property
    def address(self) -> str:
        return self.simulator.address

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def api_key(self) -> str:
        return self.simulator.api_key.reveal()

    def serve(self, bot: Any, name: str) -> Any:
        """Serve a bot and give it."""
        self.session.serving.serve(bot, name=name)
        return bot

    def access_key(self, name: str) -> str:
        return self.session.serving.slots.named(name).access_key.reveal()

    def ask(self, bot: str, message: str = "hello", **options: Any) -> Reply:
        """Ask by the bot's own conversation, as ``%poe chat`` does."""
        return self.session.chats.turn(bot, message, **options).run()

    def say(self, conversation: Conversation, message: str, *, route: str = "kernel", **options: Any) -> Reply:
        """Say something in a conversation of one's own."""
        return self.session.chats.next_turn(conversation, message, route=route, **options).run()

    def post(self, path: str, body: Any, *, key: str | None = None, **options: Any) -> endpoints.Answer:
        """Post to the simulated api.poe.com."""
        return endpoints.http_request(self.port, path, body=body, key=key or self.api_key, **options)


@contextmanager
def offline() -> Iterator[Offline]:
    """Start a session, and end it; no thread of it may be left."""
    before = set(threading.enumerate())
    session = Session()
    try:
        yield Offline(session)
    finally:
        session.close()
    left = lambda: [t for t in set(threading.enumerate()) - before if t.name.startswith("poe-")]
    assert endpoints.until(lambda: not left()), left()


class Recorder(fp.PoeBot):
    """Keeps the requests that it gets and answers with what ``answers`` makes of them."""

    def __init__(self, answers: Callable[[fp.QueryRequest], Any] = lambda request: ["heard"], **settings: Any) -> None:
        self.requests: list[fp.QueryRequest] = []
        self.errors: list[fp.ReportErrorRequest] = []
        self.reactions: list[fp.ReportReactionRequest] = []
        self.feedback: list[fp.ReportFeedbackRequest] = []
        self.answers, self.settings = answers, settings
        self.should_insert_attachment_messages = False

    @property
    def last(self) -> fp.QueryRequest:
        return self.requests[-1]

    async def get_response(self, request: fp.QueryRequest) -> Any:
        self.requests.append(request)
        for item in self.answers(request):
            yield item

    async def get_settings(self, setting: fp.SettingsRequest) -> fp.SettingsResponse:
        return fp.SettingsResponse(**self.settings)

    async def on_error(self, error_request: fp.ReportErrorRequest) -> None:
        self.errors.append(error_request)

    async def on_reaction_with_context(self, reaction_request: fp.ReportReactionRequest, context: Any) -> None:
        self.reactions.append(reaction_request)

    async def on_feedback(self, feedback_request: fp.ReportFeedbackRequest) -> None:
        self.feedback.append(feedback_request)


class Endless(Recorder):
    """Speaks for ever, after as many seconds as its message says if that is a number, and notes when it was ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended_at: list[float] = []

    async def get_response(self, request: fp.QueryRequest) -> Any:
        self.requests.append(request)
        said = request.query[-1].content
        try:
            await asyncio.sleep(float(said) if said.isdigit() else 0)
            while True:
                yield "more "
                await asyncio.sleep(0.01)
        finally:
            self.ended_at.append(time.monotonic())
