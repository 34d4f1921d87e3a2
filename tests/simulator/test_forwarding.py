"""Files on their way through several bots: each gets them by its own settings, read by Poe and by nobody else."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from typing import Any

import apps
import httpx
import pytest
from endpoints import query, raw_server, response
from offline import Offline, Recorder, offline
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

import poe_notebook as fp
from poe_notebook.attaching import as_file, as_files
from poe_notebook.simulator.fetching import fetched
from poe_notebook.simulator.files import FileError


@pytest.fixture(scope="module")
def poe() -> Iterator[Offline]:
    with offline() as running:
        yield running


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    """A web server elsewhere on this machine; ``/asked`` tells how often its file was asked for."""
    asked: list[str] = []

    async def file(request: Request) -> Response:
        asked.append(request.url.path)
        return Response("three blue herons", media_type="text/plain")

    async def moved(request: Request) -> Response:
        return RedirectResponse("/birds.txt")

    async def forever(request: Request) -> Response:
        return RedirectResponse("/forever")

    async def count(request: Request) -> Response:
        return Response(str(len(asked)))

    async def picture(request: Request) -> Response:
        return Response(png(), media_type="image/png")

    async def leads_astray(request: Request) -> Response:
        return RedirectResponse("file:///etc/passwd")

    paths = {
        "/birds.txt": file,
        "/moved": moved,
        "/forever": forever,
        "/asked": count,
        "/red.png": picture,
        "/astray": leads_astray,
    }
    with apps.serving(Starlette(routes=[Route(path, to) for path, to in paths.items()])) as port:
        yield f"http://127.0.0.1:{port}"


def png() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (8, 4), (200, 30, 30)).save(picture, format="PNG")
    return picture.getvalue()


class Forwards(Recorder):
    """Forwards what it gets to another bot, with ``said`` as what was read of each file."""

    def __init__(self, callee: str, *, said: str | None = None, **settings: Any) -> None:
        super().__init__(server_bot_dependencies={callee: 5}, **settings)
        self.callee, self.said = callee, said

    async def get_response(self, request: fp.QueryRequest) -> Any:
        self.requests.append(request)
        if self.said is not None:
            for message in request.query:
                for file in message.attachments:
                    file.parsed_content = self.said
        async for part in fp.stream_request(request, self.callee, request.access_key):
            yield part


@pytest.mark.parametrize("outer_reads", [True, False])
@pytest.mark.parametrize("inner_reads", [True, False])
def test_a_forwarded_file_is_read_for_the_called_bot_by_its_own_settings(
    poe: Offline, outer_reads: bool, inner_reads: bool
) -> None:
    inner = poe.serve(Recorder(expand_text_attachments=inner_reads), "Inner")
    outer = poe.serve(Forwards("Inner", said="edited", expand_text_attachments=outer_reads), "Outer")
    poe.ask("Outer", "look", new=True, attach=[as_file(b"three blue herons", name="birds.txt")])
    seen = inner.last.query[-1].attachments[0]
    assert (seen.name, seen.parsed_content) == ("birds.txt", "three blue herons" if inner_reads else None)
    assert httpx.get(seen.url).content == b"three blue herons"
    assert outer.last.query[-1].attachments[0].parsed_content == "edited"  # the bot's own copy


def test_a_called_bot_that_allows_no_files_gets_none_forwarded(poe: Offline) -> None:
    inner = poe.serve(Recorder(allow_attachments=False), "Inner")
    poe.serve(Forwards("Inner"), "Outer")
    assert poe.ask("Outer", "look", new=True, attach=[as_file(b"x", name="x.txt")]).text == "heard"
    assert inner.last.query[-1].attachments == []


def test_a_file_elsewhere_is_read_by_poe_once_and_what_a_bot_says_of_it_is_not_believed(poe: Offline, web: str) -> None:
    class Points(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            made_up = [
                fp.Attachment(url=url, content_type=kind, name="x", parsed_content="made up")
                for url, kind in (
                    (f"{web}/birds.txt", "text/plain"),
                    (f"{web}/red.png", "image/png"),
                    (f"{web}/missing.txt", "text/plain"),
                    ("data:text/plain,hello", "text/plain"),
                )
            ]
            query = [fp.ProtocolMessage(role="user", content="look", attachments=made_up)]
            asking = request.model_copy(update={"query": query})
            yield await fp.get_final_response(asking, "Inner", request.access_key)

    inner = poe.serve(Recorder(enable_image_comprehension=True), "Inner")
    poe.serve(Points(server_bot_dependencies={"Inner": 1}), "Points")
    before = int(httpx.get(f"{web}/asked").text)
    for _ in range(2):
        assert poe.ask("Points").text == "heard"
        text, image, *missing = [file.parsed_content for file in inner.last.query[-1].attachments]
        assert (text, missing) == ("three blue herons", [None, None])
        assert image is not None
        assert "made up" not in image
        assert "8 × 4" in image
    assert int(httpx.get(f"{web}/asked").text) == before + 1


def test_a_file_elsewhere_that_could_not_be_had_is_asked_for_again(poe: Offline) -> None:
    inner = poe.serve(Recorder(), "Inner")
    missing, there = response(b"no", status="503 Later"), response(b"blue", content_type="text/plain")
    with raw_server([missing], [there]) as server:
        body = query()
        file = {"url": f"http://127.0.0.1:{server.port}/x.txt", "content_type": "text/plain", "name": "x.txt"}
        body["query"][0]["attachments"] = [file]
        for content in (None, "blue", "blue"):
            assert poe.post("/bot/Inner", body).text == "heard"
            assert inner.last.query[-1].attachments[0].parsed_content == content
    assert len(server.requests) == 2


def test_an_expired_address_of_a_file_is_made_anew_for_who_gets_it_next(poe: Offline) -> None:
    inner = poe.serve(Recorder(), "Inner")
    stored = poe.simulator.files.add(b"kept", name="kept.txt")
    old = poe.simulator.files.url(stored, poe.address, valid_s=-10)
    assert httpx.get(old).status_code == 410
    body = {"url": old, "content_type": "text/plain", "name": "kept.txt"}
    asked = query()
    asked["query"][0]["attachments"] = [body, body]
    assert poe.post("/bot/Inner", asked).text == "heard"
    files = inner.last.query[-1].attachments
    assert [(file.parsed_content, httpx.get(file.url).content) for file in files] == [("kept", b"kept")] * 2


def test_a_file_that_had_to_make_room_leaves_the_chat_as_it_is(poe: Offline) -> None:
    bot = poe.serve(Recorder(), "Later")
    poe.ask("Later", "keep this", new=True, attach=[as_file(b"gone soon", name="gone.txt")])
    stored = poe.simulator.files.file_at(bot.last.query[-1].attachments[0].url)
    assert stored is not None
    poe.simulator.files._drop(stored.file_id)
    assert poe.ask("Later", "and now?").text == "heard"
    assert bot.last.query[0].attachments[0].name == "gone.txt"


def test_twenty_files_of_a_message_arrive_and_the_same_one_twice(poe: Offline) -> None:
    bot = poe.serve(Recorder(), "Twenty")
    files = [as_file(f"file {n}".encode(), name=f"{n}.txt") for n in range(19)]
    poe.ask("Twenty", "look", attach=[*files, files[0]])
    read = [file.parsed_content for file in bot.last.query[-1].attachments]
    assert read == [*(f"file {n}" for n in range(19)), "file 0"]


def test_a_picture_that_a_called_bot_draws_goes_on_to_the_user_with_its_place_in_the_text(poe: Offline) -> None:
    painter = poe.serve(Forwards("StableDiffusionXL"), "Painter-Friend")

    class Places(Recorder):
        async def get_response(self, request: fp.QueryRequest) -> Any:
            self.requests.append(request)
            upload = await self.post_message_attachment(
                message_id=request.message_id, file_data=png(), filename="red.png", is_inline=True
            )
            yield f"Here: ![red][{upload.inline_ref}]"

    drawn = poe.ask("Painter-Friend", "a heron")
    assert [file.content_type for file in drawn.attachments] == ["image/png"]
    assert httpx.get(drawn.attachments[0].url).content.startswith(b"\x89PNG")
    poe.ask("Painter-Friend", "another")
    assert [file.name for file in painter.last.query[1].attachments] == [drawn.attachments[0].name]
    placing = poe.serve(Places(), "Places")
    reply = poe.ask("Places")
    assert f"[{reply.attachments[0].inline_ref}]" in reply.text
    poe.ask("Places")
    assert placing.last.query[1].attachments[0].inline_ref == reply.attachments[0].inline_ref


def test_a_file_of_a_chat_may_be_named_by_its_address(poe: Offline, web: str) -> None:
    bot = poe.serve(Recorder(), "Reader")
    poe.ask("Reader", "look", attach=as_files([f"{web}/birds.txt", f"{web}/moved"]))
    files = bot.last.query[-1].attachments
    assert [(file.content_type, file.parsed_content) for file in files] == [("text/plain", "three blue herons")] * 2
    assert files[0].name == "birds.txt"
    assert all(file.url.startswith(f"{poe.address}/files/") for file in files)


@pytest.mark.parametrize("path", ["/forever", "/astray", "/missing"])
def test_an_address_that_leads_nowhere_is_an_error_and_no_turn(poe: Offline, web: str, path: str) -> None:
    bot = poe.serve(Recorder(), "Reader")
    poe.ask("Reader", "first", new=True)
    with pytest.raises(FileError):
        poe.ask("Reader", "second", attach=as_files(f"{web}{path}"))
    poe.ask("Reader", "third")
    assert [m.content for m in bot.last.query if m.role == "user"] == ["first", "third"]


def test_a_file_that_does_not_come_in_time_is_given_up() -> None:
    async def silent(request: Request) -> Response:
        await asyncio.sleep(5)
        return Response()

    async def fetch(url: str) -> None:
        await fetched(url, within_s=0.1)

    with apps.serving(Starlette(routes=[Route("/", silent)])) as port, pytest.raises(FileError, match="TimeoutError"):
        asyncio.run(fetch(f"http://127.0.0.1:{port}/"))


def test_an_address_with_a_key_in_it_is_not_quoted() -> None:
    async def fetch(url: str) -> None:
        await fetched(url, within_s=1)

    for url in ("http://127.0.0.1:9/x?key=abcdef", "http://me:abcdef@127.0.0.1:9/x"):
        with pytest.raises(FileError) as caught:
            asyncio.run(fetch(url))
        assert "abcdef" not in str(caught.value)


def test_a_file_is_read_once_for_all_who_ask_at_the_same_time(poe: Offline, monkeypatch: pytest.MonkeyPatch) -> None:
    from poe_notebook.simulator import reading

    parsed: list[str] = []
    usual = reading.parsed_content

    def counted(content: bytes, *, content_type: str, name: str) -> str | None:
        parsed.append(name)
        return usual(content, content_type=content_type, name=name)

    monkeypatch.setattr(reading, "parsed_content", counted)
    poe.serve(Recorder(), "Reader")
    stored = poe.simulator.files.add(json.dumps(["x"] * 50_000).encode(), name="many.json")
    file = fp.Attachment(url=poe.simulator.files.url(stored, poe.address), content_type="x", name="many.json")
    settings = fp.SettingsResponse(expand_text_attachments=True)

    async def ask_all() -> list[fp.Attachment]:
        read: Any = poe.simulator.poe._read
        return list(await asyncio.gather(*(read(file, settings) for _ in range(10))))

    assert len({each.parsed_content for each in poe.session.thread.run(ask_all())}) == 1
    assert parsed == ["many.json"]
