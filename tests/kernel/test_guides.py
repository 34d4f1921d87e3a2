"""Every Python block of Poe's guides in a real kernel where fastapi_poe is not installed.

Pasted as it is, and again with only the import line changed; each bot of theirs also as a ``%%poebot`` cell, which is
then asked over HTTP for what its guide says. What they ask themselves is a stand-in for Poe.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kernels
import pytest
from endpoints import Answer, http_request, query, until
from guide_blocks import ACCESS_KEY, API_KEY, FOLDER, IMPORTS, PRINTED, REPAIRS, as_method, block, for_library
from guided_poe import PAGES, guided_poe
from hiding import HIDE
from kernels import Kernel, Ran
from recording_poe import RecordingPoe, Seen

LIBRARIES = ("fastapi_poe", "poe_notebook")
FORGET = """
for name in {*globals()} - {"In", "Out", "exit", "get_ipython", "open", "quit"}:
    if name[0] != "_" or name.startswith("_fetch"):
        del globals()[name]
"""
"""Makes a cell forget what the cells before it have defined; ``%reset`` takes a third of a second for it."""


@dataclass
class Guide:
    """The kernel that blocks are pasted into, and the Poe that they talk to."""

    kernel: Kernel
    poe: RecordingPoe
    port: int
    library: str = "fastapi_poe"
    name: str = ""

    def paste(self, code: str) -> Ran:
        """Run a cell, which has to succeed."""
        ran = self.kernel.run(code)
        assert ran.status == "ok", ran.text
        return ran

    def serve(self, code: str) -> None:
        """Run a ``%%poebot`` cell, and talk to its bot from now on."""
        ran = self.paste(f"%%poebot\n{code}")
        self.name, generation, *_ = ran.text.split(" · ")
        assert generation.startswith("generation ")

    def post(self, body: dict[str, Any], *, parameters: str = "") -> Answer:
        """Post to the bot as Poe would."""
        answer = http_request(self.port, f"/{self.name}{parameters}", body=body, key=ACCESS_KEY)
        assert answer.status == 200, answer.body
        return answer

    def ask(self, content: str = "hello", *, earlier: list[dict[str, Any]] | None = None, **message: Any) -> Answer:
        """Ask the bot; its answer has to end well."""
        body = query(content)
        body["query"][-1].update(message)
        body["query"][:0] = earlier or []
        answer = self.post(body)
        assert answer.events[-1].type == "done"
        assert "error" not in [event.type for event in answer.events], answer.body
        return answer

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that the bot gives to Poe, without those it leaves to Poe."""
        given: dict[str, Any] = self.post({"version": "1.2", "type": "settings"}).json
        return {name: value for name, value in given.items() if value not in (None, {}) and name != "response_version"}

    def seen(self, path: str) -> list[Seen]:
        """What came to Poe under a path."""
        return [seen for seen in self.poe.seen if seen.path.startswith(path)]


@pytest.fixture(scope="module")
def kernel_of_guides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guide]:
    with guided_poe() as poe:
        environment = {
            "POE_BASE_URL": poe.url,
            "POE_ACCESS_KEY": ACCESS_KEY,
            "PYTHONPATH": os.pathsep.join([str(kernels.ROOT), str(FOLDER)]),  # where the stand-in for modal is
            "NO_PROXY": "127.0.0.1",
        }
        with kernels.kernel(environment=environment) as kernel:
            kernel.run(f"import os\nos.chdir({str(tmp_path_factory.mktemp('guides'))!r})\n{HIDE}")
            kernel.run("%%poebot First\nasync def get_response(request):\n    yield ''")
            address = kernel.value("__import__('poe_notebook').bots()[0].address")
            yield Guide(kernel, poe, urlsplit(address).port or 0)


@pytest.fixture(params=LIBRARIES)
def guide(kernel_of_guides: Guide, request: pytest.FixtureRequest) -> Guide:
    """The kernel with the guides' common imports run; from the library, or with the import line changed."""
    kernel_of_guides.library = request.param
    kernel_of_guides.poe.seen.clear()
    kernel_of_guides.paste(FORGET + for_library(IMPORTS, request.param))
    return kernel_of_guides


# What each bot has to do.


