"""The arrows between the rooms, read from the imports: who may import whom, and what stands only where."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

PACKAGE = Path(__file__).parent.parent / "poe_notebook"
FILES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES, MEDIAN_LINES = 400, 150

EVERYONE = {"errors"}
ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "keys": set(),
    "protocol": set(),
    "tracing": {"protocol", "keys"},
    "client": {"protocol", "tracing", "keys"},
    "bot": {"protocol", "client"},
    "server": {"bot", "tracing", "keys", "protocol"},
    "reply": {"protocol", "tracing"},
    "conversation": {"protocol", "reply"},
    "simulator": {"protocol", "tracing", "bot", "server", "client", "conversation", "keys"},
    "checks": {"protocol", "tracing", "keys", "simulator"},
    "replaying": {"protocol", "tracing", "conversation", "bot"},
    "runtime": {"server", "bot", "tracing", "keys", "protocol"},
    "pinned": {"bot", "client", "conversation", "keys", "protocol", "replaying", "tracing"},
    "keeping": {"keys", "replaying", "tracing"},
    "views": {"checks", "protocol", "replaying", "tracing", "conversation", "reply"},
    "arguments": set(),
    "drop_in": set(),
    "types": {"bot", "protocol"},
    "templates": {"bot"},
    "base": {"bot", "client", "protocol", "server"},
    "sync_utils": {"client"},
    "cell": {"bot"},
    "turn": {"conversation", "protocol", "reply", "runtime", "tracing"},
    "serving": {"bot", "keys", "protocol", "runtime", "server", "tracing", "views"},
    "outside": {"keys"},
    "attaching": {"client", "protocol"},
    "routes": {"attaching", "client", "keys", "outside", "protocol", "serving", "simulator", "tracing"},
    "chats": {
        "attaching",
        "client",
        "conversation",
        "outside",
        "protocol",
        "replaying",
        "routes",
        "runtime",
        "serving",
        "simulator",
        "tracing",
        "turn",
    },
    "panel": {"attaching", "chats", "conversation", "protocol", "runtime", "turn", "views"},
    "comparing": {"conversation", "runtime", "turn", "views"},
    "inspecting": {"checks", "tracing", "views"},
    "session": {
        "cell",
        "chats",
        "client",
        "comparing",
        "inspecting",
        "keeping",
        "keys",
        "outside",
        "panel",
        "replaying",
        "runtime",
        "serving",
        "simulator",
        "tracing",
        "views",
    },
    "notebook": {
        "attaching",
        "checks",
        "comparing",
        "conversation",
        "given",
        "keeping",
        "panel",
        "protocol",
        "session",
        "tracing",
        "turn",
        "views",
    },
    "given": set(),
    "nesting": set(),
    "questions": set(),
    "verbs": {
        "arguments",
        "attaching",
        "cell",
        "conversation",
        "keeping",
        "nesting",
        "session",
        "simulator",
        "tracing",
        "turn",
        "views",
    },
    "magics": {"arguments", "verbs", "views"},
    "extension": {"arguments", "drop_in", "conversation", "magics", "questions", "session", "verbs", "views"},
    "tutorials": set(),
    "__main__": {"tutorials"},
    "__init__": {"bot", "extension", "notebook"},
}
SOCKETS_AND_THREADS = {"threading", "socket", "socketserver", "multiprocessing", "subprocess"}
FORBIDDEN = {"print", "sys.exit", "exit", "asyncio.run"}
MAY_START_PROCESSES = {"tutorials", "__main__"}


def room(file: Path) -> str:
    """The room a file belongs to: its folder, or itself if it stands at the top."""
    first = file.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file imports, with the line."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: a relative import hides where it points"
            yield node.lineno, node.module or ""


def test_a_room_imports_only_what_its_arrows_allow() -> None:
    for file in FILES:
        here = room(file)
        assert here in ARROWS, f"{here} is a new room: say here what it may import"
        allowed = ARROWS[here] | EVERYONE | {here}
        for line, module in imports(file):
            parts = module.split(".")
            if parts[0] == "poe_notebook" and len(parts) > 1:
                assert parts[1] in allowed, f"{file}:{line}: {here} may not import {parts[1]}"


def test_threads_sockets_and_processes_are_in_the_runtime_alone() -> None:
    for file in FILES:
        if room(file) not in {"runtime"} | MAY_START_PROCESSES:
            for line, module in imports(file):
                assert module.split(".")[0] not in SOCKETS_AND_THREADS, f"{file}:{line}: {module}"


def test_nothing_prints_exits_or_runs_a_loop_of_its_own() -> None:
    for file in FILES:
        if room(file) in MAY_START_PROCESSES:
            continue
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Call):
                used = ast.unparse(node.func)
                assert used not in FORBIDDEN, f"{file}:{node.lineno}: {used}"
            if isinstance(node, ast.Attribute):
                assert ast.unparse(node) != "sys.argv", f"{file}:{node.lineno}: sys.argv"


def test_the_protocol_room_reads_no_clock_and_does_no_io() -> None:
    forbidden = {"time", "datetime", "asyncio", "os", "logging", "httpx", "fastapi", "starlette", "pathlib", "random"}
    for file in FILES:
        if room(file) == "protocol":
            for line, module in imports(file):
                assert module.split(".")[0] not in forbidden, f"{file}:{line}: {module}"


def test_no_file_is_over_four_hundred_lines_and_the_median_is_small() -> None:
    lengths = {file: len(file.read_text("utf-8").splitlines()) for file in FILES}
    assert not {file.name: lines for file, lines in lengths.items() if lines > MAX_LINES}
    assert median(lines for lines in lengths.values() if lines) <= MEDIAN_LINES


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = re.compile(r"(utils?|helpers?|common|manager|misc|tools?_?box)$")
    the_librarys = {PACKAGE / "sync_utils.py"}  # for code that imports from fastapi_poe's module of that name
    assert not [file for file in FILES if empty.search(file.stem) and file not in the_librarys]
