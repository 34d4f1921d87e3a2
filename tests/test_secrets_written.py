"""No key in anything that the trace writes or shows, wherever a bot, its author or its asker put one."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import endpoints
import pytest
from endpoints import KEY, Kernel, query

from poe_notebook.inspecting import Inspecting
from poe_notebook.keys import Redactor, Secret
from poe_notebook.runtime.output import HandlerOutput
from poe_notebook.tracing.files import load, save
from poe_notebook.tracing.recorder import Trace
from poe_notebook.views.exchange_list import exchanges_bundle
from poe_notebook.views.inspector import exchange_bundle
from poe_notebook.views.inspector_page import InspectorPage

API_KEY = "pk-" + "Zz9" * 12 + "-end"
SOURCE = """
import logging, sys, time, warnings
class KEY_Error(Exception): pass
async def get_response(request):
    KEY_word = "KEY"
    print("KEY", request.access_key)
    print("KEY", file=sys.stderr)
    logging.getLogger("KEY").warning("the key is %s", "KEY")
    warnings.warn("KEY", stacklevel=1)
    yield "my key is KEY"
    yield PartialResponse(text="", attachment=Attachment(url="https://x/KEY", content_type="text/KEY", name="KEY.txt"))
    yield ServerSentEvent("{\\"KEY\\": \\"KEY\\"}", event="KEY")
    time.sleep(0.35 if "KEY" else 0)
    for letter in "KEY":
        yield letter
    raise KEY_Error("KEY", {"KEY": "KEY"})
"""


@pytest.fixture(scope="module", params=[KEY, API_KEY], ids=["access key", "API key"])
def leaky(request: pytest.FixtureRequest) -> Iterator[tuple[Kernel, str]]:
    """A kernel in which a key was put everywhere that one can be put, and that key."""
    from poe_notebook.protocol.events import ServerSentEvent
    from poe_notebook.protocol.messages import Attachment
    from poe_notebook.protocol.responses import PartialResponse

    key: str = request.param
    names: dict[str, Any] = {name.__name__: name for name in (ServerSentEvent, Attachment, PartialResponse)}
    identifier = key.replace("-", "_")
    source = SOURCE.replace("class KEY", f"class {identifier}").replace("KEY_", f"{identifier}_").replace("KEY", key)
    exec(compile(source, f"/tmp/{key}.py", "exec"), names)
    streams = sys.stdout, sys.stderr
    output = HandlerOutput()
    with endpoints.kernel() as kernel, warnings.catch_warnings():
        warnings.simplefilter("always")
        kernel.redactor.add(Secret(API_KEY))
        kernel.redactor.add(Secret(identifier))
        output.open()
        try:
            kernel.serve(names["get_response"])
            body = query(f"is it {key}?", **{"extra_params": {key: key}, key: key})
            body["query"][-1]["attachments"] = [{"url": f"https://x/{key}", "name": key, "content_type": "text/plain"}]
            kernel.post(body, headers={"X-Key": key, f"X-{key}": "1", "Cookie": key, "Authorization": f"Bearer {KEY}"})
            kernel.post({"version": "1", "type": "settings", key: key})
            kernel.post({"version": "1", "type": key, "message_id": key})
            asking = kernel.trace.begin_client(
                bot=key, kind="query", message_id=key, route="poe", request={"x": key}, url=f"https://x/{key}"
            )
            asking.answered(200, {key: key, "set-cookie": key})
            asking.report("cost", key, **{key: key})
            asking.end("failed", key)
        finally:
            output.close()
        assert (sys.stdout, sys.stderr) == streams
        yield kernel, key


def parts_of(key: str) -> set[str]:
    """The key and every stretch of it that would give much of it away."""
    return {key[at : at + 12] for at in range(len(key) - 11)}


def written(kernel: Kernel, folder: Path) -> dict[str, str]:
    """Everything that is written or shown of the trace, by what it is."""
    trace = kernel.trace
    inspecting = Inspecting(trace, lambda url: b"content")
    texts: dict[str, str] = {}
    for name in ("trace.jsonl", "trace.har"):
        texts[name] = save(folder / name, trace, redactor=trace.redactor).read_text("utf-8")
    for form, text in exchanges_bundle(list(trace)).items():
        texts[f"list as {form}"] = text
    sent: list[Any] = []
    page = InspectorPage(inspecting.rows)
    page.send = lambda content, buffers=None: sent.append(content)  # type: ignore[method-assign]
    for exchange in trace:
        for form, text in exchange_bundle(inspecting.inspected(exchange)).items():
            texts[f"exchange {exchange.number} as {form}"] = text
        for make in (exchange.as_curl, exchange.as_python, exchange.as_json, exchange.__repr__):
            texts[f"exchange {exchange.number} by {make.__name__}"] = make()
        texts[f"findings of {exchange.number}"] = "\n".join(map(str, inspecting.findings(exchange)))
        for number in (0, exchange.number):
            page._answer(page, {"kind": "rows", "mark": page.mark(number), "seq": 1, "words": "e"}, None)
    texts["the page"] = repr(sent)
    return texts


def test_no_key_is_in_anything_that_is_written(leaky: tuple[Kernel, str], tmp_path: Path) -> None:
    kernel, key = leaky
    texts = written(kernel, tmp_path)
    assert len(texts) > 20
    for name, text in texts.items():
        assert not [part for part in parts_of(key) if part in text], name
    for name in ("trace.jsonl", "trace.har", "exchange 1 as text/html", "exchange 1 as text/plain", "the page"):
        assert "[key hidden]" in texts[name], name


def test_what_was_planted_has_been_recorded(leaky: tuple[Kernel, str]) -> None:
    kernel, _ = leaky
    exchange = kernel.trace[0]
    assert {line.source for line in exchange.logs} == {"stdout", "stderr", "log", "warnings"}
    assert exchange.blocked
    assert exchange.raised is not None
    assert exchange.raised.at is not None
    assert exchange.raised.at.file == "/tmp/[key hidden].py"
    assert "[key hidden]" in "".join(exchange.raised.variables)
    assert "file" in exchange.events.types


def test_a_saved_trace_that_is_loaded_elsewhere_holds_none_either(leaky: tuple[Kernel, str], tmp_path: Path) -> None:
    kernel, key = leaky
    path = save(tmp_path / "a.jsonl", kernel.trace, redactor=kernel.redactor)

    elsewhere = Trace(Redactor())
    load(path, elsewhere)
    again = save(tmp_path / "b.jsonl", elsewhere, redactor=Redactor()).read_text("utf-8")
    assert not [part for part in parts_of(key) if part in again]