def forwards(guide: Guide) -> None:
    assert guide.ask("what is new?").text == "You said: what is new?"
    [asked] = guide.seen("/bot/GPT-3.5-Turbo")
    assert asked.headers["authorization"] == f"Bearer {ACCESS_KEY}"
    assert asked.json["query"][-1]["content"] == "what is new?"


def declares_the_bot_that_it_asks(guide: Guide) -> None:
    assert guide.settings == {"server_bot_dependencies": {"GPT-3.5-Turbo": 1}}


def forwards_and_declares(guide: Guide) -> None:
    forwards(guide)
    declares_the_bot_that_it_asks(guide)


def shows_an_image(guide: Guide) -> None:
    text = guide.ask().text
    assert text.startswith("This is a test image. ![leopard](https://images.pexels.com/photos/46254/")


def takes_attachments(guide: Guide) -> None:
    assert guide.settings == {
        "allow_attachments": True,
        "expand_text_attachments": True,
        "enable_image_comprehension": True,
    }


def gets_the_conversation_as_it_is(guide: Guide) -> None:
    file = {"url": "u", "content_type": "text/plain", "name": "a.txt", "parsed_content": "words of a"}
    assert guide.ask(attachments=[file]).text == "1 message"


def counts_pages(guide: Guide) -> None:
    file = {"url": f"{guide.poe.url}/document.pdf", "content_type": "application/pdf", "name": "document.pdf"}
    assert guide.ask(attachments=[file]).text == f"document.pdf has {PAGES} pages"
    file["url"] = f"{guide.poe.url}/lost.pdf"
    assert guide.ask(attachments=[file]).text == "Failed to retrieve the document."


def counts_pages_and_takes_attachments(guide: Guide) -> None:
    counts_pages(guide)
    assert guide.settings == {"allow_attachments": True}


def attaches_the_message(guide: Guide) -> None:
    answer = guide.ask("keep these words")
    file, text, _ = answer.events
    assert (file.type, file.data["name"], file.data["url"]) == ("file", "dummy.txt", "https://files.example/stored")
    assert text.data["text"] == "Attached a text file containing your last message."
    [upload] = guide.seen("/poe_api/")
    assert upload.headers["authorization"] == ACCESS_KEY
    assert b"keep these words" in upload.body


def attaches_what_is_at_an_address(guide: Guide) -> None:
    answer = guide.ask()
    assert [event.type for event in answer.events] == ["file", "text", "done"]
    [upload] = guide.seen("/poe_api/")
    assert upload.form == {"download_url": "..."}


def links_to_the_form(guide: Guide) -> None:
    label, _, url = guide.ask().text.removesuffix(")").partition("](")
    assert label == "[Finish creating your bot."
    assert parse_qs(urlsplit(url).query) == {
        "prompt": ["{user_prompt} --fine-tune-id ft-7"],
        "base_bot": ["FineTuneInferenceBot"],
    }


def introduces_itself(guide: Guide) -> None:
    assert guide.settings["introduction_message"].startswith("Welcome to the trivia bot.")


def is_under_construction(guide: Guide) -> None:
    introduces_itself(guide)
    assert guide.ask().text == "Bot under construction. Please visit later"


def declares_two_bots(guide: Guide) -> None:
    assert guide.settings == {
        "allow_attachments": True,
        "server_bot_dependencies": {"GPT-3.5-Turbo": 1, "Claude-instant": 1},
    }


def declares_two_calls(guide: Guide) -> None:
    assert guide.settings == {"server_bot_dependencies": {"GPT-3.5-Turbo": 2}}


def calls_the_function(guide: Guide) -> None:
    result = json.dumps({"location": "San Francisco", "temperature": "72", "unit": "fahrenheit"})
    assert guide.ask("the weather?").text == f"It says {json.dumps(result)}"
    first, second = guide.seen("/bot/GPT-3.5-Turbo")
    assert first.json["tools"][0]["function"]["parameters"]["required"] == ["location"]
    assert second.json["tool_results"][0]["tool_call_id"] == "c1"
    declares_two_calls(guide)


def remembers_what_it_has_suggested(guide: Guide) -> None:
    earlier: list[dict[str, Any]] = []
    suggested = set()
    for _ in range(3):
        text, data, _ = guide.ask("my printer!", earlier=earlier).events
        suggested.add(text.data["text"])
        stored = data.data["metadata"]
        earlier.append({"role": "bot", "content": text.data["text"], "metadata": stored})
        assert json.loads(stored)["diagnosis_step"].startswith("Check")
    assert len(suggested) == 3
    assert guide.ask("my printer!", earlier=earlier).text == "I've tried everything."


