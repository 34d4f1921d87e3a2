"""Which answer a file goes with: whatever runs at once, fails, is called from elsewhere, or comes late."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import fastapi_poe
import pytest
from posting_bots import STORED, Outcome, Storing, answered, posting, request_as
from recording_poe import KEY, RecordingPoe, poe

from poe_notebook.bot import files
from poe_notebook.bot.base import PoeBot
from poe_notebook.client.sync import run
from poe_notebook.client.uploads import AttachmentUploadError
from poe_notebook.errors import InvalidParameterError
from poe_notebook.protocol.messages import Attachment
from poe_notebook.protocol.requests import QueryRequest


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingPoe]:
    """Where uploads go to: a stand-in for Poe that stores whatever comes."""
    with poe(STORED) as running:
        monkeypatch.setenv("POE_BASE_URL", running.url)
        yield running


def test_a_bot_with_a_constructor_of_its_own_posts_too(server: RecordingPoe) -> None:
    class Bot(PoeBot):
        def __init__(self) -> None:
            self.count = 0

        async def get_response(self, request: QueryRequest) -> AsyncIterator[str]:
            self.count += 1
            await self.post_message_attachment(message_id=request.message_id, file_data=b"x", filename="x")
            yield f"{self.count}"

    assert run(answered(Bot(), request_as(access_key=KEY))).types == ["file", "text", "done"]


def test_answers_at_the_same_time_each_get_their_own_files(server: RecordingPoe) -> None:
    class Bot(PoeBot):
        async def get_response(self, request: QueryRequest) -> AsyncIterator[str]:
            for n in range(3):
                name = f"{request.message_id}-{n}"
                await self.post_message_attachment(message_id=request.message_id, file_data=b"x", filename=name)
                yield "next"

    bot = Bot(access_key=KEY)

    async def both() -> list[Outcome]:
        return await asyncio.gather(*(answered(bot, request_as(f"m-{n}")) for n in range(5)))

    for n, outcome in enumerate(run(both())):
        assert outcome.names == [f"m-{n}-{k}" for k in range(3)]


@pytest.mark.parametrize("ending", ["raises", "error", "stopped"])
def test_a_file_of_a_failed_answer_is_not_sent_with_a_later_one(ending: str, server: RecordingPoe) -> None:
    class Bot(PoeBot):
        is_first = True

        async def get_response(self, request: QueryRequest) -> AsyncIterator[Any]:
            if not self.is_first:
                yield "well"
                return
            self.is_first = False
            if ending == "error":
                yield fastapi_poe.ErrorResponse(text="no")
            await self.post_message_attachment(message_id=request.message_id, file_data=b"x", filename="old")
            if ending == "raises":
                raise ValueError("no")
            await asyncio.sleep(60)

    bot = Bot(access_key=KEY)

    async def first_then_second() -> tuple[Outcome | None, Outcome]:
        first: Outcome | None = None
        try:
            async with asyncio.timeout(0.5 if ending == "stopped" else 10):
                first = await answered(bot)
        except TimeoutError:
            assert ending == "stopped"
        return first, await answered(bot)

    first, second = run(first_then_second())
    assert first is None or first.types == ["error", "done"]
    assert second.types == ["text", "done"]
    assert not files._running


def test_a_file_posted_after_the_answer_goes_with_no_other(
    server: RecordingPoe, caplog: pytest.LogCaptureFixture
) -> None:
    late: list[asyncio.Task[Any]] = []

    class Bot(PoeBot):
        async def get_response(self, request: QueryRequest) -> AsyncIterator[str]:
            if not late:
                late.append(asyncio.create_task(self.post_later(request)))
            yield "well"

        async def post_later(self, request: QueryRequest) -> None:
            await asyncio.sleep(0.05)
            await self.post_message_attachment(message_id=request.message_id, file_data=b"x", filename="late.txt")

    bot = Bot(access_key=KEY)

    async def twice() -> Outcome:
        await answered(bot)
        await late[0]
        return await answered(bot)

    assert run(twice()).types == ["text", "done"]
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "late.txt was uploaded but goes with no answer: none is being given as 'm-1'."
    ]


def test_an_upload_that_outlasts_its_answer_goes_with_no_other(caplog: pytest.LogCaptureFixture) -> None:
    posts: list[asyncio.Task[Any]] = []

    class Bot(Storing):
        async def get_response(self, request: QueryRequest) -> AsyncIterator[str]:
            if not posts:
                posts.append(asyncio.create_task(self.post_message_attachment(file_data=b"x", filename="slow.txt")))
                await asyncio.sleep(0)
            yield "well"

        async def _upload_file(self, **given: Any) -> Attachment:
            await asyncio.sleep(0.05)
            return await super()._upload_file(**given)

    bot = Bot(access_key=KEY)

    async def twice() -> Outcome:
        await answered(bot)
        second = await answered(bot)
        await posts[0]
        return second

    assert run(twice()).types == ["text", "done"]
    assert "slow.txt was uploaded but goes with no answer" in caplog.text


def test_a_handler_tried_out_without_an_answer_uploads_and_says_that_it_goes_nowhere(
    server: RecordingPoe, caplog: pytest.LogCaptureFixture
) -> None:
    bot = posting(file_data=b"x", filename="x.txt")

    async def called() -> list[Any]:
        return [item async for item in bot.get_response(request_as())]

    assert run(called()) == ["attached"]
    assert len(server.seen) == 1
    assert "goes with no answer" in caplog.text


def test_a_plain_handler_posts_from_its_worker_thread(server: RecordingPoe) -> None:
    class Bot(PoeBot):
        def get_response(self, request: QueryRequest) -> Iterator[str]:  # type: ignore[override]
            run(self.post_message_attachment(message_id=request.message_id, file_data=b"x", filename="x"))
            yield f"{threading.current_thread() is threading.main_thread()}"

    outcome = run(answered(Bot(access_key=KEY)))
    assert [data.get("text") for _, data in outcome.events] == [None, "False", None]
    assert outcome.names == ["x"]


def test_a_thread_that_knows_nothing_of_the_answer_posts_by_its_message_id(server: RecordingPoe) -> None:
    class Bot(PoeBot):
        async def get_response(self, request: QueryRequest) -> AsyncIterator[str]:
            def work() -> None:
                run(
                    self.post_message_attachment(
                        message_id=request.message_id, file_data=b"x", filename=request.message_id
                    )
                )

            await asyncio.get_running_loop().run_in_executor(None, work)
            yield "done"

    bot = Bot(access_key=KEY)

    async def both() -> list[Outcome]:
        return await asyncio.gather(answered(bot, request_as("m-1")), answered(bot, request_as("m-2")))

    assert [outcome.names for outcome in run(both())] == [["m-1"], ["m-2"]]


def test_a_bot_that_does_the_work_of_another_posts_into_that_ones_answer(server: RecordingPoe) -> None:
    worker = posting(file_data=b"x", filename="from the worker")

    class Front(PoeBot):
        async def get_response(self, request: QueryRequest) -> AsyncIterator[Any]:
            async for item in worker.get_response(request):
                yield item

    assert run(answered(Front())).names == ["from the worker"]


def test_an_answer_within_an_answer_has_files_of_its_own(server: RecordingPoe) -> None:
    worker = posting(file_data=b"x", filename="of the worker")
    inner: list[str | None] = []

    class Front(PoeBot):
        async def get_response(self, request: QueryRequest) -> AsyncIterator[Any]:
            async for event in worker.handle_query(request, None):  # type: ignore[arg-type]
                inner.append(event.event)
                if event.event == "file":
                    await self.post_message_attachment(message_id=request.message_id, file_data=b"x", filename="own")
            await self.post_message_attachment(file_data=b"x", filename="own again")
            yield "done"

    assert run(answered(Front(access_key=KEY))).names == ["own", "own again"]
    assert inner == ["file", "text", "done"]


def test_a_message_id_may_be_left_away_while_answering_and_nowhere_else(server: RecordingPoe) -> None:
    assert run(answered(posting(message_id=None, file_data=b"x", filename="x"))).names == ["x"]
    with pytest.raises(InvalidParameterError, match="message_id"):
        run(PoeBot(access_key=KEY).post_message_attachment(file_data=b"x", filename="x"))


def test_the_id_of_another_message_is_an_error_that_names_the_right_one(server: RecordingPoe) -> None:
    [error] = run(answered(posting(message_id="m-0", file_data=b"x", filename="x"))).raised
    assert isinstance(error, InvalidParameterError)
    assert "'m-0'" in str(error)
    assert "'m-1'" in str(error)
    assert not server.seen


def test_an_answer_takes_twenty_files_and_says_so_at_the_next() -> None:
    posted: list[int] = []

    class Bot(Storing):
        async def get_response(self, request: QueryRequest) -> AsyncIterator[str]:
            for n in range(25):
                await self.post_message_attachment(message_id=request.message_id, file_data=b"x", filename=f"{n}")
                posted.append(n)
                yield "posted"

    bot = Bot(access_key=KEY)
    outcome = run(answered(bot))
    [error] = outcome.raised
    assert isinstance(error, InvalidParameterError)
    assert "20 files" in str(error)
    assert posted == list(range(20))
    assert len(outcome.names) == 20
    assert len(run(answered(bot)).names) == 20


def test_files_posted_at_once_are_counted_before_they_are_uploaded() -> None:
    results: list[Any] = []

    class Bot(Storing):
        async def get_response(self, request: QueryRequest) -> AsyncIterator[str]:
            posts = (self.post_message_attachment(file_data=b"x", filename=f"{n}") for n in range(23))
            results.extend(await asyncio.gather(*posts, return_exceptions=True))
            yield "posted"

    assert len(run(answered(Bot(access_key=KEY))).names) == 20
    assert [type(result) for result in results[20:]] == [InvalidParameterError] * 3


def test_a_failed_upload_takes_no_room() -> None:
    class Bot(PoeBot):
        async def _upload_file(self, **given: Any) -> Attachment:
            raise AttachmentUploadError("no")

        async def get_response(self, request: QueryRequest) -> AsyncIterator[str]:
            for _ in range(25):
                with pytest.raises(AttachmentUploadError):
                    await self.post_message_attachment(file_data=b"x", filename="x")
            yield "all failed"

    assert run(answered(Bot(access_key=KEY))).types == ["text", "done"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_bot_of_the_library_gets_the_files_that_it_queued_itself(fails: bool) -> None:
    class Bot(fastapi_poe.PoeBot):
        async def _upload_file(self, **given: Any) -> Any:
            return fastapi_poe.Attachment(url=f"https://x/{quote('a b')}", content_type="text/plain", name="x")

        async def get_response(self, request: Any) -> Any:
            await self.post_message_attachment(message_id=request.message_id, file_data=b"x", filename="x")
            if fails:
                raise ValueError("no")
            yield fastapi_poe.PartialResponse(text="attached")

    bot = Bot(access_key=KEY)
    outcome = run(answered(bot))
    assert outcome.types == (["error", "done"] if fails else ["file", "text", "done"])
    assert bot._file_events_to_yield == {}
