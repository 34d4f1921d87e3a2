"""Every guide of Poe's functional guides, offline, in a kernel, by the guide's own code: one test a guide.

Nothing but the notebook answers: no key of Poe's, no network, no server of the tests' own but for two files to fetch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import apps
import kernels
import pytest
from guide_blocks import ACCESS_KEY, API_KEY, FOLDER, IMPORTS, as_method, block
from guided_poe import PAGES, document
from hiding import HIDE
from kernels import Kernel, Ran
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

KINDS = {"song.mp3": "audio/mpeg", "tide.mp4": "video/mp4"}
EXPECTED_LABEL = "Stand-in for GPT-3.5-Turbo"


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel without fastapi_poe, with the imports that the guides leave to their readers."""
    environment = {
        "POE_ACCESS_KEY": ACCESS_KEY,
        "PYTHONPATH": os.pathsep.join([str(kernels.ROOT), str(FOLDER)]),  # where the stand-in for modal is
    }
    folder = tmp_path_factory.mktemp("guides")
    with kernels.kernel(environment=environment) as kernel:
        for cell in (f"import os\nos.chdir({str(folder)!r})\n{HIDE}", IMPORTS, "%poe use simulator"):
            paste(kernel, cell)
        assert kernel.value("fp.__name__") == "fastapi_poe"
        yield kernel


@pytest.fixture
def web() -> Iterator[str]:
    """Files somewhere on the web: here, on this machine."""

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        return Response(b"\x00" * 64, media_type=KINDS[name])

    with apps.serving(Starlette(routes=[Route("/{name}", file)])) as port:
        yield f"http://127.0.0.1:{port}"


def paste(kernel: Kernel, code: str) -> Ran:
    """Run a cell, which has to succeed."""
    ran = kernel.run(code)
    assert ran.status == "ok", ran.text
    return ran


def serve(kernel: Kernel, code: str) -> str:
    """Serve the bot of a block, and give its name."""
    return paste(kernel, f"%%poebot\n{code}").text.partition(" · ")[0]


def chat(kernel: Kernel, bot: str, message: str = "hello", *, options: str = "") -> dict[str, Any]:
    """Ask by the magic, and give what the reply holds."""
    paste(kernel, f"reply = %poe chat {bot} {options} {message}")
    reply: dict[str, Any] = kernel.value(
        "dict(text=reply.text, state=reply.state, failure=reply.failure and reply.failure.text, route=reply.route,"
        " files=[(a.name, a.content_type) for a in reply.attachments], url=[a.url for a in reply.attachments],"
        " number=reply.exchange.number)"
    )
    assert reply["state"] == "done", reply
    return reply


def read(kernel: Kernel, url: str) -> bytes:
    """Fetch a file as anybody can who has its address."""
    content: bytes = kernel.value(f"requests.get({url!r}).content")
    return content


@pytest.mark.parametrize("name", ["gpt35_bot", "gpt35_bot_full"])
def test_accessing_other_bots(guide: Kernel, name: str) -> None:
    bot = serve(guide, block(name))
    reply = chat(guide, bot, "what do herons eat?", options="--new")
    assert "herons" in reply["text"]
    assert EXPECTED_LABEL in reply["text"]
    nested = guide.value(
        f"[(e.bot, e.route) for e in __import__('poe_notebook').trace if e.parent == {reply['number']}]"
    )
    assert nested == [("GPT-3.5-Turbo", "simulator")]
    assert "simulator" in paste(guide, "%poe chat GPT-3.5-Turbo hello").text


def test_accessing_other_bots_without_declaring_them_meets_the_error_that_the_guide_warns_of(guide: Kernel) -> None:
    bot = serve(guide, as_method(block("forwarded_query")))
    ran = guide.run(f"reply = %poe chat {bot} hello")
    assert "0 or undefined call count" in ran.text


@pytest.mark.parametrize("name", ["image_bot", "image_bot_full"])
def test_rendering_an_image(guide: Kernel, name: str) -> None:
    reply = chat(guide, serve(guide, block(name)))
    assert reply["text"].startswith("This is a test image. ![leopard](https://images.pexels.com/")


