"""What the extension takes and gives back: imports, threads, ports, streams; in a kernel of the test's own."""

from __future__ import annotations

import base64
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import kernels
from kernels import Kernel

DEFINE = "%%poebot Shout --port 0\nasync def get_response(request):\n    yield request.query[-1].content.upper()\n"
LATE = ("fastapi", "httpx", "uvicorn", "ipywidgets", "anywidget", "pydantic", "pyngrok", "markdown_it", "nh3")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_of(kernel: Kernel) -> int:
    return int(kernel.value("__import__('poe_notebook').bots()[0].address").rsplit(":", 1)[1].split("/")[0])


def test_loading_imports_nothing_heavy_until_it_is_needed() -> None:
    with kernels.kernel(load=False) as k:
        k.run("import sys; before = set(sys.modules)")
        k.run(kernels.LOAD)
        k.run("import poe_notebook as fp; dir(fp)")
        new = k.value("sorted(m.partition('.')[0] for m in set(sys.modules) - before)")
        assert not set(new) & set(LATE)
        threads = k.value("[t.name for t in __import__('threading').enumerate()]")
        assert not [name for name in threads if name.startswith("poe")]


def test_unloading_leaves_no_thread_port_stream_or_magic_and_loading_again_works(fresh_kernel: Kernel) -> None:
    k = fresh_kernel
    k.run("import sys, threading; streams = sys.stdout, sys.stderr; before = set(threading.enumerate())")
    k.run(DEFINE)
    assert "HI" in k.run("%poe chat Shout hi").text
    port = port_of(k)
    assert not is_free(port)
    k.run("%unload_ext poe_notebook")
    assert is_free(port)
    assert k.value("[t.name for t in set(threading.enumerate()) - before]") == []
    assert k.value("(sys.stdout, sys.stderr) == streams") is True
    assert "not found" in k.run("%poe bots").text
    assert (
        k.value(
            "[name for name in ('poe', 'poebot')"
            " for kind in get_ipython().magics_manager.magics.values() if name in kind]"
        )
        == []
    )
    k.run(kernels.LOAD)
    assert "No bot is served here" in k.run("%poe bots").text
    k.run(DEFINE)
    assert "HO" in k.run("%poe chat Shout ho").text


def test_reloading_works(fresh_kernel: Kernel) -> None:
    k = fresh_kernel
    k.run(DEFINE)
    assert k.run("%reload_ext poe_notebook").status == "ok"
    k.run(DEFINE)
    assert "HI" in k.run("%poe chat Shout hi").text


def test_unloading_cancels_a_running_answer_and_its_finally_runs(fresh_kernel: Kernel) -> None:
    k = fresh_kernel
    k.run("import poe_notebook as fp, threading\nended = []")
    k.run(
        "%%poebot Long\nimport asyncio\nasync def get_response(request):\n    try:\n        yield 'x'\n"
        "        await asyncio.sleep(60)\n    finally:\n        ended.append(True)\n"
    )
    k.run("t = threading.Thread(target=lambda: fp.ask('Long', 'x'), daemon=True); t.start()")
    k.settle(0.5)
    ran = k.run("%unload_ext poe_notebook")
    assert ran.idle_s < 3
    assert k.value("ended") == [True]


def test_a_kernel_restart_frees_the_port(fresh_kernel: Kernel) -> None:
    k = fresh_kernel
    k.run(DEFINE)
    port = port_of(k)
    k.manager.restart_kernel(now=False)
    k.client.wait_for_ready(timeout=60)
    assert is_free(port)


def test_a_kernel_restart_in_the_middle_of_a_blocking_answer_frees_the_port(fresh_kernel: Kernel) -> None:
    k = fresh_kernel
    k.run("import poe_notebook as fp, threading")
    k.run("%%poebot Stuck --port 0\nimport time\ndef get_response(request):\n    time.sleep(60)\n    return 'x'\n")
    k.run("threading.Thread(target=lambda: fp.ask('Stuck', 'x'), daemon=True).start()")
    k.settle(0.5)
    port, started = port_of(k), time.monotonic()
    k.manager.restart_kernel(now=False)
    k.client.wait_for_ready(timeout=60)
    assert is_free(port)
    assert time.monotonic() - started < 5