def tells_of_the_http_request(guide: Guide) -> None:
    text = guide.post(query(), parameters="?from=poe").text
    url = f"http://127.0.0.1:{guide.port}/{guide.name}?from=poe"
    assert text == f"The request url is: {url}, query params are: from=poe"


YOUR_BOT = """
from fastapi_poe import make_app
class YourBot(fp.PoeBot):
    async def get_response(self, request):
        yield f"{len(request.query)} message"
"""
MY_API = """
class my_api:
    @staticmethod
    def generate_fine_tune_id(request):
        return "ft-7"
"""
LOST = "class FileDownloadError(Exception):\n    pass\n"

Check = Callable[[Guide], None]
PROGRAMS: dict[str, Check] = {
    "gpt35_bot_full": forwards_and_declares,
    "image_bot_full": shows_an_image,
    "pdf_bot_full": counts_pages_and_takes_attachments,
    "attachment_bot_full": attaches_the_message,
    "trivia_bot_full": is_under_construction,
    "function_calling_bot_full": calls_the_function,
    "http_request_bot_full": tells_of_the_http_request,
}
"""Whole programs."""
BOTS: dict[str, Check] = {
    **PROGRAMS,
    "gpt35_bot": forwards_and_declares,
    "image_bot": shows_an_image,
    "no_inserted_messages": gets_the_conversation_as_it_is,
    "pdf_bot": counts_pages,
    "pdf_bot_final": counts_pages_and_takes_attachments,
    "attachment_bot": attaches_the_message,
    "audio_bot": attaches_what_is_at_an_address,
    "video_bot": attaches_what_is_at_an_address,
    "fine_tune_bot": links_to_the_form,
    "trivia_bot": is_under_construction,
    "function_calling_bot": calls_the_function,
    "trouble_shooting_bot": remembers_what_it_has_suggested,
    "http_request_bot": tells_of_the_http_request,
}
"""Bots, and what makes one."""
METHODS: dict[str, Check] = {
    "declared_dependency": declares_the_bot_that_it_asks,
    "forwarded_query": forwards,
    "attachment_settings": takes_attachments,
    "introduction_settings": introduces_itself,
    "changed_settings": declares_two_bots,
    "function_calling_settings": declares_two_calls,
}
"""Methods that the guide says to put into a bot."""
CODE = {"pdf_pages", "settings_sync", "weather_tools", "asyncio_script", "ipython_shell", "sent_files"}
"""The others, each with a test of its own."""
BEFORE = {
    "no_inserted_messages": YOUR_BOT,
    "pdf_bot": LOST + block("pdf_pages"),
    "fine_tune_bot": MY_API,
}
"""What a block takes for granted: another block, or something of the reader's own."""


def test_every_block_of_the_guides_is_run_here() -> None:
    assert {*BOTS, *METHODS, *CODE} == set(PRINTED)
    assert len(PRINTED) == 32


def test_the_library_is_not_there_and_ours_is_what_the_guides_get(guide: Guide) -> None:
    assert guide.kernel.value("fp.__name__") == guide.library
    assert guide.kernel.value("fp.PoeBot.__module__") == "poe_notebook.bot.base"
    assert (
        guide.kernel.value("any('site-packages/fastapi_poe' in str(m) for m in __import__('sys').modules.values())")
        is False
    )


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_a_block_is_python_as_it_is_printed_but_for_two(name: str) -> None:
    try:
        compile(block(name), name, "exec", flags=0x2000)  # PyCF_ALLOW_TOP_LEVEL_AWAIT, as in a cell
    except SyntaxError as error:
        raise AssertionError(name) from error
    if name in REPAIRS:
        with pytest.raises(IndentationError):
            compile(PRINTED[name], name, "exec")
        assert PRINTED[name].split() == block(name).split()


@pytest.mark.parametrize("name", BOTS)
def test_a_bot_of_a_guide_is_served_and_does_what_the_guide_says(guide: Guide, name: str) -> None:
    if name in BEFORE:
        guide.paste(for_library(BEFORE[name], guide.library))
    guide.paste(block(name, library=guide.library))
    guide.serve(block(name, library=guide.library))
    BOTS[name](guide)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_a_guide_does_what_the_guide_says_where_it_belongs(guide: Guide, name: str) -> None:
    guide.paste(block(name, library=guide.library))
    guide.serve(as_method(block(name, library=guide.library)))
    METHODS[name](guide)