@pytest.mark.parametrize(
    "message",
    [
        "```html\n<html>\n  <h1>hello world</h1>\n</html>\n```\n",
        "<html>\n   <h1>hello world</h1>\n</html>\n",
        '<iframe \n  height="315"\n  src="https://www.youtube.com/embed/GBxblAUN3ro?si=K9BxwGdjexz1Vf_4"></iframe>\n',
    ],
    ids=["code block", "inline", "iframe"],
)
def test_rendering_html(guide: Kernel, message: str) -> None:
    bot = serve(
        guide, f"class HtmlBot(fp.PoeBot):\n    async def get_response(self, request):\n        yield {message!r}"
    )
    ran = paste(guide, f"reply = %poe chat {bot} show")
    assert guide.value("reply.text") == message
    html = ran.bundles[-1]["text/html"]
    assert "<h1>" not in html.partition("<iframe")[0]
    assert "hello world" in html or "youtube.com" in html


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("sees", [True, False])
def test_enabling_file_upload_with_each_setting_on_and_off(guide: Kernel, reads: bool, sees: bool) -> None:
    settings = block("attachment_settings").replace("expand_text_attachments=True", f"expand_text_attachments={reads}")
    settings = settings.replace("enable_image_comprehension=True", f"enable_image_comprehension={sees}")
    tells = (
        "async def get_response(self, request):\n"
        "    files = request.query[-1].attachments\n"
        "    yield json.dumps([[m.content for m in request.query], [a.parsed_content for a in files]])"
    )
    bot = serve(guide, as_method(f"{settings}\n{tells}"))
    paste(guide, "note = b'blue herons'\nfrom PIL import Image\nred = Image.new('RGB', (8, 8), 'red')")
    reply = chat(guide, bot, "look", options="--new --attach note --attach red")
    messages, parsed = json.loads(reply["text"])
    assert (parsed[0] == "blue herons", parsed[1] is not None) == (reads, sees)
    assert len(messages) == 1 + reads + sees
    assert messages[-1] == "look"
    assert any("blue herons" in message for message in messages[:-1]) == reads


def test_files_are_refused_while_the_setting_is_off(guide: Kernel) -> None:
    off = block("attachment_settings").replace("allow_attachments=True", "allow_attachments=False")
    bot = serve(guide, as_method(off))
    ran = guide.run(f"note = b'x'\n%poe chat {bot} --attach note look")
    assert "allow_attachments is off" in ran.text


@pytest.mark.parametrize("name", ["pdf_bot_final", "pdf_bot_full"])
def test_parsing_ones_own_files(guide: Kernel, name: str) -> None:
    """The guide's bot downloads the PDF with ``requests``, which blocks: it must not block who serves the file."""
    Path(guide.value("os.getcwd()"), "document.pdf").write_bytes(document())
    bot = serve(guide, block(name))
    reply = chat(guide, bot, "how long is it?", options="--new --attach document.pdf")
    assert reply["text"] == f"document.pdf has {PAGES} pages"
    assert reply["number"] == guide.value("__import__('poe_notebook').trace.last().number")


@pytest.mark.parametrize("name", ["attachment_bot", "attachment_bot_full"])
def test_sending_files_from_bytes(guide: Kernel, name: str) -> None:
    reply = chat(guide, serve(guide, block(name)), "keep these words")
    assert reply["text"] == "Attached a text file containing your last message."
    assert reply["files"] == [("dummy.txt", "text/plain")]
    assert read(guide, reply["url"][0]) == b"keep these words"


def test_sending_files_from_an_address_and_by_the_older_page(guide: Kernel) -> None:
    paste(guide, "from fastapi_poe import PartialResponse, QueryRequest\nfrom fastapi_poe.base import ServerSentEvent")
    bot = serve(guide, as_method(block("sent_files").replace('"BOT_ACCESS_KEY"', 'os.environ["POE_ACCESS_KEY"]')))
    reply = chat(guide, bot, "my words")
    assert reply["files"] == [("example.txt", "text/plain"), ("test.png", "image/png")]
    text, picture = (read(guide, url) for url in reply["url"])
    assert text == b"my words"
    assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize(("name", "file"), [("audio_bot", "song.mp3"), ("video_bot", "tide.mp4")])
def test_rendering_an_audio_and_a_video_player(guide: Kernel, web: str, name: str, file: str) -> None:
    bot = serve(guide, block(name).replace('"..."', f'"{web}/{file}"'))
    assert chat(guide, bot)["files"] == [(file, KINDS[file])]


def test_creating_bots_that_help_create_bots(guide: Kernel) -> None:
    paste(guide, "class my_api:\n    generate_fine_tune_id = staticmethod(lambda request: 'ft-7')")
    text = chat(guide, serve(guide, block("fine_tune_bot")))["text"]
    link = text.partition("](")[2].removesuffix(")")
    assert parse_qs(urlsplit(link).query)["base_bot"] == ["FineTuneInferenceBot"]
    assert 'href="https://poe.com/create_bot?' in paste(guide, "reply").bundles[-1]["text/html"]


@pytest.mark.parametrize("name", ["trivia_bot", "trivia_bot_full"])
def test_setting_an_introduction(guide: Kernel, name: str) -> None:
    bot = serve(guide, block(name))
    assert chat(guide, bot)["text"] == "Bot under construction. Please visit later"
    assert "Welcome to the trivia bot. Please provide me a topic" in paste(guide, f"%poe settings {bot}").text