def test_a_killed_kernel_frees_the_port(fresh_kernel: Kernel) -> None:
    k = fresh_kernel
    k.run(DEFINE)
    port = port_of(k)
    os.kill(k.value("__import__('os').getpid()"), signal.SIGKILL)
    time.sleep(0.5)
    assert is_free(port)


def test_a_second_kernel_takes_another_port_by_itself_and_says_so_if_one_was_asked_for(fresh_kernel: Kernel) -> None:
    fresh_kernel.run(DEFINE)
    port = port_of(fresh_kernel)
    with kernels.kernel() as other:
        refused = other.run(DEFINE.replace("--port 0", f"--port {port}"))
        assert f"Port {port} of 127.0.0.1 is taken" in refused.error
        assert f"--port {port + 1}" in refused.error
        assert other.run(DEFINE).status == "ok"
        assert port_of(other) != port


LEAKY = """%%poebot Leaky
import base64, os
import poe_notebook as fp
key = os.environ["POE_API_KEY"]
settings = fp.SettingsResponse(introduction_message=f"hello {key}", rate_card=key)
async def get_response(request):
    print(request.access_key, request)
    yield f"my key is {request.access_key} "
    yield key
    yield "\\n\\nin pieces " + key[:20]
    yield key[20:] + "\\n\\n" + key.replace("_", "\\\\_") + "\\n\\n" + "".join(f"&#{ord(c)};" for c in key)
    for name, kind, text in [("a.txt", "text/plain", key), ("a.svg", "image/svg+xml", f"<svg>{key}</svg>")]:
        address = f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"
        yield fp.PartialResponse(text="", attachment=fp.Attachment(url=address, content_type=kind, name=name))
    if "fail" in request.query[-1].content:
        raise ValueError(request.access_key)
"""
LOOKS = [
    "import poe_notebook as fp",
    "%poe chat Leaky hello",
    "%poe chat Leaky please fail",
    "%poe chat Leaky",
    "%poe settings Leaky",
    "%poe inspect",
    "%poe inspect all",
    "%poe attachments",
    "%poe logs",
    "%poe bots",
    "%poe compare Leaky Leaky -- hello",
    "fp.ask('Leaky', 'hello')",
    "repr(fp.ask('Leaky', 'hello')), fp.trace[-1].text",
    "await fp.aask('Leaky', 'hello')",
    "fp.replay(-1)",
    "%poe replay",
    "fp.trace[-1]",
    "fp.trace[-1].request_headers",
    "fp.bots(), fp.trace",
    "%poe save trace.jsonl",
    "open('trace.jsonl').read()",
]


def test_no_key_is_in_anything_that_the_kernel_sends(tmp_path: Path) -> None:
    keys = {"POE_ACCESS_KEY": "A" * 31 + "b", "POE_API_KEY": "pk_" + "Z9_" * 14}
    with kernels.kernel(environment=keys) as k:
        k.run(f"import os; os.chdir({str(tmp_path)!r})")
        assert k.run(LEAKY).status == "ok"
        for code in LOOKS:
            assert k.run(code).status == "ok", code
        sent = "".join(decoded(repr([ran.messages for ran in k._running.values()])))
        assert "my key is" in sent
        assert "hello [key hidden]" in sent
        for key in keys.values():
            at = sent.find(key)
            assert at < 0, sent[max(at - 1500, 0) : at + 100]


def decoded(sent: str) -> Iterator[str]:
    """What was sent, and what stands in the addresses in it."""
    yield sent
    for data in re.findall(r";base64,([A-Za-z0-9+/=]+)", sent):
        yield base64.b64decode(data[: len(data) // 4 * 4] + "==").decode("latin-1")  # some are cut short