ASK_THE_APP = """
import httpx
transport = httpx.ASGITransport(fastapi_app())
async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
    answer = await client.post("/", json={body!r}, headers={{"Authorization": "Bearer {key}"}})
print(answer.status_code, answer.text)
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_application_that_a_program_makes_answers_too(guide: Guide, name: str) -> None:
    program = block(name, library=guide.library)
    guide.paste(program)
    answered = guide.paste(ASK_THE_APP.format(body=query(), key=ACCESS_KEY)).stdout
    assert answered.startswith("200 event:")
    assert answered.rstrip().endswith("event: done\ndata: {}")
    assert "event: error" not in answered
    if "bot_name=" in program.partition("\n    app = ")[2]:
        path = f"/bot/update_settings/Guided/{ACCESS_KEY}/"
        assert until(lambda: guide.seen(path))
        pushed = guide.seen(path)
        assert pushed[-1].json["response_version"] == 2


def test_the_pages_of_a_document_are_counted(guide: Guide) -> None:
    guide.paste(LOST + block("pdf_pages", library=guide.library))
    assert guide.kernel.value(f"_fetch_pdf_and_count_num_pages('{guide.poe.url}/document.pdf')") == PAGES


def test_the_tools_of_the_weather_are_made_whole(guide: Guide) -> None:
    guide.paste(block("weather_tools", library=guide.library))
    assert guide.kernel.value("[tool.model_dump() for tool in tools] == tools_dict_list") is True
    assert guide.kernel.value("tools_executables[0]('Tokyo', 'celsius')") == json.dumps(
        {"location": "Tokyo", "temperature": "11", "unit": "celsius"}
    )


@pytest.mark.parametrize("call", ["", "fp.client.sync_bot_settings(bot_name, access_key)"])
def test_the_settings_are_synced_from_a_cell(guide: Guide, call: str) -> None:
    script = block("settings_sync", library=guide.library)
    guide.paste(script.replace("fp.sync_bot_settings(bot_name, access_key)", call) if call else script)
    [synced] = guide.poe.seen
    assert synced.path == "/bot/fetch_settings/server_bot_name/your_server_bot_access_key/1.2"


def test_the_older_way_to_send_files_works(guide: Guide) -> None:
    imports = "from fastapi_poe import PartialResponse, QueryRequest\nfrom fastapi_poe.base import ServerSentEvent\n"
    guide.paste(for_library(imports, guide.library))
    guide.serve(as_method(block("sent_files", library=guide.library)))
    answer = guide.ask("my words")
    assert [event.data.get("name") or event.type for event in answer.events] == [
        "example.txt",
        "test.png",
        "text",
        "done",
    ]
    assert answer.text == "I have attached your input in a text file!"
    written, fetched = guide.seen("/poe_api/")
    assert written.headers["authorization"] == fetched.headers["authorization"] == "BOT_ACCESS_KEY"
    assert b"my words" in written.body
    assert fetched.form == {"download_url": "https://www.google.com/test.png"}


def test_another_bot_is_asked_from_a_cell_as_the_guide_for_ipython_says(guide: Guide) -> None:
    ran = guide.paste(block("ipython_shell", library=guide.library))
    assert [line.partition("' ")[0] for line in ran.stdout.splitlines()] == ["text='You said: ", "text='Hello world"]
    [asked] = guide.seen("/bot/GPT-3.5-Turbo")
    assert asked.headers["authorization"] == f"Bearer {API_KEY}"


def test_the_guides_script_for_asyncio_is_helped_and_runs_after_nest(kernel_of_guides: Guide) -> None:
    guide = kernel_of_guides
    scripts = [block("asyncio_script", library=library) for library in LIBRARIES]
    for script in scripts:
        failed = guide.kernel.run(script)
        assert failed.status == "error"
        assert "%poe nest" in failed.text
    guide.paste("%poe nest")
    for script in scripts:
        guide.poe.seen.clear()
        assert "text='Hello world'" in guide.paste(script).stdout
        assert guide.poe.seen[0].headers["authorization"] == f"Bearer {API_KEY}"