def test_multi_bot_support(guide: Kernel) -> None:
    speaks = "    async def get_response(self, request):\n        yield ' | '.join(m.content for m in request.query)\n"
    wants = (
        "    async def get_settings(self, setting):\n"
        "        return fp.SettingsResponse(enable_multi_bot_chat_prompting={on})\n"
    )
    serve(guide, f"class Red(fp.PoeBot):\n{speaks}")
    serve(guide, f"class Told(fp.PoeBot):\n{speaks}{wants.format(on=True)}")
    serve(guide, f"class Untold(fp.PoeBot):\n{speaks}{wants.format(on=False)}")
    chat(guide, "Red", "which colour?", options="--new")
    told = chat(guide, "Red", "@Told and you?")
    assert "several participants" in told["text"]
    assert "Red: which colour?" in told["text"]
    untold = chat(guide, "Red", "@Untold and you?")
    assert untold["text"].startswith("which colour? | which colour? | @Told and you?")


def test_updating_bot_settings_by_themselves_by_hand_and_by_curl(guide: Kernel) -> None:
    def served(introduction: str) -> str:
        settings = f"fp.SettingsResponse(introduction_message={introduction})"
        return serve(guide, as_method(f"async def get_settings(self, setting):\n    return {settings}"))

    def in_force() -> str:
        return str(
            guide.value(
                "(lambda s: s.thread.run(s.simulator.poe.settings.of(s.simulator.directory.find('Guided')))"
                ".settings.introduction_message)(__import__('poe_notebook.session').session.current_session())"
            )
        )

    served("'by itself'")
    assert in_force() == "by itself"
    paste(guide, "hello = 'one'")
    served("hello")
    paste(guide, "hello = 'by hand'")
    assert in_force() == "one"
    script = block("settings_sync").replace('"server_bot_name"', '"Guided"')
    paste(guide, script.replace('"your_server_bot_access_key"', 'os.environ["POE_ACCESS_KEY"]'))
    assert in_force() == "by hand"
    paste(guide, "hello = 'by curl'")
    curl = (
        "import subprocess\nsubprocess.run('curl -sS -X POST $POE_BASE_URL/bot/fetch_settings/Guided/$POE_ACCESS_KEY',"
    )
    told = paste(guide, f"{curl} shell=True, capture_output=True, text=True, check=True).stdout")
    assert "by curl" in told.result
    assert in_force() == "by curl"


def test_declaring_two_bots_lets_both_be_asked(guide: Kernel) -> None:
    asks = (
        "async def get_response(self, request):\n"
        "    for name in ('GPT-3.5-Turbo', 'Claude-Instant'):\n"
        "        yield await fp.get_final_response(request, name, request.access_key)"
    )
    text = chat(guide, serve(guide, as_method(f"{block('changed_settings')}\n{asks}")))["text"]
    assert EXPECTED_LABEL in text
    assert "Stand-in for Claude-Instant" in text


@pytest.mark.parametrize("name", ["function_calling_bot", "function_calling_bot_full"])
def test_function_calling(guide: Kernel, name: str) -> None:
    bot = serve(guide, block(name))
    text = chat(guide, bot, "What is the weather in Tokyo in celsius and in Paris?", options="--new")["text"]
    assert "Tokyo" in text
    assert "11" in text
    assert "Paris" in text
    assert "22" in text
    nested = guide.value("[e.bot for e in __import__('poe_notebook').trace if e.parent == reply.exchange.number]")
    assert nested == ["GPT-3.5-Turbo"] * 2


def test_storing_metadata_keeps_the_troubleshooting_bot_from_repeating_itself(guide: Kernel) -> None:
    bot = serve(guide, block("trouble_shooting_bot"))
    said = [chat(guide, bot, "it does not print", options="--new" if n == 0 else "")["text"] for n in range(4)]
    assert len(set(said)) == 4
    assert said[3] == "I've tried everything."


@pytest.mark.parametrize("name", ["http_request_bot", "http_request_bot_full"])
def test_accessing_http_request_information(guide: Kernel, name: str) -> None:
    text = chat(guide, serve(guide, block(name)))["text"]
    address = guide.value("[b.address for b in __import__('poe_notebook').bots() if b.name == 'HttpRequestBot'][0]")
    assert text == f"The request url is: {address}, query params are: "


def test_accessing_ones_bot_by_a_program(guide: Kernel) -> None:
    key = "os.environ['POE_API_KEY']"
    ran = paste(guide, block("ipython_shell").replace(repr(API_KEY), key))
    assert "Hello" in ran.stdout
    script = block("asyncio_script").replace(repr(API_KEY), key)
    assert "%poe nest" in guide.run(script).text
    paste(guide, "%poe nest")
    assert "Hello" in paste(guide, script).stdout
